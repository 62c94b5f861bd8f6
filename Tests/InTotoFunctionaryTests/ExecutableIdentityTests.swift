import Foundation
import InTotoMetadata
import TestSupport
import Testing

@testable import InTotoFunctionary

@Suite(.temporaryDirectory) struct ExecutableIdentityTests {
    private var directory: URL { TemporaryDirectory.current.resolvingSymlinksInPath() }
    private let searchPath = ["/usr/local/bin", "/usr/bin", "/bin"].map { Array($0.utf8) }

    private func identify(_ program: String, searchPath: [[UInt8]]? = nil) -> [ExecutableIdentity] {
        ExecutableIdentity.identify(
            program: Array(program.utf8), directory: Array(directory.path.utf8),
            searchPath: searchPath ?? self.searchPath)
    }

    private func write(_ text: String, to name: String, mode: Int = 0o755) throws {
        let path = directory.appending(path: name).path
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    private func paths(_ identities: [ExecutableIdentity]) -> [String] {
        identities.map { String(decoding: $0.path, as: UTF8.self) }
    }

    private func real(_ path: String) throws -> String {
        let output = try Subprocess.run("/usr/bin/realpath", [path]).outputText
        return output.trimmingCharacters(in: .newlines)
    }

    @Test func `a program is its real path, size and digest`() throws {
        try FileManager.default.createSymbolicLink(
            at: directory.appending(path: "link"), withDestinationURL: URL(filePath: "/bin/ls"))
        let identities = identify("./link")
        let expected = try Subprocess.run("/usr/bin/sha256sum", ["/bin/ls"]).outputText.prefix(64)
        let size = try Data(contentsOf: URL(filePath: "/bin/ls")).count
        #expect(paths(identities) == [try real("/bin/ls")])
        #expect(identities.first?.content == .read(size: size, sha256: .init(String(expected))))
    }

    @Test func `a script brings its interpreter`() throws {
        try write("#! /bin/sh -e\nexit 0\n", to: "script")
        #expect(paths(identify("./script")) == ["\(directory.path)/script", try real("/bin/sh")])
    }

    @Test func `env brings what it looks for`() throws {
        try write("#!/bin/sh\n", to: "tool")
        for line in ["env tool", "env -S tool -u", "env -iS -u X A=b tool x", "env --split-string=tool", "env  tool "] {
            try write("#!/usr/bin/\(line)\n", to: "script")
            let found = paths(identify("./script", searchPath: [[], Array(directory.path.utf8)]))
            let expected = ["script", "tool"].map { "\(directory.path)/\($0)" }
            let rest = [try real("/usr/bin/env"), try real("/bin/sh")]
            #expect(found == [expected[0], rest[0], expected[1], rest[1]], "\(line)")
        }
    }

    @Test func `env without a program, and one that is not there`() throws {
        try write("#!/usr/bin/env\n", to: "nothing")
        #expect(identify("./nothing").count == 2)
        try write("#!/usr/bin/env no-such-interpreter\n", to: "missing")
        #expect(
            identify("./missing").last
                == ExecutableIdentity(
                    path: Array("no-such-interpreter".utf8), content: .unreadable(reason: "not found in PATH")))
    }

    @Test func `scripts that interpret each other end`() throws {
        try write("#!\(directory.path)/a\n", to: "a")
        #expect(identify("./a").count == 10)
    }

    @Test func `text without a first line, and a long one, bring no interpreter`() throws {
        try write("exit 0\n", to: "plain")
        try write("#!\n", to: "empty")
        #expect(identify("./plain").count == 1)
        #expect(identify("./empty").count == 1)
        try write("#!/\(String(repeating: "x", count: 400))\n", to: "long")
        #expect(identify("./long").last?.path.count == 254)
    }

    @Test func `a name without a directory is looked for where the script's kernel would`() throws {
        try write("#!sh\n", to: "script")
        let identities = identify("./script")
        #expect(identities.count == 2)
        #expect(identities.last?.content == .unreadable(reason: "No such file or directory"))
    }

    @Test func `what cannot be read is said, and is no error`() throws {
        #expect(identify("./gone").first?.content == .unreadable(reason: "No such file or directory"))
        #expect(identify("no-such-program").first?.content == .unreadable(reason: "not found in PATH"))
        #expect(identify("/").first?.content == .unreadable(reason: "not a regular file"))
        _ = try Subprocess.run("/usr/bin/mkfifo", [directory.appending(path: "fifo").path])
        #expect(identify("./fifo").first?.content == .unreadable(reason: "not a regular file"))
        if getuid() != 0 {
            try write("x", to: "execute-only", mode: 0o111)
            #expect(identify("./execute-only").first?.content == .unreadable(reason: "Permission denied"))
        }
    }
}
