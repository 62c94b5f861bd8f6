public import InTotoMetadata

/// How a key signs. The key alone decides it, never what a signature says; a raw value is what metadata calls it.
///
/// Spec: in-toto v1.0, 4.2, with the names that securesystemslib gave them.
public enum KeyScheme: String, CaseIterable, Sendable {
    case ed25519
    case ecdsaP256 = "ecdsa-sha2-nistp256"
    case ecdsaP384 = "ecdsa-sha2-nistp384"
    case ecdsaP521 = "ecdsa-sha2-nistp521"
    /// PSS, MGF1 with the same hash, a salt as long as the digest.
    case rsaPSS = "rsassa-pss-sha256"

    public var text: Text { Text(rawValue) }

    /// The `keytype` member of a key object.
    public var keyType: Text {
        switch self {
        case .ed25519: "ed25519"
        case .ecdsaP256, .ecdsaP384, .ecdsaP521: "ecdsa"
        case .rsaPSS: "rsa"
        }
    }

    /// The hash of the message that is signed; nil where the scheme takes the message itself.
    var digest: MessageDigest.Algorithm? {
        switch self {
        case .ed25519: nil
        case .ecdsaP256, .rsaPSS: .sha256
        case .ecdsaP384: .sha384
        case .ecdsaP521: .sha512
        }
    }

    /// What OpenSSL calls keys of this scheme.
    var openSSLKeyType: String {
        switch self {
        case .ed25519: "ED25519"
        case .ecdsaP256, .ecdsaP384, .ecdsaP521: "EC"
        case .rsaPSS: "RSA"
        }
    }

    /// What OpenSSL calls the curve of an ECDSA key.
    var openSSLGroup: String? {
        switch self {
        case .ed25519, .rsaPSS: nil
        case .ecdsaP256: "prime256v1"
        case .ecdsaP384: "secp384r1"
        case .ecdsaP521: "secp521r1"
        }
    }
}

extension KeyScheme {
    /// Reads an AlgorithmIdentifier (RFC 5280, 4.1.1.2) and names the reason where it is none of ours.
    init(algorithm identifier: DERReader) throws(KeyError) {
        var fields = identifier
        guard let algorithm = fields.objectIdentifier() else { throw .damaged }
        switch algorithm {
        case .ed25519:
            guard fields.isAtEnd else { throw .damaged }
            self = .ed25519
        case .rsaEncryption:
            guard fields.isAtEnd || (fields.read(.null) != nil && fields.isAtEnd) else { throw .damaged }
            self = .rsaPSS
        case .ecPublicKey: try self.init(curve: fields)
        case .rsaPSS: throw .restrictedToPSS
        default: throw .unsupportedAlgorithm(algorithm.name)
        }
    }

    /// Reads ECParameters (RFC 5480, 2.1.1): only named curves, since explicit parameters may describe a weakened one.
    init(curve parameters: DERReader) throws(KeyError) {
        var parameters = parameters
        guard parameters.nextTag != .sequence else { throw .explicitCurve }
        guard let curve = parameters.objectIdentifier(), parameters.isAtEnd else { throw .damaged }
        switch curve {
        case .p256: self = .ecdsaP256
        case .p384: self = .ecdsaP384
        case .p521: self = .ecdsaP521
        default: throw .unsupportedCurve(curve.name)
        }
    }
}
