import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport

/// The throwaway keys of the vectors.
enum TestKeys {
    static let names = [
        "ed25519-alice", "ed25519-bob", "ed25519-carl", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048",
        "rsa-3072",
    ]

    /// What encrypts the vectors, but for those that the index names another for.
    static let passphrase = "test-password"

    static func publicKey(_ name: String) throws -> PublicKey {
        try PublicKey(pem: try Vectors.bytes("keys/\(name).spki.pem"))
    }

    static func privateKey(_ name: String) throws -> PrivateKey { try privateKey(file: "\(name).pkcs8.pem") }

    static func privateKey(file: String, passphrase: String? = nil) throws -> PrivateKey {
        try PrivateKey(
            file: SecretBytes(copying: try Vectors.bytes("keys/\(file)")), passphrase: passphrase.map(secret))
    }

    static func secret(_ text: String) -> SecretBytes { SecretBytes(copying: Array(text.utf8)) }
}

/// The error that `body` throws, or nil.
func keyError(_ body: () throws -> Void) throws -> KeyError? {
    do {
        try body()
        return nil
    } catch let error as KeyError {
        return error
    }
}
