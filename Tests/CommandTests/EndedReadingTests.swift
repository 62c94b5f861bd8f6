import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Requests to end that come while what the command made is read.
@Suite(.temporaryDirectory) struct EndedReadingTests {
    struct Outcome {
        var status: String
        /// From the first request that was heard to the end, or from `began`.
        var seconds: Double
        var errors: String
        var run: IntotoRun
    }

    /// A step whose command exits with status 3. Asks it to end once its product is being read, then does what `then` says.
    private func request(_ signal: String, then: String = ":", in run: IntotoRun) throws -> Outcome {
        let script = """
            env --default-signal=INT "$R" -n s -d out -k key.pem --format link -m key.pem.pub -p product -- \
                sh -c 'trap "" INT TERM; touch ran; exit 3' 2>errors &
            until [ -e ran ]; do sleep 0.05; done
            until grep -q 'reading for 5 more seconds; once more to stop now' errors; do
                kill -\(signal) $! || break; sleep 0.2
            done
            began=$(date +%s%N); \(then); wait $!; echo $? $((($(date +%s%N) - began) / 1000000))
            """
        let result = try run.shell(script)
        let words = result.outputText.split(whereSeparator: \.isWhitespace)
        let milliseconds = try #require(words.last.flatMap { Double($0) }, "\(result.errorText)")
        return Outcome(
            status: String(words[0]), seconds: milliseconds / 1000,
            errors: String(decoding: try run.read("errors"), as: UTF8.self), run: run)
    }

    private func project(_ product: String) throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        _ = try run.shell("mkdir out; \(product)")
        return run
    }

    /// Nothing is lost: the record is there, and completes once the product can be read.
    private func checkKept(_ outcome: Outcome) throws {
        #expect(outcome.status == "125", "\(outcome.errors)")
        #expect(
            outcome.errors.contains(
                "no evidence was written: 'product': its reading was given up on request\n"), "\(outcome.errors)")
        #expect(outcome.errors.contains("the command ran and exited with status 3, and what was recorded is kept; "))
        let run = outcome.run
        #expect(try run.list("out").map { $0.hasSuffix(".link-unfinished") } == [true])
        _ = try run.shell("rm -rf product; echo x >product")
        let command = try #require(outcome.errors.components(separatedBy: "then: intoto-run ").last)
        let finished = try run.shell("\"$R\" \(command)")
        #expect(finished.status == 0, "\(finished.errorText)")
        let link = try Evidence.link(of: run, in: "out")
        #expect(link.productNames == ["product"] && link.byproduct("return-value") == 3)
        #expect(try run.list("out").count == 1)
    }

    @Test func `one request ends the reading of a terabyte after five seconds, and what was recorded is kept`() throws {
        let outcome = try request("TERM", in: project("truncate -s 2T product"))
        #expect(outcome.seconds > 3 && outcome.seconds < 60)
        try checkKept(outcome)
    }

    @Test(arguments: [("TERM", "TERM"), ("INT", "INT"), ("INT", "TERM")])
    func `a second request ends it at once, and not the runner`(first: String, second: String) throws {
        // Two at a time, as `timeout` sends them; and a tree in which no file is large.
        let outcome = try request(
            first, then: "sleep 0.6; kill -\(second) $!; kill -\(second) $!; began=$(date +%s%N)",
            in: project("truncate -s 2T product"))
        // Without it, more than four would be left.
        #expect(outcome.seconds < 3.5)
        try checkKept(outcome)
    }

    @Test func `a request that comes while a directory's digest is computed ends that, too`() throws {
        let run = try project(
            "mkdir product; for i in 1 2 3; do truncate -s 1T product/$i; done; truncate -s 1T product/text")
        let script = """
            "$R" -n s -d out -k key.pem --format link --normalize-line-endings -m key.pem.pub -p dir:product -- \
                sh -c 'trap "" TERM; touch ran' 2>errors &
            until [ -e ran ]; do sleep 0.05; done
            until grep -q 'reading for 5' errors; do kill -TERM $! || break; sleep 0.2; done; sleep 0.6; kill -TERM $!
            wait $!; echo $?; cat errors
            """
        let result = try run.shell(script)
        #expect(result.outputText.hasPrefix("125\n"), "\(result.outputText)")
        #expect(result.outputText.contains("'dir:product': its reading was given up on request"))
        #expect(try run.list("out").map { $0.hasSuffix(".link-unfinished") } == [true])
    }

    @Test func `what is read in time is evidence, whoever asked`() throws {
        var run = try project("head -c 100000 /dev/zero >product")
        // The first read of the product takes two seconds.
        let slow = """
            #define _GNU_SOURCE
            #include <string.h>
            #include <sys/syscall.h>
            #include <unistd.h>
            static int is_late;
            ssize_t pread(int file, void *buffer, size_t count, off_t offset) {
                char link[64] = "/proc/self/fd/", name[512] = "";
                char *digits = link + strlen(link);
                if (file >= 10) *digits++ = '0' + file / 10;
                *digits = '0' + file % 10;
                if (!is_late && readlink(link, name, sizeof name - 1) > 0 && strstr(name, "/product")) {
                    is_late = 1;
                    usleep(2000000);
                }
                return syscall(SYS_pread64, file, buffer, count, offset);
            }
            ssize_t pread64(int file, void *buffer, size_t count, off_t offset) {
                return pread(file, buffer, count, offset);
            }
            """
        try PreloadedLibrary.install(slow, in: &run)
        let outcome = try request("TERM", in: run)
        #expect(outcome.status == "3", "\(outcome.errors)")
        let link = try Evidence.link(of: run, in: "out")
        #expect(link.productNames == ["product"] && link.byproduct("return-value") == 3)
        #expect(try run.list("out").count == 1)
    }
}
