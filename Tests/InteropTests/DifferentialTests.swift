import Foundation
import TestSupport
import Testing

/// Generated and mutated chains, judged by us and by the Python implementation; `scripts/verify-differential` is the long
/// form of this.
@Suite(.temporaryDirectory) struct DifferentialTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test func `a thousand chains: every disagreement is one that the table of strictness explains`() throws {
        let result = try Subprocess.run(
            Self.root.appending(path: ".build/peers/bin/python").path,
            ["-B", Self.root.appending(path: "scripts/lib/verify-differential.py").path, "1000", "--seed", "7"],
            environment: [
                "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8",
                "TMPDIR": TemporaryDirectory.current.path, "INTOTO_RUN": BuiltProduct.intotoRun.path,
            ])
        print(result.outputText)
        #expect(result.status == 0, "\(result.outputText)\(result.errorText)")
        #expect(result.outputText.contains("every disagreement is explained by the table"))
        // A campaign in which everything is refused shows nothing.
        let accepted = result.outputText.split(separator: "\n").first { $0.contains("both accept: ") }
        let count = accepted.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) } ?? 0
        #expect(count > 200, "\(result.outputText)")
    }

    /// The words of the script's table are lines of the documented one.
    @Test func `the script and the documentation have the same table`() throws {
        let script = try String(
            contentsOf: Self.root.appending(path: "scripts/lib/verify-differential.py"), encoding: .utf8)
        let documented = try String(
            contentsOf: Self.root.appending(path: "Sources/intoto-run/Documentation.docc/Verification.md"),
            encoding: .utf8)
        let words = script.matches(of: /^    "([a-z-]+)": \("(ours|theirs|both)"/.anchorsMatchLineEndings()).map {
            $0.1
        }
        #expect(words.count == 20)
        for word in words { #expect(documented.contains("| `\(word)` |"), "\(word)") }
    }
}
