import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Ends that what waits for them does not notice, or takes for something else.
@Suite(.temporaryDirectory) struct UnnoticedEndTests {
    private let signed = ["-q", "-k", "key.pem", "-n", "s", "--format", "link", "-m", "key.pem.pub"]

    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        return run
    }

    @Test(arguments: [("exit 3", 3, 3), ("kill -9 $$", 137, -9)] as [(String, Int32, Int64)])
    func `a failure to wait for the command is no success of it`(script: String, status: Int32, value: Int64) throws {
        let run = try project()
        let tracer = "strace -f -b execve -o /dev/null -e trace=wait4 -e inject=wait4:error=ECHILD:when=1"
        let result = try run.shell(
            "timeout 60 \(tracer) \"$R\" \(signed.joined(separator: " ")) -- sh -c '\(script)'; echo $?")
        #expect(result.outputText == "\(status)\n")
        #expect(try Evidence.link(of: run).byproduct("return-value") == .integer(value))
    }

    @Test(arguments: [("exit 3", 3, 3), ("kill -9 $$", 137, -9)] as [(String, Int32, Int64)])
    func `an end that nobody is told of is noticed`(script: String, status: Int32, value: Int64) throws {
        var run = try project()
        try PreloadedLibrary.install(PreloadedLibrary.lostWakeUps, in: &run)
        let result = try run.shell(
            "timeout -s KILL 60 \"$R\" \(signed.joined(separator: " ")) -- sh -c '\(script)'; echo $?")
        #expect(result.outputText == "\(status)\n")
        #expect(try Evidence.link(of: run).byproduct("return-value") == .integer(value))
        #expect(try run.list().contains("wake-up"), "Foundation wakes its threads in another way")
    }

    @Test func `the end of a program that signs is noticed though nobody is told of it`() throws {
        var run = try project()
        try PreloadedLibrary.install(PreloadedLibrary.lostWakeUps, in: &run)
        try run.write(
            """
            #!/bin/sh
            case $1 in public-key) cat key.pem.pub ;; *) cat >message
            openssl pkeyutl -sign -rawin -inkey key.pem -in message ;; esac
            """, to: "signer")
        let words = signed.joined(separator: " ").replacing("key.pem ", with: "exec:./signer ")
        let result = try run.shell("chmod +x signer; timeout -s KILL 60 \"$R\" \(words) -- sh -c 'exit 3'; echo $?")
        #expect(result.outputText == "3\n", "\(result.errorText)")
        #expect(try Evidence.link(of: run).byproduct("return-value") == 3)
    }
}
