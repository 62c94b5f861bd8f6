import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Real terminals, with and without recording, with and without one of the command's own.
@Suite(.temporaryDirectory) struct TerminalTests {
    private static let modes: [[String]] = [[], ["-s"], ["--pty"], ["--pty", "-s"]]
    private let signed = ["-q", "-k", "key.pem", "-n", "s", "--format", "link", "-m", "key.pem.pub"]

    private func session(
        _ mode: [String], _ script: String, _ steps: [TerminalSession.Step]
    ) throws -> (output: String, status: Int32, run: IntotoRun) {
        let run = IntotoRun()
        if try !run.list().contains("key.pem") { try run.makeKey() }
        let (output, status) = try TerminalSession.run(run, signed + mode + ["--", "sh", "-c", script], steps)
        return (output, status, run)
    }

    @Test(arguments: modes)
    func `a program asks and reads an answer`(mode: [String]) throws {
        let session = try session(
            mode, "printf 'name? '; read name; echo \"hello $name\"; exit 4",
            [.expect("name? "), .send("Ada\n"), .expect("hello Ada")])
        #expect(session.status == 4)
        #expect(try Evidence.link(of: session.run).byproduct("return-value") == 4)
    }

    @Test(arguments: modes)
    func `a program reads a password from the terminal itself`(mode: [String]) throws {
        let script =
            "stty -echo </dev/tty; printf 'password: ' >/dev/tty; read word </dev/tty; stty echo </dev/tty; [ \"$word\" = secret ]"
        let session = try session(mode, script, [.expect("password: "), .send("secret\n")])
        #expect(session.status == 0)
        #expect(!session.output.contains("secret"))
    }

    @Test(arguments: modes)
    func `Ctrl-C ends the command, and the evidence is written`(mode: [String]) throws {
        let session = try session(mode, "echo ready; exec sleep 60", [.expect("ready"), .send("\u{3}")])
        #expect(session.status == 130)
        #expect(try Evidence.link(of: session.run).byproduct("return-value") == -2)
    }

    @Test(arguments: modes)
    func `a command that handles Ctrl-C keeps its own status`(mode: [String]) throws {
        let session = try session(
            mode, "trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.1; done",
            [.expect("ready"), .send("\u{3}"), .expect("caught")])
        #expect(session.status == 7)
    }

    @Test(arguments: modes)
    func `Ctrl-Backslash ends the command, and the evidence is written`(mode: [String]) throws {
        let session = try session(mode, "ulimit -c 0; echo ready; exec sleep 60", [.expect("ready"), .send("\u{1C}")])
        #expect(session.status == 131)
        #expect(try Evidence.link(of: session.run).byproduct("return-value") == -3)
    }

    @Test(arguments: modes)
    func `Ctrl-Z stops us and the command, and both go on`(mode: [String]) throws {
        let session = try session(
            mode, "echo ready; read line; echo \"after $line\"",
            [.expect("ready"), .send("\u{1A}"), .expect("[stopped]"), .send("pause\n"), .expect("after pause")])
        #expect(session.status == 0)
    }

    @Test(arguments: modes)
    func `a command that does not heed Ctrl-Z keeps the terminal`(mode: [String]) throws {
        let session = try session(
            mode, "trap '' TSTP; echo ready; read line; echo \"after $line\"",
            [.expect("ready"), .send("\u{1A}"), .send("all\n"), .expect("after all")])
        #expect(session.status == 0)
        #expect(!session.output.contains("[stopped"))
    }

    @Test(arguments: modes)
    func `a command that stops itself gives the terminal back meanwhile`(mode: [String]) throws {
        let script = "kill -STOP $$; stty -icanon; echo ready; dd bs=1 count=1 2>/dev/null; echo done"
        // A terminal that was not made raw again would keep the letter to the end of the line.
        let session = try session(mode, script, [.expect("[stopped]"), .expect("ready"), .send("k"), .expect("done")])
        #expect(session.status == 0)
    }

    @Test(arguments: modes)
    func `the command sees a terminal as large as ours, and that it changes`(mode: [String]) throws {
        let script =
            "stty size </dev/tty; trap 'stty size </dev/tty; exit 0' WINCH; echo ready; while :; do sleep 0.1; done"
        let session = try session(
            mode, script, [.expect("30 100"), .expect("ready"), .resize(41, 133), .expect("41 133")])
        #expect(session.status == 0)
    }

    @Test func `colours stay where nothing is recorded, and with a terminal of the command's own`() throws {
        let probe = "[ -t 1 ] && echo colour || echo plain"
        #expect(try session([], probe, []).output.contains("colour"))
        let own = try session(["--overwrite", "--pty", "-s"], probe, [])
        #expect(own.output.contains("colour"))
        #expect(try Evidence.link(of: own.run).byproduct("stdout") == "colour\r\n")
    }

    @Test func `with a terminal of its own the order of both streams is exact`() throws {
        let script = "i=0; while [ $i -lt 500 ]; do echo $i; echo $i >&2; i=$((i+1)); done"
        let session = try session(["--pty", "-s"], script, [])
        let expected = (0..<500).map { "\($0)\r\n\($0)\r\n" }.joined()
        #expect(try Evidence.link(of: session.run).byproduct("stdout") == .string(Text(expected)))
    }

    @Test func `without a terminal of ours, --pty takes input from a pipe and adds no carriage returns`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run.run(
            signed + ["--pty", "-s", "--", "sh", "-c", "stty -echo; cat; tty >/dev/null && echo terminal"],
            input: Array("typed\n".utf8))
        #expect(result.status == 0)
        #expect(result.outputText.hasSuffix("typed\nterminal\n"))
    }

    @Test func `a slow reader gets all that the command wrote on a terminal of its own`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let words = signed.joined(separator: " ")
        let command = "sh -c 'head -c 75000 /dev/zero | tr \"\\0\" x'"
        let result = try run.shell("\"$R\" \(words) --pty -s -- \(command) | { sleep 2; wc -c; }")
        #expect(result.outputText == "75000\n")
        #expect(try Evidence.link(of: run).byproduct("stdout-length") == 75000)
    }

    @Test func `a process left behind that never stops writing to the terminal does not hold up the end`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let words = signed.joined(separator: " ")
        let command = "sh -c 'trap \"\" HUP; yes & echo $! >pid; sleep 0.2; exit 3'"
        let result = try run.shell(
            "{ \"$R\" \(words) --pty -- \(command); echo $? >status; } >/dev/null; kill -9 $(cat pid); cat status")
        #expect(result.outputText == "3\n")
    }

    /// Runs the step with `--pty` and redirections, at a terminal.
    private func redirected(
        _ redirections: String, _ script: String, _ steps: [TerminalSession.Step]
    ) throws -> (output: String, status: Int32, run: IntotoRun) {
        let run = IntotoRun()
        try run.makeKey()
        let words = ([BuiltProduct.intotoRun.path] + signed + ["--pty", "--", "sh", "-c", script])
            .map { "'\($0.replacing("'", with: "'\\''"))'" }.joined(separator: " ")
        let (output, status) = try TerminalSession.run(
            run, program: "/bin/sh", ["-c", "\(words) \(redirections)"], steps)
        return (output, status, run)
    }

    @Test(arguments: [("\u{3}", 130), ("\u{1C}", 131)])
    func `with --pty and input from elsewhere, what is typed to end the command does`(key: String, status: Int32) throws
    {
        let session = try redirected(
            "</dev/null; exit $?", "trap '' HUP; ulimit -c 0; echo ready; exec sleep 60",
            [.expect("ready"), .send(key)])
        #expect(try Evidence.link(of: session.run).byproduct("return-value") == .integer(Int64(128 - status)))
    }

    @Test(arguments: ["</dev/null", "</dev/null 2>/dev/null | cat"])
    func `with --pty and input from elsewhere, the command's terminal is as large as ours`(elsewhere: String) throws {
        let script = "stty size; trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.1; done"
        let session = try redirected(
            elsewhere, script, [.expect("30 100"), .expect("ready"), .resize(41, 133), .expect("41 133")])
        #expect(session.status == 0)
    }

    @Test func `our terminal is as before after --pty`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let words = signed.map { "'\($0)'" }.joined(separator: " ")
        let script =
            "before=$(stty -g); \"\(BuiltProduct.intotoRun.path)\" \(words) --pty -- stty raw; [ \"$before\" = \"$(stty -g)\" ] && echo same"
        let session = try TerminalSession.run(
            run, ["-q", "-k", "key.pem", "-n", "outer", "--", "sh", "-c", script], [])
        #expect(session.output.contains("same"))
    }

    @Test func `our terminal is as before where with --pty the command could not be executed`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("#!/nowhere\n", to: "bad")
        let words = signed.map { "'\($0)'" }.joined(separator: " ")
        let script = """
            chmod +x bad; before=$(stty -g); '\(BuiltProduct.intotoRun.path)' \(words) --pty -- ./bad; echo "status $?"
            [ "$before" = "$(stty -g)" ] && echo same
            """
        let session = try TerminalSession.run(run, program: "/bin/sh", ["-c", script], [])
        #expect(session.output.contains("status 126"))
        #expect(session.output.contains("same"))
    }

    // MARK: An interactive shell, an editor, a pager

    /// A shell at a terminal in which `./go` is the wrapped command.
    private func shell(
        _ mode: [String], through tracer: [String] = [], _ command: String, _ steps: [TerminalSession.Step]
    ) throws -> (output: String, status: Int32, run: IntotoRun) {
        let run = IntotoRun()
        try run.makeKey()
        let words = (tracer + [BuiltProduct.intotoRun.path] + signed + mode).map { "'\($0)'" }.joined(separator: " ")
        try run.write("exec \(words) -- \(command)\n", to: "go")
        let (output, status) = try TerminalSession.run(
            run, program: "/bin/bash", ["--norc", "--noprofile", "-i"],
            [.send("PS1='<'ready'> '\n"), .expect("<ready> ")] + steps)
        return (output, status, run)
    }

    @Test(arguments: [[], ["-s"]])
    func `in an interactive shell, Ctrl-Z stops the job, and fg goes on with it`(mode: [String]) throws {
        let session = try shell(
            mode, "sh -c 'echo at\"\"work; read line; echo \"after $line\"; exit 4'",
            [
                .send("sh ./go\n"), .expect("atwork"), .send("\u{1A}"), .expect("Stopped"), .expect("<ready> "),
                .send("jobs\n"), .expect("Stopped"), .expect("<ready> "), .send("fg\n"), .expect("sh ./go"),
                .send("pause\n"), .expect("after pause"), .expect("<ready> "), .send("echo status-$?\n"),
                .expect("status-4"), .send("exit 6\n"),
            ])
        #expect(session.status == 6)
        #expect(try Evidence.link(of: session.run).byproduct("return-value") == 4)
    }

    @Test(arguments: modes)
    func `in an interactive shell, Ctrl-C ends the command and gives the prompt back`(mode: [String]) throws {
        let session = try shell(
            mode, "sh -c 'echo at\"\"work; exec sleep 60'",
            [
                .send("sh ./go\n"), .expect("atwork"), .send("\u{3}"), .expect("<ready> "),
                .send("echo status-$?\n"), .expect("status-130"), .send("exit 6\n"),
            ])
        #expect(session.status == 6)
        #expect(try Evidence.link(of: session.run).byproduct("return-value") == -2)
    }

    /// The editor that is there: what is installed for the tests is `vim.tiny`.
    private func editor() throws -> String {
        let found = try Subprocess.run("/bin/sh", ["-c", "command -v vim || command -v vim.tiny"]).outputText
        return try #require(found.split(separator: "\n").first.map(String.init), "install-deps --dev installs vim-tiny")
    }

    @Test(arguments: [[], ["-s"]])
    func `in an interactive shell, a job that reads in the background stops, and fg goes on with it`(
        mode: [String]
    ) throws {
        let session = try shell(
            mode, "sh -c 'read line; echo \"after $line\"; exit 4'",
            [
                .send("sh ./go & until jobs -s | grep -q go; do sleep 0.1; done; echo st''opped\n"), .expect("stopped"),
                .expect("<ready> "), .send("fg\n"), .expect("sh ./go"), .send("pause\n"), .expect("after pause"),
                .expect("<ready> "), .send("echo status-$?\n"), .expect("status-4"), .send("exit 6\n"),
            ])
        #expect(session.status == 6)
        #expect(try Evidence.link(of: session.run).byproduct("return-value") == 4)
    }

    /// A command that reads before its runner has heard that it runs was stopped twice, in one of five attempts or ten: no
    /// delay of a single call brings it about, as it takes a thread that is ready and not running.
    @Test(arguments: 1...12) func `a job in the background of a busy machine goes on with fg`(attempt: Int) throws {
        let session = try shell(
            [], through: ["nice", "-n", "19"], "sh -c 'read line; echo \"after $line\"; exit 4'",
            [
                .send("sh ./go & until jobs -s | grep -q go; do sleep 0.1; done; echo st''opped\n"), .expect("stopped"),
                .expect("<ready> "), .send("fg\n"), .expect("sh ./go"), .send("pause\n"), .expect("after pause"),
                .expect("<ready> "), .send("exit $?\n"),
            ])
        #expect(session.status == 4)
    }

    @Test func `Ctrl-Z that a command did not heed does not stop us once it has ended`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let script = "trap '' TSTP; echo ready; read line; echo \"after $line\""
        // Traced from afar, the runner stays the child of what started it.
        let late = "inject=poll:delay_enter=1000000:when=3+"
        let slow = ["strace", "-DD", "-o", "/dev/null", "-e", "trace=poll", "-e", late]
        let session = try TerminalSession.run(
            run, program: "/usr/bin/env", slow + [BuiltProduct.intotoRun.path] + signed + ["--", "sh", "-c", script],
            [.expect("ready"), .send("\u{1A}"), .send("all\n"), .expect("after all")])
        #expect(session.status == 0)
        #expect(!session.output.contains("[stopped"))
    }

    @Test func `with --pty, a job in the background has its own terminal, and takes ours with fg`() throws {
        let session = try shell(
            ["--pty"], "sh -c ': >begun; read line; echo \"after $line\"; exit 4'",
            [
                .send("sh ./go & until [ -e begun ]; do sleep 0.1; done; sleep 0.5; jobs -r; echo st''ill\n"),
                .expect("Running"), .expect("still"), .expect("<ready> "), .send("fg\n"), .expect("sh ./go"),
                .send("pause\n"), .expect("after pause"), .expect("<ready> "), .send("echo status-$?\n"),
                .expect("status-4"), .send("exit 6\n"),
            ])
        #expect(session.status == 6)
    }

    @Test(arguments: [([], "cat"), (["-s"], "cat"), ([], "stty -echo"), (["--pty"], "cat")] as [([String], String)])
    func `a time limit holds in the background of a terminal`(mode: [String], command: String) throws {
        let run = IntotoRun()
        try run.makeKey()
        let words = (signed + mode + ["--timeout", "1", "--grace", "1"]).joined(separator: " ")
        // What `wait -f` is for, it does not do without fail.
        let script = """
            set -m; '\(BuiltProduct.intotoRun.path)' \(words) -- \(command) &
            while kill -0 $! 2>/dev/null; do sleep 0.1; done; wait $!; echo "status $?"
            """
        let session = try TerminalSession.run(run, program: "/bin/bash", ["-c", script], [.expect("status 124")])
        #expect(session.status == 0)
        #expect(try Evidence.link(of: run).byproduct("timed-out") == true)
    }

    @Test(arguments: [[], ["--pty"], ["--pty", "-s"]])
    func `an editor is used as without us`(mode: [String]) throws {
        let run = IntotoRun()
        try run.makeKey()
        let (_, status) = try TerminalSession.run(
            run, signed + mode + ["-p", "notes", "--", "env", "TERM=xterm", try editor(), "-u", "NONE", "-N", "notes"],
            [.expect("notes"), .send("ihello from vi"), .expect("hello from vi"), .send("\u{1B}"), .send(":wq\r")])
        #expect(status == 0)
        #expect(try run.read("notes") == Array("hello from vi\n".utf8))
        #expect(try Evidence.link(of: run).productNames == ["notes"])
    }

    @Test func `an editor that is stopped from its shell goes on where it was`() throws {
        let session = try shell(
            [], "env TERM=xterm \(try editor()) -u NONE -N notes",
            [
                .send("sh ./go\n"), .expect("~"), .send("ihello"), .expect("hello"), .send("\u{1B}"), .send("\u{1A}"),
                .expect("Stopped"), .send("fg\n"), .expect("hello"), .send(":wq\r"), .expect("<ready> "),
                .send("exit $?\n"),
            ])
        #expect(session.status == 0)
        #expect(try session.run.read("notes") == Array("hello\n".utf8))
    }

    @Test(arguments: [[], ["--pty"], ["--pty", "-s"]])
    func `a pager is used as without us`(mode: [String]) throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.write((1...3000).map { "line-\($0)-\n" }.joined(), to: "text")
        let (output, status) = try TerminalSession.run(
            run, signed + mode + ["--", "env", "TERM=xterm", "LESS=", "less", "text"],
            [
                .expect("line-29-"), .send("G"), .expect("line-3000-"), .send("/line-15..-\n"), .send("g"),
                .expect("line-1-"), .send("q"),
            ])
        #expect(status == 0)
        #expect(!output.contains("line-2000-"))
    }
}
