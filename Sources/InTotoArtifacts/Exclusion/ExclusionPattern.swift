import InTotoMetadata

/// One line of the gitignore language. Source: git, `dir.c`; `gitignore(5)`.
public struct ExclusionPattern: Hashable, Sendable {
    /// The line as written.
    public let source: [UInt8]
    /// `!`: takes back what an earlier pattern excluded.
    public let isNegated: Bool
    /// What a file must be, too; it hides no directory unless that is `any`.
    public let condition: FileCondition
    let matchesDirectoriesOnly: Bool
    /// No slash in it: matched against the last component alone.
    private let matchesLastComponent: Bool
    private let pattern: [UInt8]
    /// How many bytes stand before the first special one; git compares them apart, which changes what `**` means.
    private let literalLength: Int

    /// Nil for an empty line and for a comment.
    init?(line: some Sequence<UInt8>, only condition: FileCondition = .any) {
        source = Array(line)
        let trimmed = Self.trimmed(source)
        guard let first = trimmed.first, first != UInt8(ascii: "#") else { return nil }
        self.condition = condition
        isNegated = first == UInt8(ascii: "!")
        var rest = trimmed[(isNegated ? 1 : 0)...]
        matchesDirectoriesOnly = rest.last == slash
        if matchesDirectoriesOnly { rest.removeLast() }
        matchesLastComponent = !rest.contains(slash)
        // A leading slash only anchors.
        if !matchesLastComponent, rest.first == slash { rest.removeFirst() }
        pattern = Array(rest)
        literalLength = pattern.firstIndex { [star, question, openBracket, backslash].contains($0) } ?? pattern.count
    }

    /// Whether it says anything of `path`, whose parent directories it does not look at.
    func matches(_ path: ArraySlice<UInt8>, isDirectory: Bool) -> Bool {
        if matchesDirectoriesOnly, !isDirectory { return false }
        if matchesLastComponent {
            let start = path.lastIndex(of: slash).map { $0 + 1 } ?? path.startIndex
            if literalLength == pattern.count { return path[start...].elementsEqual(pattern) }
            return Wildmatch.matches(pattern[...], path[start...])
        }
        guard path.starts(with: pattern[..<literalLength]) else { return false }
        let rest = path.dropFirst(literalLength)
        if literalLength == pattern.count { return rest.isEmpty }
        return Wildmatch.matches(pattern[literalLength...], rest)
    }

    /// Without trailing spaces, except those that a backslash keeps.
    private static func trimmed(_ line: [UInt8]) -> ArraySlice<UInt8> {
        var firstTrailing: Int?
        var index = 0
        while index < line.count {
            if line[index] == UInt8(ascii: " ") {
                firstTrailing = firstTrailing ?? index
            } else {
                if line[index] == backslash { index += 1 }
                if index >= line.count { return line[...] }
                firstTrailing = nil
            }
            index += 1
        }
        return line[..<(firstTrailing ?? line.count)]
    }

    /// Why git would silently never match it; nil for a sound pattern.
    var defect: String? {
        if pattern.isEmpty { return "it matches nothing" }
        if pattern.contains(0) { return "it contains a NUL byte" }
        var index = 0
        while index < pattern.count {
            if pattern[index] == backslash {
                index += 1
                if index == pattern.count { return "nothing follows its last backslash" }
            } else if pattern[index] == openBracket {
                guard let end = classEnd(at: index) else { return "'[' is never closed, or names an unknown class" }
                index = end
            }
            index += 1
        }
        return nil
    }

    private func classEnd(at index: Int) -> Int? {
        pattern.withUnsafeBufferPointer { buffer in
            var reader = CharacterClass(pattern: buffer, position: index + 1)
            return reader.matches(0) == nil ? nil : reader.position
        }
    }
}

extension ExclusionPattern: CustomStringConvertible {
    public var description: String { escapedForTerminal(source) }
}
