import InTotoCrypto
import InTotoMetadata

/// The entries of a repository's index, in byte order of their paths. Source: git, `gitformat-index(5)`.
///
/// Read here: libgit2 takes ten times as long, and believes what the paths say of where they lead.
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

    /// Larger ones are refused, and those whose paths are longer in all, in bytes: some two million files.
    private static let limit = 256 << 20

    func path(_ entry: Entry) -> ArraySlice<UInt8> { arena[entry.start..<entry.start + entry.length] }

    /// Empty where there is no index.
    init(_ location: GitLocation) throws(GitError) {
        let path = PathBytes.join(location.gitDirectory, "index".utf8)
        let directory = try GitDirectory(location.gitDirectory)
        if let status = directory.status(Array("index".utf8)), status.kind != .regular {
            throw .leadsOutside(path: path, "is not a regular file")
        }
        guard let file = try directory.file("index".utf8, limit: Self.limit) else { return }
        written = file.status.modified
        do throws(Defect) { try parse(file.bytes) } catch {
            throw .broken(path: path, "cannot be read: \(error.reason)")
        }
    }

    /// What is wrong with an index, in words.
    struct Defect: Error {
        var reason: String
    }

    private mutating func parse(_ bytes: [UInt8]) throws(Defect) {
        let reader = Reader(bytes: bytes)
        guard reader.end >= 12, reader.word(at: 0) == Self.signature else { throw Defect(reason: "it is no index") }
        let version = reader.word(at: 4)
        guard 2...4 ~= version else { throw Defect(reason: "its version is \(version)") }
        try checkSum(of: bytes)
        let count = Int(reader.word(at: 8))
        guard count <= reader.end / Self.shortestEntry else { throw Defect(reason: "it ends too early") }
        entries.reserveCapacity(count)
        // Those of version 4 are made of parts of each other.
        arena = version == 4 ? [] : bytes
        var position = 12
        for _ in 0..<count { position = try append(reader, at: position, version) }
        try readExtensions(reader, from: position, bytes)
    }

    private static let signature: UInt32 = 0x4449_5243  // DIRC
    private static let shortestEntry = 62

    /// The last twenty bytes, or zeros where git was told not to take the time (`index.skipHash`).
    private func checkSum(of bytes: [UInt8]) throws(Defect) {
        let sum = bytes.suffix(Reader.checksumLength)
        if sum.allSatisfy({ $0 == 0 }) { return }
        do {
            var digest = try MessageDigest(.sha1)
            try bytes.withUnsafeBytes {
                try digest.update(UnsafeRawBufferPointer(rebasing: $0.dropLast(Reader.checksumLength)))
            }
            if try digest.finish().elementsEqual(sum) { return }
        } catch { throw Defect(reason: "\(error)") }
        throw Defect(reason: "its checksum is another")
    }

    /// Where the next entry begins.
    private mutating func append(_ reader: Reader, at start: Int, _ version: UInt32) throws(Defect) -> Int {
        guard start + Self.shortestEntry <= reader.end else { throw Defect(reason: "it ends too early") }
        let flags = reader.half(at: start + 60)
        let isExtended = version >= 3 && flags & 0x4000 != 0
        let name = start + (isExtended ? 64 : 62)
        guard name < reader.end else { throw Defect(reason: "it ends too early") }
        let (path, next) =
            version == 4
            ? try composedPath(reader, at: name) : try plainPath(reader, at: name, Int(flags & 0x0FFF), entry: start)
        let stage = flags >> 12 & 3
        try check(path, stage)
        entries.append(
            Entry(
                start: path.lowerBound, length: path.count, mode: reader.word(at: start + 24),
                id: reader.id(at: start + 40), size: reader.word(at: start + 36),
                modified: reader.time(at: start + 8), changed: reader.time(at: start),
                inode: reader.word(at: start + 20), stage: stage, isAssumedUnchanged: flags & 0x8000 != 0,
                isSkipped: isExtended && reader.half(at: start + 62) & 0x4000 != 0))
        return next
    }

    /// In versions 2 and 3, one to eight zeros follow a path, up to a multiple of eight.
    private func plainPath(
        _ reader: Reader, at name: Int, _ length: Int, entry start: Int
    ) throws(Defect) -> (path: Range<Int>, next: Int) {
        var length = length
        if length == 0x0FFF { length = try reader.zero(from: name) - name }
        let next = start + ((name - start + length + 8) & ~7)
        guard next <= reader.end else { throw Defect(reason: "it ends too early") }
        return (name..<name + length, next)
    }

    /// In version 4, how much of the last path to drop, and what to put in its place.
    private mutating func composedPath(
        _ reader: Reader, at name: Int
    ) throws(Defect) -> (path: Range<Int>, next: Int) {
        let last = entries.last.map { $0.start..<$0.start + $0.length } ?? 0..<0
        let (dropped, suffix) = try reader.offset(at: name)
        guard dropped <= last.count else { throw Defect(reason: "a path is shorter than nothing") }
        let end = try reader.zero(from: suffix)
        let start = arena.count
        guard last.count + end - suffix <= Self.limit - start else { throw Defect(reason: "its paths are too long") }
        let kept = Array(arena[last.lowerBound..<last.upperBound - dropped])
        arena.append(contentsOf: kept)
        arena.append(contentsOf: reader.bytes[suffix..<end])
        return (start..<arena.count, end + 1)
    }

    /// Paths stay below the work tree, and come in order: they are looked up as if they did.
    private func check(_ path: Range<Int>, _ stage: UInt16) throws(Defect) {
        if path.isEmpty { throw Defect(reason: "a path is empty, as in a split index") }
        guard Self.staysBelow(arena, path) else {
            throw Defect(reason: "git would refuse its path '\(escapedForTerminal(arena[path]))'")
        }
        guard let last = entries.last else { return }
        let order = arena.withUnsafeBytes {
            SystemCalls.compare(
                UnsafeRawBufferPointer(rebasing: $0[last.start..<last.start + last.length]),
                UnsafeRawBufferPointer(rebasing: $0[path]))
        }
        guard order < 0 || order == 0 && last.stage < stage else {
            throw Defect(reason: "its paths are not in order, as of '\(escapedForTerminal(arena[path]))'")
        }
    }

    /// No part is empty, `.`, `..` or `.git`, and no NUL byte is in it. Source: git, `read-cache.c`, `verify_path`.
    private static func staysBelow(_ arena: [UInt8], _ path: Range<Int>) -> Bool {
        var start = path.lowerBound
        for position in path {
            let byte = arena[position]
            if byte == 0 { return false }
            guard byte == slash else { continue }
            if !isSound(arena, start..<position) { return false }
            start = position + 1
        }
        return isSound(arena, start..<path.upperBound)
    }

    private static func isSound(_ arena: [UInt8], _ part: Range<Int>) -> Bool {
        if part.isEmpty { return false }
        guard arena[part.lowerBound] == UInt8(ascii: ".") else { return true }
        switch part.count {
        case 1: return false
        case 2: return arena[part.lowerBound + 1] != UInt8(ascii: ".")
        case 4: return !arena[part].elementsEqual(".git".utf8)
        default: return true
        }
    }

    /// Those that a reader may pass over have a capital for their first letter.
    private mutating func readExtensions(
        _ reader: Reader, from start: Int, _ bytes: [UInt8]
    ) throws(Defect) {
        var position = start
        while position + 8 <= reader.end {
            let name = bytes[position..<position + 4]
            let content = position + 8
            let end = content + Int(reader.word(at: position + 4))
            guard end <= reader.end else { throw Defect(reason: "it ends too early") }
            if name.elementsEqual("TREE".utf8) {
                if entries.allSatisfy({ $0.stage == 0 }) {
                    tree = GitCacheTree.root(of: bytes[content..<end], count: entries.count)
                }
            } else if !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(bytes[position]) {
                throw Defect(reason: "its extension '\(escapedForTerminal(name))' is not supported")
            }
            position = end
        }
    }
}

/// Big-endian numbers of an index. The caller checks that they lie before `end`, where the checksum begins.
private struct Reader {
    let bytes: [UInt8]

    static let checksumLength = 20
    var end: Int { bytes.count - Self.checksumLength }

    func word(at position: Int) -> UInt32 { UInt32(bigEndian: load(position)) }
    func half(at position: Int) -> UInt16 { UInt16(bigEndian: load(position)) }
    func id(at position: Int) -> (UInt64, UInt64, UInt32) { (load(position), load(position + 8), load(position + 16)) }

    func time(at position: Int) -> (seconds: Int32, nanoseconds: UInt32) {
        (Int32(truncatingIfNeeded: word(at: position)), word(at: position + 4))
    }

    /// The first zero from `start` on.
    func zero(from start: Int) throws(GitIndex.Defect) -> Int {
        guard start < end, let place = bytes[start..<end].firstIndex(of: 0) else {
            throw GitIndex.Defect(reason: "it ends too early")
        }
        return place
    }

    /// A number of several bytes, and where it ends. Source: git, `varint.c`.
    func offset(at start: Int) throws(GitIndex.Defect) -> (value: Int, next: Int) {
        var position = start
        var value = 0
        while position < end, value < 1 << 40 {
            let byte = Int(bytes[position])
            position += 1
            value = value << 7 + byte & 0x7F
            if byte & 0x80 == 0 { return (value, position) }
            value += 1
        }
        throw GitIndex.Defect(reason: "it ends too early")
    }

    private func load<T: BitwiseCopyable>(_ position: Int) -> T {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: T.self) }
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
