/// What a repository tells git to ignore: `.gitignore` in each directory, and `info/exclude`.
///
/// What the user's own configuration ignores (`core.excludesFile`) is not known here. Source: `gitignore(5)`.
struct GitIgnore {
    /// Patterns, and how many bytes of a path stand before what they are matched against; the deepest last.
    private var levels: [(prefixLength: Int, patterns: [ExclusionPattern])] = []

    private static let limit = 4 << 20
    /// Longer patterns are passed over, in bytes: matching one is a recursion.
    private static let longestPattern = 1024
    private(set) var passedOver = false
    static let passedOverNote = "patterns of more than \(longestPattern) bytes in ignore files were passed over"

    mutating func enter(_ directory: Int32, prefix: [UInt8]) {
        // One that cannot be read, or is a link, says nothing, as in git.
        let content = try? GitDirectory.contents(
            of: Array(".gitignore".utf8)[...], in: directory, path: prefix, Self.limit)
        append(content ?? nil, prefix.count)
    }

    mutating func append(_ content: [UInt8]?, _ prefixLength: Int) {
        guard let content, !content.isEmpty else { return levels.append((prefixLength, [])) }
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = content.starts(with: byteOrderMark) ? content[3...] : content[...]
        var patterns: [ExclusionPattern] = []
        for line in text.split(separator: UInt8(ascii: "\n")) {
            guard line.count <= Self.longestPattern else {
                passedOver = passedOver || line.first != UInt8(ascii: "#")
                continue
            }
            let pattern = ExclusionPattern(line: line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
            if let pattern { patterns.append(pattern) }
        }
        levels.append((prefixLength, patterns))
    }

    mutating func leave() { levels.removeLast() }

    /// Whether the last pattern that says anything of it, in the deepest file that does, ignores it. Says nothing of the
    /// directories above.
    func ignores(_ path: [UInt8], isDirectory: Bool) -> Bool {
        for level in levels.reversed() {
            for pattern in level.patterns.reversed()
            where pattern.matches(path[level.prefixLength...], isDirectory: isDirectory) {
                return !pattern.isNegated
            }
        }
        return false
    }
}
