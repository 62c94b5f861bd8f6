import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// What a CI system understands of our own output.
@Suite(.temporaryDirectory) struct CIMessagesTests {
    private let github = ["GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "job.md"]

    private func project(_ variables: [String: String]) throws -> IntotoRun {
        var run = IntotoRun()
        run.environment.merge(variables) { $1 }
        try run.makeKey()
        try run.write("x", to: "src/a")
        return run
    }

    private func text(_ run: IntotoRun, _ name: String) throws -> String {
        String(decoding: try run.read(name), as: UTF8.self)
    }

    @Test func `on GitHub the job's summary gains the step, and keeps what others wrote`() throws {
        let run = try project(github)
        try run.write("# Others\n", to: "job.md")
        let result = try run("-k", "key.pem", "-n", "b|*_<i>`", "-m", "src", "-p", "src", "--", "sh", "-c", "exit 3")
        // A name with a star is refused: it says so there, too.
        #expect(result.status == 125)
        let named = try run("-k", "key.pem", "-n", "b|_<i>`", "-m", "src", "-p", "src", "--", "sh", "-c", "exit 3")
        #expect(named.status == 3)
        let summary = try text(run, "job.md")
        #expect(
            summary.hasPrefix(
                "# Others\n### intoto-run: step without a name\n\n| | |\n|---|---|\n| exit status | 125 |"))
        #expect(summary.contains("### intoto-run: step <code>b&#124;&#95;&#60;i&#62;&#96;</code>\n"))
        #expect(summary.contains("| exit status | 3 |\n| materials | 1 |\n| products | 1 |\n| evidence | <code>"))
        let bundle = try run.file(endingIn: ".jsonl")
        let digest = try Subprocess.run(
            "/usr/bin/sha256sum", [run.directory.appending(path: bundle).path]
        ).outputText.drop { $0 == "\\" }.prefix(64)
        #expect(summary.contains("<code>sha256&#58;\(digest)</code>"))
    }

    @Test(arguments: [
        "ln -s elsewhere job.md", "mkfifo job.md", "mkdir job.md",
    ]) func `a summary that is no file is left alone, and the step goes on`(setup: String) throws {
        let run = try project(github)
        _ = try run.shell(setup)
        let result = try run("-k", "key.pem", "-n", "s", "-m", "src", "-p", "src", "--", "true")
        #expect(result.status == 0)
        #expect(result.errorText.contains("warning: GITHUB_STEP_SUMMARY: cannot add to it: "))
        #expect(try !run.list().contains("elsewhere"))
        #expect(try run.file(endingIn: ".jsonl").hasPrefix("s."))
    }

    @Test func `on GitHub an error is an annotation, in one line whatever it holds`() throws {
        let run = try project(github)
        let result = try run("-k", "no\nkey%.pem", "-n", "s", "-m", "src", "-p", "src", "--", "true")
        #expect(result.status == 125)
        let lines = result.errorText.split(separator: "\n").filter { $0.hasPrefix("::") }
        #expect(lines == ["::error title=intoto-run::no\\nkey%25.pem: cannot open: No such file or directory"])
    }

    @Test func `an option that is none is annotated as well, with its hint`() throws {
        let run = try project(github)
        let result = try run("--nonsense", "--", "true")
        #expect(result.status == 125)
        #expect(result.errorText.contains("\n::error title=intoto-run::Unknown option '--nonsense'%0Asee intoto-run"))
        #expect(try !run("--nonsense", "--ci", "off", "--", "true").errorText.contains("::error"))
        #expect(try !run("inspect", "nothing").errorText.contains("::error"))
    }

    @Test func `on GitLab our own lines stand in a section, the command's do not`() throws {
        let run = try project(["GITLAB_CI": "true"])
        let arguments = ["-k", "key.pem", "-n", "a b", "-m", "src", "-p", "src"]
        let result = try run.run(arguments + ["--", "sh", "-c", "echo ours >&2"])
        let lines = result.errorText.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let escape = "\u{1B}[0K"
        #expect(lines.count == 5)
        #expect(lines[0] == "ours")
        #expect(lines[1].hasPrefix("\(escape)section_start:"))
        #expect(lines[1].hasSuffix(":intoto_run_a_b\r\(escape)intoto-run: step a b"))
        #expect(lines[2].hasPrefix("intoto-run: wrote "))
        #expect(lines[3].hasPrefix("\(escape)section_end:"))
        #expect(lines[3].hasSuffix(":intoto_run_a_b\r\(escape)"))
        let quiet = try run.run(arguments + ["--overwrite", "-q", "--", "true"])
        #expect(quiet.errorText == "")
    }

    @Test func `on GitLab a section ends also where evidence cannot be written`() throws {
        let run = try project(["GITLAB_CI": "true"])
        let name = "s.\(try run("key", "id", "key.pem.pub").outputText.prefix(8)).intoto.jsonl"
        let result = try run("-k", "key.pem", "-n", "s", "-m", "src", "-p", "src", "--", "touch", name)
        #expect(result.status == 125)
        #expect(result.errorText.components(separatedBy: "section_start").count == 2)
        #expect(result.errorText.components(separatedBy: "section_end").count == 2)
    }

    @Test(arguments: [
        ["GITHUB_ACTIONS": "true", "GITEA_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "job.md"],
        ["BUILDKITE": "true", "GITHUB_STEP_SUMMARY": "job.md"], ["GITHUB_STEP_SUMMARY": "job.md"],
    ]) func `elsewhere nothing of it`(variables: [String: String]) throws {
        let run = try project(variables)
        #expect(try run("-q", "-k", "key.pem", "-n", "s", "-m", "src", "-p", "src", "--", "true").errorText == "")
        #expect(try !run("-k", "none.pem", "-n", "s", "-m", "src", "-p", "src", "--", "true").errorText.contains("::"))
        #expect(try !run.list().contains("job.md"))
    }

    @Test func `--ci off writes nothing for a CI system`() throws {
        let run = try project(github)
        let arguments = ["--ci", "off", "-n", "s", "-m", "src", "-p", "src"]
        #expect(try run.run(arguments + ["-q", "-k", "key.pem", "--", "true"]).errorText == "")
        #expect(try !run.run(arguments + ["-k", "none.pem", "--", "true"]).errorText.contains("::"))
        #expect(try !run.list().contains("job.md"))
    }
}
