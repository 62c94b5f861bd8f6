import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// Certificates, cosign's keys, and those of old securesystemslib versions.
@Suite(.temporaryDirectory) struct KeyFormTests {
    var directory: URL { TemporaryDirectory.current }

    @Test("of a certificate the key is taken", arguments: TestKeys.names)
    func certificates(name: String) throws {
        let key = Vectors.url("keys/\(name).pkcs8.pem").path
        let made = try Subprocess.run(
            "/usr/bin/env",
            ["openssl", "req", "-x509", "-new", "-key", key, "-subj", "/CN=throwaway", "-days", "1", "-out", "cert"],
            in: directory)
        #expect(made.status == 0, "\(made.errorText)")
        let certificate = [UInt8](try Data(contentsOf: directory.appending(path: "cert")))
        #expect(try PublicKey(file: certificate) == (try TestKeys.publicKey(name)))
        #expect(
            try keyError { _ = try PrivateKey(file: SecretBytes(copying: certificate), passphrase: nil) }
                == .certificateGiven)
    }

    // MARK: cosign

    static func sigstore(_ edit: (String) -> String) throws -> KeyError? {
        let text = String(decoding: try Vectors.bytes("keys/enc-ecdsa-p256.sigstore.pem"), as: UTF8.self)
        let lines = text.split(separator: "\n")
        let json = String(
            decoding: try #require(Data(base64Encoded: lines.dropFirst().dropLast().joined())), as: UTF8.self)
        let body = Data(edit(json).utf8).base64EncodedString()
        let pem = "\(lines.first ?? "")\n\(body)\n\(lines.last ?? "")\n"
        return try keyError {
            _ = try PrivateKey(file: TestKeys.secret(pem), passphrase: TestKeys.secret(TestKeys.passphrase))
        }
    }

    @Test func `of scrypt only the costs that cosign writes are paid`() throws {
        #expect(try Self.sigstore { $0 } == nil)
        #expect(try Self.sigstore { $0.replacing("\"N\":65536", with: "\"N\":32768") } == .wrongPassphrase)
        for (old, new) in [
            ("\"N\":65536", "\"N\":16384"), ("\"N\":65536", "\"N\":1073741824"), ("\"r\":8", "\"r\":1024"),
            ("\"p\":1", "\"p\":2"),
        ] {
            guard case .derivationTooCostly? = try Self.sigstore({ $0.replacing(old, with: new) }) else {
                Issue.record("\(new) was paid")
                continue
            }
        }
    }

    @Test func `other ciphers and broken JSON are refused`() throws {
        guard case .unsupportedEncryption? = try Self.sigstore({ $0.replacing("nacl/secretbox", with: "rot13") }) else {
            Issue.record("another cipher was taken")
            return
        }
        guard case .badKeyObject? = try Self.sigstore({ String($0.dropLast()) }) else {
            Issue.record("broken JSON was taken")
            return
        }
    }

    // MARK: securesystemslib

    static func legacy(_ text: String, _ passphrase: String? = nil) throws -> KeyError? {
        try keyError { _ = try PrivateKey(file: TestKeys.secret(text), passphrase: passphrase.map(TestKeys.secret)) }
    }

    static func vector(_ name: String) throws -> String {
        String(decoding: try Vectors.bytes("keys/\(name)"), as: UTF8.self)
    }

    @Test func `iterations and salt of encrypted JSON have bounds, and its digest is checked first`() throws {
        let parts = try Self.vector("legacy-ed25519-alice.encrypted").components(separatedBy: "@@@@")
        #expect(parts.count == 5)
        func refusal(_ index: Int, _ value: String) throws -> KeyError? {
            var parts = parts
            parts[index] = value
            return try Self.legacy(parts.joined(separator: "@@@@"), TestKeys.passphrase)
        }
        #expect(try refusal(1, parts[1]) == nil)
        #expect(try refusal(1, "1000") == .wrongPassphrase)
        #expect(try refusal(2, String(repeating: "0", count: 64)) == .wrongPassphrase)
        #expect(try refusal(3, "00") == .damaged)
        #expect(try refusal(4, "zz") == .damaged)
        for (index, value) in [(1, "10000001"), (1, "0"), (0, String(repeating: "00", count: 1025))] {
            guard case .derivationTooCostly? = try refusal(index, value) else {
                Issue.record("\(value.prefix(20)) was paid")
                continue
            }
        }
    }

    @Test func `Go's JSON with seed and public part together is the same key`() throws {
        let text = try Self.vector("legacy-ed25519-alice.json")
        let alice = try TestKeys.publicKey("ed25519-alice")
        let seed = try #require(text.firstMatch(of: /"private": ?"([0-9a-f]{64})"/)?.1)
        let go = text.replacing(seed, with: seed + alice.publicValue.description)
        #expect(try PrivateKey(file: TestKeys.secret(go), passphrase: nil).publicKey == alice)
    }

    @Test func `JSON whose halves differ, or that is no key, is refused without a word of the secret`() throws {
        let text = try Self.vector("legacy-ed25519-alice.json")
        let seed = try #require(text.firstMatch(of: /"private": ?"([0-9a-f]{64})"/)?.1)
        let other = seed.hasPrefix("0") ? "1" + seed.dropFirst() : "0" + seed.dropFirst()
        #expect(try Self.legacy(text.replacing(seed, with: other)) == .halvesDiffer)
        #expect(try Self.legacy(text.replacing(seed, with: "")) == .publicKeyGiven)
        #expect(try Self.legacy(text.replacing(seed, with: "zz")) == .damaged)
        for broken in [text + "x", text.replacing("\"keytype\"", with: "\"type\"")] {
            let error = try #require(try Self.legacy(broken))
            #expect(!error.description.contains(seed.prefix(8)), "\(error)")
        }
        #expect(try keyError { _ = try PublicKey(file: Array(text.utf8)) } == .privateKeyGiven)
    }

    @Test(arguments: ["method", "scheme"]) func `an OpenPGP key is named as what it is`(member: String) throws {
        let object = #"{"keytype": "rsa", "\#(member)": "pgp+rsa-pkcsv1.5", "keyval": {"public": {}, "private": ""}}"#
        #expect(try keyError { _ = try PublicKey(file: Array(object.utf8)) } == .openPGP)
        let other = object.replacing("pgp+", with: "")
        #expect(try keyError { _ = try PublicKey(file: Array(other.utf8)) } != .openPGP)
    }
}
