/// What stands between `[` and `]` in a pattern, read as Python's `fnmatch` reads it.
struct GlobCharacterClass: Hashable, Sendable {
    private let isNegated: Bool
    /// Sorted by their lower bounds.
    private let ranges: [ClosedRange<UInt32>]

    /// The index of the bracket that closes the one at `start`; nil where there is none. A `]` that comes first, or first
    /// after `!`, is a member.
    static func end(in scalars: [Unicode.Scalar], after start: Int) -> Int? {
        var index = start + 1
        if index < scalars.count, scalars[index] == "!" { index += 1 }
        if index < scalars.count, scalars[index] == "]" { index += 1 }
        while index < scalars.count, scalars[index] != "]" { index += 1 }
        return index < scalars.count ? index : nil
    }

    /// `members` is never empty. A range whose ends are reversed has no members; a `-` at an end stands for itself.
    init(_ members: ArraySlice<Unicode.Scalar>) {
        var parts = Self.parts(of: members)
        isNegated = parts.first?.first == "!"
        if isNegated { parts[0].removeFirst() }
        var ranges: [ClosedRange<UInt32>] = []
        for part in parts { ranges += part.map { $0.value...$0.value } }
        for (part, next) in zip(parts, parts.dropFirst()) {
            guard let first = part.last?.value, let last = next.first?.value, first <= last else { continue }
            ranges.append(first...last)
        }
        self.ranges = ranges.sorted { $0.lowerBound < $1.lowerBound }
    }

    func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } != isNegated }

    /// Whether in-toto-golang, which knows only single characters and plain ranges, reads the members differently.
    static func isPeculiar(_ members: ArraySlice<Unicode.Scalar>) -> Bool {
        var rest = members.first == "!" ? members.dropFirst() : members
        while let first = rest.popFirst() {
            if first == "]" || first == "-" || first == "^" { return true }
            guard rest.first == "-" else { continue }
            rest = rest.dropFirst()
            guard rest.popFirst() != nil else { return true }
        }
        return false
    }

    /// The pieces between those `-` that make ranges. Where a range is reversed, its ends are no members, and the pieces
    /// on either side become one.
    private static func parts(of members: ArraySlice<Unicode.Scalar>) -> [[Unicode.Scalar]] {
        var parts: [[Unicode.Scalar]] = []
        var start = members.startIndex
        var search = start + (members.first == "!" ? 2 : 1)
        while search < members.endIndex, let dash = members[search...].firstIndex(of: "-") {
            parts.append(Array(members[start..<dash]))
            start = dash + 1
            search = dash + 3
        }
        let rest = Array(members[start...])
        if rest.isEmpty, !parts.isEmpty { parts[parts.count - 1].append("-") } else { parts.append(rest) }
        for index in stride(from: parts.count - 1, to: 0, by: -1) {
            guard let first = parts[index - 1].last, let last = parts[index].first, first > last else { continue }
            parts[index - 1] = parts[index - 1].dropLast() + parts[index].dropFirst()
            parts.remove(at: index)
        }
        return parts
    }
}
