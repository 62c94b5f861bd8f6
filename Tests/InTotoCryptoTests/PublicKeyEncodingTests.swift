import Foundation
import InTotoMetadata
import TestSupport
import Testing

@testable import InTotoCrypto

/// Encodings of public keys that are nearly right. Spec: RFC 5280, 4.1 (SubjectPublicKeyInfo); RFC 8410; RFC 8017, A.1.1.
@Suite struct PublicKeyEncodingTests {
    private func refusal(spki: [UInt8]) throws -> KeyError? { try keyError { _ = try PublicKey(spki: spki) } }

    private func refusal(pem label: String, _ der: [UInt8]) throws -> KeyError? {
        let text = "-----BEGIN \(label)-----\n\(Data(der).base64EncodedString())\n-----END \(label)-----\n"
        return try keyError { _ = try PublicKey(file: Array(text.utf8)) }
    }

    private func ed25519(_ key: [UInt8], after: [UInt8] = []) -> [UInt8] {
        let content = [0x30, 5, 0x06, 3, 0x2B, 0x65, 0x70, 0x03, UInt8(key.count + 1), 0] + key + after
        return [0x30, UInt8(content.count)] + content
    }

    @Test func `nothing may follow in a key's structure, nor behind it`() throws {
        let key = [UInt8](repeating: 9, count: 32)
        #expect(try refusal(spki: ed25519(key)) == nil)
        #expect(try refusal(spki: ed25519(key, after: [0x05, 0])) == .damaged)
        #expect(try refusal(spki: ed25519(key) + [0]) == .damaged)
        let rsa = try TestKeys.publicKey("rsa-3072")
        let pkcs1 = Array(try #require(DERBits.content(of: rsa.spki)))
        #expect(try refusal(pem: "RSA PUBLIC KEY", pkcs1) == nil)
        #expect(try refusal(pem: "RSA PUBLIC KEY", pkcs1 + [0]) == .damaged)
    }

    @Test(arguments: [0, 31, 33]) func `an Ed25519 key has 32 bytes`(count: Int) throws {
        #expect(try refusal(spki: ed25519([UInt8](repeating: 9, count: count))) == .damaged)
    }

    /// The prime is 2^255 - 19: 0xED, thirty times 0xFF, 0x7F.
    @Test(arguments: [
        (0xEC, 0xFF, 0x3F, true), (0xED, 0xFF, 0x7F, false), (0xFF, 0xFF, 0x7F, false), (0xFF, 0xFF, 0xFF, false),
        (0xFF, 0xFF, 0x3F, true), (0xFF, 0x00, 0x7F, true), (0xFF, 0xFE, 0x7F, true),
    ])
    func `a number that is not below the prime is no key, and its neighbours are`(
        first: UInt8, between: UInt8, last: UInt8, isKey: Bool
    ) throws {
        let key = [first] + [UInt8](repeating: between, count: 30) + [last]
        #expect(try refusal(spki: ed25519(key)) == (isKey ? nil : .badPoint))
    }

    @Test func `what is too large, and PEM of something else, is refused as that`() throws {
        #expect(try refusal(spki: [UInt8](repeating: 0, count: (64 << 10) + 1)) == .tooLarge(limit: 64 << 10))
        #expect(try refusal(pem: "X509 CRL", [0x30, 0]) == .unsupportedLabel("X509 CRL"))
    }
}

/// What a SubjectPublicKeyInfo wraps.
private enum DERBits {
    static func content(of spki: [UInt8]) -> [UInt8]? {
        spki.withUnsafeBytes { bytes in
            guard var fields = DERReader.only(.sequence, in: bytes), fields.read(.sequence) != nil,
                let bits = fields.read(.bitString)?.bytes
            else { return nil }
            return Array(bits.dropFirst())
        }
    }
}
