import Foundation
import TestSupport
import Testing

@Suite struct FaultTests {
    /// The short form of `scripts/faults`, which injects faults into a run's last system calls.
    @Test func `whatever fails after the command, evidence is absent or whole and the status true`() throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../scripts/faults").standardized.path
        var environment = ProcessInfo.processInfo.environment
        environment["INTOTO_RUN"] = BuiltProduct.intotoRun.path
        let result = try Subprocess.run(
            "/usr/bin/env", ["python3", script, "--count", "200"], environment: environment)
        print(result.outputText, terminator: "")
        #expect(result.status == 0, "\(result.outputText)\(result.errorText)")
        #expect(result.outputText.contains("faults: 200 of "))
    }
}
