import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// `sign` and `match-products`, exchanged with the Python implementation.
@Suite(.temporaryDirectory) struct PythonSignTests {
    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        for key in ["a.pem", "b.pem", "c.pem"] { try run.makeKey(key) }
        try run.write("one\n", to: "src/a")
        try run.write("two\n", to: "src/b")
        return run
    }

    private func theirs(_ run: IntotoRun, _ calls: [(String, [String])]) throws -> [PythonPeer.Outcome] {
        try PythonPeer.run(calls.map { PythonPeer.Call($0.0, $0.1, in: run.directory) })
    }

    /// A link of `a.pem` about `src`, by either runner.
    private func record(_ run: IntotoRun, _ options: [String], byTheirs: Bool) throws -> String {
        if byTheirs {
            let made = try theirs(
                run, [("run", ["-n", "s", "--signing-key", "a.pem", "-m", "src", "-p", "src", "-x"] + options)])
            #expect(made[0].status == 0, "\(made[0].log)")
        } else {
            let format = options.isEmpty ? ["--format", "link"] : options
            let made = try run.run(["-q", "-x", "-n", "s", "-k", "a.pem", "-m", "src", "-p", "src"] + format)
            #expect(made.status == 0, "\(made.errorText)")
        }
        return try run.file(endingIn: ".link")
    }

    /// Theirs signs links with one key only, and adds to layouts.
    @Test(arguments: [[], ["--use-dsse"]]) func `ours adds to what theirs has signed, and both check both`(
        options: [String]
    ) throws {
        let run = try project()
        let link = try record(run, options, byTheirs: true)
        let signed = try run("sign", link, "--append", "-k", "b.pem", "-o", "both.link")
        #expect(signed.status == 0, "\(signed.errorText)")
        let outcomes = try theirs(
            run, ["a", "b", "c"].map { ("sign", ["--verify", "-f", "both.link", "-k", "\($0).pem.pub"]) })
        #expect(outcomes[0].status == 0, "\(outcomes[0].log)")
        #expect(outcomes[1].status == 0, "\(outcomes[1].log)")
        #expect(outcomes[2].status != 0)
        let keys = ["--verification-keys", "a.pem.pub", "b.pem.pub"]
        #expect(try run.run(["sign", "--check", "both.link"] + keys).status == 0)
        #expect(try run.run(["sign", "--check", "both.link"] + keys + ["c.pem.pub"]).status == 1)
    }

    @Test(arguments: [false, true])
    func `a layout of theirs that we sign anew is theirs to check, and one of ours that they sign ours`(dsse: Bool)
        throws
    {
        let run = try project()
        try run.write(
            """
            {"owner": "\(run.directory.path)/a.pem", "dsse": \(dsse), "inspections": [], "steps": [{"name": "s",
             "key": "\(run.directory.path)/a.pem.pub", "expected_command": [], "expected_materials": [],
             "expected_products": []}]}
            """, to: "spec.json")
        let made = try theirs(run, [("layout", ["spec.json", "theirs.layout"])])
        #expect(made[0].status == 0, "\(made[0].log)")
        #expect(try run("sign", "--check", "theirs.layout", "--verification-keys", "a.pem.pub").status == 0)
        #expect(try run("sign", "theirs.layout", "-k", "b.pem", "-o", "anew.layout").status == 0)
        let link = try record(run, [], byTheirs: false)
        let form = dsse ? ["--dsse"] : []
        #expect(try run("layout", "init", link, "--verification-keys", "a.pem.pub", "-o", "draft").status == 0)
        #expect(try run.run(["layout", "sign", "draft", "-k", "b.pem", "-o", "ours.layout"] + form).status == 0)
        let outcomes = try theirs(
            run,
            [
                ("sign", ["--verify", "-f", "anew.layout", "-k", "b.pem.pub"]),
                ("sign", ["--verify", "-f", "anew.layout", "-k", "a.pem.pub"]),
                ("sign", ["--verify", "-f", "ours.layout", "-k", "b.pem.pub"]),
                ("sign", ["-f", "ours.layout", "-k", "c.pem", "-o", "signed.layout"]),
            ])
        #expect(outcomes.map { $0.status == 0 } == [true, false, true, true], "\(outcomes.map(\.log))")
        #expect(try run("sign", "--check", "signed.layout", "--verification-keys", "c.pem.pub").status == 0)
        #expect(try run("sign", "--check", "signed.layout", "--verification-keys", "b.pem.pub").status == 1)
    }

    @Test func `both find the same files different from a link of either`() throws {
        let run = try project()
        for byTheirs in [true, false] {
            _ = try run.shell("rm -f s.*.link; echo one >src/a; echo two >src/b; rm -f src/new")
            let link = try record(run, [], byTheirs: byTheirs)
            for (change, isEqual) in [
                (":", true), ("echo x >src/a", false), ("echo one >src/a; echo 3 >src/new", false),
                ("rm src/new src/b", false), ("echo two >src/b", true),
            ] {
                _ = try run.shell(change)
                let compare = ["-l", link, "-p", "src"]
                let outcomes = try theirs(run, [("match-products", compare)])
                #expect(outcomes[0].status == (isEqual ? 0 : 1), "\(change): \(outcomes[0].log)")
                let ours = try run.run(["match-products"] + compare + ["--verification-keys", "a.pem.pub"])
                #expect(ours.status == (isEqual ? 0 : 1), "\(change): \(ours.outputText)\(ours.errorText)")
            }
        }
    }

    @Test(arguments: [[], ["--use-dsse"]])
    func `a step that theirs has only begun is no evidence here`(options: [String]) throws {
        let run = try project()
        let begun = try theirs(
            run, [("record", ["start", "-n", "edit", "--signing-key", "a.pem", "-m", "src"] + options)])
        #expect(begun[0].status == 0, "\(begun[0].log)")
        let record = try run.file(endingIn: "-unfinished")
        for arguments in [
            ["inspect", record], ["sign", record, "-k", "b.pem", "-o", "x.link"],
            ["sign", "--check", record, "--verification-keys", "a.pem.pub"],
            ["match-products", "-l", record, "-p", "src"], ["diff", record, record],
        ] {
            let refused = try run.run(arguments)
            #expect(refused.status == 2)
            #expect(
                refused.errorText == """
                    intoto-run: error: \(record): is the unfinished record of a step, which proves nothing yet
                    intoto-run: hint: finish it with the tool that began it, and give what that writes

                    """)
        }
        #expect(try !run.list().contains("x.link"))
    }

    @Test func `a step that ours has only begun is no evidence there`() throws {
        let run = try project()
        #expect(try run("record", "start", "-n", "edit", "-k", "a.pem", "-m", "src").status == 0)
        let record = try run.file(endingIn: "-unfinished")
        let outcomes = try theirs(
            run,
            [
                ("match-products", ["-l", record, "-p", "src"]),
                ("sign", ["-f", record, "-k", "b.pem", "-o", "x.link"]),
                ("sign", ["--verify", "-f", record, "-k", "b.pem.pub"]),
            ])
        #expect(outcomes.allSatisfy { $0.status != 0 }, "\(outcomes.map(\.log))")
        #expect(try !run.list().contains("x.link"))
    }
}
