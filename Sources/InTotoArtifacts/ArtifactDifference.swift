public import InTotoMetadata

/// How two sets of artifacts differ, such as the recorded products and the local files. Names in byte order.
public struct ArtifactDifference: Hashable, Sendable {
    public private(set) var onlyInFirst: [ArtifactName] = []
    public private(set) var onlyInSecond: [ArtifactName] = []
    /// In both, with a shared digest that differs.
    public private(set) var different: [ArtifactName] = []
    /// In both, without a strong digest that both have.
    public private(set) var incomparable: [ArtifactName] = []

    public init(_ first: ArtifactSet, _ second: ArtifactSet) {
        for artifact in first {
            switch second[artifact.name]?.compare(with: artifact.digests) {
            case nil: onlyInFirst.append(artifact.name)
            case .same?: continue
            case .different?: different.append(artifact.name)
            case .incomparable?: incomparable.append(artifact.name)
            }
        }
        onlyInSecond = second.map(\.name).filter { first[$0] == nil }
    }

    /// Whether the sets say the same of the same artifacts.
    public var isEmpty: Bool {
        onlyInFirst.isEmpty && onlyInSecond.isEmpty && different.isEmpty && incomparable.isEmpty
    }
}
