/// Byte strings to be found in a text: the longest at each place, in time that grows with the text alone.
///
/// A filter skips over text that holds none of them; where it stops, an automaton decides.
struct PatternSet: Sendable {
    private let filter: PrefixFilter
    private let automaton: ReverseAutomaton
    /// Most bytes of a text that a pattern takes.
    let longest: Int

    /// Least length, in bytes, of lines that a pattern is found across, but for the first and the last.
    static let shortestLine = 8

    /// `patterns` must not be empty, and none shorter than `PrefixFilter.gram`. `acrossLines`, they are found also where LF,
    /// or CR LF, stands between any two of their bytes; they may hold neither.
    init(_ patterns: [[UInt8]], acrossLines: Bool = false) {
        filter = PrefixFilter(acrossLines ? patterns + patterns.flatMap(Self.brokenNearStart) : patterns)
        let count = patterns.reduce(0) { max($0, $1.count) }
        longest = acrossLines ? count + 2 * (count / Self.shortestLine + 2) : count
        automaton = ReverseAutomaton(patterns, longestAcrossLines: acrossLines ? longest : nil)
    }

    /// What a broken pattern may begin with.
    private static func brokenNearStart(_ pattern: [UInt8]) -> [[UInt8]] {
        let start = Array(pattern.prefix(PrefixFilter.longestPrefix))
        return (1..<start.count).flatMap { place in
            ["\n", "\r\n"].map { Array(start[..<place] + $0.utf8 + start[place...]) }
        }
    }

    /// The first place in `range` where a pattern may start; most often one does.
    func candidate(in text: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        filter.candidate(in: text, range)
    }

    /// Raises `lengths` to the length of the longest pattern at each place of `range`, of which it holds one entry each.
    func measure(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, into lengths: inout [Int32]) {
        automaton.measure(text, range, lookingTo: min(text.count, range.upperBound + longest - 1), into: &lengths)
    }
}

/// Tells places where no pattern starts, several bytes at a step.
///
/// Wherever a pattern stands, one of the four-byte groups near its start falls on a place that is looked at; its hash
/// is in a bitmap small enough for the nearest cache. The few groups that are there by chance, or are in the middle
/// of other text, are told by the whole prefix.
struct PrefixFilter: Sendable {
    static let gram = 4
    static let longestPrefix = 8
    private static let hashBits = 17

    /// Bytes compared of each pattern: as many as the shortest has, at most `longestPrefix`.
    private let prefixLength: Int
    /// Bytes from one look to the next.
    private let step: Int
    private var bitmap = [UInt64](repeating: 0, count: 1 << (hashBits - 6))
    /// Prefixes as integers in a hash table, 0 where it is free.
    private var table: [UInt64] = []
    private var holdsZero = false

    init(_ patterns: [[UInt8]]) {
        prefixLength = patterns.reduce(Self.longestPrefix) { min($0, $1.count) }
        precondition(prefixLength >= Self.gram)
        step = prefixLength - Self.gram + 1
        var prefixes: Set<UInt64> = []
        for pattern in patterns {
            pattern.withUnsafeBytes { bytes in
                for offset in 0..<step { add(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
                prefixes.insert(prefix(in: bytes, at: 0))
            }
        }
        let capacity = prefixes.count * 4
        table = [UInt64](repeating: 0, count: 1 << (Int.bitWidth - capacity.leadingZeroBitCount))
        holdsZero = prefixes.remove(0) != nil
        for prefix in prefixes {
            var slot = slot(of: prefix)
            while table[slot] != 0 { slot = (slot + 1) & (table.count - 1) }
            table[slot] = prefix
        }
    }

    func candidate(in text: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        bitmap.withUnsafeBufferPointer { bitmap in
            var place = range.lowerBound + step - 1
            let end = min(text.count - Self.gram, range.upperBound + step - 2)
            while place <= end {
                let hash = Self.hash(text.loadUnaligned(fromByteOffset: place, as: UInt32.self))
                if bitmap[hash >> 6] >> UInt64(hash & 63) & 1 != 0 {
                    for start in (place - step + 1)...place where start < range.upperBound {
                        if start + prefixLength <= text.count, holds(prefix(in: text, at: start)) { return start }
                    }
                }
                place += step
            }
            return nil
        }
    }

    private mutating func add(_ group: UInt32) {
        let hash = Self.hash(group)
        bitmap[hash >> 6] |= 1 << UInt64(hash & 63)
    }

    private static func hash(_ group: UInt32) -> Int {
        Int((group &* 0x9E37_79B1) >> UInt32(32 - hashBits))
    }

    private func prefix(in text: UnsafeRawBufferPointer, at place: Int) -> UInt64 {
        var prefix: UInt64 = 0
        for offset in 0..<prefixLength { prefix |= UInt64(text[place + offset]) << UInt64(8 * offset) }
        return prefix
    }

    private func holds(_ prefix: UInt64) -> Bool {
        if prefix == 0 { return holdsZero }
        var slot = slot(of: prefix)
        while table[slot] != 0 {
            if table[slot] == prefix { return true }
            slot = (slot + 1) & (table.count - 1)
        }
        return false
    }

    private func slot(of prefix: UInt64) -> Int {
        Int(truncatingIfNeeded: (prefix &* 0x9E37_79B9_7F4A_7C15) >> 32) & (table.count - 1)
    }
}
