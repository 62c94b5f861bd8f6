import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Spellings of other runners: what was accepted does the same.
@Suite(.temporaryDirectory) struct DropInTests {
    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        for (name, text) in [("src/a", "one\n"), ("src/a.o", "object\n"), ("out/x", "x\n")] {
            try run.write(text, to: name)
        }
        return run
    }

    /// The evidence of a run in a directory of its own, without what differs from run to run.
    private func link(_ run: IntotoRun, _ options: [String], as name: String) throws -> Link {
        try FileManager.default.createDirectory(
            at: run.directory.appending(path: name), withIntermediateDirectories: false)
        let result = try run.run(options + ["-d", name, "--", "sh", "-c", "echo out; pwd"])
        #expect(result.status == 0, "\(options): \(result.errorText)")
        var link = try Evidence.link(endingIn: ".link", of: run, in: name)
        for varying in ["started", "finished", "resources"] as [Text] { link.byproducts[varying] = nil }
        // Where evidence went is among the options.
        link.environment["options"] = nil
        return link
    }

    /// As in-toto for Python or Go has it, and as we have it.
    private static let runs: [(theirs: [String], ours: [String])] = [
        (["--step-name", "s"], ["--name", "s"]),
        (["--signing-key", "key.pem"], ["--key", "key.pem"]), (["-k", "key.pem"], ["--key", "key.pem"]),
        (["-m", "src", "out"], ["-m", "src", "-m", "out"]),
        (["--materials", "src", "out"], ["--materials=src", "-m", "out"]),
        (["-p", "src", "out"], ["--products", "src", "out"]),
        (["-m", "src", "--exclude", "*.o"], ["-m", "src", "--exclude=*.o"]),
        (["-m", "src", "-e", "*.o"], ["-m", "src", "--exclude", "*.o"]),
        (["-m", "src", "-l", "src/"], ["-m", "src", "--lstrip-paths", "src/"]),
        (["-m", ".", "--base-path", "src"], ["-m", ".", "--base-path=src"]),
        (["-s"], ["--record-streams=full"]), (["--record-streams"], ["--record-streams=full"]),
        (["--run-timeout", "10"], ["--timeout", "10s"]), (["-r", "src"], ["-C", "src"]),
        (["--run-dir", "src"], ["-C", "src"]),
        (["--normalize-line-endings"], ["--normalize-line-endings"]),
        (["-m", "src", "--follow-symlink-dirs"], ["-m", "src", "--symlinks", "follow"]),
        (["-v"], ["--verbose"]), (["-q"], ["--quiet"]),
    ]

    @Test(arguments: runs.indices)
    func `a run takes the spelling`(index: Int) throws {
        let run = try project()
        func complete(_ options: [String]) -> [String] {
            var options = options + ["--format", "link"]
            if !options.contains(where: ["-k", "--key", "--signing-key"].contains) { options += ["-k", "key.pem"] }
            if !options.contains(where: ["-m", "--materials", "--materials=src", "-p", "--products"].contains) {
                options += ["-m", "src"]
            }
            if !options.contains(where: ["--name", "--step-name"].contains) { options += ["-n", "s"] }
            return options
        }
        let theirs = try link(run, complete(Self.runs[index].theirs), as: "theirs")
        #expect(try theirs == link(run, complete(Self.runs[index].ours), as: "ours"))
    }

    @Test func `--use-dsse and -x are taken, and -d names the directory`() throws {
        let run = try project()
        let result = try run(
            "-n", "s", "--signing-key", "key.pem", "--use-dsse", "-x", "-m", "src", "--metadata-directory", "out")
        #expect(result.status == 0)
        #expect(try Evidence.link(endingIn: ".link", of: run, in: "out").command == [])
    }

    @Test func `in-toto-record's spellings record`() throws {
        let run = try project()
        let theirs = [
            ["--step-name", "s", "--signing-key", "key.pem", "--materials", "src", "out", "-e", "*.o", "-l", "src/"],
            ["--step-name", "s", "--signing-key", "key.pem", "--products", "src", "out", "--metadata-directory", "t"],
        ]
        let ours = [
            ["-n", "s", "-k", "key.pem", "-m", "src", "-m", "out", "--exclude=*.o", "--lstrip-paths", "src/"],
            ["-n", "s", "-k", "key.pem", "-p", "src", "out", "-d", "o"],
        ]
        _ = try run.shell("mkdir t o")
        var links: [Link] = []
        for (spelling, folder) in [(theirs, "t"), (ours, "o")] {
            #expect(try run.run(["record", "start", "--use-dsse"] + spelling[0]).status == 0)
            let stopped = try run.run(["record", "stop", "--use-dsse"] + spelling[1])
            #expect(stopped.status == 0, "\(stopped.errorText)")
            links.append(try Evidence.link(endingIn: ".link", of: run, in: folder))
        }
        #expect(links[0].materials == links[1].materials && links[0].products == links[1].products)
        #expect(links[0].materialNames == ["a", "out/x"])
    }

    @Test func `--compat python hides what Python hides, and passes over what is missing`() throws {
        let run = try project()
        for name in ["src/m.pyc", "src/a~", "src/app.link.js"] { try run.write("x", to: name) }
        let ours = try link(run, ["-n", "s", "-k", "key.pem", "--format", "link", "-m", "src"], as: "ours")
        #expect(ours.materialNames == ["src/a", "src/a.o", "src/app.link.js", "src/a~", "src/m.pyc"])
        let python = ["-n", "s", "-k", "key.pem", "--format", "link", "--compat", "python"]
        _ = try run.shell("ln -s nowhere broken")
        #expect(
            try link(run, python + ["-m", "src", "absent", "broken", "-p", "broken"], as: "theirs").materialNames
                == ["src/a", "src/a.o"])
        // Theirs: --exclude replaces what is hidden otherwise.
        #expect(
            try link(run, python + ["-m", "src", "--exclude", "*.o"], as: "replaced").materialNames
                == ["src/a", "src/app.link.js", "src/a~", "src/m.pyc"])
        #expect(try link(run, python, as: "nothing").materials.isEmpty)
        let strict = try run("-n", "s", "-k", "key.pem", "-m", "src", "absent", "--", "true")
        #expect(strict.status == 125)
        #expect(try run("-n", "s", "-k", "key.pem", "--compat", "perl", "--", "true").status == 125)
    }

    @Test func `in-toto-sign's spellings sign and verify`() throws {
        let run = try project()
        try run.makeKey("other.pem")
        try run("-q", "-n", "s", "-k", "key.pem", "--format", "link", "-p", "src", "--", "true")
        let link = try run.file(endingIn: ".link")
        #expect(try run("sign", "-f", link, "-k", "other.pem", "-o", "signed").status == 0)
        #expect(try run("sign", "--verify", "-f", "signed", "-k", "other.pem.pub").status == 0)
        #expect(try run("sign", "--verify", "--file", "signed", "--key", "key.pem.pub").status == 1)
        #expect(try run("sign", "-f", "signed", "-k", "key.pem", "-a", "-o", "both", "-q").errors == [])
        #expect(try run("sign", "--verify", "-f", "both", "-k", "key.pem.pub", "other.pem.pub").status == 0)
        #expect(try run("sign", "-f", link, "-k", "other.pem").status == 0)
        #expect(try run.list().count { $0.hasSuffix(".link") } == 2)
        #expect(try run("sign", "-f", "absent", "-k", "other.pem").status == 2)
        #expect(try run("sign", "--verify", "-f", "signed").status == 2)
        #expect(try run("sign", link, "-f", link, "-k", "other.pem").status == 2)
    }

    @Test func `a layout is signed where it is, as in-toto-sign does`() throws {
        let run = try project()
        try run.makeKey("other.pem")
        let layout = try Vectors.bytes("edge-cases/layout-step-minimal.json")
        try run.write(String(decoding: layout, as: UTF8.self), to: "root.layout")
        #expect(try run("sign", "-f", "root.layout", "-k", "key.pem", "other.pem").status == 0)
        #expect(try run("sign", "--verify", "-f", "root.layout", "-k", "key.pem.pub", "other.pem.pub").status == 0)
        guard case .metablock(let before) = try SignedMetadata(layout),
            case .metablock(let after) = try SignedMetadata(run.read("root.layout"))
        else { throw IntotoRun.SetupFailure(reason: "no classic layout") }
        #expect(before.signed == after.signed && after.signatures.count == 2)
    }

    @Test func `in-toto-match-products' spellings compare`() throws {
        let run = try project()
        try run("-q", "-n", "s", "-k", "key.pem", "--format", "link", "-p", "src", "--exclude", "*.o", "--", "true")
        let link = try run.file(endingIn: ".link")
        #expect(try run("match-products", "-l", link, "-p", "src").status == 1)
        #expect(try run("match-products", "--link", link, "--paths", "src", "-e", "*.o").status == 0)
        let verbose = try run("match-products", "-l", link, "-p", "src", "-e", "*.o", "-v")
        #expect(verbose.status == 0 && verbose.errorText.contains("1 products recorded, 1 files here"))
        _ = try run.shell("cp -r src copy")
        let stripped = ["-p", "copy", "--exclude", "*.o", "--lstrip-paths", "copy/"]
        #expect(try run.run(["match-products", "-l", link] + stripped).status == 1)
    }
}
