import Foundation
import TestSupport
import Testing

/// A verification that somebody ends has no verdict, whatever its inspections make of the signal.
@Suite(.temporaryDirectory) struct VerifyInterruptedTests {
    typealias Chain = VerifyTests.Chain

    /// Sends the signal once `begun` is there, and a while later; prints how the verification ended, and what it printed.
    private static let sender = """
        import os, resource, subprocess, sys, time
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number, wait, *words = sys.argv[1:]
        child = subprocess.Popen(words, cwd="product", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not os.path.exists("begun") and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(float(wait))
        child.send_signal(int(number))
        output, errors = child.communicate(timeout=60)
        print(-child.returncode, len(output))
        sys.stderr.write(errors.decode())
        """

    private static let outputs = [
        "--json", "../json", "--junit", "../junit", "--vsa", "../vsa", "--vsa-key", "../owner.pem", "--resource-uri",
        "https://example.org/x", "--save-inspections", "../saved",
    ]

    /// Ends a verification by a signal.
    private func interrupt(_ chain: Chain, with signal: Int32, after seconds: Double = 0) throws -> Subprocess {
        // Signs the layout, and shows that all else holds.
        #expect(try chain.verify("--no-inspections").status == 2)
        try chain.run.write(Self.sender, to: "sender.py")
        _ = try chain.run.shell("mkdir saved")
        return try Subprocess.run(
            "/usr/bin/env",
            [
                "python3", "sender.py", "\(signal)", "\(seconds)", BuiltProduct.intotoRun.path, "verify", "-l",
                "../root.layout", "--verification-keys", "../owner.pem.pub", "--link-dir", "../links",
            ] + Self.outputs, in: chain.run.directory, environment: chain.run.environment)
    }

    private func expectNoVerdict(_ result: Subprocess, _ chain: Chain, _ signal: Int32) throws {
        #expect(result.outputText == "\(signal) 0\n", "\(result.errorText)")
        #expect(result.errorText.hasSuffix("\nintoto-run: error: interrupted\n"), "\(result.errorText)")
        #expect(result.errorText.components(separatedBy: "error").count == 2, "\(result.errorText)")
        #expect(try chain.run.list().filter { ["json", "junit", "vsa"].contains($0) || $0.hasSuffix(".tmp") } == [])
        #expect(try chain.run.list("saved") == [])
    }

    @Test(
        arguments: [SIGTERM, SIGINT, SIGHUP, SIGQUIT],
        ["trap 'exit 0' TERM INT HUP QUIT", "trap '' TERM INT HUP QUIT", ":"])
    func `a signal during an inspection ends it and the verification`(signal: Int32, trap: String) throws {
        let marker = "9\(UInt32.random(in: 10_000...99_999))"
        let script = "\(trap); : >../begun; sleep \(marker) & wait; sleep \(marker)"
        let chain = try Chain(inspections: [
            Chain.inspection("slow", ["sh", "-c", script]), Chain.inspection("next", ["touch", "../next"]),
        ])
        try expectNoVerdict(interrupt(chain, with: signal), chain, signal)
        #expect(try !chain.run.list().contains("next"))
        let found = try Subprocess.run("/bin/sh", ["-c", "ps -eo args | grep -c '^sleep \(marker)'"])
        #expect(found.outputText == "0\n")
    }

    /// A file of holes takes longer to read than anybody waits.
    @Test(arguments: [SIGTERM, SIGINT])
    func `a signal ends the recording before and after an inspection, too`(signal: Int32) throws {
        let after = try Chain(
            in: "after", inspections: [Chain.inspection("grow", ["sh", "-c", "truncate -s 2T big; : >../begun"])])
        try expectNoVerdict(interrupt(after, with: signal, after: 1), after, signal)
        let before = try Chain(in: "before", inspections: [Chain.inspection("look", ["touch", "../ran"])])
        _ = try before.run.shell("truncate -s 2T product/big; : >begun")
        try expectNoVerdict(interrupt(before, with: signal, after: 2), before, signal)
        #expect(try !before.run.list().contains("ran"))
    }

    @Test func `what came ignored stays so`() throws {
        let chain = try Chain(inspections: [Chain.inspection("look", ["sh", "-c", ": >../begun; sleep 1"])])
        #expect(try chain.verify("--no-inspections").status == 2)
        let result = try chain.run.shell(
            """
            cd product; trap '' HUP
            "$R" verify -l ../root.layout --verification-keys ../owner.pem.pub --link-dir ../links &
            until [ -e ../begun ]; do sleep 0.05; done; kill -HUP $!; wait $!
            """)
        #expect(result.status == 0 && result.outputText.hasPrefix("accepted: "), "\(result.errorText)")
    }
}
