import Foundation
import InTotoMetadata
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct RunStatusTests {
    @Test(arguments: [0, 1, 2, 3, 64, 124, 125, 126, 127, 128, 130, 254, 255])
    func `the command's status is passed on and recorded`(status: Int) throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run(
            "-k", "key.pem", "-n", "s", "--format", "link", "-m", "key.pem.pub", "--", "sh", "-c", "exit \(status)")
        #expect(result.status == status)
        #expect(try Evidence.link(of: run).byproduct("return-value") == .integer(Int64(status)))
    }

    @Test(arguments: [1, 2, 3, 6, 9, 11, 13, 15])
    func `death by a signal is 128 + N outside and -N inside`(number: Int) throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run(
            "-k", "key.pem", "-n", "s", "--format", "link", "-m", "key.pem.pub", "--", "sh", "-c", "kill -\(number) $$")
        #expect(result.status == 128 + Int32(number))
        #expect(try Evidence.link(of: run).byproduct("return-value") == .integer(Int64(-number)))
    }

    @Test func `a command that is not there is 127, and nothing is written`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run("-k", "key.pem", "-n", "s", "--", "no-such-command")
        #expect(result.status == 127)
        #expect(result.errorText.contains("no-such-command: command not found"))
        #expect(try run.list() == ["key.pem", "key.pem.pub"])
    }

    @Test(arguments: ["./data", "./folder", "./bad-interpreter"])
    func `a command that cannot be executed is 126, and nothing is written`(command: String) throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("text", to: "data")
        try run.write("", to: "folder/file")
        try run.write("#!/no/such/interpreter\n", to: "bad-interpreter")
        _ = try run.shell("chmod +x bad-interpreter")
        let result = try run("-k", "key.pem", "-n", "s", "--", command)
        #expect(result.status == 126)
        #expect(result.errorText.contains("cannot be executed"))
        #expect(try run.list().filter { $0.hasPrefix("s.") } == [])
    }

    @Test func `a script without an interpreter line runs as under a shell`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("echo from a script: \"$1\"; exit 5\n", to: "script")
        _ = try run.shell("chmod +x script")
        let result = try run("-k", "key.pem", "-n", "s", "-q", "--", "./script", "word")
        #expect(result.status == 5)
        #expect(result.outputText == "from a script: word\n")
    }

    @Test func `a caller that ignores SIGCHLD does not turn failure into success`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let script =
            "import signal,os,sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
        let result = try Subprocess.run(
            "/usr/bin/env",
            [
                "python3", "-c", script, BuiltProduct.intotoRun.path, "-k", "key.pem", "-n", "s", "--", "sh", "-c",
                "exit 9",
            ],
            in: run.directory)
        #expect(result.status == 9)
    }
}
