import InTotoMetadata

/// Paths, of which the first are named.
package struct GitPathList: Hashable, Sendable {
    package private(set) var paths: [[UInt8]] = []
    package private(set) var count = 0

    mutating func append(_ path: some Collection<UInt8>) {
        count += 1
        if paths.count < GitOptions.listed { paths.append(Array(path)) }
    }

    mutating func sort() { paths.sort { $0.precedesBytewise($1) } }
}

/// How a work tree differs from its HEAD.
package struct GitStatus: Hashable, Sendable {
    package var modified = GitPathList()
    package var added = GitPathList()
    package var deleted = GitPathList()
    /// Directories end in a slash, and stand for all that is in them.
    package var untracked = GitPathList()
    package var conflicted = GitPathList()
    /// Untracked files that are evidence by name and content; they make nothing unclean.
    package var evidence = GitPathList()
    package var submodules: [GitSubmodule] = []
    /// Files whose pointer in git LFS is the content that they have.
    package var largeFiles = 0
    /// Files that differ in their line endings alone, in a repository that has git convert them.
    package var otherLineEndings = 0
    /// Files that git was told not to look at; neither did we.
    package var assumedUnchanged = 0
    package var skipped = 0
    /// Those among them that are there.
    package var unseen = 0
    /// What was not read of submodules, whose files were compared all the same.
    package var remarks: [String] = []
    /// What could not be compared, and why.
    package var notes: Set<String> = []

    /// Why files could differ unseen.
    package var doubts: [String] {
        notes.sorted() + (unseen == 0 ? [] : ["\(unseen) files were not compared, which git was told not to look at"])
    }

    package var isClean: Bool {
        [modified, added, deleted, untracked, conflicted].allSatisfy { $0.count == 0 }
    }

    /// What is not clean, in words: "2 modified, 1 untracked (a, b, c)".
    package var summary: String {
        let lists = [
            ("modified", modified), ("added", added), ("deleted", deleted), ("untracked", untracked),
            ("in conflict", conflicted),
        ].filter { $0.1.count > 0 }
        let counts = lists.map { "\($0.1.count) \($0.0)" }.joined(separator: ", ")
        let names = lists.flatMap(\.1.paths)
        let shown = names.prefix(5).map { escapedForTerminal($0) }.joined(separator: ", ")
        return "the work tree is not clean: \(counts) (\(shown)\(names.count > 5 ? ", …" : ""))"
    }

    mutating func sort() {
        modified.sort()
        added.sort()
        deleted.sort()
        untracked.sort()
        evidence.sort()
        conflicted.sort()
    }
}

/// A repository within, at a commit that the one around it names.
package struct GitSubmodule: Hashable, Sendable {
    package var path: [UInt8]
    /// What the index names.
    package var commit: GitObjectID
    package var state: State

    package enum State: Hashable, Sendable {
        case notCheckedOut
        /// HEAD, where there is one, and whether its files are as HEAD has them.
        case checkedOut(GitObjectID?, isClean: Bool)
        case notRead(String)
    }
}
