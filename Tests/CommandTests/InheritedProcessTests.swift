import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Processes that a shell had started before it became us by `exec`: they are ours by number, and not the command's.
@Suite(.temporaryDirectory) struct InheritedProcessTests {
    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        return run
    }

    /// A shell that becomes us; its standard output goes to `reader`.
    private func run(
        _ run: IntotoRun, _ options: String, _ command: String, reader: String, before: String = "", after: String = ""
    ) throws -> Subprocess {
        let words = "-q -k key.pem -n s --format link -m key.pem.pub \(options)"
        try run.write("\(before)\nexec \"$R\" \(words) -- \(command) > >(\(reader))\n", to: "script")
        return try run.shell("bash script & \(after)\nwait $!; echo $?")
    }

    private let awaitLog = "for i in $(seq 100); do [ -s log ] && break; sleep 0.1; done"

    @Test(arguments: ["", "-s", "--background-wait 600"])
    func `a shell's process substitution is not named as the command's, and not waited for`(options: String) throws {
        let run = try project()
        let start = Date()
        let result = try self.run(run, options, "echo hello", reader: "tee log")
        #expect(Date().timeIntervalSince(start) < 120)
        #expect(result.outputText.hasSuffix("0\n"))
        #expect(result.errorText == "")
        #expect(try Evidence.link(of: run).byproduct("background-processes") == nil)
        #expect(try run.shell("\(awaitLog); cat log").outputText == "hello\n")
    }

    @Test(arguments: ["", "-s"])
    func `a time limit ends the command, and not whoever reads its output`(options: String) throws {
        let run = try project()
        let result = try self.run(
            run, "\(options) --timeout 1 --grace 1", "sh -c 'echo one; sleep 30'", reader: "sleep 3; cat >log")
        #expect(result.outputText == "124\n")
        #expect(try Evidence.link(of: run).byproduct("return-value") == -15)
        #expect(try run.shell("\(awaitLog); cat log").outputText == "one\n")
    }

    @Test func `a request to end is passed on to the command alone`() throws {
        let run = try project()
        let result = try self.run(
            run, "", "sh -c ': >ready; exec sleep 30'", reader: "trap ': >heard' TERM; cat >/dev/null; echo end >log",
            after: "until [ -e ready ]; do sleep 0.05; done; kill -TERM $!")
        #expect(result.outputText == "143\n")
        #expect(try run.shell("\(awaitLog); cat log").outputText == "end\n")
        #expect(try !run.list().contains("heard"))
    }

    @Test func `what the command leaves behind is named beside them`() throws {
        let run = try project()
        let result = try self.run(
            run, "", "sh -c 'sleep 30 & echo $! >pid; sleep 0.5'", reader: "cat >log", after: "")
        let process = String(decoding: try run.read("pid"), as: UTF8.self).trimmingCharacters(in: .newlines)
        _ = try run.shell("kill \(process)")
        #expect(result.outputText == "0\n")
        #expect(
            try Evidence.link(of: run).byproduct("background-processes")
                == .array([["pid": .integer(Int64(process) ?? 0), "name": "sleep"]]))
    }

    @Test func `a request of theirs to us is meant for the command`() throws {
        let run = try project()
        let result = try self.run(
            run, "", "sh -c ': >ready; exec sleep 30'", reader: "cat >log",
            before: "(until [ -e ready ]; do sleep 0.05; done; kill -TERM $$) &")
        #expect(result.outputText == "143\n")
    }
}
