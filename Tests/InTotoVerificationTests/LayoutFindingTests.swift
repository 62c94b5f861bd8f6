import Foundation
import InTotoVerification
import Testing

struct LayoutFindingTests {
    @Test func `the code of every finding is documented`() throws {
        let root = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(
            contentsOf: root.appending(path: "Sources/intoto-run/Documentation.docc/Verification.md"), encoding: .utf8)
        let begin = try #require(text.range(of: "## What `layout lint` finds"))
        let section = text[begin.upperBound...].prefix { $0 != "#" }
        let documented = section.split(separator: "\n").filter { $0.hasPrefix("| `") }
            .flatMap { $0.split(separator: "|")[0].matches(of: /`([a-z-]+)`/).map { String($0.1) } }
        #expect(documented.sorted() == LayoutFinding.Code.allCases.map(\.rawValue).sorted())
    }
}
