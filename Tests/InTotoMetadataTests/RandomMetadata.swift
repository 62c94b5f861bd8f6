import InTotoMetadata
import TestSupport

/// SplitMix64: the same values in every run, so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

extension SeededGenerator {
    /// Any scalars, with a bias towards those that break things.
    mutating func text(maximumLength: Int = 12) -> Text {
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...maximumLength, using: &self) { scalars.append(scalar()) }
        return Text(String(scalars))
    }

    private mutating func scalar() -> Unicode.Scalar {
        let range: ClosedRange<UInt32> =
            switch Int.random(in: 0..<6, using: &self) {
            case 0: 0...0x1F
            case 1: 0x20...0x7F
            case 2: 0x80...0x7FF
            case 3: 0x200B...0x202E
            case 4: 0xE000...0xFFFF
            default: 0x1_0000...0x10_FFFF
            }
        return Unicode.Scalar(UInt32.random(in: range, using: &self)) ?? "?"
    }

    /// A document whose objects are in byte order of their names, as the writer writes them.
    mutating func document(depth: Int = 4) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &self) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &self))
        case 2: return .integer(Int64(bitPattern: next()) >> Int64.random(in: 0..<64, using: &self))
        case 3:
            return .number(
                ["-0", "1.0", "1e3", "-2.5E-7", "123456789012345678901234567890"].randomElement(using: &self) ?? "0.0")
        case 4: return .string(text())
        case 5: return .array((0..<Int.random(in: 0...5, using: &self)).map { _ in document(depth: depth - 1) })
        default: return .object(object(depth: depth - 1))
        }
    }

    mutating func object(depth: Int) -> JSONObject {
        let names = Set((0..<Int.random(in: 0...20, using: &self)).map { _ in text(maximumLength: 6) }).sorted()
        var object = JSONObject()
        for name in names { object[name] = document(depth: depth) }
        return object
    }

    mutating func bytes(count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) } }

    mutating func digests() -> DigestSet {
        var digests = DigestSet(.sha256, Hex.encode(bytes(count: 32)))
        if Bool.random(using: &self) { digests[.sha512] = Hex.encode(bytes(count: 64)) }
        if Bool.random(using: &self) { digests[DigestAlgorithm(text(maximumLength: 4))] = text() }
        return digests
    }

    /// Distinct names from `names` and from chance.
    mutating func artifacts(count: Int, names: [Text]) throws -> ArtifactSet {
        var chosen: Set<Text> = []
        for _ in 0..<count {
            chosen.insert(Bool.random(using: &self) ? text() : names.randomElement(using: &self) ?? text())
        }
        return try ArtifactSet(chosen.map { Artifact(name: ArtifactName($0), digests: digests()) })
    }

    /// A byte replaced, removed, added, or one bit flipped.
    mutating func mutation(of bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let index = Int.random(in: 0..<bytes.count, using: &self)
        let byte = UInt8.random(in: 0...255, using: &self)
        switch Int.random(in: 0..<4, using: &self) {
        case 0: bytes[index] = byte
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(byte, at: index)
        default: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &self)
        }
        return bytes
    }
}

/// Strings that break programs. Source: the Big List of Naughty Strings.
func naughtyStrings() throws -> [Text] {
    let strings = try Vectors.json("third-party/naughty-strings/blns.json") as? [String] ?? []
    return strings.map { Text($0) }
}

func json(_ text: String) throws(JSONError) -> JSONValue { try JSONReader.read(Array(text.utf8)) }
