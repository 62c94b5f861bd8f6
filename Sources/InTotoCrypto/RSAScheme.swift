public import InTotoMetadata

/// What a key object may say of how its RSA key signs. We sign with the first only; the others are for checking what
/// other tools have signed. A raw value is what metadata calls it; the names are securesystemslib's.
public enum RSAScheme: String, CaseIterable, Sendable {
    /// PSS, MGF1 with the same hash, a salt as long as the digest.
    case pssSHA256 = "rsassa-pss-sha256"
    case pssSHA384 = "rsassa-pss-sha384"
    case pssSHA512 = "rsassa-pss-sha512"
    /// PKCS#1 v1.5.
    case pkcs1SHA256 = "rsa-pkcs1v15-sha256"
    case pkcs1SHA384 = "rsa-pkcs1v15-sha384"
    case pkcs1SHA512 = "rsa-pkcs1v15-sha512"

    public var text: Text { Text(rawValue) }

    var digest: MessageDigest.Algorithm {
        switch self {
        case .pssSHA256, .pkcs1SHA256: .sha256
        case .pssSHA384, .pkcs1SHA384: .sha384
        case .pssSHA512, .pkcs1SHA512: .sha512
        }
    }

    var isPSS: Bool {
        switch self {
        case .pssSHA256, .pssSHA384, .pssSHA512: true
        case .pkcs1SHA256, .pkcs1SHA384, .pkcs1SHA512: false
        }
    }
}
