import InTotoMetadata

/// How a walk treats what it meets.
struct WalkRules: Sendable {
    enum Purpose: Sendable {
        case hash, list
    }

    var exclusions: ExclusionPatterns
    var symlinks: SymlinkPolicy
    var followsLinksToDirectories = true
    /// False where names are only hashed, which any bytes can be; evidence holds UTF-8 alone.
    var recordsNames = true
    /// Sorted, each once.
    var digests: [DigestAlgorithm]
    var lineEndings: LineEndings
    var ownFiles: [OwnFile]
    var conditions: FileCondition.Options
    var entryLimit: Int
    var linkedEntryLimit: Int
    var isGivenUp: @Sendable () -> Bool
    var purpose: Purpose
    /// SHA-256 with the processor's own instructions, where it has them; OpenSSL otherwise.
    var usesLanes: Bool

    var keepsDigests = false
    var knownDigests: [FileIdentity: ReusableDigests.Entry] = [:]

    init(_ options: SnapshotOptions, _ purpose: Purpose) {
        exclusions = options.exclusions
        symlinks = options.symlinks
        digests = Set(options.digests).sorted()
        lineEndings = options.lineEndings
        ownFiles = options.ownFiles
        conditions = options.conditions
        entryLimit = options.entryLimit
        linkedEntryLimit = options.linkedEntryLimit
        isGivenUp = options.isGivenUp
        self.purpose = purpose
        switch options.reuse {
        case .never: break
        case .keeping: keepsDigests = true
        case .from(let known): knownDigests = known.fitting(options)
        }
        usesLanes = options.usesProcessorForSHA256 && digests == [.sha256] && lineEndings == .verbatim
    }
}
