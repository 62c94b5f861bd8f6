import Foundation
import TestSupport
import Testing

/// What becomes of answers, and which words are files.
@Suite(.temporaryDirectory) struct OutputTests {
    private func project() throws -> (run: IntotoRun, link: String) {
        let run = IntotoRun()
        try run.makeKey()
        try run("-q", "-k", "key.pem", "-n", "s", "--format", "link", "-p", "key.pem.pub", "--", "true")
        return (run, try run.file(endingIn: ".link"))
    }

    // MARK: Answers that do not arrive

    @Test(arguments: [
        "inspect s.*.link", "inspect --json s.*.link", "key id key.pem", "key show key.pem",
        "sign --check s.*.link --verification-keys key.pem.pub", "match-products -l s.*.link -p key.pem.pub",
        "--version", "inspect --help",
    ])
    func `an answer that cannot be written is an error`(arguments: String) throws {
        let (run, _) = try project()
        let full = try run.shell("\"$R\" \(arguments) >/dev/full")
        #expect(full.status == 2)
        #expect(
            full.errorText.hasSuffix("intoto-run: error: standard output: cannot write: No space left on device\n"))
        #expect(try run.shell("\"$R\" \(arguments) >out").status == 0)
    }

    @Test func `a reader that goes away has read enough`() throws {
        let (run, link) = try project()
        let result = try run.shell("{ \"$R\" inspect \(link); echo $? >status; } | true")
        #expect(result.errorText == "")
        #expect(try run.read("status") == Array("0\n".utf8))
    }

    @Test func `a slow reader that blocks for nobody gets everything`() throws {
        let (run, _) = try project()
        for number in 0..<3000 { try run.write("", to: "dist/\(number)") }
        try run("-q", "-k", "key.pem", "-n", "t", "--format", "link", "-p", "dist", "--", "true")
        let script = """
            import fcntl, os, subprocess, sys, time
            r, w = os.pipe()
            fcntl.fcntl(w, fcntl.F_SETFL, fcntl.fcntl(w, fcntl.F_GETFL) | os.O_NONBLOCK)
            child = subprocess.Popen([os.environ["R"], "inspect", "--all", sys.argv[1]], stdout=w)
            os.close(w)
            total = 0
            while block := os.read(r, 1000): total += len(block)
            print(child.wait(), total)
            """
        try run.write(script, to: "slow.py")
        let link = try run.file(endingIn: "t.\(try run("key", "id", "key.pem").outputText.prefix(8)).link")
        let whole = try run("inspect", "--all", link).output.count
        #expect(whole > 200_000)
        #expect(try run.shell("python3 slow.py \(link)").outputText == "0 \(whole)\n")
    }

    // MARK: What stands behind --

    @Test func `behind -- of other verbs stand files, whatever they begin with`() throws {
        let (run, link) = try project()
        _ = try run.shell("cp \(link) ./-odd; cp key.pem ./-key")
        #expect(try run("inspect", "--", "-odd").outputText == run("inspect", link).outputText)
        #expect(try run("key", "id", "--", "-key").outputText == run("key", "id", "key.pem").outputText)
        #expect(try run("sign", "--check", "--verification-keys", "key.pem.pub", "--", "-odd").status == 0)
        #expect(try run("sign", "--check", "--verification-keys", "key.pem.pub", "--", link).status == 0)
    }

    @Test(arguments: [
        ["key", "id", "key.pem", "--", "more"], ["match-products", "-l", "key.pem", "--", "more"], ["inspect", "--"],
        ["key", "--", "id"],
    ])
    func `what a verb has no use for is refused there, too`(arguments: [String]) throws {
        let (run, _) = try project()
        let result = try run.run(arguments)
        #expect(result.status == 2 && result.outputText == "")
        #expect(result.errorText.hasPrefix("intoto-run: error: "))
    }

    // MARK: Lists

    @Test func `inspect --json prints one document: an object for one piece, a list for several`() throws {
        let (run, link) = try project()
        func parsed(_ arguments: String...) throws -> Any {
            try JSONSerialization.jsonObject(with: Data(try run.run(["inspect", "--json"] + arguments).output))
        }
        #expect(try parsed(link) is [String: Any])
        #expect(try (parsed(link, link) as? [[String: Any]])?.count == 2)
        try run("-q", "-k", "key.pem", "-n", "b", "-p", "key.pem.pub", "--", "true")
        _ = try run.shell("cat b.*.jsonl >one; cat one one one >three")
        #expect(try parsed("one") is [String: Any])
        #expect(try (parsed("three") as? [[String: Any]])?.count == 3)
        #expect(try (parsed("three", link) as? [[String: Any]])?.count == 4)
    }

    @Test func `sign --check --json says what is good, by which keys, and why not`() throws {
        let (run, link) = try project()
        try run.makeKey("other.pem")
        func parsed(_ keys: String...) throws -> (status: Int32, [String: Any]) {
            let result = try run.run(["sign", "--check", "--json", link, "--verification-keys"] + keys)
            let json = try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any]
            return (result.status, json ?? [:])
        }
        let good = try parsed("key.pem.pub")
        #expect(good.status == 0 && good.1["good"] as? Bool == true)
        #expect(good.1["keyids"] as? [String] == [String(try run("key", "id", "key.pem").outputText.dropLast())])
        let bad = try parsed("key.pem.pub", "other.pem.pub")
        #expect(bad.status == 1 && bad.1["good"] as? Bool == false)
        let reason = (bad.1["results"] as? [[String: Any]])?.first?["reason"] as? String
        #expect(reason?.hasPrefix("valid signatures by 2 of the given keys are needed, 1 found") == true)
    }

    @Test func `several problems are one error, the further ones indented`() throws {
        let (run, _) = try project()
        let result = try run("-k", "key.pem", "-n", "x", "--format", "link", "-m", "absent", "none", "--", "true")
        #expect(result.status == 125)
        #expect(
            result.errorText == """
                intoto-run: error: nothing ran: 'absent': does not exist
                  'none': does not exist
                intoto-run: hint: name what is there, or give --allow-missing

                """)
    }
}
