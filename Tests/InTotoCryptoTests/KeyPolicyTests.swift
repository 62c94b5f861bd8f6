import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

@Suite struct KeyPolicyTests {
    /// An RSA public key of our making: a modulus with its top bit and the given lowest bit set, and an exponent.
    static func rsa(bits: Int, isOdd: Bool = true, exponent: [UInt8] = [1, 0, 1]) -> [UInt8] {
        var modulus = [UInt8](repeating: 0x5A, count: (bits + 7) / 8)
        modulus[0] = 1 << UInt8((bits - 1) % 8)
        modulus[modulus.count - 1] = isOdd ? 0x5B : 0x5A
        func integer(_ bytes: [UInt8]) -> [UInt8] {
            DerivationCostTests.element(0x02, (bytes[0] >= 0x80 ? [0] : []) + bytes)
        }
        let key = DerivationCostTests.sequence(integer(modulus), integer(exponent))
        let rsaEncryption: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]
        let algorithm = DerivationCostTests.sequence(DerivationCostTests.element(0x06, rsaEncryption), [0x05, 0x00])
        return DerivationCostTests.sequence(algorithm, DerivationCostTests.element(0x03, [0] + key))
    }

    static func refusal(_ spki: [UInt8]) throws -> KeyError? { try keyError { _ = try PublicKey(spki: spki) } }

    @Test func `RSA keys have from 2048 to 16384 bits`() throws {
        #expect(try Self.refusal(Self.rsa(bits: 2047)) == .tooWeak(bits: 2047))
        #expect(try Self.refusal(Self.rsa(bits: 2048)) == nil)
        #expect(try Self.refusal(Self.rsa(bits: 16384)) == nil)
        #expect(try Self.refusal(Self.rsa(bits: 16385)) == .modulusTooLarge(bits: 16385))
        #expect(try Self.refusal(Self.rsa(bits: 2048, isOdd: false)) == .damaged)
    }

    @Test(
        "RSA exponents are odd, from 65537 up to 64 bits",
        arguments: [
            ([1, 0, 1], true), ([1, 0, 3], true), ([1, 0, 0], false), ([0x03], false), ([0x01], false),
            ([0xFF, 0xFF], false),
            ([0xFF, 0, 0, 0, 0, 0, 0, 0x01], true), ([1, 0, 0, 0, 0, 0, 0, 0, 0x01], false),
        ] as [([UInt8], Bool)])
    func exponents(exponent: [UInt8], isTaken: Bool) throws {
        #expect(try Self.refusal(Self.rsa(bits: 2048, exponent: exponent)) == (isTaken ? nil : .badExponent))
    }

    @Test func `a point off the curve or at infinity is refused`() throws {
        let key = try TestKeys.publicKey("ecdsa-p256")
        var off = key.spki
        off[off.count - 1] ^= 1
        #expect(try Self.refusal(off) == .damaged)
        let prefix = Array(key.spki[2..<23])
        #expect(throws: KeyError.self) {
            try PublicKey(spki: DerivationCostTests.element(0x30, prefix + [0x03, 0x02, 0x00, 0x00]))
        }
    }

    @Test("reads key objects as layouts and old key files have them", arguments: TestKeys.names)
    func keyObjects(name: String) throws {
        let key = try TestKeys.publicKey(name)
        let json = try JSONWriter.bytes(.indented) { $0.object(key.keyObject) }
        #expect(try PublicKey(file: json) == key)
        #expect(try PublicKey(file: Array("\n ".utf8) + json) == key)
        #expect(try PublicKey(file: key.pem.utf8) == key)
        // Old tools repeat the scheme as key type, and leave out the final line feed.
        let lines = key.publicValue.description.split(separator: "\n")
        let trimmed = Text(lines.joined(separator: "\n"))
        #expect(try PublicKey(keyType: key.scheme.text, scheme: key.scheme.text, publicValue: trimmed) == key)
        for scheme in KeyScheme.allCases where scheme != key.scheme {
            #expect(throws: KeyError.self) {
                try PublicKey(keyType: scheme.keyType, scheme: scheme.text, publicValue: key.publicValue)
            }
        }
        #expect(throws: KeyError.self) {
            try PublicKey(keyType: "x", scheme: key.scheme.text, publicValue: key.publicValue)
        }
    }

    @Test func `reads public key files of old securesystemslib versions`() throws {
        let alice = try PublicKey(file: try Vectors.bytes("keys/legacy-ed25519-alice.pub.json"))
        #expect(alice == (try TestKeys.publicKey("ed25519-alice")))
        let dave = try PublicKey(file: try Vectors.bytes("keys/legacy-ecdsa-dave.pub.json"))
        #expect(dave.scheme == .ecdsaP256)
    }

    @Test func `refuses key objects that are none`() throws {
        func refusal(_ text: String) throws -> KeyError? { try keyError { _ = try PublicKey(file: Array(text.utf8)) } }
        for text in [
            "{}", "{", "{\"keyval\":{}}", "{\"keytype\":1,\"scheme\":\"ed25519\",\"keyval\":{\"public\":\"\"}}",
        ] {
            guard case .badKeyObject? = try refusal(text) else {
                Issue.record("\(text) was taken")
                continue
            }
        }
        let short = "{\"keytype\":\"ed25519\",\"scheme\":\"ed25519\",\"keyval\":{\"public\":\"00\"}}"
        #expect(try refusal(short) == .badKeyObject("'public' is not 64 hexadecimal digits"))
    }
}
