/// What the index does not name.
extension GitWorkTree {
    mutating func findUntracked(
        _ found: [Listing.Entry], _ directory: Int32, _ prefix: [UInt8]
    ) throws(GitError) {
        for (name, kind) in found {
            try options.watch?.check()
            let path = prefix + name
            if ignore.ignores(path, isDirectory: kind == .directory) { continue }
            switch kind {
            case .directory: if try hasFiles(directory, name, path) { status.untracked.append(path + [slash]) }
            case .regular, .symbolicLink: if counts(name, path, in: directory) { status.untracked.append(path) }
            // Git does not know of any others.
            case .fifo, .socket, .device: break
            }
        }
    }

    /// Whether there is anything below that is not ignored; a repository is, whatever is in it.
    private mutating func hasFiles(_ directory: Int32, _ name: [UInt8], _ path: [UInt8]) throws(GitError) -> Bool {
        let evidence = status.evidence
        let hasFiles = try looksForFiles(directory, name, path)
        // What stands for all that is in it stands for evidence as well.
        if hasFiles { status.evidence = evidence }
        return hasFiles
    }

    private mutating func looksForFiles(_ directory: Int32, _ name: [UInt8], _ path: [UInt8]) throws(GitError) -> Bool {
        guard path.count(where: { $0 == slash }) < Self.depthLimit else { return true }
        guard let opened = try? SystemCalls.openForListing(name[...], in: directory),
            var reader = try? DirectoryReader(listing: opened),
            let listing = try? list(&reader, unless: { _, _ in false })
        else {
            status.notes.insert("a directory that cannot be read was taken for untracked")
            return true
        }
        if listing.hasRepository { return true }
        if listing.hasPatterns { ignore.enter(reader.number, prefix: path + [slash]) }
        defer { if listing.hasPatterns { ignore.leave() } }
        for (name, kind) in listing.untracked {
            try options.watch?.check()
            let below = path + [slash] + name
            if ignore.ignores(below, isDirectory: kind == .directory) { continue }
            switch kind {
            case .directory: if try hasFiles(reader.number, name, below) { return true }
            case .regular, .symbolicLink: if counts(name, below, in: reader.number) { return true }
            case .fifo, .socket, .device: break
            }
        }
        return false
    }

    /// What a directory holds.
    struct Listing {
        typealias Entry = (name: [UInt8], kind: FileStatus.Kind)

        var untracked: [Entry] = []
        /// A `.gitignore`.
        var hasPatterns = false
        /// A `.gitattributes`.
        var hasAttributes = false
        var hasRepository = false
    }

    mutating func list(
        _ reader: inout DirectoryReader, unless isTracked: ([UInt8], FileStatus.Kind?) -> Bool
    ) throws(SystemError) -> Listing {
        var listing = Listing()
        while visited < Self.entryLimit, let (name, kind) = try reader.next() {
            visited += 1
            if name.first == UInt8(ascii: ".") {
                if name.elementsEqual(".gitignore".utf8) { listing.hasPatterns = true }
                if name.elementsEqual(".gitattributes".utf8) { listing.hasAttributes = true }
                if name.elementsEqual(".git".utf8) {
                    listing.hasRepository = true
                    continue
                }
            }
            if isTracked(name, kind) { continue }
            guard let kind = kind ?? (try? SystemCalls.status(name[...], in: reader.number))?.kind else { continue }
            listing.untracked.append((name, kind))
        }
        if visited == Self.entryLimit { status.notes.insert("only the first \(Self.entryLimit) files were compared") }
        return listing
    }

    /// Whether an untracked file makes the work tree unclean: all but our own, and evidence that other runs write or left.
    private mutating func counts(_ name: [UInt8], _ path: [UInt8], in directory: Int32) -> Bool {
        if isOwn(name, directory) { return false }
        let patterns = ExclusionPatterns.standard
        let excluding = patterns.excluding(name[...], isDirectory: false) { condition in
            (try? condition.holds(for: name, in: directory, as: path, .init(), { _ in })) == true
        }
        guard let excluding else { return true }
        if patterns.patterns[excluding].condition == .evidence { status.evidence.append(path) }
        return false
    }

    private func isOwn(_ name: [UInt8], _ directory: Int32) -> Bool {
        (try? options.ownFiles.have(name, in: directory)) == true
    }
}
