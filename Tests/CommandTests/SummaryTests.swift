import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// `--summary json`: what became of a run, for the program that started it.
@Suite(.temporaryDirectory) struct SummaryTests {
    private let step = ["-q", "-k", "key.pem", "-n", "s", "-m", "src", "-p", "src", "--summary", "json"]

    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("x", to: "src/a")
        return run
    }

    private func summary(_ bytes: [UInt8]) throws -> JSONObject {
        #expect(bytes.last == UInt8(ascii: "\n"))
        #expect(bytes.count { $0 == UInt8(ascii: "\n") } == 1)
        guard case .object(let object) = try JSONReader.read(bytes) else {
            throw IntotoRun.SetupFailure(reason: "no object")
        }
        return object
    }

    @Test func `it says how the step went and where its evidence is`() throws {
        let run = try project()
        let command = ["sh", "-c", "echo x >src/b; mkfifo src/pipe; exit 3"]
        let result = try run.run(
            step + ["--format", "attestation,link", "--summary-file", "summary.json", "--"] + command)
        #expect(result.status == 3)
        let object = try summary(run.read("summary.json"))
        #expect(object["schema"] == 1)
        #expect(object["step"] == "s")
        #expect(object["status"] == 3)
        #expect(object["materials"] == 1)
        #expect(object["products"] == 2)
        #expect(object["not-recorded"] == 1)
        #expect(object["warnings"] == ["not recorded: 'src/pipe': a named pipe"])
        #expect(object["error"] == nil)
        let files = try [".jsonl": "attestation", ".link": "link"].map { suffix, format -> JSONValue in
            let name = try run.file(endingIn: suffix)
            let digest = try Subprocess.run("/usr/bin/sha256sum", [run.directory.appending(path: name).path])
            let keyID = try run("key", "id", "key.pem.pub").outputText.prefix(64)
            return [
                "path": .string(Text("./\(name)")), "format": .string(Text(format)),
                "keyid": .string(Text(String(keyID))), "sha256": .string(Text(String(digest.outputText.prefix(64)))),
                "size": .integer(Int64(try run.read(name).count)),
            ]
        }
        guard case .array(let evidence)? = object["evidence"] else { throw IntotoRun.SetupFailure(reason: "none") }
        #expect(Set(evidence) == Set(files))
        guard case .object(let execution)? = object["command"] else { throw IntotoRun.SetupFailure(reason: "none") }
        let link = try Evidence.link(of: run)
        for name: Text in ["return-value", "started", "finished"] { #expect(execution[name] == link.byproduct(name)) }
        #expect(execution["timed-out"] == false)
    }

    @Test func `it goes to a descriptor that the caller opened`() throws {
        let run = try project()
        let words = step.joined(separator: " ")
        let result = try run.shell("\"$R\" \(words) --summary-file fd:7 -- echo out 7>summary; echo $?")
        #expect(result.outputText == "out\n0\n")
        #expect(try summary(run.read("summary"))["status"] == 0)
        let standard = try run.shell("\"$R\" \(words) --overwrite --summary-file fd:2 -- true")
        #expect(try summary(standard.errors)["step"] == "s")
    }

    @Test func `it replaces one that is there, and is no product itself`() throws {
        let run = try project()
        try run.write("old", to: "src/summary.json")
        _ = try run.shell("ln src/summary.json other")
        let arguments = step + ["--summary-file", "src/summary.json", "--changed-only", "--require-success"]
        #expect(try run.run(arguments + ["--", "touch", "src/c"]).status == 0)
        #expect(try summary(run.read("src/summary.json"))["products"] == 1)
        #expect(String(decoding: try run.read("other"), as: UTF8.self) == "old")
    }

    @Test func `it says what went wrong, before the command and after it`() throws {
        let run = try project()
        let file = ["--summary-file", "summary.json"]
        let before = try run.run(["-k", "none.pem", "-n", "s", "--summary", "json"] + file + ["--", "touch", "ran"])
        #expect(before.status == 125)
        var object = try summary(run.read("summary.json"))
        #expect(object["status"] == 125)
        #expect(object["evidence"] == [])
        #expect(object["materials"] == nil && object["command"] == nil)
        #expect(object["error"] == ["message": "none.pem: cannot open: No such file or directory"])

        let after = try run.run(step + file + ["--", "sh", "-c", "rm -r src; exit 4"])
        #expect(after.status == 125)
        object = try summary(run.read("summary.json"))
        guard case .object(let error)? = object["error"], case .string(let hint)? = error["hint"] else {
            throw IntotoRun.SetupFailure(reason: "no error")
        }
        #expect(hint.description.contains("exited with status 4"))

        let notFound = try run.run(step + file + ["-m", "key.pem.pub", "--", "no-such-command"])
        #expect(notFound.status == 127)
        #expect(try summary(run.read("summary.json"))["status"] == 127)
    }

    @Test func `a step that is not signed has no evidence in it`() throws {
        let run = try project()
        let result = try run.run(step + ["--summary-file", "sum", "--require-success", "--", "false"])
        #expect(result.status == 1)
        let object = try summary(run.read("sum"))
        #expect(object["evidence"] == [])
        #expect(object["status"] == 1)
        #expect(object["error"] == nil)
    }

    @Test(arguments: [
        ["--summary", "json"], ["--summary-file", "x"], ["--summary", "yaml", "--summary-file", "x"],
        ["--summary", "json", "--summary-file", "fd:"], ["--summary", "json", "--summary-file", "fd:0"],
        ["--summary", "json", "--summary-file", "fd:9"], ["--summary", "json", "--summary-file", "fd:-1"],
        ["--summary", "json", "--summary-file", "fd:8"],
        ["--summary", "json", "--summary-file", "missing/x"], ["--summary", "json", "--summary-file", "src"],
        ["--summary", "json", "--summary-file", "pipe"], ["--summary", "json", "--summary-file", ".."],
        ["--summary", "json", "--summary-file", "/"],
    ]) func `a summary without a place that takes it is refused before anything runs`(options: [String]) throws {
        let run = try project()
        // 8 is open, but for reading.
        let words = (["-k", "key.pem", "-n", "s"] + options).joined(separator: " ")
        let result = try run.shell("mkfifo pipe; \"$R\" \(words) -- touch ran 8</dev/null")
        #expect(result.status == 125, "\(result.errorText)")
        #expect(result.errorText.contains("--summary"))
        #expect(try run.list() == ["key.pem", "key.pem.pub", "pipe", "src"])
    }

    @Test func `a summary that cannot be written fails the run, whose evidence stays`() throws {
        let run = try project()
        let words = step.joined(separator: " ")
        let result = try run.shell("\"$R\" \(words) --summary-file fd:7 -- true 7>/dev/full")
        #expect(result.status == 125)
        #expect(result.errorText.hasPrefix("intoto-run: error: --summary-file: fd:7: cannot write: No space left"))
        #expect(result.errorText.contains("the evidence was written"))
        #expect(try run.file(endingIn: ".jsonl").hasPrefix("s."))
    }
}
