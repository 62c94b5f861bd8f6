import InTotoMetadata

/// Digests of large files from one snapshot that a later one may take over where a file is provably unchanged.
///
/// Any doubt means reading. Files below `dir:` and `tree:` are always read.
public struct ReusableDigests: Sendable {
    struct Entry: Sendable {
        var proof: UnchangedProof
        /// As in `Findings`.
        var digests: [UInt8]
    }

    var entries: [FileIdentity: Entry] = [:]
    /// What was computed, and how: another snapshot may want something else.
    private var algorithms: [DigestAlgorithm] = []
    private var lineEndings = LineEndings.verbatim

    /// Of how many files.
    public var count: Int { entries.count }

    init() {}

    init(_ entries: [FileIdentity: Entry], _ options: SnapshotOptions) {
        self.entries = entries
        algorithms = Set(options.digests).sorted()
        lineEndings = options.lineEndings
    }

    /// Where they fit what is wanted now; otherwise none.
    func fitting(_ options: SnapshotOptions) -> [FileIdentity: Entry] {
        algorithms == Set(options.digests).sorted() && lineEndings == options.lineEndings ? entries : [:]
    }
}

/// What a snapshot does about digests that are known already.
public enum DigestReuse: Sendable {
    /// Everything is read, nothing is kept.
    case never
    /// Everything is read, and what a later snapshot may take over is kept.
    case keeping
    /// What is provably as it was when these were kept is not read again.
    case from(ReusableDigests)
}
