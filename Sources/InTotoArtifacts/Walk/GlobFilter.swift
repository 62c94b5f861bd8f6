/// A reference that is a pattern: what it matches is recorded, directories with everything below.
struct GlobFilter: Sendable {
    /// As the user wrote it, for messages.
    let source: [UInt8]
    private let pattern: [UInt8]
    /// Nil where `**` may stand for any number of components.
    private let depth: Int?

    init(source: [UInt8], pattern: [UInt8]) {
        self.source = source
        self.pattern = pattern
        let parts = pattern.split(separator: slash)
        depth = parts.contains { $0.elementsEqual("**".utf8) } ? nil : parts.count
    }

    func matches(_ path: ArraySlice<UInt8>) -> Bool { Wildmatch.matches(pattern[...], path) }

    /// Whether something below the directory `path` may match.
    func mayMatch(below path: ArraySlice<UInt8>) -> Bool {
        guard let depth else { return true }
        return path.split(separator: slash).count < depth
    }

    /// The directory before the first component that is a pattern, and the rest.
    static func split(_ path: [UInt8]) -> (directory: [UInt8], pattern: [UInt8]) {
        let special = path.firstIndex { $0 == star || $0 == question || $0 == openBracket } ?? path.count
        guard let cut = path[..<special].lastIndex(of: slash) else { return ([], path) }
        return (cut == 0 ? [slash] : Array(path[..<cut]), Array(path[(cut + 1)...]))
    }
}
