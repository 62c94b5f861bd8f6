/// An ASN.1 object identifier, as its DER content.
struct ObjectIdentifier: Hashable, Sendable {
    let content: [UInt8]

    init(content: some Sequence<UInt8>) { self.content = Array(content) }

    private init(_ first: Int, _ second: Int, _ rest: Int...) {
        var content: [UInt8] = []
        for arc in [first * 40 + second] + rest {
            var groups = [UInt8(arc & 0x7F)]
            var remaining = arc >> 7
            while remaining > 0 {
                groups.append(UInt8(remaining & 0x7F) | 0x80)
                remaining >>= 7
            }
            content += groups.reversed()
        }
        self.content = content
    }

    // Keys
    static let ed25519 = Self(1, 3, 101, 112)
    static let rsaEncryption = Self(1, 2, 840, 113549, 1, 1, 1)
    static let rsaPSS = Self(1, 2, 840, 113549, 1, 1, 10)
    static let ecPublicKey = Self(1, 2, 840, 10045, 2, 1)

    // Curves
    static let p256 = Self(1, 2, 840, 10045, 3, 1, 7)
    static let p384 = Self(1, 3, 132, 0, 34)
    static let p521 = Self(1, 3, 132, 0, 35)

    // Encryption of private keys
    static let pbes2 = Self(1, 2, 840, 113549, 1, 5, 13)
    static let pbkdf2 = Self(1, 2, 840, 113549, 1, 5, 12)
    static let scrypt = Self(1, 3, 6, 1, 4, 1, 11591, 4, 11)
    static let pbeSHA1And3DES = Self(1, 2, 840, 113549, 1, 12, 1, 3)

    /// What people call it, or its numbers.
    var name: String { Self.refusedNames[self] ?? numbers }

    /// What we refuse but can name.
    private static let refusedNames: [Self: String] = [
        Self(1, 3, 101, 110): "X25519", Self(1, 3, 101, 111): "X448", Self(1, 3, 101, 113): "Ed448",
        Self(1, 2, 840, 10040, 4, 1): "DSA", Self(1, 2, 840, 113549, 1, 3, 1): "Diffie-Hellman",
        Self(1, 3, 132, 0, 10): "secp256k1", Self(1, 3, 36, 3, 3, 2, 8, 1, 1, 7): "brainpoolP256r1",
        Self(1, 3, 132, 0, 33): "P-224", Self(1, 2, 840, 10045, 3, 1, 1): "P-192",
    ]

    private var numbers: String {
        var arcs: [UInt] = []
        var arc: UInt = 0
        for byte in content {
            guard arc < 1 << 50 else { return "of an unreadable number" }
            arc = arc << 7 | UInt(byte & 0x7F)
            if byte & 0x80 == 0 {
                arcs.append(arc)
                arc = 0
            }
        }
        guard let first = arcs.first else { return "without a number" }
        let root = min(first / 40, 2)
        return ([root, first - root * 40] + arcs.dropFirst()).map { String($0) }.joined(separator: ".")
    }
}
