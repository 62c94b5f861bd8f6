/// How a repository is read.
public struct GitOptions: Sendable {
    /// Whoever owns it.
    public var trustsOwner = false
    /// Our caller's variables that say whom and what git trusts: `HOME`, `XDG_CONFIG_HOME`, `SUDO_UID`.
    public var home: [UInt8]?
    public var configurationHome: [UInt8]?
    public var callingUser: UInt32?
    /// Files that are ours and appear in no list of untracked ones, such as evidence being written.
    package var ownFiles: [OwnFile] = []

    /// Seconds that a repository may take to read, beside the reading of artifacts.
    package var patience = 60
    /// Who waits for the reading; nil where it takes as long as it takes.
    var watch: GitWatch?

    public init() {}

    /// How many paths, tags and the like are listed by name; the rest is counted.
    package static let listed = 100
}
