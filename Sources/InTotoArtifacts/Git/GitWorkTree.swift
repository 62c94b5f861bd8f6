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
    private let options: GitOptions
    private let comparesModes: Bool
    /// Whether links are files that hold their targets.
    private let hasLinksAsFiles: Bool
    /// Whether what a sparse checkout leaves out is compared where it is there all the same.
    private let comparesSkipped: Bool
    private var content: GitFileContent
    private var ignore = GitIgnore()
    private var status = GitStatus()
    /// How each entry of the index differs from the commit.
    private var staged: [Staged]
    private var visited = 0

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

    private static let depthLimit = 200
    private static let entryLimit = 10_000_000

    init(
        _ location: GitLocation, root: [UInt8], _ configuration: GitConfiguration, _ options: GitOptions
    ) throws(GitError) {
        let index = try GitIndex(location)
        let content = try GitFileContent()
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
        with commit: Commit, _ objects: borrowing GitObjects, depth: Int
    ) throws(GitError) -> GitStatus {
        switch commit {
        case .none: compareIndex(with: nil)
        case .tree(let tree): compareIndex(with: tree)
        case .index: break
        case .unknown: status.notes.insert(Self.treeIsUnknown)
        }
        let directory = try GitDirectory(root)
        content.convertsLineEndings = try convertsLineEndings(directory)
        let common = try GitDirectory(location.commonDirectory)
        ignore.append(try common.contents(of: "info/exclude".utf8, limit: 4 << 20), 0)
        try visit(directory.descriptor.number, [], 0..<index.entries.count, isIgnored: false, objects, depth)
        status.largeFiles = content.largeFiles
        status.otherLineEndings = content.otherLineEndings
        status.sort()
        return status
    }

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
        _ directory: Int32, _ prefix: [UInt8], _ range: Range<Int>, isIgnored: Bool,
        _ objects: borrowing GitObjects, _ depth: Int
    ) throws(GitError) {
        guard prefix.count(where: { $0 == slash }) < Self.depthLimit else {
            status.notes.insert("directories more than \(Self.depthLimit) deep were not compared")
            return
        }
        try options.watch?.check()
        ignore.enter(directory, prefix: prefix)
        defer { ignore.leave() }
        var tracked: Set<[UInt8]> = []
        var position = range.lowerBound
        while position < range.upperBound {
            let rest = index.path(index.entries[position]).dropFirst(prefix.count)
            let name = Array(rest.prefix { $0 != slash })
            tracked.insert(name)
            if name.count == rest.count {
                try compareEntry(position, name, directory, objects, depth)
                position += 1
                continue
            }
            let below = prefix + name + [slash]
            let end = index.firstEntry(after: position, notBelow: below, in: range)
            let isThere = try descend(into: name, below, position..<end, directory, isIgnored, objects, depth)
            // A link or file in its place is something new.
            if !isThere { tracked.remove(name) }
            position = end
        }
        try findUntracked(directory, prefix, tracked, isIgnored)
    }

    private mutating func descend(
        into name: [UInt8], _ prefix: [UInt8], _ range: Range<Int>, _ directory: Int32, _ isIgnored: Bool,
        _ objects: borrowing GitObjects, _ depth: Int
    ) throws(GitError) -> Bool {
        guard let next = try? SystemCalls.openDirectory(name[...], in: directory) else {
            for number in range { missing(number) }
            return false
        }
        let isIgnored = isIgnored || ignore.ignores(Array(prefix.dropLast()), isDirectory: true)
        try visit(next.number, prefix, range, isIgnored: isIgnored, objects, depth)
        return true
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
        _ number: Int, _ name: [UInt8], _ directory: Int32, _ objects: borrowing GitObjects, _ depth: Int
    ) throws(GitError) {
        let entry = index.entries[number]
        if entry.stage != 0 { return tell(number, .changed) }
        guard let file = try? SystemCalls.status(name[...], in: directory) else { return missing(number) }
        if countUnchecked(number, isThere: true) { return }
        switch file.kind {
        case .directory where entry.isSubmodule: try compareSubmodule(number, depth)
        case .regular where !entry.isSubmodule && (!entry.isLink || hasLinksAsFiles),
            .symbolicLink where entry.isLink:
            if hasModeChanged(entry, file) { return tell(number, .changed) }
            if isUpToDate(entry, file) { return tell(number, .same) }
            // As git has it: another size than when it last looked is another content.
            if entry.size != 0, UInt32(truncatingIfNeeded: file.size) != entry.size { return tell(number, .changed) }
            let isSame = content.isSame(entry, name, file, in: directory, objects, options.watch)
            try options.watch?.check()
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

    private mutating func compareSubmodule(_ number: Int, _ depth: Int) throws(GitError) {
        try options.watch?.check()
        let entry = index.entries[number]
        let path = PathBytes.join(root, index.path(entry))
        do throws(GitError) {
            guard let location = try GitLocation.location(at: path), location.root != nil else {
                return tell(number, .same, entry, .notCheckedOut)
            }
            guard depth < 8 else { throw .unsupported("more than 8 submodules within each other") }
            try GitOwnership(options: options).check(location)
            let state = try GitReading(location, options).state(depth: depth + 1)
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

    // MARK: What the index does not name

    private mutating func findUntracked(
        _ directory: Int32, _ prefix: [UInt8], _ tracked: Set<[UInt8]>, _ isIgnored: Bool
    ) throws(GitError) {
        if isIgnored { return }
        let found: [(name: [UInt8], kind: FileStatus.Kind)]
        do throws(SystemError) { found = try entries(of: directory) { !tracked.contains($0) } } catch {
            throw .broken(path: PathBytes.join(root, prefix), "cannot be listed: \(error.code)")
        }
        for (name, kind) in found {
            let path = prefix + name
            if ignore.ignores(path, isDirectory: kind == .directory) { continue }
            switch kind {
            case .directory: if try hasFiles(directory, name, path) { status.untracked.append(path + [slash]) }
            case .regular, .symbolicLink: if !isOwn(name, directory) { status.untracked.append(path) }
            // Git does not know of any others.
            case .fifo, .socket, .device: break
            }
        }
    }

    /// Whether there is anything below that is not ignored; a repository is, whatever is in it.
    private mutating func hasFiles(_ directory: Int32, _ name: [UInt8], _ path: [UInt8]) throws(GitError) -> Bool {
        try options.watch?.check()
        guard path.count(where: { $0 == slash }) < Self.depthLimit else { return true }
        guard let next = try? SystemCalls.openDirectory(name[...], in: directory),
            (try? SystemCalls.status(Array(".git".utf8)[...], in: next.number)) == nil
        else { return true }
        guard let found = try? entries(of: next.number, where: { _ in true }) else {
            status.notes.insert("a directory that cannot be read was taken for untracked")
            return true
        }
        ignore.enter(next.number, prefix: path + [slash])
        defer { ignore.leave() }
        for (name, kind) in found {
            let below = path + [slash] + name
            if ignore.ignores(below, isDirectory: kind == .directory) { continue }
            switch kind {
            case .directory: if try hasFiles(next.number, name, below) { return true }
            case .regular, .symbolicLink: if !isOwn(name, next.number) { return true }
            case .fifo, .socket, .device: break
            }
        }
        return false
    }

    private mutating func entries(
        of directory: Int32, where isWanted: ([UInt8]) -> Bool
    ) throws(SystemError) -> [(name: [UInt8], kind: FileStatus.Kind)] {
        var reader = try DirectoryReader(directory)
        var found: [(name: [UInt8], kind: FileStatus.Kind)] = []
        while visited < Self.entryLimit, let (name, kind) = try reader.next() {
            visited += 1
            guard isWanted(name), !name.elementsEqual(".git".utf8) else { continue }
            guard let kind = kind ?? (try? SystemCalls.status(name[...], in: directory))?.kind else { continue }
            found.append((name, kind))
        }
        if visited == Self.entryLimit { status.notes.insert("only the first \(Self.entryLimit) files were compared") }
        return found
    }

    private func isOwn(_ name: [UInt8], _ directory: Int32) -> Bool {
        guard !options.ownFiles.isEmpty, let file = try? SystemCalls.status(name[...], in: directory) else {
            return false
        }
        return options.ownFiles.contains(file.identity)
    }

    // MARK: Line endings

    /// Whether git may convert line endings here: by its configuration, or by attributes at the top.
    private func convertsLineEndings(_ directory: borrowing GitDirectory) throws(GitError) -> Bool {
        if let value = configuration.value("core", "autocrlf")?.lowercased(), value != "false" { return true }
        let common = try GitDirectory(location.commonDirectory)
        let attributes = [
            try? directory.contents(of: ".gitattributes".utf8, limit: 4 << 20),
            try common.contents(of: "info/attributes".utf8, limit: 4 << 20),
        ]
        return attributes.contains { content in
            (content ?? nil)?.split { $0 == 0x0A || $0 == 0x0D }.contains(where: Self.convertsLineEndings) == true
        }
    }

    /// Whether a line of attributes, a pattern and words, says so. Source: `gitattributes(5)`.
    private static func convertsLineEndings(_ line: ArraySlice<UInt8>) -> Bool {
        let line = line.drop { $0 == 0x20 || $0 == 0x09 }
        if line.first == UInt8(ascii: "#") { return false }
        return attributes(of: line).contains { word in
            word.elementsEqual("text".utf8) || word.elementsEqual("crlf".utf8)
                || ["text=", "eol=", "crlf="].contains { word.starts(with: $0.utf8) }
        }
    }

    /// The words behind the pattern, which may be quoted.
    private static func attributes(of line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var rest = line
        if rest.first == UInt8(ascii: "\"") {
            rest = rest.dropFirst()
            while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
                if byte == backslash { rest = rest.dropFirst() }
            }
        }
        return Array(rest.drop { $0 != 0x20 && $0 != 0x09 }.split { $0 == 0x20 || $0 == 0x09 })
    }
}

extension GitIndex {
    /// The first position from `start` on whose path does not begin with `prefix`, which that of `start` does.
    fileprivate func firstEntry(after start: Int, notBelow prefix: [UInt8], in range: Range<Int>) -> Int {
        var (low, high) = (start + 1, range.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if path(entries[middle]).starts(with: prefix) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    fileprivate func contains(_ name: ArraySlice<UInt8>) -> Bool {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if path(entries[middle]).precedes(name) { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && path(entries[low]).elementsEqual(name)
    }
}

extension ArraySlice<UInt8> {
    /// The order of `memcmp`; a prefix comes first.
    fileprivate func precedes(_ other: ArraySlice<UInt8>) -> Bool {
        withUnsafeBytes { a in other.withUnsafeBytes { b in SystemCalls.compare(a, b) < 0 } }
    }
}
