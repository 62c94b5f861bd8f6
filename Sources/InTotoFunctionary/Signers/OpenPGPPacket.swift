internal import InTotoMetadata

/// A detached OpenPGP signature. Spec: RFC 4880, 5.2.3; the form in metadata is securesystemslib's.
enum OpenPGPPacket {
    /// Reads the one packet that gpg writes.
    static func signature(_ bytes: [UInt8]) throws(SignerError) -> Signature {
        var packet = PacketReader(bytes[...])
        var body = PacketReader(try packet.signaturePacket())
        guard packet.isAtEnd else { throw .unknownOpenPGP("is followed by more") }
        let all = body.rest
        guard try body.byte() == 4 else { throw .unknownOpenPGP("is not of version 4") }
        guard try body.byte() == 0 else { throw .unknownOpenPGP("is not over bytes as they are") }
        let algorithm = try body.byte()
        guard try body.byte() == 8 else { throw .unknownOpenPGP("is not over SHA-256") }
        let hashed = try body.take(try body.number(2))
        let headers = all[..<body.rest.startIndex]
        let unhashed = try body.take(try body.number(2))
        _ = try body.take(2)
        let (inside, outside) = (try fingerprint(hashed), try fingerprint(unhashed))
        guard let fingerprint = inside ?? outside else {
            throw .unknownOpenPGP("does not name its key; GnuPG since 2.1.16 does")
        }
        let value = try value(algorithm, &body)
        guard body.isAtEnd else { throw .unknownOpenPGP("has more at its end than it should") }
        return Signature(
            keyID: KeyID(Hex.encode(fingerprint)), bytes: value, openPGPHeaders: Array(headers))
    }

    /// Of the key that signs: subpacket 33, of version 4 keys.
    private static func fingerprint(_ area: ArraySlice<UInt8>) throws(SignerError) -> ArraySlice<UInt8>? {
        var subpackets = PacketReader(area)
        while !subpackets.isAtEnd {
            let content = try subpackets.take(try subpackets.length())
            guard let type = content.first, type & 0x7F == 33 else { continue }
            guard content.count == 22, content.dropFirst().first == 4 else {
                throw .unknownOpenPGP("is by a key of another version than 4")
            }
            return content.dropFirst(2)
        }
        return nil
    }

    private static func value(_ algorithm: UInt8, _ body: inout PacketReader) throws(SignerError) -> [UInt8] {
        switch algorithm {
        case 1: return Array(try body.integer())
        case 17:
            let (r, s) = (try body.integer(), try body.integer())
            return der(derInteger(r) + derInteger(s), tag: 0x30)
        case 22:
            let halves = [try body.integer(), try body.integer()]
            guard halves.allSatisfy({ $0.count <= 32 }) else { throw .unknownOpenPGP("is not by Ed25519") }
            return halves.flatMap { [UInt8](repeating: 0, count: 32 - $0.count) + $0 }
        default: throw .unknownOpenPGP("is by a key that is neither RSA, DSA nor Ed25519")
        }
    }

    /// DSA's numbers have at most 32 bytes each, so that every length is one byte.
    private static func derInteger(_ digits: ArraySlice<UInt8>) -> [UInt8] {
        der((digits.first ?? 0) >= 0x80 ? [0] + digits : Array(digits), tag: 0x02)
    }

    private static func der(_ content: [UInt8], tag: UInt8) -> [UInt8] { [tag, UInt8(content.count & 0x7F)] + content }
}

/// Steps through packets; every access is checked against the bounds.
private struct PacketReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ count: Int) throws(SignerError) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw .unknownOpenPGP("is cut") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func byte() throws(SignerError) -> UInt8 { try take(1).reduce(0) { $0 | $1 } }

    mutating func number(_ size: Int) throws(SignerError) -> Int { try take(size).reduce(0) { $0 << 8 | Int($1) } }

    /// Spec: RFC 4880, 4.2.
    mutating func signaturePacket() throws(SignerError) -> ArraySlice<UInt8> {
        let header = try byte()
        let isNew = header & 0xC0 == 0xC0
        let tag = isNew ? header & 0x3F : header >> 2 & 0x0F
        guard header & 0x80 != 0, tag == 2, isNew || header & 3 < 3 else {
            throw .unknownOpenPGP("is no signature packet")
        }
        return try take(isNew ? try length() : try number(1 << Int(header & 3)))
    }

    /// Spec: RFC 4880, 4.2.2 and 5.2.3.1.
    mutating func length() throws(SignerError) -> Int {
        let first = Int(try byte())
        switch first {
        case ..<192: return first
        case ..<224: return (first - 192) << 8 + Int(try byte()) + 192
        case 255: return try number(4)
        default: throw .unknownOpenPGP("has a length that we do not know")
        }
    }

    /// A multi-precision integer's digits. Spec: RFC 4880, 3.2.
    mutating func integer() throws(SignerError) -> ArraySlice<UInt8> { try take((try number(2) + 7) / 8) }
}
