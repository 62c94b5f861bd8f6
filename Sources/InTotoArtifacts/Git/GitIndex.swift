private import CLibgit2
import InTotoMetadata

#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// The entries of a repository's index, in byte order of their paths. Source: git, `gitformat-index(5)`.
struct GitIndex {
    struct Entry {
        /// Where the path stands in `arena`.
        var start: Int
        var length: Int
        var mode: UInt32
        var id: (UInt64, UInt64, UInt32)
        /// As the file had it when git last looked; zero where git did not.
        var size: UInt32
        var modified: (seconds: Int32, nanoseconds: UInt32)
        var changed: (seconds: Int32, nanoseconds: UInt32)
        var inode: UInt32
        /// 1 to 3 in a conflict, else 0.
        var stage: UInt16
        /// The user told git not to look: `git update-index --assume-unchanged`.
        var isAssumedUnchanged: Bool
        /// Left out by a sparse checkout.
        var isSkipped: Bool

        var isSubmodule: Bool { mode == 0o160000 }
        var isLink: Bool { mode == 0o120000 }
        var isExecutable: Bool { mode == 0o100755 }
    }

    private(set) var arena: [UInt8] = []
    private(set) var entries: [Entry] = []
    /// When the index was written: what is as young may have changed since, without looking so.
    private(set) var written = FileStatus.Timestamp(seconds: 0, nanoseconds: 0)

    /// The tree that all entries make up, where git noted one.
    private(set) var tree: GitObjectID?

    /// Larger ones are not searched for a tree, in bytes.
    private static let limit = 256 << 20

    func path(_ entry: Entry) -> ArraySlice<UInt8> { arena[entry.start..<entry.start + entry.length] }

    /// Empty where there is no index.
    init(_ location: GitLocation) throws(GitError) {
        let path = PathBytes.join(location.gitDirectory, "index".utf8)
        guard let status = GitLocation.status(path) else { return }
        guard status.kind == .regular else { throw .leadsOutside(path: path, "is not a regular file") }
        written = status.modified
        let functions = try GitLibrary.functions()
        var index: OpaquePointer?
        let opened = (path + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { functions.index_open(&index, $0.baseAddress) }
        }
        guard opened == 0, let index else {
            throw .broken(path: path, "cannot be read: \(GitLibrary.lastError(functions))")
        }
        defer { functions.index_free(index) }
        let count = functions.index_entrycount(index)
        entries.reserveCapacity(count)
        arena.reserveCapacity(max(0, Int(status.size) - 62 * count))
        for position in 0..<count {
            guard let entry = functions.index_get_byindex(index, position), let name = entry.pointee.path else {
                continue
            }
            append(entry.pointee, UnsafeRawBufferPointer(start: name, count: strlen(name)))
        }
        tree = try notedTree(location, status, functions.index_checksum(index)?.pointee)
    }

    /// Reads the file once more, and trusts it where it is the very one that the entries are from.
    private func notedTree(
        _ location: GitLocation, _ status: FileStatus, _ checksum: git_oid?
    ) throws(GitError) -> GitObjectID? {
        guard let checksum, status.size <= Self.limit, entries.allSatisfy({ $0.stage == 0 }),
            let bytes = try GitDirectory(location.gitDirectory).contents(of: "index".utf8, limit: Self.limit),
            withUnsafeBytes(of: checksum, { $0.elementsEqual(bytes.suffix($0.count)) })
        else { return nil }
        return GitCacheTree.root(in: bytes, count: entries.count)
    }

    private mutating func append(_ entry: git_index_entry, _ path: UnsafeRawBufferPointer) {
        let id = withUnsafeBytes(of: entry.id) {
            (
                $0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                $0.loadUnaligned(fromByteOffset: 16, as: UInt32.self)
            )
        }
        entries.append(
            Entry(
                start: arena.count, length: path.count, mode: entry.mode, id: id, size: entry.file_size,
                modified: (entry.mtime.seconds, entry.mtime.nanoseconds),
                changed: (entry.ctime.seconds, entry.ctime.nanoseconds), inode: entry.ino,
                stage: entry.flags >> 12 & 3,
                isAssumedUnchanged: UInt32(entry.flags) & GIT_INDEX_ENTRY_VALID.rawValue != 0,
                isSkipped: UInt32(entry.flags_extended) & GIT_INDEX_ENTRY_SKIP_WORKTREE.rawValue != 0))
        arena += path
    }
}

extension GitIndex.Entry {
    var objectID: GitObjectID {
        var id = id
        return withUnsafeBytes(of: &id.0) { first in
            withUnsafeBytes(of: &id.1) { second in
                withUnsafeBytes(of: &id.2) { third in GitObjectID(raw: Array(first) + Array(second) + Array(third)) }
            }
        }
    }

    func hasID(_ raw: some Collection<UInt8>) -> Bool {
        var other: (UInt64, UInt64, UInt32) = (0, 0, 0)
        withUnsafeMutableBytes(of: &other.0) { $0.copyBytes(from: raw.prefix(8)) }
        withUnsafeMutableBytes(of: &other.1) { $0.copyBytes(from: raw.dropFirst(8).prefix(8)) }
        withUnsafeMutableBytes(of: &other.2) { $0.copyBytes(from: raw.dropFirst(16)) }
        return id == other
    }
}
