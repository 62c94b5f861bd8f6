import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import InTotoFunctionary

@Suite(.temporaryDirectory) struct HostSystemTests {
    private var root: FilePath { FilePath(TemporaryDirectory.current.path) }

    private func write(_ text: String, to name: String) throws {
        let url = TemporaryDirectory.current.appending(path: name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func system(_ variables: String...) -> HostSystem {
        HostSystem(root: root, environment: variables.map { Array($0.utf8) })
    }

    @Test func `a system that says nothing is taken as it is`() {
        let system = system()
        #expect(system.distribution == nil && system.distributionVersion == nil)
        #expect(system.containerSigns == [])
        #expect(!system.kernelRelease.isEmpty)
    }

    @Test func `os-release is read as a shell reads it`() throws {
        try write("ID=fallback\n", to: "usr/lib/os-release")
        #expect(system().distribution == Array("fallback".utf8))
        try write("# ID=no\n\nNAME=\"My \\\"OS\\\"\"\nID=debian\nVERSION_ID='12'\nODD\n", to: "etc/os-release")
        #expect(system().distribution == Array("debian".utf8))
        #expect(system().distributionVersion == Array("12".utf8))
        let fields = HostSystem.osReleaseFields(Array("NAME=\"My \\\"OS\\\"\"\nEMPTY=\nHALF=\"x\nONE=\"\n".utf8))
        #expect(fields["NAME"] == Array("My \"OS\"".utf8))
        #expect(fields["EMPTY"] == nil)
        #expect(fields["HALF"] == Array("\"x".utf8))
    }

    @Test func `each sign of a container is seen, and named`() throws {
        try write("", to: ".dockerenv")
        #expect(system().containerSigns == ["/.dockerenv"])
        try write("", to: "run/.containerenv")
        try write("12:pids:/kubepods/burstable/pod1/abc\n", to: "proc/self/cgroup")
        #expect(
            system("container=podman", "KUBERNETES_SERVICE_HOST=10.0.0.1").containerSigns
                == [
                    "/.dockerenv", "/run/.containerenv", "control group 'kubepods'", "variable 'container'",
                    "variable 'KUBERNETES_SERVICE_HOST'",
                ])
    }

    @Test func `an empty variable and an ordinary control group are no signs`() throws {
        try write("0::/user.slice/user-1000.slice/session-2.scope\n", to: "proc/self/cgroup")
        #expect(system("container=", "containers=2").containerSigns == [])
    }

    @Test func `the user's name is that of passwd, if any`() throws {
        #expect(UserIdentity.current(root: root) == UserIdentity(user: getuid(), group: getgid(), name: nil))
        try write("bad\nsomebody:x:\(getuid()):0::/:/bin/sh\nother:x:\(getuid()):0::/:\n", to: "etc/passwd")
        #expect(UserIdentity.current(root: root).name == Array("somebody".utf8))
    }
}
