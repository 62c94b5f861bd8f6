import InTotoMetadata

/// All files of a tree, in byte order of their paths. Source: git, `tree-walk.c`.
struct GitTreeListing {
    struct Entry {
        var start: Int
        var length: Int
        var mode: UInt32
        /// Where its 20 bytes stand in the arena, after the path.
        var idStart: Int { start + length }
    }

    private(set) var arena: [UInt8] = []
    private(set) var entries: [Entry] = []
    private var trees = 0
    /// Bytes of the trees that are being read, one within the other.
    private var held = 0

    /// Few objects can describe trees without end, each naming the next ten times.
    private static let entryLimit = 5_000_000
    private static let treeLimit = 1_000_000
    /// Of paths and ids, in bytes: as much as of git's index.
    private static let byteLimit = 256 << 20
    private static let depthLimit = 256
    /// In bytes. No system call takes a longer one; in a tree, a few KiB hold one of many megabytes.
    private static let pathLimit = 4095
    /// In bytes: a few of the largest trees.
    private static let heldLimit = 64 << 20

    func path(_ entry: Entry) -> ArraySlice<UInt8> { arena[entry.start..<entry.start + entry.length] }
    func id(_ entry: Entry) -> ArraySlice<UInt8> { arena[entry.idStart..<entry.idStart + 20] }

    /// Nil where one of the trees is not there.
    init?(_ tree: GitObjectID, _ objects: borrowing GitObjects, _ watch: GitWatch?) throws(GitError) {
        guard try append(tree, [], objects, watch, depth: 0) else { return nil }
    }

    private mutating func append(
        _ tree: GitObjectID, _ prefix: [UInt8], _ objects: borrowing GitObjects, _ watch: GitWatch?, depth: Int
    ) throws(GitError) -> Bool {
        guard depth < Self.depthLimit else { throw Self.broken(tree, "is nested more than \(Self.depthLimit) deep") }
        try watch?.check()
        trees += 1
        guard trees <= Self.treeLimit else { throw Self.broken(tree, "belongs to more than \(Self.treeLimit) trees") }
        guard let object = try objects.read(tree, limit: GitObjects.metadataLimit) else { return false }
        guard object.kind == .tree else { throw Self.broken(tree, "is no tree") }
        held += object.bytes.count
        defer { held -= object.bytes.count }
        guard held <= Self.heldLimit else {
            throw Self.broken(tree, "is one of trees within each other of more than \(Self.heldLimit) bytes")
        }
        var rest = object.bytes[...]
        while !rest.isEmpty {
            guard let blank = rest.firstIndex(of: UInt8(ascii: " ")), let mode = Self.mode(rest[..<blank]),
                let end = rest[blank...].firstIndex(of: 0), rest.endIndex - end > 20
            else { throw Self.broken(tree, "is no sound tree") }
            let name = rest[(blank + 1)..<end]
            let id = rest[(end + 1)...(end + 20)]
            rest = rest[(end + 21)...]
            guard prefix.count + name.count <= Self.pathLimit else {
                throw Self.broken(tree, "has a path of more than \(Self.pathLimit) bytes")
            }
            if mode == 0o040000 {
                let path = prefix + name + [slash]
                guard try append(GitObjectID(raw: id), path, objects, watch, depth: depth + 1) else { return false }
                continue
            }
            guard entries.count < Self.entryLimit else {
                throw Self.broken(tree, "belongs to more than \(Self.entryLimit) files")
            }
            guard arena.count < Self.byteLimit else {
                throw Self.broken(tree, "belongs to paths of more than \(Self.byteLimit) bytes")
            }
            entries.append(Entry(start: arena.count, length: prefix.count + name.count, mode: mode))
            arena += prefix
            arena += name
            arena += id
        }
        return true
    }

    private static func mode(_ digits: ArraySlice<UInt8>) -> UInt32? {
        guard (5...6).contains(digits.count) else { return nil }
        return digits.reduce(into: UInt32?(0)) { mode, digit in
            mode =
                (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit)
                ? mode.map { $0 << 3 | UInt32(digit - UInt8(ascii: "0")) } : nil
        }
    }

    private static func broken(_ tree: GitObjectID, _ reason: String) -> GitError {
        .broken(path: Array("tree \(tree.text)".utf8), reason)
    }
}
