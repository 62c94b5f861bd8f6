public import InTotoArtifacts
public import InTotoMetadata

/// What a functionary wants done and recorded.
public struct StepRequest: Sendable {
    public var name: StepName
    /// Nil: evidence without a command (a review, a sign-off).
    public var command: Command?
    public var materials: [ArtifactReference]
    public var products: [ArtifactReference]
    public var snapshot: SnapshotOptions
    public var streams: StreamPolicy
    /// The command gets a terminal of its own.
    public var usesTerminal = false
    public var limits = CommandLimits()
    /// Products that the materials hold already, with the same digests, are left out.
    public var recordsChangedProductsOnly = false
    /// Large products that are provably as they were as materials are not read again.
    public var reusesUnchangedDigests = false
    /// Whether the digest of our own executable is recorded.
    public var toolDigest = ToolDigestPolicy.auto
    /// What of the repository around the base path is recorded, and required.
    public var git = GitPolicy.off

    public init(
        name: StepName, command: Command?, materials: [ArtifactReference], products: [ArtifactReference],
        snapshot: SnapshotOptions = SnapshotOptions(), streams: StreamPolicy = .off
    ) {
        self.name = name
        self.command = command
        self.materials = materials
        self.products = products
        self.snapshot = snapshot
        self.streams = streams
    }
}
