private import COpenSSL

/// A digest computation in progress; used again and again, since making one costs more than hashing a small file.
public struct MessageDigest: ~Copyable {
    public enum Algorithm: Sendable {
        case sha1, sha256, sha384, sha512

        /// What OpenSSL calls it.
        var name: String {
            switch self {
            case .sha1: "SHA1"
            case .sha256: "SHA256"
            case .sha384: "SHA384"
            case .sha512: "SHA512"
            }
        }
    }

    private let context: OpaquePointer
    /// Length of the digest in bytes.
    public let length: Int

    /// Starts a computation.
    public init(_ algorithm: Algorithm) throws(CryptoError) {
        guard OpenSSL.isReady, let digest = EVP_MD_fetch(nil, algorithm.name, nil) else {
            throw .fromErrorQueue("find \(algorithm.name)")
        }
        defer { EVP_MD_free(digest) }
        guard let context = EVP_MD_CTX_new() else { throw .fromErrorQueue("allocate a digest") }
        guard EVP_DigestInit_ex2(context, digest, nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw .fromErrorQueue("start \(algorithm.name)")
        }
        self.context = context
        length = Int(EVP_MD_get_size(digest))
    }

    deinit { EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) throws(CryptoError) {
        guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
            throw .fromErrorQueue("continue a digest")
        }
    }

    public mutating func update(_ bytes: [UInt8]) throws(CryptoError) {
        let status = bytes.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        guard status == 1 else { throw .fromErrorQueue("continue a digest") }
    }

    /// Ends the computation, returns its `length` bytes, and starts the next one.
    public mutating func finish() throws(CryptoError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: length)
        guard EVP_DigestFinal_ex(context, &digest, nil) == 1, EVP_DigestInit_ex2(context, nil, nil) == 1 else {
            throw .fromErrorQueue("finish a digest")
        }
        return digest
    }

    /// The digest of `bytes`.
    public static func digest(_ algorithm: Algorithm, of bytes: [UInt8]) throws(CryptoError) -> [UInt8] {
        var digest = try MessageDigest(algorithm)
        try digest.update(bytes)
        return try digest.finish()
    }
}
