private import CLibgit2
import InTotoMetadata

/// The objects of one repository: its own files and packs, read by libgit2.
///
/// Objects that it borrows from elsewhere (`objects/info/alternates`) are not read.
struct GitObjects: ~Copyable {
    enum Kind: Sendable {
        case commit, tree, blob, tag
    }

    struct Object {
        var kind: Kind
        var bytes: [UInt8]
    }

    private let database: OpaquePointer
    private let functions: cgit_functions
    private let directory: [UInt8]

    /// Refuses links and pipes among its files, which libgit2 would open.
    init(_ location: GitLocation) throws(GitError) {
        let path = PathBytes.join(location.commonDirectory, "objects".utf8)
        try Self.checkEntries(of: path, areDirectories: true)
        let packs = PathBytes.join(path, "pack".utf8)
        if GitLocation.status(packs) != nil { try Self.checkEntries(of: packs, areDirectories: false) }
        let table = try GitLibrary.functions()
        let opened = try Self.open(path, table)
        directory = path
        functions = table
        database = opened
    }

    /// A database of the directory's own files and packs and nothing else.
    private static func open(_ path: [UInt8], _ functions: cgit_functions) throws(GitError) -> OpaquePointer {
        var database: OpaquePointer?
        guard functions.odb_new(&database) == 0, let database else {
            throw .library(GitLibrary.lastError(functions))
        }
        let isOpen = (path + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { path in
                var loose: UnsafeMutablePointer<git_odb_backend>?
                var packed: UnsafeMutablePointer<git_odb_backend>?
                return functions.odb_backend_loose(&loose, path.baseAddress, -1, 0, 0, 0) == 0
                    && functions.odb_add_backend(database, loose, 2) == 0
                    && functions.odb_backend_pack(&packed, path.baseAddress) == 0
                    && functions.odb_add_backend(database, packed, 1) == 0
            }
        }
        if isOpen { return database }
        let reason = GitLibrary.lastError(functions)
        functions.odb_free(database)
        throw .broken(path: path, reason)
    }

    deinit { functions.odb_free(database) }

    /// Whether objects may be elsewhere.
    var borrows: Bool { GitLocation.status(PathBytes.join(directory, "info/alternates".utf8)) != nil }

    /// Nil where it is not there. Its bytes are those that its id is the digest of.
    func read(_ id: GitObjectID, limit: Int) throws(GitError) -> Object? {
        guard var oid = try checkedObjectID(id) else { return nil }
        var length = 0
        var type = GIT_OBJECT_INVALID
        switch functions.odb_read_header(&length, &type, database, &oid) {
        case 0: break
        case GIT_ENOTFOUND.rawValue: return nil
        default: throw broken(id)
        }
        guard length <= limit else { throw .broken(path: objectPath(id), "is larger than \(limit) bytes") }
        var object: OpaquePointer?
        guard functions.odb_read(&object, database, &oid) == 0, let object else { throw broken(id) }
        defer { functions.odb_object_free(object) }
        guard let kind = Kind(functions.odb_object_type(object)) else { throw broken(id) }
        let bytes = UnsafeRawBufferPointer(
            start: functions.odb_object_data(object), count: functions.odb_object_size(object))
        return Object(kind: kind, bytes: Array(bytes))
    }

    /// The kind alone, which for a large blob is much less; nil where there is no such object.
    func kind(of id: GitObjectID) throws(GitError) -> Kind? {
        guard var oid = try checkedObjectID(id) else { return nil }
        var length = 0
        var type = GIT_OBJECT_INVALID
        switch functions.odb_read_header(&length, &type, database, &oid) {
        case 0: return Kind(type)
        case GIT_ENOTFOUND.rawValue: return nil
        default: throw broken(id)
        }
    }

    /// libgit2 opens a loose object's file whatever it is: this looks first.
    private func checkedObjectID(_ id: GitObjectID) throws(GitError) -> git_oid? {
        guard id.text.utf8.count == 40 else { return nil }
        let path = PathBytes.join(directory, objectName(id))
        if let status = GitLocation.status(path), status.kind != .regular {
            throw .leadsOutside(path: path, "is not a regular file")
        }
        var oid = git_oid()
        withUnsafeMutableBytes(of: &oid) { $0.copyBytes(from: id.raw.prefix($0.count)) }
        return oid
    }

    private func broken(_ id: GitObjectID) -> GitError {
        .broken(path: objectPath(id), "cannot be read: \(GitLibrary.lastError(functions))")
    }

    private func objectPath(_ id: GitObjectID) -> [UInt8] { PathBytes.join(directory, objectName(id)) }

    private func objectName(_ id: GitObjectID) -> [UInt8] {
        id.text.utf8.prefix(2) + [slash] + id.text.utf8.dropFirst(2)
    }

    private static func checkEntries(of path: [UInt8], areDirectories: Bool) throws(GitError) {
        let directory = try GitDirectory(path)
        do {
            var reader = try DirectoryReader(directory.descriptor.number)
            while let (name, kind) = try reader.next() {
                let kind = kind ?? directory.status(name)?.kind
                if kind != .regular && (!areDirectories || kind != .directory) {
                    throw GitError.leadsOutside(path: PathBytes.join(path, name), "is not a regular file")
                }
            }
        } catch let error as SystemError {
            throw .broken(path: path, "cannot be listed: \(error.code)")
        } catch { throw error as? GitError ?? .broken(path: path, "\(error)") }
    }
}

extension GitObjects.Kind {
    fileprivate init?(_ type: git_object_t) {
        switch type {
        case GIT_OBJECT_COMMIT: self = .commit
        case GIT_OBJECT_TREE: self = .tree
        case GIT_OBJECT_BLOB: self = .blob
        case GIT_OBJECT_TAG: self = .tag
        default: return nil
        }
    }
}

/// What a commit says of itself, read from the very bytes of the object. Source: git, `commit.c`, `gpg-interface.c`.
struct GitCommit {
    let tree: GitObjectID
    /// `openpgp`, `ssh` or `x509`; `unknown` for another kind; nil where there is none. It was not verified.
    let signature: String?

    /// Nil for what is no commit.
    init?(parsing bytes: [UInt8]) {
        guard let end = Self.place(of: "\n", in: bytes), bytes.starts(with: "tree ".utf8),
            let tree = GitObjectID(bytes[5..<end])
        else { return nil }
        self.tree = tree
        // The message, which may be of any size and say anything, begins behind the first blank line.
        let message = Self.place(of: "\n\n", in: bytes, from: end) ?? bytes.count
        let signature = ["\ngpgsig ", "\ngpgsig-sha256 "].compactMap { Self.place(of: $0, in: bytes, from: end) }
            .filter { $0 < message }.min()
        self.signature = signature.map { Self.kind(ofSignature: bytes[($0 + 1)..<message]) }
    }

    private static func place(of text: String, in bytes: [UInt8], from start: Int = 0) -> Int? {
        SystemCalls.firstRange(of: Array(text.utf8), in: bytes, from: start)?.lowerBound
    }

    private static func kind(ofSignature header: ArraySlice<UInt8>) -> String {
        let text = String(decoding: header.prefix { $0 != UInt8(ascii: "\n") }.prefix(128), as: UTF8.self)
        if text.contains("BEGIN PGP") { return "openpgp" }
        if text.contains("BEGIN SSH SIGNATURE") { return "ssh" }
        return text.contains("BEGIN SIGNED MESSAGE") ? "x509" : "unknown"
    }
}

/// What a tag object names. Source: git, `tag.c`.
struct GitTagObject {
    let target: GitObjectID

    init?(parsing bytes: [UInt8]) {
        guard let line = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1).first,
            line.starts(with: "object ".utf8), let id = GitObjectID(line.dropFirst(7))
        else { return nil }
        target = id
    }
}

extension GitObjects {
    /// Commits, tags and trees larger than this are refused, in bytes.
    static let metadataLimit = 16 << 20

    /// What tags lead to in the end, through at most ten; nil where an object is not there.
    func peel(_ id: GitObjectID) throws(GitError) -> (id: GitObjectID, kind: Kind)? {
        var id = id
        for _ in 0..<10 {
            guard let kind = try kind(of: id) else { return nil }
            guard kind == .tag else { return (id, kind) }
            guard let object = try read(id, limit: Self.metadataLimit),
                let tag = GitTagObject(parsing: object.bytes)
            else { throw .broken(path: Array("\(id.text)".utf8), "is no sound tag") }
            id = tag.target
        }
        throw .broken(path: Array("\(id.text)".utf8), "leads through more than 10 tags")
    }

    /// Nil where the object is not there, or is none.
    func commit(_ id: GitObjectID) throws(GitError) -> GitCommit? {
        guard let object = try read(id, limit: Self.metadataLimit) else { return nil }
        guard object.kind == .commit, let commit = GitCommit(parsing: object.bytes) else {
            throw .broken(path: Array("\(id.text)".utf8), "is no sound commit")
        }
        return commit
    }
}
