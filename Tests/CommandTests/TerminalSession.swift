import Foundation
import TestSupport

/// A person at a terminal: Python's pty module types and reads.
struct TerminalSession {
    enum Step {
        case expect(String)
        case send(String)
        /// Rows and columns.
        case resize(Int, Int)
    }

    /// What came out of the terminal, and the status of the command. Like a shell, the session's leader runs the command
    /// as a job in the foreground; a job that stops is announced as `[stopped]` and continued, or as `[stopped, raw]` where
    /// it leaves the terminal in a state that a shell could not be used in.
    static func run(
        _ run: IntotoRun, program: String = BuiltProduct.intotoRun.path, _ arguments: [String], _ steps: [Step]
    ) throws -> (output: String, status: Int32) {
        let script = steps.map { step -> [String] in
            switch step {
            case .expect(let text): ["expect", text]
            case .send(let text): ["send", text]
            case .resize(let rows, let columns): ["resize", "\(rows)", "\(columns)"]
            }
        }
        let json = String(decoding: try JSONEncoder().encode(script), as: UTF8.self)
        let result = try Subprocess.run(
            "/usr/bin/env", ["python3", "-c", driver, json, program] + arguments, in: run.directory)
        guard result.status != 99 else { throw IntotoRun.SetupFailure(reason: result.errorText + result.outputText) }
        return (result.outputText, result.status)
    }

    private static let driver = """
        import fcntl, json, os, pty, select, signal, struct, sys, termios, time

        def size(fd, rows, columns):
            fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

        def lead_session():
            size(0, 30, 100)
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            job = os.fork()
            if job == 0:
                os.setpgid(0, 0)
                os.tcsetpgrp(0, os.getpid())
                signal.signal(signal.SIGTTOU, signal.SIG_DFL)
                os.execv(sys.argv[2], sys.argv[2:])
            while True:
                status = os.waitpid(job, os.WUNTRACED)[1]
                if not os.WIFSTOPPED(status): break
                os.tcsetpgrp(0, os.getpid())
                os.write(1, b"[stopped]" if termios.tcgetattr(0)[3] & termios.ICANON else b"[stopped, raw]")
                os.tcsetpgrp(0, job)
                os.killpg(job, signal.SIGCONT)
            os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))

        pid, fd = pty.fork()
        if pid == 0: lead_session()
        seen, at, deadline = b"", 0, time.time() + 40

        def give_up(why):
            os.kill(pid, signal.SIGKILL)
            sys.stdout.buffer.write(seen)
            sys.stderr.write(why)
            sys.exit(99)

        def more(wait=0.05):
            global seen
            if time.time() > deadline: give_up("no end in sight")
            if not select.select([fd], [], [], wait)[0]: return True
            try: bytes = os.read(fd, 4096)
            except OSError: return False
            seen += bytes
            return bool(bytes)

        for step in json.loads(sys.argv[1]):
            if step[0] == "expect":
                while step[1].encode() not in seen[at:]:
                    if not more(): give_up("never saw " + step[1])
                at = seen.index(step[1].encode(), at) + len(step[1].encode())
            elif step[0] == "send": os.write(fd, step[1].encode())
            elif step[0] == "resize": size(fd, int(step[1]), int(step[2]))
        while more(): pass
        status = os.waitpid(pid, 0)[1]
        sys.stdout.buffer.write(seen)
        sys.stdout.flush()
        sys.exit(os.waitstatus_to_exitcode(status))
        """
}
