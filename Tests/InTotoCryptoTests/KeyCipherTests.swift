import CKeyCiphers
import Foundation
import TestSupport
import Testing

@testable import InTotoCrypto

/// The ciphers that we have written ourselves, against vectors of their authors and of other implementations.
@Suite struct KeyCipherTests {
    static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.filter { !$0.isWhitespace })
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) }
    }

    /// Source: github.com/dchest/bcrypt_pbkdf (which OpenSSH's Go client uses), and that implementation's output for the
    /// third, as cryptonite's tests have it.
    static let derivations: [(String, String, Int, String)] = [
        ("password", "salt", 12, "1ae42c05d487bc02f64921a4ebe4ea93bcacfe135fda99974c06b7b01fae149a"),
        (
            "passwordy\0PASSWORD\0", "salty\0SALT\0", 3,
            "7f310bd3e78c3280c59ce4595211a2928e8d4ec744c1ed2efc9f764e3388e0ad"
        ),
        (
            "DieWuerdeDesMenschenIstUnantastbar", "Tafelsalz", 7,
            """
            17b476aad74233495ce8794915744c71f99966897a60c370b43ca883805a56de38bc518cd4ebd1cf460a683dc812cff843
            """
        ),
    ]

    @Test(arguments: derivations)
    func `bcrypt_pbkdf derives what others derive`(
        passphrase: String, salt: String, rounds: Int, expected: String
    ) throws {
        let expected = Self.bytes(expected)
        // Of the long one, the vector's first 49 of 71 bytes.
        let size = expected.count == 32 ? 32 : 71
        let key = try SecretBytes(count: size) { key throws(CryptoError) in
            try BcryptDerivation.derive(
                TestKeys.secret(passphrase), salt: Array(salt.utf8), rounds: rounds, into: key)
        }
        #expect(key.withUnsafeBytes { Array($0.prefix(expected.count)) } == expected)
    }

    /// Source: the same.
    @Test func `one bcrypt hash is as others have it`() {
        var hash = [UInt8](repeating: 0, count: 32)
        ckc_bcrypt_hash((0..<64).map { $0 }, (64..<128).map { $0 }, &hash)
        #expect(hash == Self.bytes("87904870eef9dedd f8e7611a140106e6 aaf1a363d9a2c504 db356443721eb555"))
    }

    /// Source: NaCl, tests/secretbox.c; D. J. Bernstein, "Cryptography in NaCl", 10.
    static let key = bytes("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389")
    static let nonce = bytes("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37")
    static let plaintext = bytes(
        """
        be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c6129
        6cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde
        048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705
        """)
    static let box = bytes(
        """
        f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a
        c0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae
        90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74
        e355a5
        """)

    @Test func `NaCl's own box opens`() throws {
        let opened = try SecretBox.open(Self.box, nonce: Self.nonce, key: SecretBytes(copying: Self.key))
        #expect(opened?.withUnsafeBytes { Array($0) } == Self.plaintext)
    }

    @Test func `a box opens with not one bit of it, its nonce or its key changed, and not when it is cut`() throws {
        func opens(_ box: [UInt8], _ nonce: [UInt8], _ key: [UInt8]) throws -> Bool {
            try SecretBox.open(box, nonce: nonce, key: SecretBytes(copying: key)) != nil
        }
        for index in Self.box.indices {
            var box = Self.box
            box[index] ^= 1
            #expect(try !opens(box, Self.nonce, Self.key))
            #expect(try !opens(Array(Self.box[..<index]), Self.nonce, Self.key))
        }
        for index in Self.nonce.indices {
            var nonce = Self.nonce
            nonce[index] ^= 0x80
            #expect(try !opens(Self.box, nonce, Self.key))
        }
        for index in Self.key.indices {
            var key = Self.key
            key[index] ^= 0x10
            #expect(try !opens(Self.box, Self.nonce, key))
        }
        #expect(try !opens(Self.box + [0], Self.nonce, Self.key))
        #expect(try !opens(Self.box, Self.nonce + [0], Self.key))
        #expect(try !opens(Self.box, Self.nonce, Self.key + [0]))
    }
}
