import InTotoCrypto
import InTotoMetadata
import SystemPackage

/// Compares a work tree with the index, and the index with a commit's tree, as `git status` does.
///
/// Not by libgit2: it follows links to `.gitignore`, blocks on pipes, and takes large files in git LFS for modified.
/// Nothing is followed out of the work tree, nothing is executed, and nothing, the index neither, is written.
struct GitWorkTree: ~Copyable {
    private let location: GitLocation
    private let root: [UInt8]
    private let index: GitIndex
    private let configuration: GitConfiguration
    let options: GitOptions
    private let comparesModes: Bool
    /// Whether links are files that hold their targets.
    private let hasLinksAsFiles: Bool
    /// Whether what a sparse checkout leaves out is compared where it is there all the same.
    private let comparesSkipped: Bool
    private var content: GitFileContent
    var ignore = GitIgnore()
    var status = GitStatus()
    /// How each entry of the index differs from the commit.
    private var staged: [Staged]
    var visited = 0
    /// Whether a file differs that git may convert when it reads it.
    private var mayBeConverted = false

    private enum Staged {
        case same, changed, added, conflicted
    }

    private enum Found {
        case same, changed, missing
    }

    /// What the index is compared with.
    enum Commit {
        /// There is none yet.
        case none
        case tree(GitTreeListing)
        /// Its tree is the one that the index says it is.
        case index
        /// Its tree cannot be read.
        case unknown
    }

    /// Of directories, those around a submodule's repository included: the walk is a recursion.
    static let depthLimit = 128
    static let entryLimit = 10_000_000

    init(
        _ location: GitLocation, root: [UInt8], _ configuration: GitConfiguration, _ options: GitOptions
    ) throws(GitError) {
        let index = try GitIndex(location)
        let content = try GitFileContent(GitAttributes(convertLineEndings: Self.convertsLineEndings(configuration)))
        self.location = location
        self.root = root
        self.configuration = configuration
        self.options = options
        comparesModes = configuration.bool("core", "filemode") ?? true
        hasLinksAsFiles = configuration.bool("core", "symlinks") == false
        comparesSkipped =
            configuration.bool("core", "sparsecheckout") == true
            && configuration.bool("sparse", "expectfilesoutsideofpatterns") != true
        self.index = index
        self.content = content
        staged = Array(repeating: .same, count: index.entries.count)
    }

    /// The tree that all entries of the index make up, where git noted one.
    var tree: GitObjectID? { index.tree }

    consuming func compare(
        with commit: Commit, _ objects: borrowing GitObjects, _ nesting: GitNesting
    ) throws(GitError) -> GitStatus {
        switch commit {
        case .none: compareIndex(with: nil)
        case .tree(let tree): compareIndex(with: tree)
        case .index: break
        case .unknown: status.notes.insert(Self.treeIsUnknown)
        }
        let directory = try GitDirectory(root)
        let common = try GitDirectory(location.commonDirectory)
        try content.attributes.add(from: common)
        ignore.append(try common.contents(of: "info/exclude".utf8, limit: 4 << 20), 0)
        let top: Descriptor
        do throws(SystemError) { top = try SystemCalls.openForListing(directory.descriptor.number) } catch {
            throw notListed([], error)
        }
        try visit(top, [], 0..<index.entries.count, isIgnored: false, objects, nesting)
        if ignore.passedOver { status.notes.insert(GitIgnore.passedOverNote) }
        if mayBeConverted { status.remarks.append(Self.filtersAreNotRun) }
        status.largeFiles = content.largeFiles
        status.otherLineEndings = content.otherLineEndings
        status.sort()
        return status
    }

    private static func convertsLineEndings(_ configuration: GitConfiguration) -> Bool {
        configuration.value("core", "autocrlf").map { $0.lowercased() != "false" } ?? false
    }

    private static let filtersAreNotRun =
        "what .gitattributes has git convert (filter, ident, working-tree-encoding) may be told as modified: it was not "
        + "converted here"
    static let treeIsUnknown = "the commit's tree is not in this repository: what is staged was not compared"

    // MARK: Index and commit

    private mutating func compareIndex(with tree: GitTreeListing?) {
        var position = 0
        let old = tree?.entries ?? []
        for (number, entry) in index.entries.enumerated() {
            let path = index.path(entry)
            while position < old.count, let tree, tree.path(old[position]).precedes(path) {
                deletedUnlessInConflict(tree.path(old[position]))
                position += 1
            }
            let isOld = position < old.count && tree.map { $0.path(old[position]).elementsEqual(path) } == true
            if entry.stage != 0 {
                staged[number] = .conflicted
                continue
            }
            if !isOld {
                staged[number] = .added
            } else if let tree, old[position].mode != entry.mode || !entry.hasID(tree.id(old[position])) {
                staged[number] = .changed
            }
            if isOld { position += 1 }
        }
        if let tree { for entry in old[position...] { deletedUnlessInConflict(tree.path(entry)) } }
    }

    private mutating func deletedUnlessInConflict(_ path: ArraySlice<UInt8>) {
        if !index.contains(path) { status.deleted.append(path) }
    }

    /// Tells once of each path how it differs, whichever of the two comparisons found it.
    private mutating func tell(_ number: Int, _ found: Found) {
        let path = index.path(index.entries[number])
        switch (staged[number], found) {
        case (.conflicted, _):
            // A conflict has up to three entries, one after the other.
            if number == 0 || !index.path(index.entries[number - 1]).elementsEqual(path) {
                status.conflicted.append(path)
            }
        case (.added, _): status.added.append(path)
        case (_, .missing): status.deleted.append(path)
        case (.changed, _), (_, .changed): status.modified.append(path)
        case (.same, .same): break
        }
    }

    // MARK: Work tree and index

    /// `range` holds the index entries below `prefix`, which ends in a slash or is empty.
    private mutating func visit(
        _ directory: consuming Descriptor, _ prefix: [UInt8], _ range: Range<Int>, isIgnored: Bool,
        _ objects: borrowing GitObjects, _ nesting: GitNesting
    ) throws(GitError) {
        guard nesting.directories + prefix.count(where: { $0 == slash }) < Self.depthLimit else {
            status.notes.insert("directories more than \(Self.depthLimit) deep were not compared")
            return
        }
        try options.watch?.check()
        var reader: DirectoryReader
        do throws(SystemError) { reader = try DirectoryReader(listing: directory) } catch {
            throw notListed(prefix, error)
        }
        let index = index
        let listing: Listing
        do throws(SystemError) {
            listing = try list(&reader) { name, kind in
                index.names(name, isDirectory: kind == .directory || kind == nil, behind: prefix.count, in: range)
            }
        } catch { throw notListed(prefix, error) }
        if listing.hasPatterns { ignore.enter(reader.number, prefix: prefix) }
        defer { if listing.hasPatterns { ignore.leave() } }
        let attributesAbove = content.attributes
        if listing.hasAttributes { content.attributes.enter(reader.number, prefix: prefix) }
        defer { content.attributes = attributesAbove }
        var position = range.lowerBound
        while position < range.upperBound {
            let rest = index.path(index.entries[position]).dropFirst(prefix.count)
            guard let end = rest.firstIndex(of: slash) else {
                try compareEntry(position, rest, reader.number, objects, nesting)
                position += 1
                continue
            }
            let below = prefix + rest[...end]
            let next = index.firstEntry(after: position, notBelow: below, in: range)
            try descend(into: rest[..<end], below, position..<next, reader.number, isIgnored, objects, nesting)
            position = next
        }
        if !isIgnored { try findUntracked(listing.untracked, reader.number, prefix) }
    }

    private mutating func descend(
        into name: ArraySlice<UInt8>, _ prefix: [UInt8], _ range: Range<Int>, _ directory: Int32, _ isIgnored: Bool,
        _ objects: borrowing GitObjects, _ nesting: GitNesting
    ) throws(GitError) {
        let next: Descriptor
        do throws(SystemError) { next = try SystemCalls.openForListing(name, in: directory) } catch {
            for number in range { isUnreadable(error) ? notRead(number) : missing(number) }
            return
        }
        let isIgnored = isIgnored || ignore.ignores(Array(prefix.dropLast()), isDirectory: true)
        try visit(next, prefix, range, isIgnored: isIgnored, objects, nesting)
    }

    private func notListed(_ prefix: [UInt8], _ error: SystemError) -> GitError {
        .broken(path: PathBytes.join(root, prefix), "cannot be listed: \(error.code)")
    }

    /// What is not there, or beyond what is no directory, is missing; of anything else nothing is known.
    private func isUnreadable(_ error: SystemError) -> Bool {
        ![.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels].contains(error.code)
    }

    private mutating func notRead(_ number: Int) {
        status.notes.insert("files were not compared that cannot be reached")
        tell(number, .same)
    }

    private mutating func missing(_ number: Int) {
        let entry = index.entries[number]
        if countUnchecked(number, isThere: false) { return }
        // Checked out or not, the directory of a submodule is there.
        if entry.isSubmodule { return tell(number, .missing, entry, .notCheckedOut) }
        tell(number, .missing)
    }

    /// Whether git was told not to look at it. Source: git, `sparse-index.c`, `clear_skip_worktree_from_present_files`.
    private mutating func countUnchecked(_ number: Int, isThere: Bool) -> Bool {
        let entry = index.entries[number]
        if entry.isSkipped, !(isThere && comparesSkipped) {
            status.skipped += 1
            if isThere { status.unseen += 1 }
        } else if entry.isAssumedUnchanged {
            status.assumedUnchanged += 1
            status.unseen += 1
        } else {
            return false
        }
        tell(number, .same)
        return true
    }

    private mutating func compareEntry(
        _ number: Int, _ name: ArraySlice<UInt8>, _ directory: Int32, _ objects: borrowing GitObjects,
        _ nesting: GitNesting
    ) throws(GitError) {
        let entry = index.entries[number]
        if entry.stage != 0 { return tell(number, .changed) }
        let file: FileStatus
        do throws(SystemError) { file = try SystemCalls.status(name, in: directory) } catch {
            return isUnreadable(error) ? notRead(number) : missing(number)
        }
        if countUnchecked(number, isThere: true) { return }
        switch file.kind {
        case .directory where entry.isSubmodule: try compareSubmodule(number, nesting)
        case .regular where !entry.isSubmodule && (!entry.isLink || hasLinksAsFiles),
            .symbolicLink where entry.isLink:
            if hasModeChanged(entry, file) { return tell(number, .changed) }
            if isUpToDate(entry, file) { return tell(number, .same) }
            // As git has it: another size than when it last looked is another content.
            if entry.size != 0, UInt32(truncatingIfNeeded: file.size) != entry.size { return tell(number, .changed) }
            let isSame = content.isSame(entry, name, file, in: directory, objects, options.watch)
            try options.watch?.check()
            if !isSame, content.attributes.haveFilters { mayBeConverted = true }
            tell(number, isSame ? .same : .changed)
        case .directory: tell(number, .missing)
        case .regular, .symbolicLink, .fifo, .socket, .device: tell(number, .changed)
        }
    }

    private func hasModeChanged(_ entry: GitIndex.Entry, _ file: FileStatus) -> Bool {
        guard file.kind == .regular, !entry.isLink, comparesModes else { return false }
        return entry.isExecutable != file.isExecutable
    }

    /// Whether nothing can have changed since git last compared it. Source: git, `read-cache.c`, `ie_match_stat`.
    private func isUpToDate(_ entry: GitIndex.Entry, _ file: FileStatus) -> Bool {
        let (modified, changed) = (file.modified, file.changed)
        guard entry.size == UInt32(truncatingIfNeeded: file.size), entry.size != 0 || file.size == 0,
            entry.inode == UInt32(truncatingIfNeeded: file.identity.inode),
            entry.modified.seconds == Int32(truncatingIfNeeded: modified.seconds),
            entry.changed.seconds == Int32(truncatingIfNeeded: changed.seconds),
            Int64(entry.modified.nanoseconds) == modified.nanoseconds,
            Int64(entry.changed.nanoseconds) == changed.nanoseconds
        else { return false }
        // As young as the index: it may have changed once more within the clock's tick.
        return (modified.seconds, modified.nanoseconds) < (index.written.seconds, index.written.nanoseconds)
    }

    // MARK: Submodules

    private mutating func compareSubmodule(_ number: Int, _ nesting: GitNesting) throws(GitError) {
        try options.watch?.check()
        let entry = index.entries[number]
        let path = PathBytes.join(root, index.path(entry))
        do throws(GitError) {
            guard let location = try GitLocation.location(at: path), location.root != nil else {
                return tell(number, .same, entry, .notCheckedOut)
            }
            guard nesting.repositories < 8 else { throw .unsupported("more than 8 submodules within each other") }
            try GitOwnership(options: options).check(location)
            let state = try GitReading(location, options).state(nesting.within(index.path(entry)))
            // What is not known of it is not known of the one around it either.
            let name = escapedForTerminal(index.path(entry))
            status.remarks += state.notes.map { "submodule '\(name)': \($0)" }
            status.notes.formUnion((state.status?.doubts ?? []).map { "submodule '\(name)': \($0)" })
            let isClean = state.status?.isClean ?? false
            let isSame = isClean && state.head.commit == entry.objectID
            tell(number, isSame ? .same : .changed, entry, .checkedOut(state.head.commit, isClean: isClean))
        } catch { tell(number, .changed, entry, .notRead(error.description)) }
    }

    private mutating func tell(_ number: Int, _ found: Found, _ entry: GitIndex.Entry, _ state: GitSubmodule.State) {
        tell(number, found)
        status.submodules.append(
            GitSubmodule(path: Array(index.path(entry)), commit: entry.objectID, state: state))
    }
}

/// How far in a repository is: how many others are around it, and how many directories of theirs.
struct GitNesting {
    var repositories = 0
    var directories = 0

    /// Of a submodule at `path`.
    func within(_ path: ArraySlice<UInt8>) -> GitNesting {
        GitNesting(
            repositories: repositories + 1, directories: directories + path.count(where: { $0 == slash }) + 1)
    }
}
