import InTotoMetadata

/// What is not recorded: patterns in git's language, the last one that matches deciding.
///
/// As in git, nothing below an excluded directory can be taken back, since the directory is not entered.
public struct ExclusionPatterns: Hashable, Sendable {
    public private(set) var patterns: [ExclusionPattern]

    /// Hides nothing.
    public static let none = ExclusionPatterns(patterns: [])

    /// Git's directory; what runs that are alive are about to write, by the exact shape of its names *and* the lock on
    /// it; and evidence, by the exact shapes of its files' names *and* by content.
    public static let standard = ExclusionPatterns(
        patterns: [".git/"].compactMap { ExclusionPattern(line: Array($0.utf8)) }
            + [".intoto-run.\(sixteenHexDigits).tmp"]
            .compactMap { ExclusionPattern(line: Array($0.utf8), only: .held) }
            + ["*.\(eightHexDigits).link", ".*.link-unfinished", "*.\(eightHexDigits).intoto.jsonl"]
            .compactMap { ExclusionPattern(line: Array($0.utf8), only: .evidence) }
    )

    /// What inspections do not see: Git's directory, and evidence by the shapes of its files' names, of which only what
    /// is known for it is hidden.
    public static let inspection = ExclusionPatterns(
        patterns: [".git/"].compactMap { ExclusionPattern(line: Array($0.utf8)) }
            + ["*.\(eightHexDigits).link", "*.\(eightHexDigits).intoto.jsonl"]
            .compactMap { ExclusionPattern(line: Array($0.utf8), only: .knownEvidence) }
    )

    /// What Python's in-toto hides.
    public static let python = ExclusionPatterns(
        patterns: ["*.link*", ".git", "*.pyc", "*~"].compactMap { ExclusionPattern(line: Array($0.utf8)) }
    )

    private static let eightHexDigits = String(repeating: "[0-9a-f]", count: 8)
    private static let sixteenHexDigits = eightHexDigits + eightHexDigits

    /// Without the defaults that they begin with, ours or Python's.
    package var withoutDefaults: Self {
        let defaults = [Self.standard, .python].first { patterns.starts(with: $0.patterns) }
        return Self(patterns: Array(patterns.dropFirst(defaults?.patterns.count ?? 0)))
    }

    /// With `others` behind them.
    package func adding(_ others: Self) -> Self { Self(patterns: patterns + others.patterns) }

    /// Adds one pattern; throws for one that could never match, which is a slip of the pen.
    public mutating func append(_ line: some Collection<UInt8>) throws(ExclusionPatternError) {
        guard let pattern = ExclusionPattern(line: line) else {
            let isComment = line.first == UInt8(ascii: "#")
            throw ExclusionPatternError(
                pattern: Array(line),
                reason: isComment ? "it is a comment; put a backslash before the '#'" : "it is empty")
        }
        if let defect = pattern.defect { throw ExclusionPatternError(pattern: Array(line), reason: defect) }
        patterns.append(pattern)
    }

    /// Adds the lines of a file in the format of `.gitignore`; empty ones and comments say nothing.
    public mutating func append(contentsOfFile content: [UInt8]) throws(ExclusionPatternError) {
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = content.starts(with: byteOrderMark) ? content[3...] : content[...]
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if ExclusionPattern(line: line) != nil { try append(line) }
        }
    }

    /// The index of the pattern that excludes `path`, seen from its parent directory; `holds` is asked only where a
    /// pattern depends on it.
    func excluding<E: Error>(
        _ path: ArraySlice<UInt8>, isDirectory: Bool, holds: (FileCondition) throws(E) -> Bool
    ) throws(E) -> Int? {
        guard let index = try deciding(path, isDirectory: isDirectory, holds: holds) else { return nil }
        return patterns[index].isNegated ? nil : index
    }

    /// The same, or that of the pattern that takes the path back.
    func deciding<E: Error>(
        _ path: ArraySlice<UInt8>, isDirectory: Bool, holds: (FileCondition) throws(E) -> Bool
    ) throws(E) -> Int? {
        for (index, pattern) in patterns.enumerated().reversed()
        where pattern.matches(path, isDirectory: isDirectory) {
            if pattern.condition == .any { return index }
            if !isDirectory, try holds(pattern.condition) { return index }
        }
        return nil
    }
}

/// A pattern that could never match.
public struct ExclusionPatternError: Error, Hashable, CustomStringConvertible {
    public let pattern: [UInt8]
    public let reason: String

    public var description: String { "bad pattern '\(escapedForTerminal(pattern))': \(reason)" }
}
