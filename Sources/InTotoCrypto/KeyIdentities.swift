internal import InTotoMetadata

/// Whose key ids to write. They are labels: verifying works with any, ours and other tools' names differ.
public enum KeyIDConvention: String, CaseIterable, Sendable {
    /// in-toto for Python since 3.0.
    case python
    /// in-toto-golang, and Python before 3.0 for the keys that it knew.
    case go
    /// go-witness.
    case witness
}

/// What tools call one public key.
struct KeyIdentities: Sendable {
    let pem: Text
    let publicValue: Text
    let all: [KeyID]
    private let byConvention: [KeyIDConvention: KeyID]

    init(scheme: KeyScheme, _ rsa: RSAScheme, spki: [UInt8]) throws(CryptoError) {
        pem = Self.pem(spki)
        switch scheme {
        case .ed25519: publicValue = Hex.encode(spki.suffix(32))
        case .ecdsaP256, .ecdsaP384, .ecdsaP521, .rsaPSS: publicValue = pem
        }
        let trimmed = scheme == .ed25519 ? publicValue : Text(trusted: pem.utf8.dropLast())
        // Go's loader says P-256 of every curve.
        let goScheme: KeyScheme = scheme.keyType == "ecdsa" ? .ecdsaP256 : scheme

        let python = try Self.hash(Self.object(scheme, rsa, publicValue))
        let go = try Self.hash(Self.object(goScheme, rsa, trimmed, namesHashes: true))
        let witness = try Self.keyID(of: pem.utf8)
        byConvention = [.python: python, .go: go, .witness: witness]
        let legacy = try Self.hash(Self.object(scheme, rsa, trimmed, namesHashes: true))
        var all = [python, go, witness, try Self.keyID(of: spki)]
        if legacy != go { all.append(legacy) }
        self.all = all
    }

    func keyID(_ convention: KeyIDConvention) -> KeyID { byConvention[convention] ?? all[0] }

    /// The key object whose canonical form is hashed. Spec: in-toto v1.0, 4.2.
    private static func object(
        _ scheme: KeyScheme, _ rsa: RSAScheme, _ publicValue: Text, namesHashes: Bool = false
    ) -> JSONValue {
        var object: JSONObject = [
            "keytype": .string(scheme.keyType),
            "keyval": ["public": .string(publicValue)],
            "scheme": .string(scheme.text(rsa)),
        ]
        if namesHashes { object["keyid_hash_algorithms"] = ["sha256", "sha512"] }
        return .object(object)
    }

    private static func hash(_ object: JSONValue) throws(CryptoError) -> KeyID {
        let text: [UInt8]
        do { text = try object.canonicalBytes() } catch {
            throw CryptoError(operation: "compute a key id", reason: error.description)
        }
        return try keyID(of: text)
    }

    private static func keyID(of bytes: [UInt8]) throws(CryptoError) -> KeyID {
        KeyID(Hex.encode(try MessageDigest.digest(.sha256, of: bytes)))
    }

    private static func pem(_ spki: [UInt8]) -> Text {
        let digits = Base64.encode(spki).utf8
        var lines = Array("-----BEGIN PUBLIC KEY-----\n".utf8)
        for start in stride(from: 0, to: digits.count, by: 64) {
            lines += digits[start..<min(start + 64, digits.count)] + [UInt8(ascii: "\n")]
        }
        return Text(trusted: lines + Array("-----END PUBLIC KEY-----\n".utf8))
    }
}
