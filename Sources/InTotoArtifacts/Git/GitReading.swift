import InTotoMetadata

/// Reads what a repository is.
struct GitReading {
    private let location: GitLocation
    private let options: GitOptions
    private let configuration: GitConfiguration

    /// Extensions that change nothing of what is read here. Source: git, `repository-version.txt`.
    private static let knownExtensions: Set<String> = [
        "noop", "noop-v1", "partialclone", "worktreeconfig", "preciousobjects", "relativeworktrees", "objectformat",
    ]

    init(_ location: GitLocation, _ options: GitOptions) throws(GitError) {
        self.location = location
        self.options = options
        configuration = try Self.configuration(location)
    }

    private static func configuration(_ location: GitLocation) throws(GitError) -> GitConfiguration {
        let directory = try GitDirectory(location.commonDirectory)
        var configuration = try parsed("config", directory)
        if configuration.bool("extensions", "worktreeconfig") == true {
            configuration.append(try parsed("config.worktree", GitDirectory(location.gitDirectory)))
        }
        let version = configuration.value("core", "repositoryformatversion") ?? "0"
        guard version == "0" || version == "1" else {
            throw .unsupported("repository format \(escapedForTerminal(version.utf8))")
        }
        for entry in configuration.entries where entry.section == "extensions" && entry.subsection == nil {
            if entry.key == "refstorage", entry.value.map({ $0.elementsEqual("files".utf8) }) != true {
                throw .unsupported("a repository whose references are not files")
            }
            if version == "1", entry.key != "refstorage", !knownExtensions.contains(entry.key) {
                throw .unsupported("the repository extension '\(entry.key)'")
            }
        }
        return configuration
    }

    private static func parsed(_ name: String, _ directory: borrowing GitDirectory) throws(GitError) -> GitConfiguration
    {
        let content = try directory.contents(of: name.utf8, limit: GitConfiguration.limit) ?? []
        guard let configuration = GitConfiguration(parsing: content) else {
            throw .broken(path: PathBytes.join(directory.path, name.utf8), "is malformed")
        }
        return configuration
    }

    func state(_ nesting: GitNesting = GitNesting()) throws(GitError) -> GitRepositoryState {
        let references = try GitReferences(location)
        var state = GitRepositoryState(
            root: location.root, gitDirectory: location.gitDirectory, head: try references.head())
        let remotes = configuration.remotes(limit: GitOptions.listed)
        state.remotesOmitted = remotes.omitted
        state.remotes = remotes.listed.map { remote in
            .init(
                name: GitRemoteAddress.withoutCredentials(remote.name),
                urls: remote.urls.map(GitRemoteAddress.withoutCredentials))
        }
        let common = try GitDirectory(location.commonDirectory)
        state.isShallow = common.status(Array("shallow".utf8)) != nil
        state.linkedName = location.isLinked ? Array(PathBytes.split(location.gitDirectory).name) : nil
        state.linkedWorkTrees = (try? Self.count(in: "worktrees", of: common)) ?? 0
        if configuration.includes > 0 {
            state.notes.append("files that the repository's configuration includes were not read")
        }
        state.usesSHA256 = configuration.value("extensions", "objectformat") == "sha256"
        if state.usesSHA256 {
            state.notes.append("libgit2 1.5 does not read objects of repositories that use SHA-256")
            try addTags(to: &state, references) { _ throws(GitError) -> GitObjectID? in nil }
        } else {
            try addObjects(to: &state, references, nesting)
        }
        return state
    }

    private func addObjects(
        to state: inout GitRepositoryState, _ references: borrowing GitReferences, _ nesting: GitNesting
    ) throws(GitError) {
        let objects = try GitObjects(location)
        state.borrowsObjects = objects.borrows
        if objects.borrows { state.notes.append("objects that are borrowed from other repositories were not read") }
        if let id = state.head.commit {
            if let commit = try objects.commit(id) {
                state.tree = commit.tree
                state.signature = commit.signature
            } else {
                state.notes.append("the commit is not among the repository's own objects")
            }
            try addTags(to: &state, references) { tag throws(GitError) -> GitObjectID? in try objects.peel(tag)?.id }
        }
        guard let root = location.root else { return }
        if nesting.repositories == 0 { options.watch?.publish(state) }
        // What the repository is counts more than how its work tree differs.
        do throws(GitError) {
            let status = try status(in: root, of: state, objects, nesting)
            state.notes += status.remarks
            state.status = status
        } catch {
            state.notes.append(GitRepositoryState.notCompared(error))
        }
    }

    private func status(
        in root: [UInt8], of state: GitRepositoryState, _ objects: borrowing GitObjects, _ nesting: GitNesting
    ) throws(GitError) -> GitStatus {
        let workTree = try GitWorkTree(location, root: root, configuration, options)
        let commit = try commit(of: state, workTree.tree, objects)
        return try workTree.compare(with: commit, objects, nesting)
    }

    /// `index` is the tree of all that the index has, where that is known.
    private func commit(
        of state: GitRepositoryState, _ index: GitObjectID?, _ objects: borrowing GitObjects
    ) throws(GitError) -> GitWorkTree.Commit {
        if state.head.commit == nil { return .none }
        guard let tree = state.tree else { return .unknown }
        if tree == index { return .index }
        return try GitTreeListing(tree, objects, options.watch).map { .tree($0) } ?? .unknown
    }

    private func addTags(
        to state: inout GitRepositoryState, _ references: borrowing GitReferences,
        _ peel: (GitObjectID) throws(GitError) -> GitObjectID?
    ) throws(GitError) {
        guard let commit = state.head.commit else { return }
        let (tags, isComplete) = try references.tags()
        if !isComplete { state.notes.append("not all tags were read") }
        for tag in tags {
            let isLight = tag.target == commit
            if !isLight {
                let peeled: GitObjectID? = if let known = tag.peeled { known } else { try peel(tag.target) }
                guard peeled == commit else { continue }
            }
            state.tagCount += 1
            guard state.tags.count < GitOptions.listed else { continue }
            state.tags.append(.init(name: tag.name, object: isLight ? nil : tag.target))
        }
    }

    private static func count(in folder: String, of directory: borrowing GitDirectory) throws -> Int {
        let folder = try SystemCalls.openDirectory(Array(folder.utf8)[...], in: directory.descriptor.number)
        var reader = try DirectoryReader(folder.number)
        var count = 0
        while try reader.next() != nil { count += 1 }
        return count
    }
}

extension GitRepositoryState {
    /// The state of the repository that `directory` is in.
    package static func read(from directory: [UInt8], _ options: GitOptions) throws(GitError) -> GitRepositoryState {
        let location = try GitLocation.find(from: directory)
        try GitOwnership(options: options).check(location)
        return try GitReading(location, options).state()
    }
}
