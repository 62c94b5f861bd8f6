public import FoundationEssentials
public import InTotoArtifacts
public import InTotoMetadata

/// What happened in a step: everything that evidence of any kind is made from.
public struct RecordedStep: Sendable {
    public var name: StepName
    public var materials: ArtifactSet
    public var products: ArtifactSet
    /// Paths that were met and are no artifacts, each with its reason; materials' and products' together.
    public var notRecorded: [NotRecorded]
    /// What patterns hid of each.
    public var excludedMaterials: [ExcludedPaths] = []
    public var excludedProducts: [ExcludedPaths] = []
    /// Paths of what patterns hid of the products as evidence, or as what a run is about to write, and what the command made
    /// or changed; sorted.
    public var newlyHidden: [[UInt8]] = []
    /// The materials whose digest is that of a symbolic link's text; sorted.
    public var materialLinkTexts: [ArtifactName] = []
    /// The same of the products.
    public var productLinkTexts: [ArtifactName] = []
    /// How many of the products' digests are the materials', the files being provably unchanged; nil where all were read.
    public var reusedDigests: Int?
    /// Nil where it was not asked for.
    public var git: RecordedRepository?
    /// Nil where the step had no command.
    public var execution: RecordedExecution?
    /// Where the command ran, or would have.
    public var workDirectory: [UInt8]
    /// What recorded it.
    public var tool = ToolIdentity()
}

/// The command of a step and what became of it.
public struct RecordedExecution: Sendable {
    /// As given, but for secrets that were replaced.
    public var arguments: [[UInt8]]
    /// How many secrets were replaced in the arguments.
    public var argumentRedactions: Int
    /// The program that ran, and the interpreters that it needed.
    public var executables: [ExecutableIdentity]
    public var started: Date
    public var finished: Date
    /// Between the two, whatever was done to the clock of the day meanwhile.
    public var elapsed: Duration
    public var result: ExecutedCommand
}
