import Foundation
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct KeyVerbTests {
    private static let types = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa"]
    private static let names = [
        "ed25519-alice", "ed25519-bob", "ed25519-carl", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048",
        "rsa-3072",
    ]

    private func mode(_ name: String, in run: IntotoRun) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: run.directory.appending(path: name).path)[.posixPermissions]
            as? Int
    }

    private func openssl(_ arguments: String..., in run: IntotoRun) throws -> Subprocess {
        try Subprocess.run("/usr/bin/openssl", arguments, in: run.directory, environment: run.environment)
    }

    // MARK: generate

    @Test(arguments: types)
    func `a new key is the owner's alone, and OpenSSL reads both halves`(type: String) throws {
        let run = IntotoRun()
        let made = try run("key", "generate", "--type", type, "k")
        #expect(made.status == 0 && made.errorText == "")
        #expect(try run.list() == ["k", "k.pub"])
        #expect(try mode("k", in: run) == 0o600)
        #expect(try mode("k.pub", in: run) == 0o644)
        #expect(try openssl("pkey", "-in", "k", "-check", "-noout", in: run).status == 0)
        #expect(try openssl("pkey", "-in", "k", "-pubout", in: run).output == run.read("k.pub"))
        let id = try run("key", "id", "k").outputText
        #expect(made.outputText == "k: private key, \(type)\nk.pub: public key, key id \(id)")
        #expect(try run("key", "id", "k.pub").outputText == id)
    }

    @Test func `what was made is said as JSON, too`() throws {
        let run = IntotoRun()
        let made = try run("key", "generate", "--type", "ecdsa-p256", "--json", "k")
        let id = try run("key", "id", "k.pub").outputText.dropLast()
        #expect(made.errors == [])
        #expect(
            made.outputText == """
                {
                  "keyid": "\(id)",
                  "type": "ecdsa-p256",
                  "written": [
                    "k",
                    "k.pub"
                  ]
                }

                """)
        let again = try run("key", "generate", "--json", "k")
        #expect(again.status == 2 && again.output == [])
    }

    @Test func `two keys are never the same`() throws {
        let run = IntotoRun()
        try run.makeKey("a")
        try run.makeKey("b")
        #expect(try run.read("a") != run.read("b"))
    }

    @Test(arguments: types)
    func `an encrypted key opens with its passphrase, and with no other`(type: String) throws {
        let run = IntotoRun()
        try run.write("pässword\nsecond line\n", to: "phrase")
        try run.write("other\n", to: "wrong")
        _ = try run.shell("chmod 600 phrase wrong; umask 0")
        #expect(try run("key", "generate", "--type", type, "--passphrase-file", "phrase", "k").status == 0)
        #expect(try mode("k", in: run) == 0o600)
        #expect(String(decoding: try run.read("k"), as: UTF8.self).hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"))
        #expect(
            try openssl("pkey", "-in", "k", "-passin", "pass:pässword", "-pubout", in: run).output == run.read("k.pub"))
        #expect(try openssl("pkey", "-in", "k", "-passin", "pass:other", "-noout", in: run).status != 0)
        let id = try run("key", "id", "k.pub").outputText
        #expect(try run("key", "id", "--passphrase-file", "phrase", "k").outputText == id)
        let wrong = try run("key", "id", "--passphrase-file", "wrong", "k")
        #expect(wrong.status == 2 && wrong.errorText == "intoto-run: error: k: wrong passphrase or damaged key\n")
        let none = try run("key", "id", "k")
        #expect(none.status == 2)
        #expect(
            none.errorText == """
                intoto-run: error: k: the key is encrypted and no passphrase was given
                intoto-run: hint: give it with --passphrase-file, --passphrase-fd or INTOTO_KEY_PASSPHRASE

                """)
    }

    @Test(arguments: ["k", "k.pub"])
    func `nothing is written over what is there, and neither half without the other`(existing: String) throws {
        let run = IntotoRun()
        for make in ["echo mine >\(existing)", "ln -s nowhere \(existing)", "mkdir \(existing)"] {
            _ = try run.shell("rm -rf k k.pub; \(make)")
            let refused = try run("key", "generate", "k")
            #expect(refused.status == 2 && refused.outputText == "")
            #expect(
                refused.errorText == """
                    intoto-run: error: \(existing): is there already
                    intoto-run: hint: give another path, or --force to replace the key for good

                    """)
            #expect(try run.list() == [existing])
        }
    }

    @Test func `--force replaces both`() throws {
        let run = IntotoRun()
        try run.makeKey("k")
        let before = try (run.read("k"), run.read("k.pub"))
        _ = try run.shell("chmod 644 k")
        #expect(try run("key", "generate", "--force", "--type", "ecdsa-p256", "k").status == 0)
        #expect(try run.read("k") != before.0 && run.read("k.pub") != before.1)
        #expect(try mode("k", in: run) == 0o600)
        #expect(try openssl("pkey", "-in", "k", "-pubout", in: run).output == run.read("k.pub"))
        #expect(try run.list() == ["k", "k.pub"])
    }

    @Test func `a private key stays where its new public half cannot be written`() throws {
        let run = IntotoRun()
        _ = try run.shell("\"$R\" key generate k && rm k.pub && mkdir -p k.pub/full")
        let before = try run.read("k")
        let refused = try run("key", "generate", "--force", "k")
        #expect(refused.status == 2 && refused.errorText.hasPrefix("intoto-run: error: k.pub: cannot "))
        #expect(try run.read("k") == before)
        #expect(try run.list() == ["k", "k.pub"])
    }

    @Test func `a public half stays, and none comes, where the new private key cannot be written`() throws {
        let run = IntotoRun()
        _ = try run.shell("mkdir k; echo of-another-key >k.pub; mkdir bare")
        for (path, names) in [("k", ["bare", "k", "k.pub"]), ("bare", ["bare", "k", "k.pub"])] {
            let refused = try run("key", "generate", "--force", path)
            #expect(refused.status == 2 && refused.errorText.hasPrefix("intoto-run: error: \(path): cannot create: "))
            #expect(try run.list() == names)
        }
        #expect(try run.read("k.pub") == Array("of-another-key\n".utf8))
    }

    @Test func `where one half cannot be written, neither is`() throws {
        let run = IntotoRun()
        for path in [String(repeating: "y", count: 252), "absent/k", ""] {
            let refused = try run("key", "generate", path)
            #expect(refused.status == 2 && refused.errorText.hasPrefix("intoto-run: error: "))
            #expect(try run.list() == [])
        }
    }

    @Test func `a passphrase in the environment encrypts, too`() throws {
        var run = IntotoRun()
        run.environment["INTOTO_KEY_PASSPHRASE"] = "pässword"
        #expect(try run("key", "generate", "k").status == 0)
        #expect(String(decoding: try run.read("k"), as: UTF8.self).hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"))
        #expect(try run("key", "id", "k").outputText == run("key", "id", "k.pub").outputText)
        #expect(try IntotoRun()("key", "id", "k").status == 2)
    }

    @Test(arguments: [("", "is empty"), (String(repeating: "x", count: 1025), "is longer than 1024 bytes")])
    func `a passphrase that would make the key useless is refused before anything is written`(
        phrase: String, reason: String
    ) throws {
        var run = IntotoRun()
        try run.write("\(phrase)\nsecond line\n", to: "phrase")
        _ = try run.shell("chmod 600 phrase")
        let refused = try run("key", "generate", "--force", "--passphrase-file", "phrase", "k")
        #expect(refused.status == 2 && refused.errorText == "intoto-run: error: phrase: the passphrase \(reason)\n")
        run.environment["INTOTO_KEY_PASSPHRASE"] = phrase
        let other = try run("key", "generate", "k")
        #expect(other.errorText == "intoto-run: error: INTOTO_KEY_PASSPHRASE: the passphrase \(reason)\n")
        #expect(try run.list() == ["phrase"])
    }

    @Test func `the longest passphrase is fine`() throws {
        var run = IntotoRun()
        run.environment["INTOTO_KEY_PASSPHRASE"] = String(repeating: "x", count: 1024)
        try run.makeKey("k")
        #expect(try run("key", "id", "k").status == 0)
    }

    @Test func `a passphrase that others may read brings a warning, one that they may write is refused`() throws {
        let run = IntotoRun()
        try run.write("pässword\n", to: "phrase")
        _ = try run.shell("chmod 644 phrase")
        let warned = try run("key", "generate", "--passphrase-file", "phrase", "k")
        #expect(warned.status == 0)
        #expect(warned.errorText == "intoto-run: warning: phrase: others may read this passphrase\n")
        _ = try run.shell("chmod 622 phrase")
        let refused = try run("key", "id", "--passphrase-file", "phrase", "k")
        #expect(refused.status == 2)
        #expect(
            refused.errorText == """
                intoto-run: error: phrase: may be written by others, who could have put another key there
                intoto-run: hint: chmod go-w phrase

                """)
    }

    @Test func `a key given twice signs once`() throws {
        let run = IntotoRun()
        try run.makeKey("k")
        try run.makeKey("other")
        _ = try run.shell("cp k same")
        for format in ["attestation", "link", "dsse-link"] {
            let arguments = ["-n", "s", "--format", format, "--overwrite", "-p", "k.pub", "-k", "k", "same", "k"]
            #expect(try run.run(["-q"] + arguments + ["--", "true"]).status == 0)
            let file = try run.file(endingIn: format == "attestation" ? ".jsonl" : ".link")
            let text = String(decoding: try run.read(file), as: UTF8.self)
            #expect(text.components(separatedBy: "\"keyid\"").count == 2)
        }
        #expect(try run("-q", "-n", "t", "--format", "link", "-k", "k", "other", "k", "--", "true").status == 0)
        #expect(try run.list().count { $0.hasPrefix("t.") } == 2)
    }

    // MARK: show and id

    @Test func `a key is named as with --key, a key object is a key`() throws {
        let run = IntotoRun()
        try run.makeKey("k")
        let id = try run("key", "id", "k").outputText
        #expect(try run("key", "id", "file:k").outputText == id)
        #expect(try run("key", "id", "file:k.pub").outputText == id)
        #expect(try run("key", "show", "file:k").outputText == run("key", "show", "k").outputText)
        #expect(try run("key", "id", "--json", "k").outputText.contains("\"keyid\": \"\(id.dropLast())\""))
        let json = try run("key", "show", "--json", "k").outputText
        let document = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        let object = try JSONSerialization.data(withJSONObject: document?["keyObject"] ?? [:])
        try run.write(String(decoding: object, as: UTF8.self), to: "object.json")
        #expect(try run("key", "id", "object.json").outputText == id)
        #expect(try run("-q", "-k", "k", "-n", "s", "--format", "link", "-p", "k.pub", "--", "true").status == 0)
        let check = ["sign", "--check", try run.file(endingIn: ".link"), "--verification-keys"]
        #expect(try run.run(check + ["object.json"]).status == 0)
        #expect(try run.run(check + ["file:k.pub"]).status == 0)
        try run.write("{}", to: "object.json")
        let refused = try run.run(check + ["object.json"])
        #expect(
            refused.status == 2 && refused.errorText.hasPrefix("intoto-run: error: object.json: not a key object: "))
    }

    private static func keyID(_ name: String, _ tool: String) throws -> String {
        let vectors = try #require(try Vectors.json("keys/keyids.json") as? [String: [String: Any]])
        return try #require((vectors[name]?[tool] as? [String: Any])?["keyid"] as? String)
    }

    /// Source: keys/README.md.
    @Test(arguments: names)
    func `key id prints what each family of tools computes`(name: String) throws {
        let run = IntotoRun()
        let file = Vectors.url("keys/\(name).spki.pem").path
        #expect(try run("key", "id", file).outputText == Self.keyID(name, "python_3.1.0") + "\n")
        for (convention, tool) in [("python", "python_3.1.0"), ("go", "in_toto_golang"), ("witness", "witness")] {
            let result = try run("key", "id", "--convention", convention, file)
            #expect(result.status == 0 && result.errorText == "")
            #expect(try result.outputText == Self.keyID(name, tool) + "\n")
        }
    }

    @Test func `key show is text for people, of a public and of a private key`() throws {
        let run = IntotoRun()
        for (name, golden) in [("ed25519-alice", "key-show-ed25519.txt"), ("ecdsa-p256", "key-show-ecdsa.txt")] {
            let text = try run("key", "show", Vectors.url("keys/\(name).spki.pem").path).outputText
            try expectGolden(text, golden)
            _ = try run.shell("cat '\(Vectors.url("keys/\(name).pkcs8.pem").path)' >k; chmod 600 k")
            let privateOnly = try run("key", "show", "k")
            #expect(privateOnly.outputText == text && privateOnly.errorText == "")
        }
    }

    @Test func `key show --json has key ids, public half and the key object of a layout`() throws {
        let run = IntotoRun()
        let result = try run("key", "show", "--json", Vectors.url("keys/rsa-2048.spki.pem").path)
        try expectGolden(result.outputText, "key-show-rsa.json")
        #expect(result.errorText == "")
    }

    @Test func `a private key that others may read is shown with a warning`() throws {
        let run = IntotoRun()
        try run.makeKey("k")
        _ = try run.shell("chmod 644 k")
        let shown = try run("key", "show", "k")
        #expect(shown.status == 0)
        #expect(shown.errorText == "intoto-run: warning: k: others may read this private key\n")
    }

    // MARK: errors

    @Test(arguments: [
        (["key", "id", "absent"], "absent: cannot open: No such file or directory"),
        (["key", "show", "."], ".: is not a regular file"),
        (["key", "show", "/dev/zero"], "/dev/zero: is not a regular file"),
        (["key", "show", "text"], "text: not a key: neither PEM nor any other form that is known"),
        (["key", "show", "empty"], "empty: not a key: neither PEM nor any other form that is known"),
        (["key", "show", "big"], "big: larger than 65536 bytes"),
        (
            ["key", "generate", "--type", "dsa", "k"],
            "The value 'dsa' is invalid for '--type <type>'. Please provide one of"
        ),
        (["key", "generate"], "Missing expected argument '<path>'"),
        (["key", "frobnicate"], "Unexpected argument 'frobnicate'"),
        (["key", "id", "--convention", "ruby", "text"], "The value 'ruby' is invalid for '--convention <convention>'"),
        (
            ["key", "generate", "--type", "a\u{1B}[31m\nintoto-run: error: b", "k"],
            "The value 'a\\x1B[31m\\nintoto-run: error: b'"
        ),
        (["key", "generate", "--passphrase-file", "absent", "k"], "absent: cannot open: No such file or directory"),
    ])
    func `a mistake is one error that names the thing and the reason`(arguments: [String], message: String) throws {
        let run = IntotoRun()
        try run.write("text", to: "text")
        try run.write("", to: "empty")
        try run.write(String(repeating: "x", count: 1 << 20), to: "big")
        let before = try run.list()
        let result = try run.run(arguments)
        #expect(result.status == 2 && result.outputText == "")
        #expect(result.errorText.hasPrefix("intoto-run: error: \(message)"), "\(result.errorText)")
        #expect(result.errorText.split(separator: "\n").count { $0.hasPrefix("intoto-run: error: ") } == 1)
        #expect(try run.list() == before)
    }
}
