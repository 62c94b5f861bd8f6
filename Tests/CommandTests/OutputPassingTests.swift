import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Output that is recorded, and readers of it that stop reading, fail or go away.
@Suite(.temporaryDirectory) struct OutputPassingTests {
    private let words = "-q -k key.pem -n s --format link -m key.pem.pub"

    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        return run
    }

    /// Runs the step before a reader that takes nothing until we have ended, which it waits 20 seconds for; returns our
    /// status, or nothing where we had not ended by then. `meanwhile` is the reader's, and finds our process in `pid`.
    private func unread(
        _ run: IntotoRun, _ options: String, _ command: String, meanwhile: String = ":", errors: String = ""
    ) throws -> String {
        let script = """
            { env --default-signal=INT,QUIT "$R" \(words) \(options) -- sh -c '\(command)' \(errors) & echo $! >pid; wait $!; echo $? >status; } | {
                \(meanwhile)
                for i in $(seq 200); do [ -s status ] && break; sleep 0.1; done
                cat status
            }
            """
        return try run.shell(script).outputText
    }

    // MARK: A reader that stops reading

    @Test(arguments: [("-s", ""), ("--record-streams=digest", ""), ("--pty", ""), ("-s", "2>&1")])
    func `a time limit holds where nobody reads the output`(mode: String, errors: String) throws {
        let run = try project()
        #expect(try unread(run, "\(mode) --timeout 1s --grace 1s", "yes", errors: errors) == "124\n")
        #expect(try Evidence.link(of: run).byproduct("timed-out") == true)
    }

    @Test(arguments: ["TERM", "HUP", "INT", "QUIT"])
    func `a request to end ends the wait for a reader, and all output is in evidence`(signal: String) throws {
        let run = try project()
        let status = try unread(
            run, "-s", "head -c 120000 /dev/zero; : >ended; exit 3",
            meanwhile: "until [ -e ended ]; do sleep 0.05; done; sleep 1; kill -\(signal) $(cat pid)")
        #expect(status == "3\n")
        #expect(try Evidence.link(of: run).byproduct("stdout-length") == 120_000)
        #expect(try Evidence.link(of: run).byproduct("return-value") == 3)
    }

    @Test func `a request to end that the command heeds does not leave us with the reader`() throws {
        let run = try project()
        let status = try unread(
            run, "-s", "trap \"exit 4\" TERM; head -c 120000 /dev/zero; : >ended; sleep 30 & wait",
            meanwhile: "until [ -e ended ]; do sleep 0.05; done; kill -TERM $(cat pid)")
        #expect(status == "4\n")
        #expect(try Evidence.link(of: run).byproduct("stdout-length") == 120_000)
    }

    @Test func `what was not passed on is said, and is no success`() throws {
        let run = try project()
        let status = try unread(
            run, "-s", "trap \"exit 0\" TERM; head -c 120000 /dev/zero; : >ended; sleep 30 & wait",
            meanwhile: "until [ -e ended ]; do sleep 0.05; done; kill -TERM $(cat pid)", errors: "2>said")
        #expect(status == "125\n")
        let said = String(decoding: try run.read("said"), as: UTF8.self)
        #expect(said.contains("warning: standard output was not passed on to its end: its reader takes nothing"))
        #expect(try Evidence.link(of: run).byproduct("stdout-length") == 120_000)
    }

    @Test func `a reader that reads gets everything from a command that takes too long`() throws {
        let run = try project()
        let command = "head -c 120000 /dev/zero; sleep 30"
        let result = try run.shell(
            "{ \"$R\" \(words) -s --timeout 1 -- sh -c '\(command)'; echo $? >status; } | wc -c; cat status")
        #expect(result.outputText == "120000\n124\n")
        #expect(!result.errorText.contains("passed on"))
    }

    // MARK: Output that cannot be written

    @Test(arguments: ["-s", "--pty"])
    func `output that is lost is no success`(mode: String) throws {
        let run = try project()
        let command = "sh -c 'trap \"\" HUP; echo hi'"
        let result = try run.shell("\"$R\" \(words) \(mode) -- \(command) >/dev/full; echo $? >status")
        #expect(try run.read("status") == Array("125\n".utf8))
        #expect(
            result.errorText == """
                intoto-run: warning: standard output could not be passed on, and was closed for the command: No space \
                left on device
                intoto-run: error: the command's output was not passed on to its end
                intoto-run: hint: the evidence was written; the command ran and exited with status 0

                """)
        let link = try Evidence.link(of: run)
        #expect(link.byproduct("return-value") == 0)
        #expect(link.byproduct("stdout") == (mode == "-s" ? "hi\n" : nil))
        let fine = try run.shell("\"$R\" \(words) \(mode) --overwrite -- \(command) >/dev/null")
        #expect(fine.status == 0 && fine.errorText == "")
    }

    @Test func `a failure of the command's own stays its status where output is lost`() throws {
        let run = try project()
        let result = try run.shell("\"$R\" \(words) -s -- sh -c 'echo hi; exit 3' >/dev/full")
        #expect(result.status == 3)
        #expect(result.errorText.contains("warning: standard output could not be passed on"))
    }

    @Test(arguments: [("-s", 13), ("--pty", 1)])
    func `a command does not go on for ever writing what is lost`(mode: String, signal: Int32) throws {
        let run = try project()
        let result = try run.shell("timeout --foreground -s KILL 30 \"$R\" \(words) \(mode) -- yes >/dev/full")
        #expect(result.status == 128 + signal)
        #expect(try Evidence.link(of: run).byproduct("return-value") == .integer(Int64(-signal)))
    }

    // MARK: A reader that goes away from a terminal of the command's own

    // With input that nobody takes, a thread of ours waits for room in the terminal.
    @Test(arguments: ["", "{ until [ -e ready ]; do sleep 0.05; done; exec yes; } |"])
    func `a command that ignores SIGHUP cannot write on where its terminal's reader has gone`(input: String) throws {
        let run = try project()
        let command = "stty -echo; trap \"\" HUP; : >ready; sleep 1; yes yes"
        let result = try run.shell(
            """
            { \(input) timeout --foreground -s KILL 30 "$R" \(words) --pty -s -- sh -c '\(command)'
              echo $? >status; } | head -n 1
            """)
        #expect(result.outputText == "yes\n")
        #expect(try run.read("status") == Array("1\n".utf8))
        let link = try Evidence.link(of: run)
        #expect(link.byproduct("return-value") == 1)
        #expect(link.byproduct("background-processes") == nil)
        guard case .integer(let length)? = link.byproduct("stdout-length") else {
            throw IntotoRun.SetupFailure(reason: "no length")
        }
        #expect(length >= 4)
    }

    // MARK: A process that outlives the command

    @Test(arguments: [("", false), ("-s", true), ("--record-streams=digest", true), ("--pty", true)])
    func `what becomes of the output of a process left behind is said`(mode: String, isLost: Bool) throws {
        let run = try project()
        let command = "trap \"\" HUP; sleep 30 & echo $! >pid; sleep 0.5"
        let result = try run.shell("\"$R\" \(words) \(mode) -- sh -c '\(command)'; kill $(cat pid)")
        let lost = "neither shown nor recorded, and writing may end it; --background-wait waits for it\n"
        #expect(
            result.errorText.hasSuffix(
                "outlives the command; what it writes from now on is \(isLost ? lost : "not recorded\n")"))
    }
}
