import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

@Suite struct KeyLoadingTests {
    /// What we say to files that Python takes, or that both of us refuse; all others load.
    static let refusals: [String: KeyError] = [
        "rsa-1024-weak.pkcs8.pem": .tooWeak(bits: 1024),
        "rsa-pss-oid-2048.pkcs8.pem": .restrictedToPSS,
        "rsa-pss-oid-2048.spki.pem": .restrictedToPSS,
        "unsupported-ed448.pkcs8.pem": .unsupportedAlgorithm("Ed448"),
        "unsupported-secp256k1.pkcs8.pem": .unsupportedCurve("secp256k1"),
    ]

    /// What one other loader made of a file.
    struct Row: Decodable {
        var ok: Bool
        var keyid: String?
        var scheme: String?
    }

    static let matrix: [String: [String: Row]] = {
        let json = try? Data(contentsOf: Vectors.url("keys/loader-matrix.json"))
        return json.flatMap { try? JSONDecoder().decode([String: [String: Row]].self, from: $0) } ?? [:]
    }()
    static let files = matrix.keys.sorted()

    static func isPublic(_ file: String) -> Bool {
        file.contains("spki") || file.contains("pkcs1-public") || file.contains(".pub.")
    }

    static func passphrase(_ file: String) -> String? {
        guard isEncrypted(file) else { return nil }
        if file.contains("empty-password") { return "" }
        return file.contains("utf8-password") ? "pässwörd ☃" : TestKeys.passphrase
    }

    static func isEncrypted(_ file: String) -> Bool { file.hasPrefix("enc-") || file.hasSuffix(".encrypted") }

    /// The public key that a file whose form Python does not take belongs to; nil where it takes it.
    static func base(_ file: String) throws -> PublicKey? {
        if file.contains("ecdsa-dave") {
            return try PublicKey(file: try Vectors.bytes("keys/legacy-ecdsa-dave.pub.json"))
        }
        let isForeign = ["openssh", "sigstore", "cosign", "legacy-"].contains { file.contains($0) }
        guard isForeign, let base = TestKeys.names.first(where: { file.contains($0) }) else { return nil }
        return try TestKeys.publicKey(base)
    }

    @Test func `the loader matrix names every key file`() throws {
        let onDisk = try Vectors.list("keys").filter {
            $0 != "README.md" && !["encrypted-index.json", "keyids.json", "loader-matrix.json"].contains($0)
        }
        #expect(Self.files == onDisk)
        let loaded = Self.files.count - Self.refusals.count
        print(
            "vectors: key files \(Self.files.count): \(loaded) loaded, \(Self.refusals.count) refused with their reason"
        )
    }

    @Test("takes or refuses each key file, with Python's key id", arguments: files)
    func loads(file: String) throws {
        let bytes = try Vectors.bytes("keys/\(file)")
        var key: PublicKey?
        let refusal = try keyError {
            key =
                Self.isPublic(file)
                ? try PublicKey(file: bytes)
                : try TestKeys.privateKey(file: file, passphrase: Self.passphrase(file)).publicKey
        }
        #expect(refusal == Self.refusals[file])
        guard let key else { return }
        if let base = try Self.base(file) {
            #expect(key == base)
            return
        }
        let python = try #require(Self.matrix[file]?.first { $0.key.hasPrefix("python") && $0.value.ok }?.value)
        #expect(key.keyID(.python).description == python.keyid)
        #expect(key.scheme.rawValue == python.scheme)
    }

    @Test(arguments: files)
    func `a byte order mark before a key changes nothing`(file: String) throws {
        let bytes = try Vectors.bytes("keys/\(file)")
        let phrase = Self.passphrase(file).map(TestKeys.secret)
        func load(_ bytes: [UInt8]) throws -> Result<PublicKey, KeyError> {
            var key: PublicKey?
            let refusal = try keyError {
                key =
                    Self.isPublic(file)
                    ? try PublicKey(file: bytes)
                    : try PrivateKey(file: SecretBytes(copying: bytes), passphrase: phrase).publicKey
            }
            return try key.map { .success($0) } ?? .failure(#require(refusal))
        }
        #expect(try load([0xEF, 0xBB, 0xBF] + bytes) == load(bytes))
    }

    @Test(
        "distinguishes no, wrong and right passphrase",
        arguments: files.filter { isEncrypted($0) && refusals[$0] == nil })
    func passphrases(file: String) throws {
        #expect(try keyError { _ = try TestKeys.privateKey(file: file) } == .passphraseMissing)
        #expect(try keyError { _ = try TestKeys.privateKey(file: file, passphrase: "wrong") } == .wrongPassphrase)
        if Self.passphrase(file) != "" {
            #expect(try keyError { _ = try TestKeys.privateKey(file: file, passphrase: "") } == .wrongPassphrase)
        }
        let key = try TestKeys.privateKey(file: file, passphrase: Self.passphrase(file))
        #expect(!key.passphraseWasNeedless)
    }

    @Test("says that a passphrase was needless", arguments: TestKeys.names)
    func needless(name: String) throws {
        #expect(try TestKeys.privateKey(file: "\(name).pkcs8.pem", passphrase: "x").passphraseWasNeedless)
        #expect(!(try TestKeys.privateKey(name).passphraseWasNeedless))
    }

    @Test("tells private from public", arguments: TestKeys.names)
    func kinds(name: String) throws {
        let publicText = try Vectors.bytes("keys/\(name).spki.pem")
        let privateText = try Vectors.bytes("keys/\(name).pkcs8.pem")
        #expect(try keyError { _ = try PublicKey(pem: privateText) } == .privateKeyGiven)
        #expect(
            try keyError { _ = try PrivateKey(file: SecretBytes(copying: publicText), passphrase: nil) }
                == .publicKeyGiven)
    }

    @Test func `refuses what is no key, too large or cut`() throws {
        func refusal(_ text: [UInt8]) throws -> KeyError? { try keyError { _ = try PublicKey(pem: text) } }
        func privateRefusal(_ text: [UInt8]) throws -> KeyError? {
            try keyError { _ = try PrivateKey(file: SecretBytes(copying: text), passphrase: nil) }
        }
        let pem = try Vectors.bytes("keys/ed25519-alice.spki.pem")
        let secret = try Vectors.bytes("keys/ed25519-alice.pkcs8.pem")
        #expect(try refusal([]) == .notAKey)
        #expect(try refusal(Array("hello\n".utf8)) == .notAKey)
        #expect(try privateRefusal([]) == .notAKey)
        #expect(try privateRefusal(Array("hello\n".utf8)) == .notAKey)
        #expect(try refusal([0xEF, 0xBB, 0xBF, 0xEF, 0xBB, 0xBF] + pem) == .notAKey)
        #expect(try privateRefusal([0xEF, 0xBB] + secret) == .notAKey)
        let padding = Array(repeating: UInt8(ascii: "\n"), count: (64 << 10) - pem.count)
        #expect(try refusal(padding + pem) == nil)
        #expect(try refusal(padding + [10] + pem) == .tooLarge(limit: 64 << 10))
        #expect(try privateRefusal(padding + secret) == .tooLarge(limit: 64 << 10))
        for count in 28..<pem.count - 1 {
            let cut = try refusal(Array(pem[..<count]))
            #expect(cut == .unfinishedPEM("PUBLIC KEY"), "cut at \(count)")
        }
        #expect(try refusal(Array("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n".utf8)) == .damaged)
        #expect(
            try refusal(Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8)) == .damaged)
    }

    /// The second one would be passed over, and who wanted it to sign, too, would not learn that it need not.
    @Test func `a file with two keys is refused, whatever their forms`() throws {
        func vector(_ name: String) throws -> [UInt8] { try Vectors.bytes("keys/\(name)") }
        func refusal(_ parts: [UInt8]...) throws -> KeyError? {
            try keyError { _ = try PublicKey(file: Array(parts.joined())) }
        }
        func privateRefusal(_ parts: [UInt8]...) throws -> KeyError? {
            try keyError { _ = try PrivateKey(file: SecretBytes(copying: Array(parts.joined())), passphrase: nil) }
        }
        let alice = try vector("ed25519-alice.spki.pem")
        let rsa = try vector("rsa-2048.pkcs1-public.pem")
        let line = Array("\(try TestKeys.publicKey("ed25519-bob").openSSHLine) bob\n".utf8)
        let certificate = Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8)
        let openPGP = Array("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n".utf8)
        for other in [alice, rsa, line, certificate, openPGP] {
            #expect(try refusal(alice, other) == .severalKeys(2))
            #expect(try refusal(other, Array("text\n".utf8), alice) == .severalKeys(2))
        }
        #expect(try refusal(line, line) == .severalKeys(2))
        #expect(try refusal(line, Array("restrict,pty ".utf8) + line) == .severalKeys(2))
        #expect(try keyError { _ = try PublicKey(pem: alice + rsa + alice) } == .severalKeys(3))
        let secret = try vector("ed25519-alice.pkcs8.pem")
        // What it is encrypted with is not asked first.
        for name in try Vectors.list("keys").filter({ $0.hasSuffix(".pem") && !Self.isPublic($0) }) {
            #expect(try privateRefusal(secret, vector(name)) == .severalKeys(2), "\(name)")
            #expect(try privateRefusal(vector(name), secret) == .severalKeys(2), "\(name)")
        }
        // Text, and the other half, are no second key.
        let text = Array("ssh-keygen made this\nssh-ed25519 AAAA of somebody\n-- END --\n".utf8)
        #expect(try refusal(alice, text) == nil)
        #expect(try refusal(Array(text.suffix(10)), alice, secret) == nil)
        #expect(try refusal(Array("# mine\n".utf8), line, text) == nil)
        #expect(try privateRefusal(text, secret, text) == nil)
        #expect(try privateRefusal(alice, secret, certificate) == nil)
        #expect(KeyError.severalKeys(2).hint?.contains("a file of its own") == true)
    }

    @Test("never traps and never takes a key whose DER is altered unnoticed", arguments: TestKeys.names)
    func mutations(name: String) throws {
        let key = try TestKeys.publicKey(name)
        var taken = 0
        for index in key.spki.indices {
            for bit in [0x01, 0x20, 0x80] as [UInt8] {
                var der = key.spki
                der[index] ^= bit
                guard let mutant = try? PublicKey(spki: der) else { continue }
                taken += 1
                #expect(mutant != key)
            }
            #expect(throws: KeyError.self) { try PublicKey(spki: Array(key.spki[..<index])) }
        }
        #expect(throws: KeyError.self) { try PublicKey(spki: key.spki + [0]) }
        print(
            "vectors: mutated SPKI of \(name): \(3 * key.spki.count) tried, \(taken) other keys, 0 taken for the original"
        )
    }

    @Test("never traps on an altered private key, nor takes halves that differ", arguments: TestKeys.names)
    func privateMutations(name: String) throws {
        let text = try #require(
            String(data: try Data(contentsOf: Vectors.url("keys/\(name).pkcs8.pem")), encoding: .utf8))
        let body = text.split(separator: "\n").dropFirst().dropLast().joined()
        let der = [UInt8](try #require(Data(base64Encoded: body)))
        let original = try TestKeys.publicKey(name)
        var taken = 0
        for index in stride(from: 0, to: der.count, by: max(1, der.count / 48)) {
            var mutant = der
            mutant[index] ^= 0x10
            let pem = "-----BEGIN PRIVATE KEY-----\n\(Data(mutant).base64EncodedString())\n-----END PRIVATE KEY-----\n"
            guard let key = try? PrivateKey(file: TestKeys.secret(pem), passphrase: nil) else { continue }
            taken += 1
            let signature = try key.sign([1, 2, 3])
            #expect(try key.publicKey.isValid(signature: signature, over: [1, 2, 3]))
            // Another seed is another key; but no byte of the others may change unnoticed.
            #expect(key.publicKey != original && name.hasPrefix("ed25519"))
        }
        print("vectors: mutated private keys of \(name): \(taken) taken, all with halves that belong together")
    }

    @Test func `every error is one line without key material, and has a hint where one helps`() {
        for error in Self.refusals.values {
            #expect(!error.description.contains("\n"))
            #expect(error.hint != nil)
        }
    }
}
