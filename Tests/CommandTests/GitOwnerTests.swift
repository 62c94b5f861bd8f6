import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Every verb that reads a commit refuses a repository of somebody else, says how to go on, and does when told so.
@Suite(.temporaryDirectory, .enabled(if: getuid() == 0, "only root can give files away")) struct GitOwnerTests {
    private let git: GitCommands
    private let run: IntotoRun

    init() throws {
        git = try GitCommands.repository()
        run = IntotoRun(in: git.directory)
        try IntotoRun().makeKey()
        try IntotoRun().write(#"{"a": 1}"#, to: "predicate.json")
        try git("chown -R 12345 .")
    }

    private func expectRefusal(
        _ result: Subprocess, _ status: Int32, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(result.status == status, sourceLocation: sourceLocation)
        let message = "'git:.': dubious ownership: '\(git.directory.path)' belongs to user 12345\n"
        #expect(
            result.errorText.contains(message + "intoto-run: hint: if you trust its owner, give --git-trust-owner"),
            "\(result.errorText)", sourceLocation: sourceLocation)
    }

    private func expectSuccess(_ result: Subprocess, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(result.status == 0, "\(result.errorText)", sourceLocation: sourceLocation)
    }

    @Test(arguments: [["--subject", "git:."], ["--subject-git", "main"]])
    func `attest`(subject: [String]) throws {
        let attest =
            ["attest", "--type", "https://example.com/t", "--predicate", "../predicate.json", "-k", "../key.pem"]
            + ["-d", ".."] + subject
        let refused = try run.run(attest)
        #expect(refused.status == 2 && refused.errorText.contains("hint: if you trust its owner, give --git-trust"))
        expectSuccess(try run.run(attest + ["--git-trust-owner"]))
    }

    private static let signed = ["-n", "s", "-k", "../key.pem", "--format", "link", "-d", ".."]

    @Test func `match-products`() throws {
        expectSuccess(try run.run(Self.signed + ["--git-trust-owner", "-p", "git:.", "--", "true"]))
        let match = try ["match-products", "-l", "../" + IntotoRun().file(endingIn: ".link"), "-p", "git:."]
        expectRefusal(try run.run(match), 2)
        expectSuccess(try run.run(match + ["--git-trust-owner"]))
        try git("git -c safe.directory='*' commit -q --allow-empty -m x")
        #expect(try run.run(match + ["--git-trust-owner"]).status == 1)
    }

    @Test func `record, whose end trusts whom its beginning trusted`() throws {
        let (start, stop) = (
            ["record", "start", "-m", "a"] + Self.signed, ["record", "stop", "-p", "git:."] + Self.signed
        )
        expectSuccess(try run.run(start))
        expectRefusal(try run.run(stop), 2)
        expectSuccess(try run.run(stop + ["--git-trust-owner"]))
        expectSuccess(try run.run(start + ["--git-trust-owner"]))
        expectSuccess(try run.run(stop + ["--overwrite"]))
        let git = try Evidence.link(of: IntotoRun()).environment["git"]
        guard case .object(let record)? = git else { throw IntotoRun.SetupFailure(reason: "no git record") }
        #expect(record["before"] == ["clean": true] && record["after"] == ["clean": true])
    }

    @Test func `run, before the command, where the repository is there already`() throws {
        let made = ["--", "sh", "-c", "touch ../ran"]
        expectRefusal(try run.run(Self.signed + ["-p", "git:."] + made), 125)
        #expect(try !IntotoRun().list().contains("ran"))
        expectSuccess(try run.run(Self.signed + ["-p", "git:.", "--git-trust-owner"] + made))
        #expect(try IntotoRun().list().contains("ran"))
    }

    @Test func `a repository that the command is to make is nobody's yet`() throws {
        let script = "git init -q new; cd new; touch a; git add a; git commit -qm x"
        var run = IntotoRun()
        run.environment.merge(GitCommands.environment) { $1 }
        let options = ["-n", "s", "-k", "key.pem", "--format", "link", "-p", "git:new"]
        expectSuccess(try run.run(options + ["--", "sh", "-c", script]))
        #expect(try Evidence.link(of: run).productNames == ["new"])
    }
}
