public import InTotoMetadata

/// How two sets of artifacts differ: what is recorded, for instance, and what is here.
public struct ArtifactDifference: Hashable, Sendable {
    public struct Change: Hashable, Sendable {
        public let name: ArtifactName
        public let first: DigestSet
        public let second: DigestSet
    }

    /// All sorted by name.
    public private(set) var onlyInFirst: [ArtifactName] = []
    public private(set) var onlyInSecond: [ArtifactName] = []
    public private(set) var different: [Change] = []
    /// No strong digest algorithm is in both, so nothing can be said.
    public private(set) var incomparable: [Change] = []

    public init(_ first: ArtifactSet, _ second: ArtifactSet) {
        var here = first.startIndex
        var there = second.startIndex
        while here < first.endIndex || there < second.endIndex {
            let a = here < first.endIndex ? first[here] : nil
            let b = there < second.endIndex ? second[there] : nil
            switch (a, b) {
            case (let a?, let b?) where a.name == b.name:
                compare(a, b)
                here += 1
                there += 1
            case (let a?, let b) where b.map({ a.name < $0.name }) ?? true:
                onlyInFirst.append(a.name)
                here += 1
            case (_, let b?):
                onlyInSecond.append(b.name)
                there += 1
            case (_, nil):
                here += 1
            }
        }
    }

    /// Nothing differs, and everything could be compared.
    public var isEmpty: Bool {
        onlyInFirst.isEmpty && onlyInSecond.isEmpty && different.isEmpty && incomparable.isEmpty
    }

    private mutating func compare(_ a: Artifact, _ b: Artifact) {
        let change = Change(name: a.name, first: a.digests, second: b.digests)
        switch a.digests.compare(with: b.digests) {
        case .same: break
        case .different: different.append(change)
        case .incomparable: incomparable.append(change)
        }
    }
}
