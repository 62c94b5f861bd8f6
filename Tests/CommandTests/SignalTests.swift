import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Signals, stops and time limits that meet one another.
@Suite(.temporaryDirectory) struct SignalTests {
    private let signed = ["-q", "-k", "key.pem", "-n", "s", "--format", "link", "-m", "key.pem.pub"]
    private var words: String { signed.joined(separator: " ") }

    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        return run
    }

    // MARK: A command that stops itself

    // Under strace, the runner cannot make the process that would continue it; or hears of the stop while it still waits
    // to hear that the command's program was executed.
    @Test(arguments: [
        "", "strace -o /dev/null -e trace=clone -e inject=clone:error=EAGAIN",
        "strace -o /dev/null -e trace=poll -e inject=poll:delay_enter=300000",
    ])
    func `a time limit holds for a command that has stopped itself`(tracer: String) throws {
        let run = try project()
        let start = Date()
        let result = try run.shell(
            "timeout -s KILL 60 \(tracer) \"$R\" \(words) --timeout 2 --grace 1 -- sh -c 'kill -STOP $$; sleep 600'; echo $?"
        )
        #expect(result.outputText == "124\n", "\(result.errorText)")
        #expect(Date().timeIntervalSince(start) >= 2)
        #expect(try Evidence.link(of: run).byproduct("timed-out") == true)
    }

    /// Traced from afar, the runner stays the shell's child; it is late to hear that its command is ready.
    @Test(arguments: ["", "--pty"])
    func `a stop that comes before the command's program is executed stops both`(mode: String) throws {
        let run = try project()
        let late = "strace -DD -o /dev/null -e trace=poll -e inject=poll:delay_exit=1500000:when=1"
        let script = """
            \(late) "$R" \(words) \(mode) -- sh -c ': >ran; exit 6' &
            state() { sed 's/.*) //; s/ .*//' "/proc/$1/stat"; }
            sleep 0.7; kill -TSTP $!; sleep 3; state $! | tr T t; ls ran 2>/dev/null
            kill -CONT $!; wait $!; echo $?; ls ran
            """
        let result = try run.shell("timeout -s KILL 60 sh -c '\(script.replacing("'", with: "'\\''"))'")
        #expect(result.outputText == "t\n6\nran\n", "\(result.errorText)")
    }

    @Test func `a command that is continued and stops itself again stays stopped`() throws {
        var run = try project()
        try PreloadedLibrary.install(PreloadedLibrary.lateWaiting, in: &run)
        let script = """
            "$R" \(words) -- sh -c 'echo $$ >pid; kill -STOP $$; sleep 0.3; kill -STOP $$; : >after; exit 6' &
            state() { sed 's/.*) //; s/ .*//' "/proc/$1/stat"; }
            stopped() { until [ "$(state $1)" = T ]; do sleep 0.05; done; }
            until [ -s pid ]; do sleep 0.05; done; stopped $(cat pid); stopped $!
            kill -CONT $(cat pid); sleep 3; stopped $!; ls after 2>/dev/null
            kill -CONT $(cat pid); wait $!; echo $?; ls after
            """
        #expect(
            try run.shell("timeout -s KILL 120 sh -c '\(script.replacing("'", with: "'\\''"))'").outputText
                == "6\nafter\n")
    }

    // MARK: Signals of the command's own

    @Test(arguments: ["USR1", "TERM", "INT", "WINCH"])
    func `what the command sends to its process group reaches it once`(name: String) throws {
        let run = try project()
        let script = "trap \"echo got >>log\" \(name); kill -\(name) 0; sleep 0.5; exit 4"
        let result = try run.shell("setsid -w \"$R\" \(words) -- sh -c '\(script)'; echo $?; cat log")
        #expect(result.outputText == "4\ngot\n")
    }

    @Test func `what a process of the command's sends to the group reaches the command once`() throws {
        let run = try project()
        let script = "trap \"echo got >>log\" USR1; sh -c \"trap : USR1; kill -USR1 0; sleep 0.2\"; sleep 0.5; exit 4"
        let result = try run.shell("setsid -w \"$R\" \(words) -- sh -c '\(script)'; echo $?; cat log")
        #expect(result.outputText == "4\ngot\n")
    }

    @Test func `what is sent to a runner reaches the command of another below it once`() throws {
        let run = try project()
        let script = """
            for i in 1 2 3 4 5; do
                "$R" \(words) --overwrite -- "$R" \(words) --overwrite -d inner -- \
                    sh -c 'trap "echo got >>log" TERM; : >ready; until [ -s log ]; do sleep 0.1; done; sleep 0.5' &
                until [ -e ready ]; do sleep 0.05; done; kill -TERM $!; wait $!; echo $?; cat log; rm ready log
            done
            """
        _ = try run.shell("mkdir inner")
        #expect(try run.shell(script).outputText == String(repeating: "0\ngot\n", count: 5))
    }

    // MARK: Waiting

    @Test func `a request to end ends the wait for what the command left behind, and that, too`() throws {
        let run = try project()
        let start = Date()
        let script = """
            "$R" \(words) --background-wait 600 -- sh -c 'sleep 600 & echo $! >pid; exit 3' &
            until [ -s pid ]; do sleep 0.05; done; sleep 1; kill -TERM $!; wait $!; echo $?
            ps -o stat= -p $(cat pid) | grep -v Z; :
            """
        #expect(try run.shell(script).outputText == "3\n")
        #expect(Date().timeIntervalSince(start) < 120)
        #expect(try Evidence.link(of: run).byproduct("background-processes") == nil)
    }

    @Test func `what is left behind and heeds no request is listed, and not waited for`() throws {
        let run = try project()
        let start = Date()
        let script = """
            "$R" \(words) --background-wait 600 -- sh -c '(trap "" TERM; exec sleep 600) & echo $! >pid; exit 3' &
            until [ -s pid ]; do sleep 0.05; done; sleep 1; kill -TERM $!; wait $!; echo $?; kill -9 $(cat pid)
            """
        #expect(try run.shell(script).outputText == "3\n")
        #expect(Date().timeIntervalSince(start) < 120)
        #expect(try Evidence.link(of: run).byproduct("background-processes") != nil)
    }

    @Test func `signals are passed on in the time of grace, too`() throws {
        let run = try project()
        let start = Date()
        let script = """
            "$R" \(words) --timeout 1 --grace 600 -- \
                sh -c 'trap ": >asked" TERM; trap "exit 5" HUP; while :; do sleep 0.1; done' &
            until [ -e asked ]; do sleep 0.05; done; kill -HUP $!; wait $!; echo $?
            """
        #expect(try run.shell(script).outputText == "124\n")
        #expect(Date().timeIntervalSince(start) < 120)
        #expect(try Evidence.link(of: run).byproduct("return-value") == 5)
    }

    // MARK: A terminal that hangs up

    @Test func `a terminal that hangs up tells the command, where we lead its session`() throws {
        let run = try project()
        let driver = """
            import os, pty, sys, time
            pid, fd = pty.fork()
            if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
            seen = b""
            while b"ready" not in seen: seen += os.read(fd, 100)
            os.close(fd)
            for _ in range(200):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended: sys.exit(os.waitstatus_to_exitcode(status))
                time.sleep(0.1)
            os.kill(pid, 9)
            sys.exit(99)
            """
        let command = ["sh", "-c", "trap 'exit 9' HUP; echo ready; while :; do sleep 0.1; done"]
        let result = try Subprocess.run(
            "/usr/bin/env", ["python3", "-c", driver, BuiltProduct.intotoRun.path] + signed + ["--"] + command,
            in: run.directory)
        #expect(result.status == 9)
        #expect(try Evidence.link(of: run).byproduct("return-value") == 9)
    }

    // MARK: While the evidence is finished

    /// Runs a step whose signing takes three seconds, sends signals meanwhile, and says the status.
    private func whileSigning(_ signals: String) throws -> (status: String, notes: Int, run: IntotoRun) {
        let run = try project()
        let signer = """
            #!/bin/sh
            case $1 in public-key) exec openssl pkey -in key.pem -pubout ;; esac
            if [ -e ran ]; then : >signing; sleep 3; fi
            cat >message; exec openssl pkeyutl -sign -rawin -inkey key.pem -in message
            """
        try run.write(signer, to: "signer")
        let script = """
            chmod +x signer; "$R" -q -k exec:./signer -n s --format link -m key.pem.pub -- touch ran &
            until [ -e signing ]; do sleep 0.05; done; \(signals); wait $!; echo $?
            """
        let result = try run.shell(script)
        let notes = result.errorText.components(separatedBy: "finishing the evidence").count - 1
        return (result.outputText, notes, run)
    }

    @Test(arguments: [
        ("kill -HUP $!; kill -HUP $!", 0), ("kill -TERM $!; kill -TERM $!", 1),
        ("kill -TERM $!; sleep 0.7; kill -HUP $!", 1),
    ])
    func `signals that come together do not cost the evidence`(signals: String, notes: Int) throws {
        let result = try whileSigning(signals)
        #expect(result.status == "0\n")
        #expect(result.notes == notes)
        let link = try result.run.file(endingIn: ".link")
        #expect(try result.run("sign", "--check", link, "--verification-keys", "key.pem.pub").status == 0)
    }

    @Test func `a second request after a while gives the evidence up`() throws {
        let result = try whileSigning("kill -TERM $!; sleep 0.7; kill -TERM $!")
        #expect(result.status == "143\n")
        #expect(result.notes == 1)
        #expect(try !result.run.list().contains { $0.hasSuffix(".link") })
    }
}
