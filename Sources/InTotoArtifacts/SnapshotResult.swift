public import InTotoMetadata

/// What a snapshot found.
public struct SnapshotResult: Sendable {
    public var artifacts = ArtifactSet()
    /// What is no artifact, and why; sorted by path.
    public var notRecorded: [NotRecorded] = []
    /// In the order of the patterns; those that hid nothing are left out.
    public var excluded: [ExcludedPaths] = []
    /// What patterns hid for what the files are, for a later snapshot to be compared with.
    public var hidden = HiddenFiles([:], at: .init(seconds: 0, nanoseconds: 0))
    /// Paths of those that are new or changed since `SnapshotOptions.hiddenBefore`; sorted.
    public var newlyHidden: [[UInt8]] = []
    /// The artifacts whose digest is that of a link's text; sorted.
    public var linkTexts: [ArtifactName] = []
    /// Files read, links' texts included.
    public var files = 0
    /// How many of the digests were taken over from an earlier snapshot, the file being provably unchanged.
    public var reused = 0
    /// With `DigestReuse.keeping`: what a later snapshot may take over.
    public var reusable = ReusableDigests()
    /// Bytes of content hashed.
    public var bytes: UInt64 = 0
}

/// A path that was met and is no artifact.
public struct NotRecorded: Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
        case fifo, socket, device
        case danglingLink
        case linkOutsideBase
        case linkCycle
        case tooManyLinks
        case pseudoFileSystem
        /// `dir:` covers files only, as its definition has it.
        case linkToDirectory
        /// A commit's tree that its repository borrows from another, which is not read.
        case borrowedTree
        /// A file of ours, under a name that somebody else gave it.
        case ownFile
        /// A reference names it, and a pattern hides it.
        case excluded(ExclusionPattern)
    }

    /// As a recorded path would be; may be any bytes.
    public let path: [UInt8]
    public let reason: Reason
}

extension [NotRecorded] {
    /// With those of another snapshot, sorted by path; what both met stands there once.
    package func merged(with others: [NotRecorded]) -> [NotRecorded] {
        Set(self + others).sorted { a, b in
            a.path == b.path ? a.reason.description < b.reason.description : a.path.precedesBytewise(b.path)
        }
    }
}

extension NotRecorded.Reason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .fifo: "a named pipe"
        case .socket: "a socket"
        case .device: "a device"
        case .danglingLink: "a link to nothing"
        case .linkOutsideBase: "a link that leaves the base path"
        case .linkCycle: "a link to a directory that it is in, or without an end"
        case .tooManyLinks: "beyond \(LinkChain.longest) links to directories, more than a path may lead through"
        case .pseudoFileSystem: "on a file system that holds no files, such as /proc"
        case .borrowedTree: "its commit alone is recorded, since the tree is in another repository, which is not read"
        case .linkToDirectory: "a link to a directory"
        case .ownFile: "another name for a file that intoto-run is writing"
        case .excluded(let pattern): "excluded by '\(pattern)'"
        }
    }
}

extension NotRecorded: CustomStringConvertible {
    public var description: String { "'\(escapedForTerminal(path))': \(reason)" }
}
