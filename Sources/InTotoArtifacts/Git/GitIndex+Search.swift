/// Finding entries by their paths, in whose order they stand.
extension GitIndex {
    /// Whether there is an entry of this name behind the first `skipped` bytes of the paths in `range`, or one below it.
    func names(_ name: [UInt8], isDirectory: Bool, behind skipped: Int, in range: Range<Int>) -> Bool {
        let position = firstEntry(from: name, behind: skipped, in: range)
        if position < range.upperBound, path(entries[position]).dropFirst(skipped).elementsEqual(name) { return true }
        guard isDirectory else { return false }
        let below = name + [slash]
        let first = firstEntry(from: below, behind: skipped, in: position..<range.upperBound)
        return first < range.upperBound && path(entries[first]).dropFirst(skipped).starts(with: below)
    }

    private func firstEntry(from name: [UInt8], behind skipped: Int, in range: Range<Int>) -> Int {
        end(of: range) { $0.dropFirst(skipped).precedes(name[...]) }
    }

    /// The first position from `start` on whose path does not begin with `prefix`, which that of `start` does.
    func firstEntry(after start: Int, notBelow prefix: [UInt8], in range: Range<Int>) -> Int {
        end(of: start + 1..<range.upperBound) { $0.starts(with: prefix) }
    }

    func contains(_ name: ArraySlice<UInt8>) -> Bool {
        let position = end(of: entries.indices) { $0.precedes(name) }
        return position < entries.count && path(entries[position]).elementsEqual(name)
    }

    /// The first position in `range` whose path does not fit, or its end; those that fit stand before all others.
    private func end(of range: Range<Int>, where fits: (ArraySlice<UInt8>) -> Bool) -> Int {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if fits(path(entries[middle])) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension ArraySlice<UInt8> {
    /// The order of `memcmp`; a prefix comes first.
    func precedes(_ other: ArraySlice<UInt8>) -> Bool {
        withUnsafeBytes { a in other.withUnsafeBytes { b in SystemCalls.compare(a, b) < 0 } }
    }
}
