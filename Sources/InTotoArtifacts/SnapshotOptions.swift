public import InTotoMetadata
public import SystemPackage

/// How artifacts are found, read and named. The defaults are the command line's defaults.
public struct SnapshotOptions: Sendable {
    /// The directory that references, names and patterns are relative to.
    public var base: FilePath = "."
    public var exclusions = ExclusionPatterns.standard
    public var symlinks = SymlinkPolicy.follow
    /// Among sha256, sha384, sha512 and gitBlob; all come from one read.
    public var digests: [DigestAlgorithm] = [.sha256]
    /// Cut from names, by whole components; the longest that fits.
    public var stripPrefixes: [[UInt8]] = []
    /// A reference to nothing is no error.
    public var allowsMissing = false
    public var lineEndings = LineEndings.verbatim
    /// Files that are ours and never recorded, such as evidence being written.
    public var ownFiles: [OwnFile] = []
    /// Recorded paths of files that patterns may hide as evidence that is known.
    private(set) var knownEvidence: Set<[UInt8]> = []
    /// What an earlier snapshot hid: of anything else it is asked more to be hidden as evidence, and told that it is new. Nil:
    /// nothing is told.
    public var hiddenBefore: HiddenFiles?
    /// Nil: one per processor, at most 16.
    public var threads: Int?
    /// Most entries of directories that are looked at; more are an error. A million of them need about a gigabyte.
    public var entryLimit = 10_000_000
    /// Most of them that links lead to: a few links to directories can name the same files over and over, twice as often
    /// with each level.
    public var linkedEntryLimit = 1_000_000
    /// Asked again and again while files are read, from several threads: true ends the snapshot with an error.
    public var isGivenUp: @Sendable () -> Bool = { false }
    /// Whether digests that are known may be taken over instead of reading the file again.
    public var reuse = DigestReuse.never
    /// How repositories are read.
    public var git = GitOptions()
    /// False: OpenSSL hashes everything, whatever the processor can; tests compare the two.
    package var usesProcessorForSHA256 = true

    public init() {}

    var conditions: FileCondition.Options { .init(knownEvidence: knownEvidence, hiddenBefore: hiddenBefore) }

    /// Lets patterns hide files as evidence that is known, as far as they are below the base path, which is `directory`,
    /// an absolute one. Each is known by where its directory really is, whatever links have led there; and by its path as it
    /// is, for links below the base path, unless it goes up again from where a link may have led.
    package mutating func know(evidence files: Set<FilePath>, in directory: [UInt8]) {
        let base = FilePath(bytes: directory).lexicallyNormalized()
        let realBase = Self.real(base)
        var realDirectories: [FilePath: FilePath?] = [:]
        for file in files {
            let path = base.pushing(file)
            if !path.components.contains(where: { $0.kind == .parentDirectory }) { know(path, below: base) }
            let directory = path.removingLastComponent()
            let real = realDirectories[directory] ?? Self.real(directory)
            realDirectories[directory] = .some(real)
            guard let real, let realBase, let name = path.lastComponent else { continue }
            know(real.appending(name), below: realBase)
        }
    }

    private mutating func know(_ file: FilePath, below base: FilePath) {
        var path = file.lexicallyNormalized()
        if path.removePrefix(base) { knownEvidence.insert(path.bytes) }
    }

    private static func real(_ path: FilePath) -> FilePath? { SystemCalls.realPath(path).map { FilePath(bytes: $0) } }
}

/// What a symbolic link is.
public enum SymlinkPolicy: String, Sendable {
    /// What it leads to, under its own name, as long as that is in the base path.
    case follow
    /// An artifact of its own: its text.
    case record
    /// An error.
    case refuse
}

/// How the ends of lines are hashed.
public enum LineEndings: Sendable {
    case verbatim
    /// CR LF and CR are read as LF in text files: those without a NUL byte in their first 8 KiB.
    case normalized
}
