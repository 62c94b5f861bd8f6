import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// Keys and signatures go to the `openssl` program and come from it, for each kind of key.
@Suite(.temporaryDirectory) struct OpenSSLCommandTests {
    static let message = Array("what was signed".utf8)

    var directory: URL { TemporaryDirectory.current }

    func path(_ name: String) -> String { directory.appending(path: name).path }

    func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: directory.appending(path: name))) }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: directory.appending(path: name))
    }

    @discardableResult
    func openssl(_ arguments: String..., expecting status: Int32 = 0) throws -> Subprocess {
        let result = try Subprocess.run("/usr/bin/env", ["openssl"] + arguments, in: directory)
        #expect(result.status == status, "openssl \(arguments): \(result.errorText)")
        return result
    }

    func load(_ name: String, passphrase: String? = nil) throws -> PrivateKey {
        try PrivateKey(file: SecretBytes(copying: try bytes(name)), passphrase: passphrase.map(TestKeys.secret))
    }

    /// How `openssl pkeyutl` is told to do what the scheme does.
    static func options(_ type: KeyType) -> [String] {
        switch type {
        case .ed25519: ["-rawin"]
        case .ecdsaP256: ["-rawin", "-digest", "sha256"]
        case .ecdsaP384: ["-rawin", "-digest", "sha384"]
        case .ecdsaP521: ["-rawin", "-digest", "sha512"]
        case .rsa:
            ["-rawin", "-digest", "sha256"]
                + ["rsa_padding_mode:pss", "rsa_pss_saltlen:digest", "rsa_mgf1_md:sha256"].flatMap { ["-pkeyopt", $0] }
        }
    }

    func pkeyutl(_ type: KeyType, _ arguments: [String]) throws -> Int32 {
        try Subprocess.run("/usr/bin/env", ["openssl", "pkeyutl"] + arguments + Self.options(type), in: directory)
            .status
    }

    @Test("what we make and sign, openssl verifies", arguments: KeyType.allCases)
    func weSign(type: KeyType) throws {
        let key = try PrivateKey.generate(type)
        let signature = try key.sign(Self.message)
        #expect(try key.publicKey.isValid(signature: signature, over: Self.message))
        try write(key.publicKey.pem.utf8, "key.pub")
        try write(Self.message, "message")
        try write(Self.message + [0], "altered")
        try write(signature, "signature")
        let verify = ["-verify", "-pubin", "-inkey", "key.pub", "-sigfile", "signature"]
        #expect(try pkeyutl(type, verify + ["-in", "message"]) == 0)
        #expect(try pkeyutl(type, verify + ["-in", "altered"]) != 0)
    }

    @Test("what openssl makes and signs, we verify", arguments: KeyType.allCases)
    func theySign(type: KeyType) throws {
        try generate(type, "key")
        try openssl("pkey", "-in", "key", "-pubout", "-out", "key.pub")
        try write(Self.message, "message")
        #expect(try pkeyutl(type, ["-sign", "-inkey", "key", "-in", "message", "-out", "signature"]) == 0)
        let key = try PublicKey(pem: try bytes("key.pub"))
        #expect(key.scheme == type.scheme)
        #expect(key.pem.utf8 == (try bytes("key.pub")))
        #expect(try key.isValid(signature: try bytes("signature"), over: Self.message))
        #expect(!(try key.isValid(signature: try bytes("signature"), over: Self.message + [0])))
        #expect(try load("key").publicKey == key)
    }

    @Test("what openssl signs by an RSA scheme, the key of that scheme verifies", arguments: RSAScheme.allCases)
    func theySignRSA(scheme: RSAScheme) throws {
        try generate(.rsa, "key")
        try openssl("pkey", "-in", "key", "-pubout", "-out", "key.pub")
        try write(Self.message, "message")
        let padding = scheme.rawValue.hasPrefix("rsassa-pss") ? ["pss", "rsa_pss_saltlen:digest"] : ["pkcs1"]
        let options = ["-digest", "sha\(scheme.rawValue.suffix(3))", "-pkeyopt", "rsa_padding_mode:\(padding[0])"]
        let arguments = ["pkeyutl", "-sign", "-inkey", "key", "-in", "message", "-out", "signature", "-rawin"]
        let signed = try Subprocess.run(
            "/usr/bin/env", ["openssl"] + arguments + options + padding.dropFirst().flatMap { ["-pkeyopt", $0] },
            in: directory)
        #expect(signed.status == 0, "\(signed.errorText)")
        let pem = Text(String(decoding: try bytes("key.pub"), as: UTF8.self))
        let signature = try bytes("signature")
        for other in RSAScheme.allCases {
            let key = try PublicKey(keyType: "rsa", scheme: other.text, publicValue: pem)
            #expect(try key.isValid(signature: signature, over: Self.message) == (other == scheme))
            #expect(!(try key.isValid(signature: signature, over: Self.message + [0])))
        }
        // It keeps its scheme, and has the key id that Python gives to this scheme.
        let key = try PublicKey(keyType: "rsa", scheme: scheme.text, publicValue: pem)
        #expect(try PublicKey(keyObject: key.keyObject).rsaScheme == scheme)
        #expect(key == (try load("key").publicKey))
        #expect((key.keyID(.python) == (try load("key").publicKey.keyID(.python))) == (scheme == .pssSHA256))
    }

    @Test func `an RSA scheme that is not supported is called so, and an elliptic curve takes none`() throws {
        let rsa = try TestKeys.publicKey("rsa-2048")
        for scheme: Text in ["rsassa-pss-sha224", "rsa-pkcs1v15-sha224", "rsassa-pss-sha1", "rsa"] {
            let error = try keyError { _ = try PublicKey(keyType: "rsa", scheme: scheme, publicValue: rsa.publicValue) }
            #expect(error?.description == "the scheme '\(scheme)' is not supported for this key of type 'rsa'")
        }
        let curve = try TestKeys.publicKey("ecdsa-p256")
        for scheme in RSAScheme.allCases {
            #expect(throws: KeyError.self) {
                try PublicKey(keyType: "rsa", scheme: scheme.text, publicValue: curve.publicValue)
            }
            #expect(throws: KeyError.self) {
                try PublicKey(keyType: "ecdsa", scheme: scheme.text, publicValue: rsa.publicValue)
            }
        }
    }

    func generate(_ type: KeyType, _ name: String) throws {
        switch type {
        case .ed25519: try openssl("genpkey", "-algorithm", "ed25519", "-out", name)
        case .ecdsaP256: try openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", name)
        case .ecdsaP384: try openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", name)
        case .ecdsaP521: try openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521", "-out", name)
        case .rsa: try openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", name)
        }
    }

    @Test("keys that we write, encrypted or not, openssl and we read", arguments: KeyType.allCases)
    func weWrite(type: KeyType) throws {
        let key = try PrivateKey.generate(type)
        for (name, passphrase) in [("plain", nil), ("encrypted", "pässwörd")] as [(String, String?)] {
            let pem = try key.pem(passphrase: passphrase.map(TestKeys.secret))
            try write(pem.withUnsafeBytes { Array($0) }, name)
            let loaded = try load(name, passphrase: passphrase)
            #expect(loaded.publicKey == key.publicKey && !loaded.passphraseWasNeedless)
            let shown = try openssl("pkey", "-in", name, "-pubout", "-passin", "pass:\(passphrase ?? "")")
            #expect(shown.output == key.publicKey.pem.utf8)
        }
        #expect(try keyError { _ = try load("encrypted", passphrase: "other") } == .wrongPassphrase)
        #expect(try keyError { _ = try load("encrypted") } == .passphraseMissing)
        let structure = try openssl("asn1parse", "-in", "encrypted").outputText
        for expected in ["PBES2", "PBKDF2", "0927C0", "hmacWithSHA256", "aes-256-cbc"] {
            #expect(structure.contains(expected))
        }
    }

    @Test(
        "keys that openssl encrypts load",
        arguments: [
            ["-v2", "aes-256-cbc"], ["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512", "-iter", "5000"], ["-scrypt"],
            ["-v2", "des3"], ["-v1", "PBE-SHA1-3DES"],
        ])
    func theyEncrypt(options: [String]) throws {
        try generate(.ecdsaP256, "key")
        let arguments = ["pkcs8", "-topk8", "-in", "key", "-out", "encrypted", "-passout", "pass:secret"] + options
        #expect(try Subprocess.run("/usr/bin/env", ["openssl"] + arguments, in: directory).status == 0)
        #expect(try load("encrypted", passphrase: "secret").publicKey == (try load("key").publicKey))
        #expect(try keyError { _ = try load("encrypted", passphrase: "secreT") } == .wrongPassphrase)
    }
}

// MARK: Forms that keys come in

extension OpenSSLCommandTests {
    @Test func `compressed points are the same key, explicit curves are refused`() throws {
        try generate(.ecdsaP256, "key")
        let key = try load("key").publicKey
        try openssl("ec", "-in", "key", "-pubout", "-conv_form", "compressed", "-out", "compressed.pub")
        try openssl("ec", "-in", "key", "-conv_form", "compressed", "-out", "compressed")
        #expect(try bytes("compressed.pub") != key.pem.utf8)
        #expect(try PublicKey(pem: try bytes("compressed.pub")) == key)
        #expect(try PublicKey(pem: try bytes("compressed.pub")).pem == key.pem)
        #expect(try load("compressed").publicKey == key)

        try openssl("ec", "-in", "key", "-pubout", "-param_enc", "explicit", "-out", "explicit.pub")
        try openssl("ec", "-in", "key", "-param_enc", "explicit", "-out", "explicit")
        try openssl("pkcs8", "-topk8", "-nocrypt", "-in", "explicit", "-out", "explicit8")
        #expect(try keyError { _ = try PublicKey(pem: try bytes("explicit.pub")) } == .explicitCurve)
        #expect(try keyError { _ = try load("explicit") } == .explicitCurve)
        #expect(try keyError { _ = try load("explicit8") } == .explicitCurve)
    }

    @Test func `an EC key without its public part gets it computed`() throws {
        try generate(.ecdsaP384, "key")
        try openssl("ec", "-in", "key", "-no_public", "-out", "half")
        try openssl("pkcs8", "-topk8", "-nocrypt", "-in", "half", "-out", "half8")
        #expect(try bytes("half").count < (try bytes("key")).count)
        #expect(try load("half").publicKey == (try load("key").publicKey))
        #expect(try load("half8").publicKey == (try load("key").publicKey))
    }

    @Test func `ciphers that OpenSSL has retired are named as unsupported, not as a wrong passphrase`() throws {
        try generate(.ecdsaP256, "key")
        let options = ["-in", "key", "-passout", "pass:secret", "-provider", "legacy", "-provider", "default"]
        for arguments in [["ec", "-des", "-out", "old"], ["pkcs8", "-topk8", "-v2", "des-cbc", "-out", "old8"]] {
            #expect(try Subprocess.run("/usr/bin/env", ["openssl"] + arguments + options, in: directory).status == 0)
        }
        for name in ["old", "old8"] {
            guard case .unsupportedEncryption? = try keyError({ _ = try load(name, passphrase: "secret") }) else {
                Issue.record("\(name) was taken, or its refusal misleads")
                continue
            }
        }
    }

    @Test func `kinds that we do not take are named`() throws {
        try openssl("genpkey", "-algorithm", "x25519", "-out", "x25519")
        try openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2040", "-out", "weak")
        try openssl(
            "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:3",
            "-out", "exponent")
        try openssl("ecparam", "-name", "brainpoolP256r1", "-genkey", "-out", "brainpool")
        let expected: [(String, KeyError)] = [
            ("x25519", .unsupportedAlgorithm("X25519")), ("weak", .tooWeak(bits: 2040)), ("exponent", .badExponent),
            ("brainpool", .unsupportedCurve("brainpoolP256r1")),
        ]
        for (name, error) in expected {
            #expect(try keyError { _ = try load(name) } == error)
            try openssl("pkey", "-in", name, "-pubout", "-out", "\(name).pub")
            #expect(try keyError { _ = try PublicKey(pem: try bytes("\(name).pub")) } == error)
        }
    }

    @Test func `halves that differ are refused`() throws {
        let alice = try bytesOfBody("ed25519-alice")
        let bob = try TestKeys.publicKey("ed25519-bob")
        let own = try TestKeys.publicKey("ed25519-alice")
        // Version 2 of PKCS#8 with a public key attached. Spec: RFC 8410, 10.3.
        for (publicKey, expected) in [(own, nil), (bob, .halvesDiffer)] as [(PublicKey, KeyError?)] {
            var content: [UInt8] = [0x02, 0x01, 0x01] + alice.dropFirst(5)
            content += [0x81, 0x21, 0x00] + publicKey.spki.suffix(32)
            let pem = Data([0x30, UInt8(content.count)] + content).base64EncodedString()
            try write(Array("-----BEGIN PRIVATE KEY-----\n\(pem)\n-----END PRIVATE KEY-----\n".utf8), "v2")
            #expect(try keyError { _ = try load("v2") } == expected)
        }
    }

    /// The DER of a key file.
    func bytesOfBody(_ name: String) throws -> [UInt8] {
        let text = String(decoding: try Vectors.bytes("keys/\(name).pkcs8.pem"), as: UTF8.self)
        let body = text.split(separator: "\n").dropFirst().dropLast().joined()
        return [UInt8](try #require(Data(base64Encoded: body)))
    }
}
