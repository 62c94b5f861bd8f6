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

    /// The directory before the first component that is a pattern, by its name; and the rest.
    static func split(_ path: [UInt8]) -> (directory: [UInt8], pattern: [UInt8]) {
        guard let cut = path[..<(firstSpecial(in: path) ?? path.count)].lastIndex(of: slash) else { return ([], path) }
        return (cut == 0 ? [slash] : unescaped(path[..<cut]), Array(path[(cut + 1)...]))
    }

    private static func firstSpecial(in path: [UInt8]) -> Int? {
        var index = 0
        while index < path.count {
            if path[index] == star || path[index] == question || path[index] == openBracket { return index }
            index += path[index] == backslash ? 2 : 1
        }
        return nil
    }

    /// As the matcher reads a pattern in which nothing but backslashes is special.
    private static func unescaped(_ pattern: ArraySlice<UInt8>) -> [UInt8] {
        var name: [UInt8] = []
        var index = pattern.startIndex
        while index < pattern.endIndex {
            if pattern[index] == backslash { index += 1 }
            if index < pattern.endIndex { name.append(pattern[index]) }
            index += 1
        }
        return name
    }
}
