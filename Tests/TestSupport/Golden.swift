import Foundation
public import Testing

/// Compares `actual` with `Golden/<name>` beside the calling test; `RECORD_GOLDEN=1` rewrites it and fails once.
public func expectGolden(
    _ actual: String, _ name: String, path: String = #filePath, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let file = URL(filePath: path).deletingLastPathComponent().appending(path: "Golden/\(name)")
    if ProcessInfo.processInfo.environment["RECORD_GOLDEN"] != nil {
        try Data(actual.utf8).write(to: file, options: .atomic)
        Issue.record("recorded \(name); review the diff and run again", sourceLocation: sourceLocation)
        return
    }
    let expected = try String(contentsOf: file, encoding: .utf8)
    // By bytes: strings compare canonically equivalent spellings as equal.
    #expect(
        Array(actual.utf8) == Array(expected.utf8), "differs from Golden/\(name):\n\(actual)",
        sourceLocation: sourceLocation)
}
