private import CSHA256

/// SHA-256 of two streams side by side on one core, in little more than the time of one.
///
/// A lane is fed, `run()` hashes, and a lane that has become idle is fed again or finished, while the other keeps what
/// it still holds: that a lane waits costs nothing, that it runs alone costs half the speed. Nothing is copied but
/// the ends of what was fed where they are no whole blocks.
package struct SHA256Lanes: ~Copyable {
    package enum Lane: CaseIterable, Sendable {
        case first, second
    }

    /// Length of a digest in bytes.
    package static let digestLength = 32

    /// Whether this processor can; where not, `MessageDigest` is the way.
    package static let isAvailable = cs256_available()

    private let held: UnsafeMutableRawBufferPointer
    private var first: SHA256Stream
    private var second: SHA256Stream

    /// Nil where `isAvailable` is false.
    package init?() {
        guard Self.isAvailable else { return nil }
        held = .allocate(byteCount: 2 * SHA256Stream.heldSize, alignment: SHA256Stream.heldSize)
        first = SHA256Stream(holding: .init(rebasing: held[..<SHA256Stream.heldSize]))
        second = SHA256Stream(holding: .init(rebasing: held[SHA256Stream.heldSize...]))
    }

    deinit { held.deallocate() }

    /// Whether the lane waits for its next bytes, or for `finish` after `end`.
    package func isIdle(_ lane: Lane) -> Bool { self[lane].isIdle }

    /// Gives an idle lane its next bytes, which must stay as they are until it is idle again.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer, to lane: Lane) { self[lane].feed(bytes) }

    /// Says that the stream ends with what was fed so far; may be said before that is hashed.
    package mutating func end(_ lane: Lane) { self[lane].end() }

    /// Hashes until a lane is idle that was not; where one was idle already, all that the other holds.
    package mutating func run() {
        if first.isIdle { return second.runAlone() }
        if second.isIdle { return first.runAlone() }
        while let a = first.next, let b = second.next {
            let count = min(a.count, b.count)
            cs256_compress2(&first.state, a.start, &second.state, b.start, count)
            first.consume(count)
            second.consume(count)
        }
    }

    /// Writes the digest of a stream that has ended and been hashed, and readies the lane for another stream.
    package mutating func finish(_ lane: Lane, into digest: UnsafeMutableRawBufferPointer) {
        self[lane].finish(into: digest)
    }

    /// Forgets a stream, hashed to its end or not, and readies the lane for another.
    package mutating func restart(_ lane: Lane) { self[lane].restart() }

    private subscript(lane: Lane) -> SHA256Stream {
        get {
            switch lane {
            case .first: first
            case .second: second
            }
        }
        set {
            switch lane {
            case .first: first = newValue
            case .second: second = newValue
            }
        }
    }
}

/// One stream: what of it is hashed, and the blocks that are still to be.
///
/// These are, in order, the block in `held` that a former end and a new beginning make, the blocks in `fed`, and, again
/// in `held`, the last bytes with their padding.
private struct SHA256Stream {
    /// The last bytes and their padding take two blocks at most.
    static let heldSize = 2 * blockSize

    private enum Phase {
        case open, ending, padded
    }

    var state = cs256_state()
    /// The first `heldCount` bytes are in use: less than a block waiting for more, or whole blocks.
    private let held: UnsafeMutableRawBufferPointer
    private var heldCount = 0
    private var fed = UnsafeRawBufferPointer(start: nil, count: 0)
    private var phase = Phase.open
    /// Length of the stream so far, in bytes.
    private var length: UInt64 = 0

    init(holding held: UnsafeMutableRawBufferPointer) {
        self.held = held
        cs256_init(&state)
    }

    var isIdle: Bool { heldCount < blockSize && fed.isEmpty }

    /// The next blocks that lie together, and how many they are; nil where the lane is idle.
    var next: (start: UnsafeRawPointer, count: Int)? {
        let source = heldCount >= blockSize ? UnsafeRawBufferPointer(rebasing: held[..<heldCount]) : fed
        guard let start = source.baseAddress, source.count >= blockSize else { return nil }
        return (start, source.count / blockSize)
    }

    mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        precondition(isIdle && phase == .open, "a lane is fed when it is idle and its stream has not ended")
        length += UInt64(bytes.count)
        fed = bytes
        if heldCount > 0 { hold(min(blockSize - heldCount, fed.count)) }
        settle()
    }

    mutating func end() {
        precondition(phase == .open, "a stream ends once")
        phase = .ending
        settle()
    }

    /// Takes `count` of the blocks that `next` told as hashed.
    mutating func consume(_ count: Int) {
        let size = count * blockSize
        if heldCount >= blockSize {
            // The block of a seam goes whole; of the padded end, the other lane may leave the second block behind.
            heldCount -= size
            if heldCount > 0 { held.copyMemory(from: .init(rebasing: held[size..<size + heldCount])) }
        } else {
            fed = .init(rebasing: fed[size...])
        }
        settle()
    }

    mutating func runAlone() {
        while let next {
            cs256_compress(&state, next.start, next.count)
            consume(next.count)
        }
    }

    mutating func finish(into digest: UnsafeMutableRawBufferPointer) {
        precondition(phase == .padded && isIdle, "a digest is there when the stream has ended and was hashed")
        precondition(digest.count == SHA256Lanes.digestLength, "a digest fills its buffer")
        withUnsafeBytes(of: state) { words in
            for offset in stride(from: 0, to: digest.count, by: 4) {
                let word = words.load(fromByteOffset: offset, as: UInt32.self)
                digest.storeBytes(of: word.bigEndian, toByteOffset: offset, as: UInt32.self)
            }
        }
        restart()
    }

    mutating func restart() {
        cs256_init(&state)
        heldCount = 0
        fed = .init(start: nil, count: 0)
        phase = .open
        length = 0
    }

    /// Once whole blocks are gone: holds the rest of what was fed, and pads it where the stream ends there.
    private mutating func settle() {
        guard heldCount < blockSize, fed.count < blockSize else { return }
        hold(fed.count)
        if phase == .ending { pad() }
    }

    private mutating func hold(_ count: Int) {
        guard count > 0 else { return }
        UnsafeMutableRawBufferPointer(rebasing: held[heldCount...]).copyMemory(from: .init(rebasing: fed[..<count]))
        heldCount += count
        fed = .init(rebasing: fed[count...])
    }

    /// FIPS 180-4, 5.1.1: a one bit, zeros, and the length in bits, to the end of a block.
    private mutating func pad() {
        let end = heldCount + 9 <= blockSize ? blockSize : 2 * blockSize
        held[heldCount] = 0x80
        for index in heldCount + 1..<end - 8 { held[index] = 0 }
        held.storeBytes(of: (length * 8).bigEndian, toByteOffset: end - 8, as: UInt64.self)
        heldCount = end
        phase = .padded
    }
}

/// In bytes.
private let blockSize = Int(CS256_BLOCK)
