import InTotoCrypto
import Testing

/// SHA-256 in two lanes against NIST's vectors and OpenSSL.
///
/// Where the processor lacks the instructions all is skipped but the first test.
@Suite struct SHA256LanesTests {
    static let isAvailable = SHA256Lanes.isAvailable

    private struct Unavailable: Error {}

    private static func lanes() throws -> SHA256Lanes {
        guard let lanes = SHA256Lanes() else { throw Unavailable() }
        return lanes
    }

    @Test func `there are lanes exactly where the processor has the instructions`() {
        let areThere = if SHA256Lanes() != nil { true } else { false }
        #expect(areThere == Self.isAvailable)
    }

    /// FIPS 180-2, appendix B, and NIST's further examples.
    static let examples: [(message: String, digest: String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    @Test(
        "gives NIST's digests in either lane", .enabled(if: isAvailable), arguments: examples.indices,
        SHA256Lanes.Lane.allCases)
    func eitherLane(index: Int, lane: SHA256Lanes.Lane) throws {
        let (message, digest) = Self.examples[index]
        var lanes = try Self.lanes()
        let found = lanes.digest(of: Array(message.utf8), in: lane)
        #expect(hex(found) == digest)
    }

    @Test("gives NIST's digests in both lanes at once", .enabled(if: isAvailable), arguments: examples.indices)
    func bothLanes(index: Int) throws {
        for other in Self.examples {
            let pair = [Self.examples[index], other]
            var lanes = try Self.lanes()
            let digests = lanes.digests(Message(Array(pair[0].message.utf8)), Message(Array(pair[1].message.utf8)))
            #expect(digests.map(hex) == pair.map(\.digest))
        }
    }

    @Test(.enabled(if: isAvailable))
    func `agrees with OpenSSL on every length to 300 at every misalignment`() throws {
        var random = SplitMix(seed: 1)
        let bytes = random.bytes(300 + 64)
        var openSSL = try MessageDigest(.sha256)
        var lanes = try Self.lanes()
        for length in 0...300 {
            for offset in 0..<64 {
                let message = Message(Array(bytes[offset..<offset + length]), misalignedBy: offset)
                let other = Message(Array(bytes[..<random.below(300)]), misalignedBy: random.below(64))
                let digests = lanes.digests(message, other)
                try openSSL.update(message.bytes)
                var expected = [try openSSL.finish()]
                try openSSL.update(other.bytes)
                expected.append(try openSSL.finish())
                // No expectation each: there are 19,264, and they would cost more than the hashing.
                if digests != expected { Issue.record("length \(length), offset \(offset)") }
            }
        }
    }

    @Test(.enabled(if: isAvailable))
    func `agrees with OpenSSL whatever the lengths and the chunks of either lane`() throws {
        var random = SplitMix(seed: 2)
        let pool = random.bytes(200_000)
        var openSSL = try MessageDigest(.sha256)
        var lanes = try Self.lanes()
        for round in 0..<400 {
            let limit = [100, 1000, 20_000, 200_000][round % 4]
            let pair = (0..<2).map { _ in
                let start = random.below(pool.count - limit + 1)
                let bytes = Array(pool[start..<start + random.below(limit)])
                let sizes = random.chunks(of: bytes.count)
                return Message(
                    bytes, inChunksOf: sizes, misalignedBy: random.below(64), endsEarly: random.below(2) == 0
                )
            }
            for (message, digest) in zip(pair, lanes.digests(pair[0], pair[1])) {
                try openSSL.update(message.bytes)
                let expected = try openSSL.finish()
                #expect(digest == expected, "round \(round), \(message.bytes.count) bytes")
            }
        }
    }

    @Test(.enabled(if: isAvailable))
    func `a flipped bit in one lane changes that lane's digest and not the other's`() throws {
        var random = SplitMix(seed: 3)
        let message = random.bytes(200)
        let other = random.bytes(333)
        var lanes = try Self.lanes()
        let before = lanes.digests(Message(message), Message(other))
        for bit in 0..<message.count * 8 {
            var flipped = message
            flipped[bit / 8] ^= 1 << (bit % 8)
            let after = lanes.digests(Message(flipped), Message(other))
            let onlyFirst = after[0] != before[0] && after[1] == before[1]
            if !onlyFirst { Issue.record("bit \(bit)") }
        }
        let swapped = lanes.digests(Message(other), Message(message))
        #expect(swapped == before.reversed())
    }

    @Test("forgets a stream that is given up", .enabled(if: isAvailable), arguments: SHA256Lanes.Lane.allCases)
    func restarts(lane: SHA256Lanes.Lane) throws {
        var random = SplitMix(seed: 4)
        let message = random.bytes(150)
        let expected = try MessageDigest.digest(.sha256, of: message)
        var lanes = try Self.lanes()
        message.withUnsafeBytes { bytes in
            lanes.feed(.init(rebasing: bytes[..<70]), to: lane)
            lanes.run()
            lanes.restart(lane)
            lanes.feed(bytes, to: lane)
            lanes.restart(lane)
            lanes.end(lane)
            lanes.restart(lane)
        }
        let isIdle = lanes.isIdle(lane)
        #expect(isIdle)
        let digest = lanes.digest(of: message, in: lane)
        #expect(digest == expected)
    }

    /// 2^29 bytes are 2^32 bits, where a 32-bit counter of bits starts again at zero.
    @Test(.enabled(if: isAvailable))
    func `counts bits beyond 32 bits`() throws {
        var random = SplitMix(seed: 5)
        let chunk = random.bytes(1 << 20)
        var atBoundary = try MessageDigest(.sha256)
        var beyond = try MessageDigest(.sha256)
        var lanes = try Self.lanes()
        try chunk.withUnsafeBytes { bytes in
            for _ in 0..<512 {
                for lane in SHA256Lanes.Lane.allCases { lanes.feed(bytes, to: lane) }
                lanes.run()
                try atBoundary.update(bytes)
                try beyond.update(bytes)
            }
            let last = UnsafeRawBufferPointer(rebasing: bytes[..<1])
            lanes.feed(last, to: .second)
            try beyond.update(last)
        }
        for lane in SHA256Lanes.Lane.allCases { lanes.end(lane) }
        lanes.run()
        lanes.run()
        let digests = [lanes.finish(.first), lanes.finish(.second)]
        let expected = [try atBoundary.finish(), try beyond.finish()]
        #expect(digests == expected)
    }
}

/// What one lane is given, and how.
private final class Message {
    let bytes: [UInt8]
    let chunks: [UnsafeRawBufferPointer]
    /// Whether the lane hears of the end with the last chunk, or after that was hashed.
    let endsEarly: Bool
    private let memory: UnsafeMutableRawBufferPointer

    /// Sizes that leave something over leave it to a last chunk.
    init(_ bytes: [UInt8], inChunksOf sizes: [Int] = [], misalignedBy offset: Int = 0, endsEarly: Bool = true) {
        self.bytes = bytes
        self.endsEarly = endsEarly
        memory = .allocate(byteCount: offset + bytes.count, alignment: 64)
        let content = UnsafeMutableRawBufferPointer(rebasing: memory[offset...])
        content.copyBytes(from: bytes)
        var rest = UnsafeRawBufferPointer(content)
        chunks = (sizes + [bytes.count]).map { size in
            let chunk = UnsafeRawBufferPointer(rebasing: rest.prefix(size))
            rest = .init(rebasing: rest.dropFirst(size))
            return chunk
        }
    }

    deinit { memory.deallocate() }
}

extension SHA256Lanes {
    fileprivate mutating func digests(_ first: Message, _ second: Message) -> [[UInt8]] {
        let messages = [first, second]
        var digests: [[UInt8]] = [[], []]
        var fed = [0, 0]
        while digests.contains([]) {
            for (index, lane) in Lane.allCases.enumerated() where isIdle(lane) && digests[index].isEmpty {
                let message = messages[index]
                let count = message.chunks.count
                let end = message.endsEarly ? count : count + 1
                switch fed[index] {
                case ..<count: feed(message.chunks[fed[index]], to: lane)
                case end: digests[index] = finish(lane)
                default: break
                }
                fed[index] += 1
                if fed[index] == end { self.end(lane) }
            }
            run()
        }
        return digests
    }

    fileprivate mutating func digest(of bytes: [UInt8], in lane: Lane) -> [UInt8] {
        bytes.withUnsafeBytes {
            feed($0, to: lane)
            end(lane)
            run()
        }
        return finish(lane)
    }

    fileprivate mutating func finish(_ lane: Lane) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Self.digestLength)
        digest.withUnsafeMutableBytes { finish(lane, into: $0) }
        return digest
    }
}

private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// A generator whose every run is the same.
private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

    /// Sizes from nothing to all; many are small, some are of whole blocks.
    mutating func chunks(of count: Int) -> [Int] {
        var sizes: [Int] = []
        while sizes.reduce(0, +) < count, sizes.count < 50 {
            sizes.append([below(3), below(64), 64 * below(20), below(200), below(count + 1)][below(5)])
        }
        return sizes
    }
}
