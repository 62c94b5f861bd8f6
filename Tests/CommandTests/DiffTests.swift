import Foundation
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct DiffTests {
    private static let unchecked = "intoto-run: warning: signatures were not checked; give --verification-keys\n"

    /// `here/` and `there/`, each a link of the same build by its own key; `change` is done before the second.
    private func builds(_ change: String = ":", command: [String] = ["true"]) throws -> (
        run: IntotoRun, links: [String]
    ) {
        let run = IntotoRun()
        for name in ["here", "there"] { try run.makeKey("\(name).pem") }
        try run.write("one\n", to: "dist/a")
        try run.write("two\n", to: "dist/b")
        _ = try run.shell("mkdir here there")
        let build = ["-q", "-n", "s", "--format", "link", "-m", "dist", "-p", "dist", "-k"]
        _ = try run.run(build + ["here.pem", "--", "true"])
        _ = try run.shell("mv s.*.link here; \(change)")
        _ = try run.run(build + ["there.pem", "--"] + command)
        _ = try run.shell("mv s.*.link there")
        return (run, try ["here", "there"].map { try run.file(endingIn: ".link", in: $0) })
    }

    @Test func `the same build is the same, signed by each or not looked at`() throws {
        let (run, links) = try builds()
        let result = try run.run(["diff"] + links)
        #expect(result.status == 0 && result.errorText == Self.unchecked)
        #expect(
            result.outputText
                == "materials: same (2)\nproducts: same (2)\ncommand: same\nenvironment: same\nverdict: same\n")
        let keys = ["--verification-keys", "here.pem.pub", "there.pem.pub"]
        let checked = try run.run(["diff"] + links + keys)
        #expect(checked.status == 0 && checked.errorText == "")
        let half = try run.run(["diff"] + links + keys.dropLast())
        #expect(half.status == 1 && half.errorText.contains("valid signatures by 1 of the given keys are needed"))
    }

    @Test func `what differs is named, part by part`() throws {
        let change = "echo 1 >dist/a; mv dist/b dist/c"
        let (run, links) = try builds(change, command: ["sh", "-c", "echo x >/dev/null"])
        let text = try run.run(["diff"] + links)
        #expect(text.status == 1)
        let hidden = text.outputText.replacing(#/(executables:\n    A: ).*\n(    B: ).*\n/#) { "\($0.1)…\n\($0.2)…\n" }
        try expectGolden(hidden, "diff.txt")
        let json = try run.run(["diff", "--json", "--only", "materials", "products", "command", "--"] + links)
        #expect(json.status == 1 && json.errorText == "")
        try expectGolden(json.outputText, "diff.json")
    }

    @Test(arguments: [("products", 0), ("materials", 0), ("command", 1), ("environment", 1)])
    func `only what is asked for decides`(part: String, status: Int32) throws {
        let (run, links) = try builds(command: ["sh", "-c", "true"])
        #expect(try run.run(["diff", "--only", part, "--"] + links).status == status)
    }

    @Test func `digests that have nothing in common are no answer`() throws {
        let (run, links) = try builds()
        try run(
            "-q", "-n", "s", "-k", "here.pem", "--format", "link", "-m", "dist", "-p", "dist", "--digest", "sha512",
            "-d", "here", "--overwrite", "--", "true")
        let result = try run.run(["diff", "--only", "products", "--"] + links)
        #expect(result.status == 2)
        #expect(
            result.outputText.contains("  no common digest: dist/a: A sha512:")
                && result.outputText.hasSuffix("verdict: cannot tell\n"))
    }

    @Test(arguments: [
        (["diff", "here.pem", "x"], "here.pem: not valid JSON"),
        (["diff", "x"], "Missing expected argument '<second>'"),
        (["diff", "--only", "nothing", "--", "a", "b"], "The value 'nothing' is invalid"),
    ])
    func `a mistake is one error`(arguments: [String], message: String) throws {
        let (run, _) = try builds()
        let result = try run.run(arguments)
        #expect(
            result.status == 2 && result.errorText.hasPrefix("intoto-run: error: \(message)"), "\(result.errorText)")
    }
}
