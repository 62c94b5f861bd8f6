import InTotoCrypto
import InTotoMetadata

/// One algorithm's computation; a class so that several fit in an array.
final class RunningDigest {
    private var digest: MessageDigest
    private let isBlob: Bool

    init(_ algorithm: DigestAlgorithm) throws(CryptoError) {
        isBlob = algorithm == .gitBlob
        digest = try MessageDigest(Self.function(of: algorithm) ?? .sha256)
    }

    /// Nil for what a file cannot be hashed with here.
    static func function(of algorithm: DigestAlgorithm) -> MessageDigest.Algorithm? {
        switch algorithm {
        case .sha256: .sha256
        case .sha384: .sha384
        case .sha512: .sha512
        case .gitBlob: .sha1
        default: nil
        }
    }

    /// Digits of the digest in hexadecimal.
    static func hexLength(of algorithm: DigestAlgorithm) -> Int {
        switch function(of: algorithm) {
        case .sha1: 40
        case .sha256: 64
        case .sha384: 96
        case .sha512: 128
        case nil: 0
        }
    }

    /// Whether the size must be known before the content.
    var needsSize: Bool { isBlob }

    func begin(size: UInt64) throws(CryptoError) {
        if isBlob { try digest.update(Array("blob \(size)\0".utf8)) }
    }

    func update(_ bytes: UnsafeRawBufferPointer) throws(CryptoError) { try digest.update(bytes) }

    func update(_ bytes: [UInt8]) throws(CryptoError) { try digest.update(bytes) }

    func finish() throws(CryptoError) -> [UInt8] { try digest.finish() }
}
