internal import InTotoMetadata

/// What several links of one step say together: each agrees with all others, whatever their order. Spec: in-toto v1.0,
/// 5.2, step 5.
struct AgreedRecord {
    /// With the digests, and the spellings of names, of all of them.
    private(set) var merged: ArtifactRecord
    /// Those that have other digests than each one before, and where they stand: nearly always only the first. With links
    /// that are the same it is enough to compare one of them.
    private var distinct: [(index: Int, record: ArtifactRecord)]
    private var count = 1

    init(_ first: ArtifactRecord) {
        merged = first
        distinct = [(0, first)]
    }

    /// Takes one more, if it agrees; else says with which one, counted from 0, it does not, and how.
    mutating func add(_ record: ArtifactRecord) -> (index: Int, difference: String)? {
        for other in distinct {
            if let difference = other.record.difference(from: record) { return (other.index, difference) }
        }
        if !distinct.contains(where: { $0.record.hasDigests(of: record) }) { distinct.append((count, record)) }
        merged = merged.merged(with: record)
        count += 1
        return nil
    }
}

extension ArtifactRecord {
    /// Whether one that does not differ has digests of the same algorithms, each.
    fileprivate func hasDigests(of other: ArtifactRecord) -> Bool {
        ArtifactKind.allCases.allSatisfy { kind in
            let (mine, theirs) = (self[kind].set, other[kind].set)
            // Nearly always all digests are of one and the same algorithm.
            if mine.usedAlgorithms.count == 1, mine.usedAlgorithms == theirs.usedAlgorithms { return true }
            return zip(mine, theirs).allSatisfy {
                $0.digests.entries.map(\.algorithm) == $1.digests.entries.map(\.algorithm)
            }
        }
    }

    /// With the digests of both; the two do not differ.
    fileprivate func merged(with other: ArtifactRecord) -> ArtifactRecord {
        ArtifactRecord(
            materials: materials.merged(with: other.materials), products: products.merged(with: other.products))
    }
}
