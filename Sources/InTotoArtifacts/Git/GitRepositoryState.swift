import InTotoMetadata

/// What a repository was at one moment.
package struct GitRepositoryState: Hashable, Sendable {
    /// The work tree; nil for a bare repository.
    package var root: [UInt8]?
    package var gitDirectory: [UInt8]
    package var head: GitHead
    /// Nil before the first commit, and where the commit is not in this repository.
    package var tree: GitObjectID?
    /// `openpgp`, `ssh`, `x509` or `unknown`, which was not verified; nil for none.
    package var signature: String?
    /// Whose commit is HEAD's.
    package var tags: [Tag] = []
    package var tagCount = 0
    package var isShallow = false
    /// Among linked work trees: the name that git has for this one.
    package var linkedName: [UInt8]?
    /// How many linked work trees the repository has.
    package var linkedWorkTrees = 0
    package var remotes: [Remote] = []
    /// Addresses of remotes beyond those listed.
    package var remotesOmitted = 0
    package var usesSHA256 = false
    /// Some objects may be another repository's, and were not read.
    package var borrowsObjects = false
    /// Nil for a bare repository, and where it cannot be told.
    package var status: GitStatus?
    /// What was not read, and why.
    package var notes: [String] = []

    static func notCompared(_ reason: GitError) -> String { "the work tree was not compared: \(reason)" }

    package struct Tag: Hashable, Sendable {
        package var name: [UInt8]
        /// The tag object; nil for a tag that names the commit itself.
        package var object: GitObjectID?
    }

    package struct Remote: Hashable, Sendable {
        package var name: [UInt8]
        /// Without credentials.
        package var urls: [[UInt8]]
    }
}
