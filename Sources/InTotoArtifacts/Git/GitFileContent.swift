import InTotoCrypto
import InTotoMetadata

/// Whether files have the content that the index names, for those of which their status does not tell.
struct GitFileContent: ~Copyable {
    /// What git may have done to a blob when it wrote the file.
    var attributes: GitAttributes
    private(set) var largeFiles = 0
    private(set) var otherLineEndings = 0
    private var blob: MessageDigest
    private var sha256: MessageDigest
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)

    /// Larger files are not tried with other line endings, in bytes.
    private static let textLimit = 64 << 20

    init(_ attributes: GitAttributes) throws(GitError) {
        let sha1 = try Self.digest(.sha1)
        let sha256 = try Self.digest(.sha256)
        self.attributes = attributes
        blob = sha1
        self.sha256 = sha256
    }

    private static func digest(_ algorithm: MessageDigest.Algorithm) throws(GitError) -> MessageDigest {
        do throws(CryptoError) { return try MessageDigest(algorithm) } catch { throw .unsupported("\(error)") }
    }

    /// False where it cannot be read, too.
    mutating func isSame(
        _ entry: GitIndex.Entry, _ name: ArraySlice<UInt8>, _ file: FileStatus, in directory: Int32,
        _ objects: borrowing GitObjects, _ watch: GitWatch?
    ) -> Bool {
        do {
            if file.kind == .symbolicLink {
                let target = try SystemCalls.linkTarget(name, in: directory)
                return entry.hasID(try blobID(of: target))
            }
            let descriptor = try SystemCalls.openFile(name, in: directory)
            let size = try SystemCalls.status(descriptor.number).size
            try blob.update(Array("blob \(size)\0".utf8))
            let hasCarriageReturn = try hash(descriptor.number, isPointer: false, watch)
            if entry.hasID(try blob.finish()) { return true }
            if try isLargeFile(entry, descriptor.number, size, objects, watch) {
                largeFiles += 1
                return true
            }
            if attributes.convertLineEndings, hasCarriageReturn, size <= Self.textLimit,
                entry.hasID(try blobID(of: withLineFeeds(SystemCalls.prefix(of: descriptor.number, length: Int(size)))))
            {
                otherLineEndings += 1
                return true
            }
            return false
        } catch { return false }
    }

    private mutating func blobID(of content: [UInt8]) throws(CryptoError) -> [UInt8] {
        try blob.update(Array("blob \(content.count)\0".utf8) + content)
        return try blob.finish()
    }

    /// Feeds one of the digests; whether there was a carriage return.
    private mutating func hash(_ descriptor: Int32, isPointer: Bool, _ watch: GitWatch?) throws -> Bool {
        var offset: Int64 = 0
        var hasCarriageReturn = false
        while true {
            try watch?.check()
            let count = try buffer.withUnsafeMutableBytes { buffer throws(SystemError) in
                try SystemCalls.read(descriptor, into: buffer, at: offset)
            }
            if count == 0 { return hasCarriageReturn }
            offset += Int64(count)
            let chunk = count == buffer.count ? buffer : Array(buffer[..<count])
            if isPointer { try sha256.update(chunk) } else { try blob.update(chunk) }
            hasCarriageReturn = hasCarriageReturn || chunk.contains(UInt8(ascii: "\r"))
        }
    }

    /// Whether the index has a pointer of git LFS that names this very content.
    private mutating func isLargeFile(
        _ entry: GitIndex.Entry, _ descriptor: Int32, _ size: Int64, _ objects: borrowing GitObjects,
        _ watch: GitWatch?
    ) throws -> Bool {
        guard let object = try? objects.read(entry.objectID, limit: LargeFilePointer.limit), object.kind == .blob,
            let pointer = LargeFilePointer(parsing: object.bytes), pointer.size == size
        else { return false }
        _ = try hash(descriptor, isPointer: true, watch)
        return Hex.encode(try sha256.finish()) == pointer.sha256
    }

    private func withLineFeeds(_ content: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(content.count)
        for (index, byte) in content.enumerated() {
            let isEnding =
                byte == UInt8(ascii: "\r") && index + 1 < content.count && content[index + 1] == UInt8(ascii: "\n")
            if !isEnding { result.append(byte) }
        }
        return result
    }
}

/// What git LFS commits in place of a large file. Source: git-lfs, `docs/spec.md`.
struct LargeFilePointer {
    let sha256: Text
    let size: Int64

    /// In bytes.
    static let limit = 1024

    init?(parsing bytes: [UInt8]) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        guard lines.first?.elementsEqual("version https://git-lfs.github.com/spec/v1".utf8) == true else { return nil }
        func value(_ key: String) -> ArraySlice<UInt8>? {
            lines.first { $0.starts(with: key.utf8) }?.dropFirst(key.utf8.count)
        }
        guard let id = value("oid sha256:"), id.count == 64, let digits = value("size "),
            let size = Int64(String(decoding: digits, as: UTF8.self))
        else { return nil }
        sha256 = Text(repairing: id)
        self.size = size
    }
}
