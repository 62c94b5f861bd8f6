import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// No secret in evidence, whichever way it takes; the terminal shows what the command wrote.
@Suite(.temporaryDirectory) struct SecretTests {
    private let signed = ["-q", "-k", "key.pem", "-n", "s", "--format", "link", "-m", "key.pem.pub"]

    private func project(_ variables: [String: String]) throws -> IntotoRun {
        var run = IntotoRun()
        run.environment.merge(variables) { $1 }
        try run.makeKey()
        return run
    }

    @Test func `the value of a variable that looks secret is in no stream and no argument`() throws {
        let secret = "hunter2-hunter2"
        let run = try project(["DB_PASSWORD": secret])
        let script =
            "echo \"plain $DB_PASSWORD\"; printf %s \"$DB_PASSWORD\" | base64; echo \"err $DB_PASSWORD\" >&2; echo $1"
        let result = try run.run(signed + ["-s", "--", "sh", "-c", script, "sh", "--token=\(secret)"])
        #expect(result.outputText.contains("plain \(secret)\n"))
        let evidence = String(decoding: try run.read(run.file(endingIn: ".link")), as: UTF8.self)
        #expect(!evidence.contains(secret))
        #expect(!evidence.contains(Data(secret.utf8).base64EncodedString()))
        let link = try Evidence.link(of: run)
        #expect(link.byproduct("stdout") == .string("plain ***\n***\n--token=***\n"))
        #expect(link.byproduct("stdout-redacted") == 3)
        #expect(link.byproduct("stderr") == "err ***\n")
        #expect(link.command.last == "--token=***")
        #expect(link.environment["command-redacted"] == 1)
        // Length and digest are those of what is recorded: a short secret could be guessed from the others.
        #expect(link.byproduct("stdout-length") == 26)
    }

    @Test func `a variable that is named is redacted, others are not`() throws {
        let run = try project(["CUSTOMER": "Acme-Limited", "CITY": "Springfield"])
        _ = try run.run(signed + ["-s", "--redact", "CUSTOMER", "--", "sh", "-c", "echo $CUSTOMER of $CITY"])
        #expect(try Evidence.link(of: run).byproduct("stdout") == "*** of Springfield\n")
        #expect(try run.run(signed + ["--redact", "*", "--", "touch", "ran"]).status == 125)
    }

    @Test func `a mask that the output announces holds from there on, in both streams`() throws {
        let run = try project([:])
        let script =
            "echo '::add-mask::s3cr3t-value'; echo \"now s3cr3t-value\"; sleep 0.3; echo \"err s3cr3t-value\" >&2"
        _ = try run.run(signed + ["-s", "--", "sh", "-c", script])
        let evidence = String(decoding: try run.read(run.file(endingIn: ".link")), as: UTF8.self)
        #expect(!evidence.contains("s3cr3t-value"))
        let link = try Evidence.link(of: run)
        #expect(link.byproduct("stdout") == "::add-mask::***\nnow ***\n")
        #expect(link.byproduct("stderr") == "err ***\n")
    }

    @Test func `an announced value is recorded nowhere: not in variables, nor quoted, nor in base64 over lines`() throws
    {
        let run = try project([
            "PLAIN": "is hunter2222 too", "GH_TOKEN": "github_pat_0123456789_abcdefghij", "GITHUB_ACTIONS": "true",
            "GITHUB_JOB": "for hunter2222",
        ])
        let script =
            "set -x; S=\"it's-hunter22-secret\"; echo \"::add-mask::$S\"; echo ::add-mask::hunter2222; "
            + "printf 'machine github.com login x-access-token password %s %s\\n' $GH_TOKEN \"$S\" | base64"
        let result = try run.run(signed + ["-s", "--env", "PLAIN", "--", "bash", "-c", script])
        #expect(result.status == 0)
        let link = try Evidence.link(of: run)
        #expect(link.environment["variables"] == ["PLAIN": "is *** too"])
        #expect(link.environment["ci"] == ["system": "github", "job": "for ***"])
        guard case .string(let output)? = link.byproduct("stdout"), case .string(let errors)? = link.byproduct("stderr")
        else { throw IntotoRun.SetupFailure(reason: "no streams") }
        #expect(output.description.contains("bWFjaGluZSBnaXRodWIuY29t"))
        let digits = output.description.split(separator: "\n").last?.replacingOccurrences(of: "***", with: "") ?? ""
        #expect(digits.count < 76, "\(output)")
        // What is before the announcement cannot be known, but for what is still held back; bash shows the assignment.
        #expect(errors.description.components(separatedBy: "hunter22").count <= 2, "\(errors)")
    }

    @Test(arguments: [
        ("abc", "shorter than 4 bytes"), (String(repeating: "x", count: 70_000), "longer than 64 KiB"),
    ])
    func `an announced value that is not masked is said, with the reason`(value: String, reason: String) throws {
        let run = try project([:])
        try run.write("::add-mask::\(value)\n", to: "text")
        let result = try run.run(signed + ["-s", "--", "cat", "text"])
        #expect(result.errorText.contains("values that were announced to be masked are not: those \(reason)"))
        #expect(
            try !run.run(signed + ["-s", "--overwrite", "--", "echo", "::add-mask::abcd"]).errorText.contains("masked"))
    }

    @Test func `the program that ran and its interpreter are recorded with their digests`() throws {
        let run = try project([:])
        try run.write("#!/usr/bin/env python3\nprint('hi')\n", to: "tool")
        _ = try run.shell("chmod +x tool")
        _ = try run.run(signed + ["--", "./tool"])
        guard case .array(let executables)? = try Evidence.link(of: run).environment["executables"] else {
            throw IntotoRun.SetupFailure(reason: "no executables")
        }
        let digests = try run.shell("sha256sum tool $(readlink -f /usr/bin/env) | cut -c1-64").outputText
            .split(separator: "\n").map { JSONValue.string(Text(String($0))) }
        let recorded = executables.map { value -> JSONValue? in
            guard case .object(let object) = value else { return nil }
            return object["sha256"]
        }
        #expect(recorded.count == 3)
        #expect(digests.allSatisfy { recorded.contains($0) })
    }

    @Test func `the shell that runs a script without an interpreter line is recorded, too`() throws {
        let run = try project([:])
        try run.write("exit 4\n", to: "tool")
        _ = try run.shell("chmod +x tool")
        #expect(try run.run(signed + ["--", "./tool"]).status == 4)
        let shell = try run.shell("readlink -f /bin/sh; sha256sum $(readlink -f /bin/sh) | cut -c1-64").outputText
            .split(separator: "\n").map { JSONValue.string(Text(String($0))) }
        guard case .array(let executables)? = try Evidence.link(of: run).environment["executables"],
            case .object(let last)? = executables.last
        else { throw IntotoRun.SetupFailure(reason: "no executables") }
        #expect(executables.count == 2)
        #expect([last["path"], last["sha256"]] == shell)
    }
}
