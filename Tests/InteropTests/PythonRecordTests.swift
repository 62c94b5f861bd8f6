import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Steps recorded by hand, exchanged with the Python implementation.
@Suite(.temporaryDirectory) struct PythonRecordTests {
    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("one\n", to: "src/a")
        return run
    }

    private func step(_ run: IntotoRun, format: String) throws -> String {
        #expect(try run("record", "start", "-n", "edit", "-k", "key.pem", "-m", "src", "--format", format).status == 0)
        try run.write("two\n", to: "src/a")
        #expect(try run("record", "stop", "-n", "edit", "-k", "key.pem", "-p", "src").status == 0)
        return try run.file(endingIn: ".link")
    }

    @Test(arguments: ["link", "dsse-link"])
    func `a link of ours is checked, matched and verified by theirs`(format: String) throws {
        let run = try project()
        let link = try step(run, format: format)
        let layout = """
            {"owner": "\(run.directory.path)/key.pem", "dsse": false, "inspections": [], "steps": [{"name": "edit",
             "key": "\(run.directory.path)/key.pem.pub", "expected_command": [],
             "expected_materials": [["ALLOW", "src/a"], ["DISALLOW", "*"]],
             "expected_products": [["MODIFY", "src/a"], ["DISALLOW", "*"]]}]}
            """
        try run.write(layout, to: "spec.json")
        let strict = layout.replacing("MODIFY", with: "CREATE")
        try run.write(strict, to: "strict.json")
        var calls = [
            PythonPeer.Call("layout", ["spec.json", "root.layout"], in: run.directory),
            PythonPeer.Call("layout", ["strict.json", "strict.layout"], in: run.directory),
            PythonPeer.Call("sign", ["-f", link, "-k", "key.pem.pub", "--verify"], in: run.directory),
        ]
        for layout in ["root.layout", "strict.layout"] {
            calls.append(
                PythonPeer.Call(
                    "verify", ["-l", layout, "--verification-keys", "key.pem.pub", "--link-dir", "."], in: run.directory
                ))
        }
        if format == "link" {
            calls.append(PythonPeer.Call("match-products", ["-l", link, "-p", "src"], in: run.directory))
        }
        let outcomes = try PythonPeer.run(calls)
        #expect(outcomes.map(\.status) == [0, 0, 0, 0, 1] + (format == "link" ? [0] : []), "\(outcomes.map(\.log))")
        #expect(outcomes[4].log.contains("RuleVerificationError"))
    }

    @Test(arguments: [[], ["--use-dsse"]])
    func `a link of theirs is inspected, checked, matched and compared by ours`(options: [String]) throws {
        let run = try project()
        let common = ["-n", "edit", "--signing-key", "key.pem"] + options
        let outcomes = try PythonPeer.run([
            PythonPeer.Call("record", ["start"] + common + ["-m", "src"], in: run.directory),
            PythonPeer.Call("record", ["stop"] + common + ["-p", "src"], in: run.directory),
        ])
        #expect(outcomes.map(\.status) == [0, 0], "\(outcomes.map(\.log))")
        let theirs = try run.file(endingIn: ".link")
        let keys = ["--verification-keys", "key.pem.pub"]
        let inspected = try run.run(["inspect", theirs] + keys)
        #expect(inspected.status == 0 && inspected.outputText.contains("good, by ed25519 key"))
        #expect(try run.run(["sign", "--check", theirs] + keys).status == 0)
        #expect(try run.run(["match-products", "-l", theirs, "-p", "src"] + keys).status == 0)
        _ = try run.shell("mkdir ours")
        try run("-q", "-x", "-n", "edit", "-k", "key.pem", "--format", "link", "-m", "src", "-p", "src", "-d", "ours")
        let ours = try run.file(endingIn: ".link", in: "ours")
        let parts = ["--only", "materials", "products", "command"]
        #expect(try run.run(["diff", theirs, ours] + keys + parts).status == 0)
        try run.write("changed\n", to: "src/a")
        #expect(try run.run(["match-products", "-l", theirs, "-p", "src"] + keys).status == 1)
    }

    @Test(arguments: [[], ["--use-dsse"]])
    func `what theirs has begun is refused, and theirs refuses ours`(options: [String]) throws {
        let run = try project()
        let common = ["-n", "edit", "--signing-key", "key.pem"] + options
        let begun = try PythonPeer.run([
            PythonPeer.Call("record", ["start"] + common + ["-m", "src"], in: run.directory)
        ])
        #expect(begun[0].status == 0, "\(begun[0].log)")
        let record = try run.file(endingIn: "-unfinished")
        let refused = try run("record", "stop", "-n", "edit", "-k", "key.pem", "-p", "src")
        #expect(refused.status == 2)
        #expect(
            refused.errorText.hasPrefix(
                "intoto-run: error: ./\(record): was begun by another tool, whose unfinished records are not exchanged\n"
            ),
            "\(refused.errorText)")
        #expect(try run.list().contains(record))
        _ = try run.shell("rm \(record)")
        #expect(try run("record", "start", "-n", "edit", "-k", "key.pem", "-m", "src").status == 0)
        let ours = try run.file(endingIn: "-unfinished")
        #expect(ours == record)
        let stopped = try PythonPeer.run([
            PythonPeer.Call("record", ["stop"] + common + ["-p", "src"], in: run.directory)
        ])
        #expect(stopped[0].status != 0)
        #expect(try run.list().contains(ours) && !run.list().contains { $0.hasSuffix(".link") })
    }

    @Test func `theirs and ours hide the same with --compat python`() throws {
        let run = try project()
        for name in ["src/m.pyc", "src/a~", "src/x.link.js", "src/.git/config", "src/b"] {
            try run.write("x", to: name)
        }
        for exclude in [[], ["--exclude", "b", "*.pyc"]] {
            _ = try run.shell("rm -rf t o; mkdir t o")
            let common = ["-n", "s", "--signing-key", "key.pem", "-m", "src", "absent"] + exclude
            let theirs = try PythonPeer.run([PythonPeer.Call("run", common + ["-x", "-d", "t"], in: run.directory)])
            #expect(theirs[0].status == 0, "\(theirs[0].log)")
            let ours = try run.run(common + ["-x", "-d", "o", "--compat", "python", "--format", "link"])
            #expect(ours.status == 0, "\(ours.errorText)")
            let links = try ["t", "o"].map { try run.file(endingIn: ".link", in: $0) }
            #expect(try run.run(["diff", "--only", "materials", "--"] + links).status == 0, "\(exclude)")
        }
    }
}
