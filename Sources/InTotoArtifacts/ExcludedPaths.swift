import InTotoMetadata

/// What one pattern hid: how much, and what first.
public struct ExcludedPaths: Hashable, Sendable {
    public internal(set) var pattern: ExclusionPattern
    /// How many paths, a directory counting once, and once more for each reference that meets it.
    public internal(set) var count = 0
    /// The first in byte order, at most `namedPaths`; as recorded paths would be, and any bytes.
    public internal(set) var first: [[UInt8]] = []

    /// How many paths are named.
    public static let namedPaths = 10

    init(_ pattern: ExclusionPattern) { self.pattern = pattern }

    mutating func append(_ path: [UInt8]) {
        count += 1
        insert(path)
    }

    mutating func append(_ other: ExcludedPaths) {
        count += other.count
        for path in other.first { insert(path) }
    }

    private mutating func insert(_ path: [UInt8]) {
        if first.count == Self.namedPaths, let last = first.last, !path.precedesBytewise(last) { return }
        let place = first.firstIndex { !$0.precedesBytewise(path) } ?? first.endIndex
        if place < first.endIndex, first[place] == path { return }
        first.insert(path, at: place)
        if first.count > Self.namedPaths { first.removeLast() }
    }
}
