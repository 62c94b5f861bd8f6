internal import InTotoMetadata

/// The artifacts of a link that no rule has consumed yet.
///
/// Names are sorted, so a pattern that begins with plain characters is tried on the names with that beginning only;
/// consumed ones are stepped over without being looked at again.
struct ArtifactQueue {
    let artifacts: NormalizedArtifacts
    /// For each position the next one, itself included, that may still be in the queue.
    private var next: [Int]
    private let written: WrittenNames

    init(_ artifacts: NormalizedArtifacts) {
        self.artifacts = artifacts
        next = Array(0...artifacts.set.count)
        written = WrittenNames(artifacts.originals)
    }

    mutating func consume(_ position: Int) { next[position] = position + 1 }

    var rest: ArtifactSelection {
        ArtifactSelection(artifacts: artifacts, positions: artifacts.set.indices.filter { next[$0] == $0 })
    }

    func contains(_ name: ArtifactName) -> Bool {
        artifacts.set.position(of: name.text.utf8[...]).map { next[$0] == $0 } ?? false
    }

    /// In byte order of the names; `below` is a literal prefix that the pattern does not see.
    mutating func positions(matching pattern: GlobPattern, below prefix: [UInt8] = []) -> [Int] {
        if pattern.isLiteral {
            let name = prefix + pattern.text.utf8
            return artifacts.set.position(of: name[...]).flatMap { next[$0] == $0 ? [$0] : nil } ?? []
        }
        let range = artifacts.set.positions(withPrefix: prefix + pattern.literalPrefix)
        var found: [Int] = []
        var position = first(from: range.lowerBound)
        while position < range.upperBound {
            if pattern.matchesEverything
                || pattern.matches(artifacts.set.nameBytes(at: position).dropFirst(prefix.count))
            {
                found.append(position)
            }
            position = first(from: position + 1)
        }
        return found
    }

    /// Those whose name matches as rules see it or as it is written: what forbids must not be dodged either way.
    mutating func positions(matchingEitherSpelling pattern: GlobPattern) -> [Int] {
        let found = positions(matching: pattern)
        let others = written.positions(matching: pattern) { next[$0] == $0 }
        return others.isEmpty ? found : Set(found + others).sorted()
    }

    private mutating func first(from start: Int) -> Int {
        var end = start
        while next[end] != end { end = next[end] }
        // The way just gone is a single step for whoever comes next.
        var position = start
        while position != end {
            let following = next[position]
            next[position] = end
            position = following
        }
        return end
    }
}

/// Names as their link writes them, where rules see another spelling; sorted, as the others are.
private struct WrittenNames {
    private let entries: [(name: Text, position: Int)]

    init(_ originals: [Int: [ArtifactName]]) {
        entries = originals.flatMap { position, names in names.map { ($0.text, position) } }.sorted {
            $0.name < $1.name
        }
    }

    /// Tries only those that begin as the pattern does and are in the queue.
    func positions(matching pattern: GlobPattern, where isQueued: (Int) -> Bool) -> [Int] {
        var found: [Int] = []
        var index = firstIndex(notBefore: pattern.literalPrefix)
        while index < entries.count, entries[index].name.utf8.starts(with: pattern.literalPrefix) {
            let (name, position) = entries[index]
            // A name stands before all that it begins.
            if pattern.isLiteral, name != pattern.text { break }
            if isQueued(position), pattern.matches(name) { found.append(position) }
            index += 1
        }
        return found
    }

    private func firstIndex(notBefore prefix: [UInt8]) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].name.utf8.precedesBytewise(prefix) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
