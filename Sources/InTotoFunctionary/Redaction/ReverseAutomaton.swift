/// Aho and Corasick's automaton of the patterns read backwards.
///
/// Run over a text from its end, the longest pattern that ends in its state is the longest that *starts* at this place
/// of the text. That makes leftmost-longest replacement a plain walk forward, and no text, however made, takes more
/// than two steps a byte.
struct ReverseAutomaton: Sendable {
    /// Per state: where to go on where no pattern continues, and the length of the longest pattern found there.
    private var fallback: [Int32] = [0]
    private var found: [Int32] = [0]
    /// The start's followers, by byte: all texts without matches live here.
    private var first = [Int32](repeating: 0, count: 256)
    /// The other states' followers: `state << 8 | byte` to state, in a hash table; key 0 where it is free.
    private var keys: [UInt64]
    private var targets: [Int32]
    /// Most bytes of a text that a pattern takes where line breaks are passed over; nil where they are not.
    private let longestAcrossLines: Int?

    init(_ patterns: [[UInt8]], longestAcrossLines: Int? = nil) {
        self.longestAcrossLines = longestAcrossLines
        let size = patterns.reduce(16) { $0 + $1.count } * 2
        keys = [UInt64](repeating: 0, count: 1 << (Int.bitWidth - size.leadingZeroBitCount))
        targets = [Int32](repeating: 0, count: keys.count)
        var steps: [Step] = []
        for pattern in patterns { insert(pattern, recording: &steps) }
        connect(steps)
    }

    /// Raises `lengths`, one entry for each place of `range`, having read `text` backwards from `end`.
    func measure(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>, lookingTo end: Int, into lengths: inout [Int32]
    ) {
        if let longestAcrossLines {
            return measureAcrossLines(text, range, lookingTo: end, upTo: longestAcrossLines, into: &lengths)
        }
        var state: Int32 = 0
        var place = end
        while place > range.lowerBound {
            place -= 1
            state = next(state, text[place])
            if place < range.upperBound, found[Int(state)] > lengths[place - range.lowerBound] {
                lengths[place - range.lowerBound] = found[Int(state)]
            }
        }
    }

    /// CR and LF change no state; a match is as long as the text that it spans.
    private func measureAcrossLines(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>, lookingTo end: Int, upTo longest: Int,
        into lengths: inout [Int32]
    ) {
        var state: Int32 = 0
        // Where the bytes are that count, the last one first.
        var places: [Int] = []
        for place in (range.lowerBound..<end).reversed() where text[place] != 0x0A && text[place] != 0x0D {
            state = next(state, text[place])
            places.append(place)
            let count = Int(found[Int(state)])
            guard count > 0, place < range.upperBound else { continue }
            let length = places[places.count - count] + 1 - place
            // However much of the text is there, longer ones do not count: they would depend on how it was cut.
            guard length <= longest, length > lengths[place - range.lowerBound] else { continue }
            lengths[place - range.lowerBound] = Int32(length)
        }
    }

    private func next(_ state: Int32, _ byte: UInt8) -> Int32 {
        var state = state
        while state != 0 {
            let target = follower(of: state, byte)
            if target != 0 { return target }
            state = fallback[Int(state)]
        }
        return first[Int(byte)]
    }

    // MARK: Building

    private struct Step {
        var parent: Int32
        var byte: UInt8
        var depth: Int
    }

    /// Adds the states of a pattern; `steps[n]` says how state n + 1 is reached.
    private mutating func insert(_ pattern: [UInt8], recording steps: inout [Step]) {
        var state: Int32 = 0
        for (depth, byte) in pattern.reversed().enumerated() {
            var target = state == 0 ? first[Int(byte)] : follower(of: state, byte)
            if target == 0 {
                target = Int32(found.count)
                found.append(0)
                steps.append(Step(parent: state, byte: byte, depth: depth))
                if state == 0 { first[Int(byte)] = target } else { link(state, byte, to: target) }
            }
            state = target
        }
        found[Int(state)] = Int32(pattern.count)
    }

    /// Sets where each state falls back to, the shallow ones first: the deeper need theirs.
    private mutating func connect(_ steps: [Step]) {
        fallback = [Int32](repeating: 0, count: found.count)
        for index in Self.byDepth(steps) {
            let step = steps[index]
            let state = index + 1
            if step.parent != 0 { fallback[state] = next(fallback[Int(step.parent)], step.byte) }
            if found[state] == 0 { found[state] = found[Int(fallback[state])] }
        }
    }

    /// Indices of `steps` by ascending depth, in linear time.
    private static func byDepth(_ steps: [Step]) -> [Int] {
        var starts = [Int](repeating: 0, count: steps.reduce(0) { max($0, $1.depth + 2) } + 1)
        for step in steps { starts[step.depth + 1] += 1 }
        for depth in starts.indices.dropFirst() { starts[depth] += starts[depth - 1] }
        var order = [Int](repeating: 0, count: steps.count)
        for (index, step) in steps.enumerated() {
            order[starts[step.depth]] = index
            starts[step.depth] += 1
        }
        return order
    }

    private func follower(of state: Int32, _ byte: UInt8) -> Int32 {
        let key = UInt64(state) << 8 | UInt64(byte)
        var slot = slot(of: key)
        while keys[slot] != 0 {
            if keys[slot] == key { return targets[slot] }
            slot = (slot + 1) & (keys.count - 1)
        }
        return 0
    }

    private mutating func link(_ state: Int32, _ byte: UInt8, to target: Int32) {
        let key = UInt64(state) << 8 | UInt64(byte)
        var slot = slot(of: key)
        while keys[slot] != 0 { slot = (slot + 1) & (keys.count - 1) }
        keys[slot] = key
        targets[slot] = target
    }

    private func slot(of key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & (keys.count - 1)
    }
}
