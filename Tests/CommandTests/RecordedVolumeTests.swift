import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// How much memory recording takes, and what is recorded of the command's own.
@Suite(.temporaryDirectory) struct RecordedVolumeTests {
    private let signed = ["-q", "-k", "key.pem", "-n", "s", "--format", "link", "-m", "key.pem.pub"]

    /// With `INTOTO_LONG_TESTS=1`, 4 GiB of each kind: a debug build takes a quarter of an hour.
    private static let isLong = ProcessInfo.processInfo.environment["INTOTO_LONG_TESTS"] == "1"

    /// Runs through Python, which says the peak memory of its child, and passes output to a reader that counts.
    private func record(_ mode: String, megabytes: Int) throws -> (peak: Int, seconds: Double, received: Int) {
        let run = IntotoRun()
        let script = """
            import os, resource, subprocess, sys, time
            start = time.time()
            child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
            received = 0
            while block := os.read(child.stdout.fileno(), 1 << 20): received += len(block)
            status = child.wait()
            print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, time.time() - start, received)
            """
        let command = "yes 'a line of text: 0123456789' | head -c \(megabytes << 20)"
        let result = try Subprocess.run(
            "/usr/bin/env",
            ["python3", "-c", script, BuiltProduct.intotoRun.path] + signed
                + ["--overwrite", "--record-streams=\(mode)", "--", "sh", "-c", command], in: run.directory)
        let words = result.outputText.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count == 4, words[0] == "0", let peak = Int(words[1]), let time = Double(words[2]),
            let received = Int(words[3])
        else { throw IntotoRun.SetupFailure(reason: result.outputText + result.errorText) }
        return (peak, time, received)
    }

    @Test(arguments: ["tail", "digest"])
    func `any volume of output is recorded in little memory`(mode: String) throws {
        let run = IntotoRun()
        try run.makeKey()
        let megabytes = Self.isLong ? 4096 : 48
        let (peak, seconds, received) = try record(mode, megabytes: megabytes)
        print("\(megabytes) MiB recorded (\(mode)): \(seconds) s, peak \(peak) KiB")
        #expect(received == megabytes << 20)
        #expect(try Evidence.link(of: run).byproduct("stdout-length") == .integer(Int64(megabytes << 20)))
        #expect(peak < 64 << 10)
    }

    @Test func `what is kept of any volume bounds the memory that recording takes`() throws {
        let run = IntotoRun()
        try run.makeKey()
        // Both are beyond what is kept, 8 MiB.
        let small = try record("full", megabytes: 12)
        let large = try record("full", megabytes: Self.isLong ? 4096 : 36)
        print("recorded (full): peak \(small.peak) KiB for 12 MiB, \(large.peak) KiB for \(large.received >> 20) MiB")
        #expect(large.peak < small.peak + (8 << 10))
    }

    @Test func `the peak memory of the command's tree is recorded where it is above our own`() throws {
        let run = IntotoRun()
        try run.makeKey()
        // In a grandchild, which the command waits for.
        let grow = "sh -c 'python3 -c \"x = b\\\"x\\\" * (200 << 20)\"; exit 0'"
        #expect(try run.shell("\"$R\" \(signed.joined(separator: " ")) -- \(grow)").status == 0)
        let peak = try memory(run, "peak-memory-kib")
        #expect(peak.map { $0 >= 200 << 10 && $0 < 400 << 10 } == true, "\(String(describing: peak))")
        #expect(try memory(run, "peak-memory-at-most-kib") == nil)
    }

    @Test func `of a command that takes less memory than we do, that is all that is recorded`() throws {
        let run = IntotoRun()
        try run.makeKey()
        #expect(try run.run(signed + ["--", "true"]).status == 0)
        let bound = try memory(run, "peak-memory-at-most-kib")
        // What our process had when it started the command's.
        #expect(bound.map { $0 > 0 && $0 <= 64 << 10 } == true, "\(String(describing: bound))")
        #expect(try memory(run, "peak-memory-kib") == nil)
    }

    @Test func `what a signing program used before the command is not the command's`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let signer = """
            #!/bin/sh
            case $1 in public-key) python3 -c 'import time; x = b"x" * (200 << 20)
            while time.process_time() < 1: pass'; exec openssl pkey -in key.pem -pubout ;; esac
            cat >message; exec openssl pkeyutl -sign -rawin -inkey key.pem -in message
            """
        try run.write(signer, to: "signer")
        let words = "-q -k exec:./signer -n s --format link -m key.pem.pub"
        let result = try run.shell("chmod +x signer; \"$R\" \(words) -- true")
        #expect(result.status == 0, "\(result.errorText)")
        #expect(try processorTime(run).map { $0 < 500 } == true)
        // All that the kernel says of the command's memory is that it took no more than the program before it.
        #expect(try memory(run, "peak-memory-kib") == nil)
        #expect(try memory(run, "peak-memory-at-most-kib").map { $0 >= 200 << 10 } == true)
        // And a command's own time is.
        let busy = "python3 -c 'import time\nwhile time.process_time() < 1: pass'"
        #expect(try run.shell("\"$R\" \(words) --overwrite -- \(busy)").status == 0)
        #expect(try processorTime(run).map { $0 >= 900 } == true)
    }

    @Test func `how long the command took is not taken from the clock of the day`() throws {
        var run = IntotoRun()
        try run.makeKey()
        try PreloadedLibrary.install(PreloadedLibrary.backwardsClock, in: &run)
        let summary = ["--summary", "json", "--summary-file", "summary"]
        #expect(try run.run(signed + summary + ["--", "sleep", "0.4"]).status == 0)
        let time = try memory(run, "wall-ms")
        #expect(time.map { $0 >= 400 && $0 < 20_000 } == true, "\(String(describing: time))")
        #expect(String(decoding: try run.read("summary"), as: UTF8.self).contains("\"wall-ms\":\(time ?? 0)"))
    }

    /// Milliseconds; how they are shared between program and kernel is the machine's matter.
    private func processorTime(_ run: IntotoRun) throws -> Int? {
        guard let user = try memory(run, "user-ms"), let system = try memory(run, "system-ms") else { return nil }
        return user + system
    }

    private func memory(_ run: IntotoRun, _ name: Text) throws -> Int? {
        guard case .object(let resources)? = try Evidence.link(of: run).byproduct("resources") else {
            throw IntotoRun.SetupFailure(reason: "no resources")
        }
        guard case .integer(let value)? = resources[name] else { return nil }
        return Int(value)
    }
}
