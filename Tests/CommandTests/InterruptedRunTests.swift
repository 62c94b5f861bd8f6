import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// A run whose command has ended and whose products cannot be recorded keeps what it knows.
@Suite(.temporaryDirectory) struct InterruptedRunTests {
    struct Case: Sendable, CustomStringConvertible {
        var description: String
        /// What the command does to dist.
        var command: String
        var remedy: String
        var message: String
    }

    private static let cases = [
        Case(
            description: "a name that is not UTF-8", command: "touch dist/bad$(printf '\\377')", remedy: "rm dist/bad*",
            message: "'dist/bad\\xFF': the name is not UTF-8"),
        Case(
            description: "a product that is missing", command: "mv dist gone", remedy: "mv gone dist",
            message: "'dist': does not exist"),
        Case(
            description: "no products at all", command: "mv dist/app .", remedy: "mv app dist",
            message: "an attestation needs a subject, and there are no products"),
    ]

    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("source\n", to: "src/a")
        try run.write("old\n", to: "dist/app")
        _ = try run.shell("mkdir out")
        return run
    }

    /// What the hint says to do, as a shell would do it.
    private func finish(_ run: IntotoRun, as errorText: String) throws -> Subprocess {
        let command = try #require(errorText.split(separator: "then: intoto-run ").last?.split(separator: "\n").first)
        return try run.shell("\"$R\" \(command)")
    }

    @Test(arguments: cases)
    func `the command that the hint names completes the step`(item: Case) throws {
        let run = try project()
        let result = try run(
            "-n", "build it", "-k", "key.pem", "-d", "out", "-m", "src", "-p", "dist", "--record-streams", "--", "sh",
            "-c", "echo built; \(item.command); exit 3")
        #expect(result.status == 125 && result.outputText == "built\n")
        #expect(
            result.errorText.contains("intoto-run: error: no evidence was written: \(item.message)"),
            "\(result.errorText)")
        #expect(result.errorText.contains("the command ran and exited with status 3, and what was recorded is kept; "))
        #expect(result.errorText.contains("then: intoto-run record stop -n 'build it' -k key.pem -d out\n"))
        #expect(try run.list("out").map { $0.hasSuffix(".link-unfinished") } == [true])

        let tooSoon = try finish(run, as: result.errorText)
        #expect(tooSoon.status == 2, "\(tooSoon.errorText)")
        _ = try run.shell(item.remedy)
        let finished = try finish(run, as: result.errorText)
        #expect(finished.status == 0, "\(finished.errorText)")
        let link = try Evidence.link(endingIn: ".jsonl", of: run, in: "out")
        #expect(link.materialNames == ["src/a"] && link.productNames == ["dist/app"])
        #expect(link.byproduct("return-value") == 3 && link.byproduct("stdout") == "built\n")
        #expect(link.command.prefix(2) == ["sh", "-c"])
        #expect(link.environment["executables"] != nil)
        #expect(try run.list("out").count == 1)
    }

    @Test func `a product that turns unreadable is completed once it can be read`() throws {
        let run = try project()
        _ = try run.shell("chmod 777 . out src dist; chmod 644 key.pem; chown -R 65534:65534 .")
        let result = try run.asOrdinaryUser(
            "-n", "build", "-k", "key.pem", "-d", "out", "-m", "src", "-p", "dist", "--format", "link", "--",
            "chmod", "0", "dist/app")
        #expect(result.status == 125)
        #expect(
            result.errorText.contains("no evidence was written: 'dist/app': permission denied"), "\(result.errorText)")
        _ = try run.shell("chmod 644 dist/app")
        let stopped = try run.asOrdinaryUser("record", "stop", "-n", "build", "-k", "key.pem", "-d", "out")
        #expect(stopped.status == 0, "\(stopped.errorText)")
        #expect(try Evidence.link(of: run, in: "out").productNames == ["dist/app"])
    }

    @Test func `a step that is under way by hand is not disturbed`() throws {
        let run = try project()
        #expect(try run("record", "start", "-n", "s", "-k", "key.pem", "-m", "src").status == 0)
        let record = try run.file(endingIn: "-unfinished")
        let before = try run.read(record)
        let result = try run("-n", "s", "-k", "key.pem", "-p", "absent", "--", "true")
        #expect(result.status == 125)
        #expect(result.errorText.contains(" --from \(run.directory.path)/kept-"), "\(result.errorText)")
        #expect(try run.read(record) == before)
        try run.write("x", to: "absent")
        let finished = try finish(run, as: result.errorText)
        #expect(finished.status == 0, "\(finished.errorText)")
        #expect(try run.read(record) == before)
        #expect(try run.list().filter { $0.hasPrefix("kept-") } == [])
    }

    @Test func `what a run has seen of its command cannot be talked over`() throws {
        let run = try project()
        _ = try run("-n", "s", "-k", "key.pem", "-p", "absent", "--", "false")
        try run.write("x", to: "absent")
        for claim in [["--return-value", "0"], ["--command", "true"], ["--byproduct", "return-value=0"]] {
            #expect(try run.run(["record", "stop", "-n", "s", "-k", "key.pem"] + claim).status == 2)
        }
        #expect(try run("record", "stop", "-n", "s", "-k", "key.pem", "--byproduct", "note=by hand").status == 0)
        let link = try Evidence.link(endingIn: ".jsonl", of: run)
        #expect(link.byproduct("return-value") == 1 && link.byproduct("note") == "by hand")
    }

    @Test func `an end that --require-success does not accept is not kept`() throws {
        let run = try project()
        let result = try run("-n", "s", "-k", "key.pem", "--require-success", "-p", "absent", "--", "false")
        #expect(result.status == 125 && result.errorText.contains("which --require-success does not accept"))
        #expect(try run.list().allSatisfy { !$0.hasSuffix("-unfinished") && !$0.hasPrefix("kept-") })
    }
}
