internal import InTotoCrypto
public import InTotoMetadata

/// What is kept of one output stream. Where secrets were replaced in it, everything here is that of the redacted
/// stream: a digest of the raw bytes would let a short secret be guessed.
public struct RecordedStream: Sendable {
    /// The first bytes; everything where `omitted` is 0.
    public var head: [UInt8]
    /// The last bytes, where something before them was dropped.
    public var tail: [UInt8]
    /// Bytes of the whole stream.
    public var length: Int
    /// SHA-256 of the whole stream, as 64 hexadecimal digits.
    public var sha256: Text
    /// How many secrets were replaced.
    public var redactions: Int

    /// Bytes between head and tail that are not kept.
    public var omitted: Int { length - head.count - tail.count }
}

/// A stream being recorded, in bounded memory.
struct StreamRecording: ~Copyable {
    private var digest: MessageDigest
    private var failure: CryptoError?
    private let limits: RecordingLimits
    private var head: [UInt8] = []
    private var tail: [UInt8] = []
    private var length = 0

    init(_ limits: RecordingLimits) throws(CryptoError) {
        self.limits = limits
        digest = try MessageDigest(.sha256)
    }

    mutating func append(_ bytes: ArraySlice<UInt8>) {
        length += bytes.count
        bytes.withUnsafeBytes { buffer in
            do throws(CryptoError) { try digest.update(buffer) } catch { failure = failure ?? error }
        }
        let cut = bytes.startIndex + min(bytes.count, limits.head - head.count)
        head += bytes[..<cut]
        // By index: `suffix` in a sum is that of any sequence, which takes each byte singly and doubles the whole cost.
        tail += bytes[max(cut, bytes.endIndex - limits.tail)...]
        // Twice what is kept, so that moving the end to the front is rare.
        if tail.count > 2 * limits.tail { tail.removeFirst(tail.count - limits.tail) }
    }

    mutating func finish(redactions: Int) throws(CryptoError) -> RecordedStream {
        if let failure { throw failure }
        if length <= limits.head + limits.tail {
            head += tail
            tail = []
        } else {
            tail.removeFirst(max(0, tail.count - limits.tail))
            cutBetweenCharacters()
        }
        return RecordedStream(
            head: head, tail: tail, length: length, sha256: Hex.encode(try digest.finish()),
            redactions: redactions)
    }

    /// Gives up to three bytes on either side of the cut, so that it splits no UTF-8 sequence.
    private mutating func cutBetweenCharacters() {
        let lead = head.suffix(4).lastIndex { $0 & 0xC0 != 0x80 } ?? head.endIndex
        if lead < head.endIndex, head[lead] >= 0xC0, !UTF8Validation.isValid(head[lead...]) {
            head.removeSubrange(lead...)
        }
        tail.removeFirst(tail.prefix(3).prefix { $0 & 0xC0 == 0x80 }.count)
    }
}
