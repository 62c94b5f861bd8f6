import Foundation
import TestSupport
import Testing

/// Keys of other tools become ours, and ours theirs.
@Suite(.temporaryDirectory) struct KeyConvertTests {
    /// Vectors, and the passphrase that opens each.
    private static let files: [(String, String?)] = [
        ("ed25519-alice.openssh", nil), ("ecdsa-p256.openssh", nil), ("rsa-2048.openssh", nil),
        ("enc-ecdsa-p256.sigstore.pem", "test-password"), ("enc-ecdsa-p256.sigstore-empty-password.pem", ""),
        ("enc-ed25519-alice.sigstore.pem", "test-password"), ("legacy-ed25519-alice.json", nil),
        ("legacy-ed25519-alice.utf8-password.encrypted", "pässwörd ☃"), ("rsa-3072.pkcs1.pem", nil),
        ("ecdsa-p384.sec1.pem", nil), ("enc-rsa-2048.traditional-dek-aes256.pem", "test-password"),
    ]

    private func place(_ file: String, _ passphrase: String?, in run: IntotoRun) throws -> [String] {
        _ = try run.shell("cat '\(Vectors.url("keys/\(file)").path)' >given; chmod 600 given")
        guard let passphrase else { return [] }
        try run.write(passphrase + "\n", to: "phrase")
        _ = try run.shell("chmod 600 phrase")
        return ["--passphrase-file", "phrase"]
    }

    private func openssl(_ arguments: String..., in run: IntotoRun) throws -> Subprocess {
        try Subprocess.run("/usr/bin/openssl", arguments, in: run.directory, environment: run.environment)
    }

    @Test(arguments: files)
    func `every private form becomes PKCS#8 that OpenSSL reads, encrypted or not`(
        file: String, passphrase: String?
    ) throws {
        let run = IntotoRun()
        let options = try place(file, passphrase, in: run)
        let base = try #require(
            ["ed25519-alice", "ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072"].first { file.contains($0) })
        let expected = try Vectors.bytes("keys/\(base).spki.pem")
        let plain = try run.run(["key", "convert"] + options + ["given", "-o", "plain"])
        #expect(plain.status == 0 && plain.outputText == "", "\(plain.errorText)")
        #expect(try openssl("pkey", "-in", "plain", "-pubout", in: run).output == expected)
        try run.write("new secret\n", to: "new")
        _ = try run.shell("chmod 600 new")
        let encrypted = try run.run(
            ["key", "convert"] + options + ["--new-passphrase-file", "new", "given", "-o", "encrypted"])
        #expect(encrypted.status == 0, "\(encrypted.errorText)")
        #expect(
            try openssl("pkey", "-in", "encrypted", "-passin", "pass:new secret", "-pubout", in: run).output == expected
        )
        #expect(try run.shell("stat -c %a plain encrypted").outputText == "600\n600\n")
        #expect(try run("key", "id", "plain").outputText == run.run(["key", "id"] + options + ["given"]).outputText)
    }

    @Test func `public forms go to standard output or to a file`() throws {
        let run = IntotoRun()
        let alice = Vectors.url("keys/ed25519-alice.spki.pem").path
        #expect(
            try run("key", "convert", "--to", "public", alice).output == Vectors.bytes("keys/ed25519-alice.spki.pem"))
        let line = try run("key", "convert", "--to", "ssh", alice).outputText
        #expect(line.hasPrefix("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"))
        try run.write(line, to: "line.pub")
        #expect(try run("key", "convert", "--to", "key-object", "-o", "object.json", "line.pub").status == 0)
        #expect(try run.shell("stat -c %a object.json").outputText == "644\n")
        for file in ["line.pub", "object.json"] {
            #expect(try run("key", "id", file).outputText == run("key", "id", alice).outputText)
        }
    }

    @Test func `nothing is written over what is there, nor a private key to standard output`() throws {
        let run = IntotoRun()
        try run.makeKey("k")
        try run.makeKey("other")
        let before = try run.read("other")
        let refused = try run("key", "convert", "k", "-o", "other")
        #expect(refused.status == 2 && refused.errorText.hasPrefix("intoto-run: error: other: is there already\n"))
        #expect(try run.read("other") == before)
        #expect(try run("key", "convert", "--force", "k", "-o", "other").status == 0)
        #expect(try run.read("other") != before)
        let nowhere = try run("key", "convert", "k")
        #expect(nowhere.status == 2 && nowhere.outputText == "" && nowhere.errorText.contains("give --output FILE"))
        let pointless = try run("key", "convert", "--to", "ssh", "--encrypt", "k")
        #expect(pointless.status == 2 && pointless.errorText.contains("public forms are not encrypted"))
        let halfKey = try run("key", "convert", "k.pub", "-o", "new")
        #expect(halfKey.status == 2 && halfKey.errorText.contains("k.pub: a public key where a private key is needed"))
        #expect(try run.list() == ["k", "k.pub", "other", "other.pub"])
    }

    @Test func `a new passphrase is typed twice`() throws {
        let run = IntotoRun()
        let (output, status) = try TerminalSession.run(
            run, ["key", "generate", "--encrypt", "k"],
            [
                .expect("new passphrase: "), .send("geheim-1\n"), .expect("once more: "), .send("geheim-1\n"),
                .expect("k.pub"),
            ])
        #expect(status == 0 && !output.contains("geheim"))
        #expect(
            try openssl("pkey", "-in", "k", "-passin", "pass:geheim-1", "-pubout", in: run).output == run.read("k.pub"))
        let differing = try TerminalSession.run(
            run, ["key", "generate", "--encrypt", "other"],
            [.expect("new passphrase: "), .send("a\n"), .expect("once more: "), .send("b\n"), .expect("differ")])
        #expect(differing.status == 2)
        #expect(try run.list() == ["k", "k.pub"])
    }

    @Test func `an error about a broken key shows nothing of it`() throws {
        let run = IntotoRun()
        for (file, passphrase) in Self.files {
            let options = try place(file, passphrase, in: run)
            let text = String(decoding: try run.read("given"), as: UTF8.self)
            for broken in [String(text.dropLast(40)), text.replacing("A", with: "B"), text.replacing("0", with: "1")] {
                try run.write(broken, to: "given")
                let result = try run.run(["key", "convert", "--force"] + options + ["given", "-o", "out"])
                let pieces = broken.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-----") }
                    .flatMap { line in stride(from: 0, to: line.count - 12, by: 6).map { line.dropFirst($0).prefix(12) }
                    }
                #expect(!pieces.contains { result.errorText.contains($0) }, "\(file): \(result.errorText)")
            }
        }
    }

    @Test func `what was written or would be printed is said as JSON, too`() throws {
        let run = IntotoRun()
        try run.makeKey()
        func object(_ arguments: String...) throws -> [String: Any] {
            let result = try run.run(["key", "convert", "key.pem", "--json"] + arguments)
            #expect(result.status == 0 && result.errors == [], "\(result.errorText)")
            return try #require(try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
        }
        let id = String(try run("key", "id", "key.pem").outputText.dropLast())
        let written = try object("-o", "copy.pem")
        #expect(written["written"] as? [String] == ["copy.pem"] && written["keyid"] as? String == id)
        #expect(try object("--to", "public", "-o", "copy.pub")["written"] as? [String] == ["copy.pub"])
        let line = try object("--to", "ssh")
        let printed = try run("key", "convert", "key.pem", "--to", "ssh").outputText
        #expect((line["ssh"] as? String).map { $0 + "\n" } == printed && line["keyid"] as? String == id)
        let keyObject = try object("--to", "key-object")["key-object"] as? [String: Any]
        #expect(keyObject?["keytype"] as? String == "ed25519")
        #expect(
            try object("--to", "public")["public"] as? String
                == String(decoding: run.read("key.pem.pub").dropLast(), as: UTF8.self))
    }
}
