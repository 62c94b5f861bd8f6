import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// Keys go to `ssh-keygen` and come from it.
@Suite(.temporaryDirectory) struct OpenSSHKeyTests {
    static let types = [
        ["-t", "ed25519"], ["-t", "ecdsa", "-b", "256"], ["-t", "ecdsa", "-b", "384"], ["-t", "ecdsa", "-b", "521"],
        ["-t", "rsa", "-b", "2048"],
    ]

    var directory: URL { TemporaryDirectory.current }

    func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: directory.appending(path: name))) }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: directory.appending(path: name))
    }

    @discardableResult
    func keygen(_ arguments: [String]) throws -> Subprocess {
        let result = try Subprocess.run("/usr/bin/env", ["ssh-keygen"] + arguments, in: directory)
        #expect(result.status == 0, "ssh-keygen \(arguments): \(result.errorText)")
        return result
    }

    func make(_ options: [String], passphrase: String = "", comment: String = "a throwaway key") throws {
        try keygen(["-q", "-f", "key", "-N", passphrase, "-C", comment] + options)
    }

    func load(_ passphrase: String? = nil) throws -> PrivateKey {
        try PrivateKey(file: SecretBytes(copying: try bytes("key")), passphrase: passphrase.map(TestKeys.secret))
    }

    @Test("what ssh-keygen makes loads, and both halves agree", arguments: types)
    func theyMake(options: [String]) throws {
        try make(options)
        let key = try load()
        #expect(try PublicKey(file: try bytes("key.pub")) == key.publicKey)
        let line = String(decoding: try bytes("key.pub"), as: UTF8.self)
        #expect(line == "\(key.publicKey.openSSHLine) a throwaway key\n")
        #expect(try key.publicKey.isValid(signature: try key.sign([1, 2, 3]), over: [1, 2, 3]))
        #expect(try load("needless").passphraseWasNeedless)
    }

    @Test("comments of every length, and so paddings, are skipped", arguments: 0...16)
    func paddings(length: Int) throws {
        try make(["-t", "ed25519"], comment: String(repeating: "c", count: length))
        #expect(try load().publicKey == (try PublicKey(file: try bytes("key.pub"))))
    }

    @Test("an encrypted key opens with its passphrase and with no other", arguments: types)
    func encrypted(options: [String]) throws {
        try make(options + ["-a", "4"], passphrase: "pässwörd")
        #expect(try load("pässwörd").publicKey == (try PublicKey(file: try bytes("key.pub"))))
        #expect(try keyError { _ = try load("passwörd") } == .wrongPassphrase)
        #expect(try keyError { _ = try load("") } == .wrongPassphrase)
        #expect(try keyError { _ = try load() } == .passphraseMissing)
    }

    @Test(
        "AES in CTR and CBC is read", arguments: ["aes256-ctr", "aes192-ctr", "aes128-ctr", "aes256-cbc", "aes128-cbc"])
    func ciphers(name: String) throws {
        try make(["-t", "ed25519", "-a", "2", "-Z", name], passphrase: "secret")
        #expect(try load("secret").publicKey == (try PublicKey(file: try bytes("key.pub"))))
        #expect(try keyError { _ = try load("Secret") } == .wrongPassphrase)
    }

    @Test("other ciphers are refused by their names", arguments: ["aes256-gcm@openssh.com", "3des-cbc"])
    func otherCiphers(name: String) throws {
        try make(["-t", "ed25519", "-a", "2", "-Z", name], passphrase: "secret")
        #expect(try keyError { _ = try load("secret") } == .unsupportedEncryption(name))
    }

    @Test func `rounds have a bound`() throws {
        try make(["-t", "ed25519", "-a", "2"], passphrase: "secret")
        func refusal(rounds: UInt32) throws -> KeyError? {
            let text = String(decoding: try bytes("key"), as: UTF8.self)
            var body = [UInt8](
                try #require(Data(base64Encoded: text.split(separator: "\n").dropFirst().dropLast().joined())))
            // Behind the magic, the cipher's name, the derivation's, the parameters' length and the salt.
            let offset = 15 + (4 + "aes256-ctr".utf8.count) + (4 + "bcrypt".utf8.count) + 4 + (4 + 16)
            #expect(body[offset..<offset + 4].elementsEqual([0, 0, 0, 2]))
            for index in 0..<4 { body[offset + index] = UInt8(truncatingIfNeeded: rounds >> (24 - 8 * UInt32(index))) }
            let pem = Self.pem(body)
            return try keyError {
                _ = try PrivateKey(file: TestKeys.secret(pem), passphrase: TestKeys.secret("secret"))
            }
        }
        #expect(try refusal(rounds: 2) == nil)
        #expect(try refusal(rounds: 3) == .wrongPassphrase)
        #expect(try refusal(rounds: 0) == .damaged)
        for rounds in [1025, UInt32.max] {
            guard case .derivationTooCostly? = try refusal(rounds: rounds) else {
                Issue.record("\(rounds) rounds were done")
                continue
            }
        }
    }

    static func pem(_ body: [UInt8]) -> String {
        "-----BEGIN OPENSSH PRIVATE KEY-----\n\(Data(body).base64EncodedString())\n-----END OPENSSH PRIVATE KEY-----\n"
    }

    @Test("an altered or cut key is refused or another one, never a trap", arguments: types)
    func mutations(options: [String]) throws {
        try make(options)
        let text = String(decoding: try bytes("key"), as: UTF8.self)
        let body = [UInt8](
            try #require(Data(base64Encoded: text.split(separator: "\n").dropFirst().dropLast().joined())))
        let original = try load().publicKey
        for index in stride(from: 0, to: body.count, by: max(1, body.count / 64)) {
            for bit in [0x01, 0x80] as [UInt8] {
                var mutant = body
                mutant[index] ^= bit
                guard let key = try? PrivateKey(file: TestKeys.secret(Self.pem(mutant)), passphrase: nil) else {
                    continue
                }
                // The comment, and the two random numbers, may be anything that is equal.
                #expect(key.publicKey == original)
            }
            #expect(throws: KeyError.self) {
                try PrivateKey(file: TestKeys.secret(Self.pem(Array(body[..<index]))), passphrase: nil)
            }
        }
        #expect(throws: KeyError.self) { try PrivateKey(file: TestKeys.secret(Self.pem(body + [0])), passphrase: nil) }
    }

    @Test("lines that we write, ssh-keygen reads", arguments: TestKeys.names)
    func weWrite(name: String) throws {
        let key = try TestKeys.publicKey(name)
        try write(key.openSSHLine.utf8 + [UInt8(ascii: "\n")], "line")
        try keygen(["-l", "-f", "line"])
        if key.scheme != .ed25519 {
            #expect(try PublicKey(pem: try keygen(["-e", "-m", "PKCS8", "-f", "line"]).output) == key)
        }
        let commented = Array("# mine\n\n  ".utf8) + key.openSSHLine.utf8 + Array(" me@here with words\r\n".utf8)
        #expect(try PublicKey(file: commented) == key)
    }

    @Test func `lines that are no good are refused with the reason`() throws {
        let key = try TestKeys.publicKey("ed25519-alice")
        let blob = key.openSSHLine.description.split(separator: " ")[1]
        func refusal(_ line: String) throws -> KeyError? { try keyError { _ = try PublicKey(file: Array(line.utf8)) } }
        #expect(try refusal("ssh-ed25519 \(blob)") == nil)
        #expect(
            try refusal("ssh-ed25519 \(blob) \(String(repeating: "x", count: 64 << 10))") == .tooLarge(limit: 64 << 10))
        #expect(try refusal("ssh-rsa \(blob)") == .damaged)
        #expect(try refusal("ssh-ed25519") == .damaged)
        #expect(try refusal("ssh-ed25519 ?") == .damaged)
        #expect(try refusal("ssh-ed25519 \(blob.dropLast(4))") == .damaged)
        #expect(try refusal("ssh-ed25519-cert-v01@openssh.com \(blob)") == .unsupportedAlgorithm("OpenSSH certificate"))
        let hardware = "sk-ssh-ed25519@openssh.com"
        let fields = [UInt8](repeating: 0, count: 3) + [UInt8(hardware.utf8.count)] + Array(hardware.utf8)
        #expect(try refusal("\(hardware) \(Data(fields).base64EncodedString())") == .hardwareKey(hardware))
        let dsa = [0, 0, 0, 7] + Array("ssh-dss".utf8)
        #expect(try refusal("ssh-dss \(Data(dsa).base64EncodedString())") == .unsupportedAlgorithm("ssh-dss"))
    }

    @Test func `a public line where a private key is needed is named`() throws {
        let line = try TestKeys.publicKey("ed25519-alice").openSSHLine.utf8
        #expect(
            try keyError { _ = try PrivateKey(file: SecretBytes(copying: line), passphrase: nil) } == .publicKeyGiven)
    }
}
