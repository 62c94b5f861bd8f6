import InTotoMetadata

/// The extension `TREE` of an index, in which git notes which trees its entries make up. Source: git,
/// `gitformat-index(5)`, "Cache tree".
enum GitCacheTree {
    /// The tree of all `count` entries of an index; nil where it names none, as after `git add`, or has another version
    /// than 2 or 3.
    static func root(in index: [UInt8], count: Int) -> GitObjectID? {
        index.withUnsafeBytes { root(in: Reader(bytes: $0, end: index.count - checksumLength), count) }
    }

    private static let checksumLength = 20

    private static func root(in reader: Reader, _ count: Int) -> GitObjectID? {
        guard reader.word(at: 0) == UInt32(bigEndianText: "DIRC"), let version = reader.word(at: 4), 2...3 ~= version,
            reader.word(at: 8) == UInt32(exactly: count), var position = reader.endOfEntries(count, version)
        else { return nil }
        while let signature = reader.word(at: position), let length = reader.word(at: position + 4) {
            position += 8
            guard position + Int(length) <= reader.end else { return nil }
            if signature == UInt32(bigEndianText: "TREE") {
                let content = Array(reader.bytes[position..<position + Int(length)])
                return root(of: content, count)
            }
            position += Int(length)
        }
        return nil
    }

    /// The first node is that of the whole: an empty path, how many entries it has, how many nodes follow, and its id.
    private static func root(of content: [UInt8], _ count: Int) -> GitObjectID? {
        guard content.starts(with: Array("\0\(count) ".utf8)), let line = content.firstIndex(of: 0x0A),
            content.count >= line + 21
        else { return nil }
        return GitObjectID(raw: content[(line + 1)...(line + 20)])
    }
}

private struct Reader {
    let bytes: UnsafeRawBufferPointer
    /// Where the checksum begins.
    let end: Int

    /// Nil past the end.
    func word(at position: Int) -> UInt32? {
        guard position + 4 <= end else { return nil }
        return UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
    }

    func endOfEntries(_ count: Int, _ version: UInt32) -> Int? {
        var position = 12
        for _ in 0..<count {
            guard position + 64 <= end else { return nil }
            let flags = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: position + 60, as: UInt16.self))
            let isExtended = flags & 0x4000 != 0
            if isExtended, version < 3 { return nil }
            let start = isExtended ? 64 : 62
            var length = Int(flags & 0x0FFF)
            if length == 0x0FFF {
                while position + start + length < end, bytes[position + start + length] != 0 { length += 1 }
            }
            // One to eight zeros follow a path, up to a multiple of eight.
            position += (start + length + 8) & ~7
        }
        return position
    }
}

extension UInt32 {
    fileprivate init(bigEndianText text: StaticString) {
        self = text.withUTF8Buffer { $0.reduce(0) { $0 << 8 | UInt32($1) } }
    }
}
