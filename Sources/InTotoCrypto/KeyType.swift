private import COpenSSL

/// The kinds of keys that we make; a raw value is what the user types.
public enum KeyType: String, CaseIterable, Sendable {
    case ed25519
    case ecdsaP256 = "ecdsa-p256"
    case ecdsaP384 = "ecdsa-p384"
    case ecdsaP521 = "ecdsa-p521"
    /// 3072 bits, exponent 65537.
    case rsa

    public var scheme: KeyScheme {
        switch self {
        case .ed25519: .ed25519
        case .ecdsaP256: .ecdsaP256
        case .ecdsaP384: .ecdsaP384
        case .ecdsaP521: .ecdsaP521
        case .rsa: .rsaPSS
        }
    }
}

extension PrivateKey {
    /// Makes a new key, from OpenSSL's generator of random numbers.
    public static func generate(_ type: KeyType) throws(KeyError) -> PrivateKey {
        guard SecureHeap.isReady else { throw .noMemory }
        let handle: KeyHandle
        do { handle = try generateHandle(type.scheme) } catch { throw .crypto(error) }
        return try PrivateKey(handle, type.scheme)
    }

    private static func generateHandle(_ scheme: KeyScheme) throws(CryptoError) -> KeyHandle {
        guard let context = EVP_PKEY_CTX_new_from_name(nil, scheme.openSSLKeyType, nil) else {
            throw .fromErrorQueue("start making a key")
        }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_keygen_init(context) == 1 else { throw .fromErrorQueue("start making a key") }
        if let group = scheme.openSSLGroup, EVP_PKEY_CTX_set_group_name(context, group) != 1 {
            throw .fromErrorQueue("choose a curve")
        }
        if scheme == .rsaPSS, EVP_PKEY_CTX_set_rsa_keygen_bits(context, 3072) != 1 {
            throw .fromErrorQueue("choose a key size")
        }
        var key: OpaquePointer?
        guard EVP_PKEY_generate(context, &key) == 1 else { throw .fromErrorQueue("make a key") }
        return try KeyHandle(key, "make a key")
    }
}

/// OpenSSL's own locked memory, in which it keeps private numbers.
enum SecureHeap {
    /// Called before any private key is made or read. Where memory cannot be locked, OpenSSL goes on without.
    static let isReady: Bool = OpenSSL.isReady && CRYPTO_secure_malloc_init(1 << 20, 32) != 0
}
