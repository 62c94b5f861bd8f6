import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// A step done by hand: `record start`, `record stop`.
@Suite(.temporaryDirectory) struct RecordTests {
    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        try run.makeKey("other.pem")
        try run.write("one\n", to: "src/a")
        return run
    }

    private static let start = ["record", "start", "-n", "edit", "-k", "key.pem", "-m", "src"]
    private static let stop = ["record", "stop", "-n", "edit", "-k", "key.pem", "-p", "src"]

    private func begin(_ run: IntotoRun, _ more: [String] = []) throws -> String {
        let started = try run.run(Self.start + more)
        #expect(started.status == 0, "\(started.errorText)")
        return try run.file(endingIn: ".link-unfinished")
    }

    private func expect(
        _ result: Subprocess, _ status: Int32, _ message: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(result.status == status, sourceLocation: sourceLocation)
        #expect(
            result.errorText.hasPrefix("intoto-run: error: \(message)"), "\(result.errorText)",
            sourceLocation: sourceLocation)
        #expect(result.errorText.split(separator: "\n").count { $0.contains(": error: ") } == 1)
    }

    @Test(arguments: ["attestation", "link", "dsse-link"])
    func `a step of each format holds what was there before and after`(format: String) throws {
        let run = try project()
        let record = try begin(run, ["--format", format])
        let id = try run("key", "id", "key.pem").outputText.prefix(8)
        #expect(record == ".edit.\(id).link-unfinished")
        try run.write("two\n", to: "src/a")
        try run.write("new\n", to: "src/b")
        let stopped = try run.run(
            Self.stop + ["--command", "vi 'src/a b' \"it's\" \\$x", "--return-value", "0", "--byproduct", "ticket=7"])
        #expect(stopped.status == 0, "\(stopped.errorText)")
        let name = try run.file(endingIn: format == "attestation" ? ".jsonl" : ".link")
        #expect(name.hasPrefix("edit.\(id)."))
        #expect(try !run.list().contains(record))
        let link = try Evidence.link(name, of: run)
        #expect(link.materialNames == ["src/a"] && link.productNames == ["src/a", "src/b"])
        #expect(link.materials["src/a"] != link.products["src/a"])
        #expect(link.command == ["vi", "src/a b", "it's", "$x"])
        #expect(link.byproduct("return-value") == 0 && link.byproduct("ticket") == "7")
        #expect(link.byproduct("started") != nil && link.byproduct("finished") != nil)
        #expect(try run("sign", "--check", name, "--verification-keys", "key.pem.pub").status == 0)
    }

    @Test func `options of the beginning hold to the end, unless the end has its own`() throws {
        let run = try project()
        try run.write("x", to: "src/a.o")
        let options = ["--base-path", "src", "--exclude", "*.o", "--format", "link"]
        #expect(try run.run(["record", "start", "-n", "edit", "-k", "key.pem", "-m", "."] + options).status == 0)
        #expect(try run("record", "stop", "-n", "edit", "-k", "key.pem", "-p", ".").status == 0)
        let link = try Evidence.link(of: run)
        #expect(link.materialNames == ["a"] && link.productNames == ["a"])
        #expect(
            try run.run(["record", "start", "-n", "edit", "-k", "key.pem", "-m", "."] + options).status == 0)
        let own = ["--digest", "sha512", "--overwrite"]
        #expect(try run.run(["record", "stop", "-n", "edit", "-k", "key.pem", "-p", "."] + own).status == 0)
        let other = try Evidence.link(of: run)
        #expect(other.productNames == ["a"] && other.products["a"]?.entries.map(\.algorithm) == [.sha512])
    }

    struct Overlay: Sendable, CustomStringConvertible {
        var description: String { (beginning + ["…"] + end).joined(separator: " ") }
        var beginning: [String] = []
        var end: [String] = []
        /// Of the files below src, those that are no products.
        var leftOut: [String]
        var prefix = "src/"
    }

    private static let overlays = [
        Overlay(leftOut: [".git/x"]),
        Overlay(
            beginning: ["--exclude", "*.o"], end: ["--exclude", "*.tmp"], leftOut: [".git/x", "a.o", "b.tmp"]),
        Overlay(beginning: ["--exclude", "*.o"], end: ["--exclude", "!*.o"], leftOut: [".git/x"]),
        Overlay(
            beginning: ["--exclude-from", "ignore"], end: ["--exclude", "l"], leftOut: [".git/x", "b.tmp", "l"]),
        Overlay(beginning: ["--exclude", "*.o", "*~"], end: ["--no-default-excludes"], leftOut: ["a.o", "x~"]),
        Overlay(beginning: ["--no-default-excludes"], end: ["--exclude", "*.o"], leftOut: ["a.o"]),
        Overlay(beginning: ["--compat", "python"], leftOut: [".git/x", "x~"]),
        Overlay(beginning: ["--compat", "python"], end: ["--no-default-excludes"], leftOut: []),
        Overlay(beginning: ["--exclude", "*.o"], end: ["--compat", "python"], leftOut: [".git/x", "a.o", "x~"]),
        Overlay(
            beginning: ["--lstrip-paths", "src"], end: ["--exclude", "*.o"], leftOut: [".git/x", "a.o"], prefix: ""),
        Overlay(beginning: ["--lstrip-paths", "src"], end: ["--lstrip-paths", "none"], leftOut: [".git/x"]),
        Overlay(
            beginning: ["--symlinks", "refuse", "--exclude", "l"], end: ["--exclude", "*.o"],
            leftOut: [".git/x", "a.o", "l"]),
    ]

    @Test(arguments: overlays) func `an option at the end leaves the others as they were`(item: Overlay) throws {
        let run = try project()
        _ = try run.shell(
            "cd src; echo x >a.o; echo x >b.tmp; touch x~; ln -s a l; mkdir .git; echo x >.git/x; echo '*.tmp' >../ignore"
        )
        let begun = ["record", "start", "-n", "edit", "-k", "key.pem", "--format", "link", "-m", "key.pem.pub"]
        #expect(try run.run(begun + item.beginning).status == 0)
        _ = try run.shell("rm ignore")
        let ended = try run.run(["record", "stop", "-n", "edit", "-k", "key.pem", "-p", "src"] + item.end)
        #expect(ended.status == 0, "\(ended.errorText)")
        let products = [".git/x", "a", "a.o", "b.tmp", "l", "x~"].filter { !item.leftOut.contains($0) }
        #expect(try Evidence.link(of: run).productNames == products.map { item.prefix + $0 })
    }

    @Test func `what the beginning refused or read otherwise stays so, whatever else the end is given`() throws {
        let run = try project()
        _ = try run.shell("printf 'x\\r\\n' >src/crlf; printf 'x\\n' >src/lf; ln -s a src/l")
        let begun = ["record", "start", "-n", "edit", "-k", "key.pem", "--format", "link", "-m", "key.pem.pub"]
        let ended = ["record", "stop", "-n", "edit", "-k", "key.pem", "-p", "src"]
        let strict = ["--symlinks", "refuse", "--normalize-line-endings"]
        #expect(try run.run(begun + strict).status == 0)
        expect(try run.run(ended + ["--exclude", "*.o"]), 2, "'src/l': is a symbolic link, and these are refused")
        #expect(try run.run(ended + ["--symlinks", "follow"]).status == 0)
        let link = try Evidence.link(of: run)
        #expect(link.products["src/crlf"] == link.products["src/lf"] && link.products["src/l"] != nil)
        #expect(try run.run(begun + ["--allow-missing", "--overwrite"]).status == 0)
        #expect(try run.run(ended + ["absent", "--digest", "sha384", "--overwrite"]).status == 0)
        #expect(try run.run(begun + ["--overwrite"]).status == 0)
        expect(try run.run(ended + ["absent", "--digest", "sha384", "--overwrite"]), 2, "'absent': does not exist")
    }

    @Test func `several keys begin and finish together`() throws {
        let run = try project()
        let both = ["-k", "key.pem", "other.pem"]
        #expect(try run.run(["record", "start", "-n", "edit", "-m", "src"] + both).status == 0)
        let alone = try run.run(["record", "stop", "-n", "edit", "-k", "other.pem", "-p", "src"])
        expect(alone, 2, "step 'edit' was begun with another key: ")
        #expect(try run.run(["record", "stop", "-n", "edit", "-p", "src"] + both).status == 0)
        let keys = ["--verification-keys", "key.pem.pub", "other.pem.pub"]
        #expect(try run.run(["sign", "--check", run.file(endingIn: ".jsonl")] + keys).status == 0)
    }

    @Test func `a record stands in the metadata directory, or here`() throws {
        let run = try project()
        _ = try run.shell("mkdir out")
        #expect(try run.run(Self.start + ["-d", "out"]).status == 0)
        #expect(try run.list("out").count == 1)
        #expect(try run.run(Self.stop + ["-d", "out"]).status == 0)
        #expect(try run.file(endingIn: ".jsonl", in: "out").hasPrefix("out/edit."))
        // As scripts for in-toto-record have it: begun here, finished into another directory.
        #expect(try run.run(Self.start).status == 0)
        #expect(try run.run(Self.stop + ["-d", "out", "--overwrite"]).status == 0)
        #expect(try run.list().filter { $0.hasSuffix("-unfinished") } == [])
    }

    @Test func `an unfinished record is no evidence to any verb`() throws {
        let run = try project()
        let record = try begin(run)
        _ = try run.shell("cp \(record) edit.12345678.link")
        for arguments in [
            ["inspect", "edit.12345678.link"], ["match-products", "-l", "edit.12345678.link", "-p", "src"],
            ["sign", "edit.12345678.link", "-k", "key.pem", "-o", "x.link"], ["diff", record, record],
            ["sign", "--check", "edit.12345678.link", "--verification-keys", "key.pem.pub"],
        ] {
            let result = try run.run(arguments)
            #expect(result.status == 2, "\(arguments)")
            #expect(
                result.errorText.hasSuffix(
                    """
                    : is the unfinished record of a step, which proves nothing yet
                    intoto-run: hint: intoto-run record stop finishes it

                    """), "\(result.errorText)")
        }
    }

    @Test func `where and how a step by hand was begun is recorded as a run records it`() throws {
        var run = try project()
        run.environment.merge([
            "GITLAB_CI": "true", "CI_JOB_NAME": "edit-job", "LANG": "C.UTF-8", "MY_TOKEN": "s3cr3t-value",
        ]) {
            $1
        }
        try run.write("*.o\n", to: "patterns")
        let options = [
            "--format", "link", "--env", "LANG", "--annotate", "ticket=7", "leak=s3cr3t-value", "--record-user",
            "--exclude-from", "patterns",
        ]
        #expect(try run.run(Self.start + options).status == 0)
        #expect(try run.run(Self.stop).status == 0)
        let byHand = try Evidence.link(of: run).environment
        #expect(
            try run.run(
                ["-q", "-n", "edit", "-k", "key.pem", "-m", "src", "-x", "--overwrite"] + options
            ).status == 0)
        let asRun = try Evidence.link(of: run).environment
        for member in ["annotations", "ci", "ignore-files", "platform", "tool", "user", "variables"] as [Text] {
            #expect(byHand[member] != nil && byHand[member] == asRun[member], "\(member)")
        }
        #expect(byHand["annotations"] == ["leak": "***", "ticket": "7"])
        guard case .array(let given)? = byHand["options"] else { throw IntotoRun.SetupFailure(reason: "no options") }
        #expect(given.contains(["name": "key", "source": "argument"]))
        #expect(given.contains(["name": "env", "source": "argument", "values": ["LANG"]]))
        let refused = try run.run(Self.start + ["--env", "INTOTO_KEY_PASSPHRASE"])
        expect(refused, 2, "--env INTOTO_KEY_PASSPHRASE: is never recorded")
    }

    @Test func `what was written is said as JSON, too`() throws {
        let run = try project()
        let started = try run.run(Self.start + ["--json"])
        let record = try run.file(endingIn: "-unfinished")
        #expect(started.outputText == "{\n  \"written\": [\n    \"./\(record)\"\n  ]\n}\n" && started.errors == [])
        let stopped = try run.run(Self.stop + ["--json"])
        #expect(try stopped.outputText.contains("\"./\(run.file(endingIn: ".jsonl"))\"") && stopped.errors == [])
    }

    // MARK: Refusals

    @Test func `no record is one error, and so are two`() throws {
        let run = try project()
        expect(try run.run(Self.stop), 2, "no unfinished record of step 'edit' in .")
        _ = try begin(run)
        expect(try run.run(Self.start), 2, "step 'edit' was begun already: ")
        _ = try run.shell("mkdir out; cp .edit.* out")
        expect(try run.run(Self.stop + ["-d", "out"]), 2, "there are 2 unfinished records of step 'edit': out/.edit.")
        let named = try run.run(Self.stop + ["-d", "out", "--from", run.file(endingIn: "-unfinished")])
        #expect(named.status == 0, "\(named.errorText)")
        #expect(try run.list("out").count == 2)
    }

    @Test func `another key is refused, also under the name of the right one`() throws {
        let run = try project()
        let record = try begin(run)
        var arguments = Self.stop
        arguments[5] = "other.pem"
        expect(try run.run(arguments), 2, "step 'edit' was begun with another key: ")
        expect(try run.run(arguments + ["--from", record]), 1, "./\(record): valid signatures by 1 of the given keys")
        #expect(try run.list().contains(record))
    }

    @Test func `a record that somebody changed is refused`() throws {
        let run = try project()
        let record = try begin(run)
        let bytes = try run.read(record)
        guard case .envelope(var envelope) = try SignedMetadata(bytes) else {
            throw IntotoRun.SetupFailure(reason: "no envelope")
        }
        envelope.payload = Array(
            String(decoding: envelope.payload, as: UTF8.self).replacing("src/a", with: "src/b").utf8)
        let changed = try JSONWriter.bytes(.compact) { envelope.write(to: &$0) }
        try run.write(String(decoding: changed, as: UTF8.self), to: record)
        expect(try run.run(Self.stop), 1, "./\(record): valid signatures by 1 of the given keys")
        try run.write(String(decoding: bytes, as: UTF8.self), to: record)
        #expect(try run.run(Self.stop).status == 0)
    }

    @Test func `a record of another step or directory is refused`() throws {
        let run = try project()
        let record = try begin(run)
        _ = try run.shell("cp \(record) \(record.replacing("edit", with: "test"))")
        var arguments = Self.stop
        arguments[3] = "test"
        expect(
            try run.run(arguments), 2, "./\(record.replacing("edit", with: "test")): is about step 'edit', not 'test'")
        _ = try run.shell("mkdir elsewhere; cp -r src key.pem \(record) elsewhere")
        let elsewhere = IntotoRun(in: run.directory.appending(path: "elsewhere"))
        expect(try elsewhere.run(Self.stop), 2, "./\(record): the step was begun in another directory: ")
    }

    @Test func `what cannot be recorded at the end leaves the record for another try`() throws {
        let run = try project()
        let record = try begin(run)
        _ = try run.shell("touch src/bad$(printf '\\377')")
        expect(try run.run(Self.stop), 2, "'src/bad\\xFF': the name is not UTF-8")
        #expect(try run.list().contains(record) && !run.list().contains { $0.hasSuffix(".jsonl") })
        _ = try run.shell("rm src/bad*")
        #expect(try run.run(Self.stop).status == 0)
    }

    @Test(arguments: [
        (["--command", "vi 'x"], "--command 'vi 'x': a quote is not closed"),
        (["--command", " "], "--command: is empty"),
        (["--byproduct", "x"], "--byproduct 'x': is no NAME=VALUE"),
        (["--byproduct", "started=never"], "--byproduct 'started': is recorded already"),
        (["--byproduct", "return-value=7"], "--byproduct 'return-value': is a number"),
        (["--byproduct", "timed-out=no"], "--byproduct 'timed-out': is what a run records of its command"),
        (["--byproduct", "stdout=x"], "--byproduct 'stdout': is what a run records of its command"),
        (["--byproduct", "stderr-length=7"], "--byproduct 'stderr-length': is what a run records of its command"),
        (["--byproduct", "note-base64=eA=="], "--byproduct 'note-base64': is what a run records of its command"),
        (["--byproduct", "a=1", "a=2"], "--byproduct 'a': is recorded already"),
        (["--redact", "*"], "--redact: '*' names no environment variables"),
    ])
    func `what is said of the step has to make sense`(options: [String], message: String) throws {
        let run = try project()
        _ = try begin(run)
        expect(try run.run(Self.stop + options), 2, message)
    }
}
