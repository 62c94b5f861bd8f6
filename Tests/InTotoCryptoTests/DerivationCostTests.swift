import Foundation
import InTotoCrypto
import TestSupport
import Testing

/// Hostile parameters of encrypted keys; each is refused before anything is derived.
@Suite struct DerivationCostTests {
    static let pbes2: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0D]
    static let pbkdf2: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0C]
    static let scrypt: [UInt8] = [0x2B, 0x06, 0x01, 0x04, 0x01, 0xDA, 0x47, 0x04, 0x0B]
    static let aes256: [UInt8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2A]
    static let md5AndDES: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x03]
    static let sha1And3DES: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x0C, 0x01, 0x03]

    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        let length: [UInt8] =
            switch count {
            case ..<0x80: [UInt8(count)]
            case ..<0x100: [0x81, UInt8(count)]
            default: [0x82, UInt8(count >> 8), UInt8(count & 0xFF)]
            }
        return [tag] + length + content
    }

    static func sequence(_ elements: [UInt8]...) -> [UInt8] { element(0x30, Array(elements.joined())) }

    static func integer(_ value: Int) -> [UInt8] {
        var bytes = (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
        while bytes.count > 1, bytes[0] == 0, bytes[1] < 0x80 { bytes.removeFirst() }
        return element(0x02, bytes)
    }

    static func key(derivation: [UInt8]) -> [UInt8] {
        let cipher = sequence(element(0x06, aes256), element(0x04, Array(repeating: 1, count: 16)))
        return key(scheme: pbes2, parameters: sequence(derivation, cipher))
    }

    static func key(scheme: [UInt8], parameters: [UInt8]) -> [UInt8] {
        sequence(sequence(element(0x06, scheme), parameters), element(0x04, Array(repeating: 2, count: 64)))
    }

    static func iterated(_ iterations: Int, salt: Int = 16) -> [UInt8] {
        key(
            derivation: sequence(
                element(0x06, pbkdf2), sequence(element(0x04, Array(repeating: 3, count: salt)), integer(iterations))))
    }

    static func memoryHard(_ cost: Int, _ blockSize: Int, _ parallelism: Int) -> [UInt8] {
        let salt = element(0x04, Array(repeating: 3, count: 16))
        return key(
            derivation: sequence(
                element(0x06, scrypt), sequence(salt, integer(cost), integer(blockSize), integer(parallelism))))
    }

    static func refusal(_ der: [UInt8]) throws -> KeyError? {
        let body = Data(der).base64EncodedString()
        let pem = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\(body)\n-----END ENCRYPTED PRIVATE KEY-----\n"
        return try keyError { _ = try PrivateKey(file: TestKeys.secret(pem), passphrase: TestKeys.secret("x")) }
    }

    static func isTooCostly(_ der: [UInt8]) throws -> Bool {
        guard case .derivationTooCostly? = try refusal(der) else { return false }
        return true
    }

    @Test func `iterations have a bound`() throws {
        #expect(try Self.refusal(Self.iterated(1000)) == .wrongPassphrase)
        #expect(try Self.isTooCostly(Self.iterated(10_000_001)))
        #expect(try Self.isTooCostly(Self.iterated(Int.max)))
        #expect(try Self.isTooCostly(Self.iterated(0)))
        #expect(try Self.refusal(Self.iterated(-1)) == .damaged)
        #expect(
            try Self.isTooCostly(
                Self.key(
                    scheme: Self.sha1And3DES,
                    parameters: Self.sequence(Self.element(0x04, Array(repeating: 3, count: 8)), Self.integer(1 << 40)))
            ))
    }

    @Test func `a salt has a bound`() throws {
        #expect(try Self.refusal(Self.iterated(1000, salt: 1024)) == .wrongPassphrase)
        #expect(try Self.isTooCostly(Self.iterated(1000, salt: 1025)))
    }

    @Test func `scrypt's memory and parallelism have bounds`() throws {
        #expect(try Self.refusal(Self.memoryHard(16384, 8, 1)) == .wrongPassphrase)
        #expect(try Self.isTooCostly(Self.memoryHard(32768, 8, 1)))
        #expect(try Self.isTooCostly(Self.memoryHard(2, 1, 17)))
        #expect(try Self.isTooCostly(Self.memoryHard(Int.max, Int.max, 1)))
        #expect(try Self.isTooCostly(Self.memoryHard(1 << 20, 1 << 20, 16)))
    }

    @Test func `other ways to encrypt are named`() throws {
        let parameters = Self.sequence(Self.element(0x04, Array(repeating: 3, count: 8)), Self.integer(1000))
        let refusal = try Self.refusal(Self.key(scheme: Self.md5AndDES, parameters: parameters))
        #expect(refusal == .unsupportedEncryption("1.2.840.113549.1.5.3"))
    }

    @Test func `a passphrase has a bound`() throws {
        let text = SecretBytes(copying: try Vectors.bytes("keys/enc-ed25519-bob.pbes2-scrypt.pem"))
        func refusal(_ count: Int) throws -> KeyError? {
            let passphrase = SecretBytes(copying: Array(repeating: UInt8(ascii: "x"), count: count))
            return try keyError { _ = try PrivateKey(file: text, passphrase: passphrase) }
        }
        #expect(try refusal(1024) == .wrongPassphrase)
        #expect(try refusal(1025) == .passphraseTooLong(limit: 1024))
    }
}
