import Foundation
import TestSupport
import Testing

/// Generated and mutated chains, judged by us and by the Python implementation; `scripts/verify-differential` is the long
/// form of this.
@Suite(.temporaryDirectory) struct DifferentialTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test func `a thousand chains have the verdicts that they have to have, and show each planted defect`() throws {
        let result = try Subprocess.run(
            Self.root.appending(path: ".build/peers/bin/python").path,
            [
                "-B", Self.root.appending(path: "scripts/lib/verify-differential.py").path, "1000", "--seed", "7",
                "--self-test",
            ],
            environment: [
                "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8",
                "TMPDIR": TemporaryDirectory.current.path, "INTOTO_RUN": BuiltProduct.intotoRun.path,
            ])
        print(result.outputText)
        #expect(result.status == 0, "\(result.outputText)\(result.errorText)")
        #expect(result.outputText.contains("every disagreement is explained by the table"))
        #expect(result.outputText.contains("planted defects was caught"))
        // A campaign in which everything is refused shows nothing.
        let accepted = result.outputText.split(separator: "\n").first { $0.contains("both accept: ") }
        let count = accepted.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) } ?? 0
        #expect(count > 200, "\(result.outputText)")
    }

    /// Every line of the documented table is held: by generated chains, or by tests that the script names.
    @Test func `the script and the documentation have the same table`() throws {
        let script = try Self.text("scripts/lib/strictness.py")
        let documented = try Self.text("Sources/intoto-run/Documentation.docc/Verification.md")
        let sections = documented.split(separator: "\n## ")
        let section = try #require(sections.first { $0.hasPrefix("Strictness\n") })
        let lines = section.matches(of: /^\| `([a-z-]+)` \|/.anchorsMatchLineEndings()).map { String($0.1) }
        let reached = script.matches(of: /^    "([a-z-]+)": \(/.anchorsMatchLineEndings()).map { String($0.1) }
        let elsewhere = script.matches(of: /^    "([a-z-]+)": "(.+)",$/.anchorsMatchLineEndings())
        #expect(reached.count == 20)
        #expect((reached + elsewhere.map { String($0.1) }).sorted() == lines.sorted())
        for line in elsewhere {
            #expect(FileManager.default.fileExists(atPath: Self.root.appending(path: String(line.2)).path), "\(line.2)")
        }
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}
