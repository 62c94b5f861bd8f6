import Foundation
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct SignCheckTests {
    private static let alice = "keys/ed25519-alice.spki.pem"
    private static let bob = "keys/ed25519-bob.spki.pem"
    private static let aliceID = "230442632e86842f94cf683b91e20c38620ce7fbd485576bac6e58ede38d19f9"
    private static let bobID = "e4c1e4f5c1ce673038565122a861e35cd8d3dd17b562fc873e705c1f9d5facde"
    private static let link = "classic-links/python/build.23044263.link"

    private func check(_ file: String, _ keys: String..., in directory: URL = Vectors.directory) throws -> Subprocess {
        try IntotoRun(in: directory).run(["sign", "--check", file, "--verification-keys"] + keys)
    }

    @Test func `the right key is good`() throws {
        let result = try check(Self.link, Self.alice)
        #expect(result.status == 0 && result.errorText == "")
        #expect(result.outputText == "good: signed by \(Self.aliceID)\n")
        // Given twice it is still one key.
        #expect(try check(Self.link, Self.alice, Self.alice).outputText == result.outputText)
    }

    @Test func `every key must have signed, and the one that has not is named`() throws {
        let result = try check(Self.link, Self.alice, Self.bob)
        #expect(result.status == 1 && result.errorText == "")
        #expect(
            result.outputText == """
                not good: valid signatures by 2 of the given keys are needed, 1 found
                  no signature by '\(Self.bobID)'

                """)
    }

    @Test func `a signature by somebody else does not count`() throws {
        let result = try check(Self.link, Self.bob)
        #expect(result.status == 1)
        #expect(
            result.outputText == """
                not good: valid signatures by 1 of the given keys are needed, 0 found
                  the signature '\(Self.aliceID)' is by none of the given keys
                  no signature by '\(Self.bobID)'

                """)
    }

    @Test func `a signature under another's key id is whose key made it`() throws {
        let run = IntotoRun()
        try run.makeKey("alice.pem")
        try run.makeKey("bob.pem")
        let ids = try ["alice.pem", "bob.pem"].map { String(try run("key", "id", $0).outputText.dropLast()) }
        try run(
            "-q", "-k", "alice.pem", "-n", "s", "--format", "link", "-p", "alice.pem.pub", "--", "true")
        #expect(try run.shell("sed 's/\(ids[0])/\(ids[1])/' s.*.link >misnamed").status == 0)
        let good = try run("sign", "--check", "misnamed", "--verification-keys", "alice.pem.pub", "bob.pem.pub")
        #expect(good.outputText.hasSuffix("\n  no signature by '\(ids[1])'\n"), "\(good.outputText)")
        let shown = try run("inspect", "misnamed", "--verification-keys", "alice.pem.pub", "bob.pem.pub")
        let signature = "signature: \(ids[1]), good, by ed25519 key \(ids[0].prefix(8))\n"
        #expect(shown.status == 0 && shown.outputText.contains(signature), "\(shown.outputText)")
        let bad = try run("sign", "--check", "misnamed", "--verification-keys", "bob.pem.pub")
        #expect(bad.status == 1 && bad.outputText.contains("is bad: altered content, or another key"))
    }

    @Test(arguments: ["tampered-payload.json", "tampered-signature.json", "payload-type-swapped-after-signing.json"])
    func `what was changed after signing is not good`(name: String) throws {
        let result = try check("dsse/envelopes/\(name)", Self.alice)
        #expect(result.status == 1 && result.errorText == "")
        #expect(
            result.outputText == """
                not good: valid signatures by 1 of the given keys are needed, 0 found
                  the signature '\(Self.aliceID)' is bad: altered content, or another key

                """)
    }

    @Test func `one changed byte of our own evidence is not good, in any form`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("x", to: "dist/file")
        for format in ["link", "dsse-link", "attestation"] {
            try run("-q", "-k", "key.pem", "-n", "s", "--format", format, "--overwrite", "-p", "dist", "--", "true")
            let file = try run.file(endingIn: format == "attestation" ? ".jsonl" : ".link")
            #expect(try check(file, "key.pem.pub", in: run.directory).status == 0)
            let bytes = try run.read(file)
            for _ in 0..<25 {
                var changed = bytes
                let index = Int.random(in: 0..<bytes.count - 1)
                changed[index] ^= 1
                try Data(changed).write(to: run.directory.appending(path: "changed"))
                let result = try check("changed", "key.pem.pub", in: run.directory)
                // A key id is a label: which one stands there does not change what the signature is worth.
                let isLabel = result.outputText.hasPrefix("good") && Self.differOnlyInKeyID(bytes, changed)
                #expect(
                    result.status == 1 || result.status == 2 || isLabel,
                    "\(format), byte \(index): \(result.outputText)")
            }
        }
    }

    /// Without their key ids, the two are the same.
    private static func differOnlyInKeyID(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        func stripped(_ bytes: [UInt8]) -> NSDictionary? {
            guard var object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
                return nil
            }
            let signatures = object["signatures"] as? [[String: Any]] ?? []
            object["signatures"] = signatures.map { $0.filter { $0.key == "sig" } }
            return object as NSDictionary
        }
        guard let a = stripped(a), let b = stripped(b) else { return false }
        return a == b
    }

    @Test func `each envelope of a bundle is judged, and all must be good`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.makeKey("other.pem")
        try run.write("x", to: "dist/file")
        try run("-q", "-k", "key.pem", "-n", "a", "-p", "dist", "--", "true")
        try run("-q", "-k", "key.pem", "other.pem", "-n", "b", "-p", "dist", "--", "true")
        _ = try run.shell("cat a.*.jsonl b.*.jsonl >both")
        let ids = try ["key.pem", "other.pem"].map { try run("key", "id", $0).outputText.dropLast() }
        let good = try check("both", "key.pem.pub", in: run.directory)
        #expect(good.status == 0)
        #expect(good.outputText == "envelope 1: good: signed by \(ids[0])\nenvelope 2: good: signed by \(ids[0])\n")
        let bad = try check("both", "key.pem.pub", "other.pem.pub", in: run.directory)
        #expect(bad.status == 1)
        #expect(
            bad.outputText == """
                envelope 1: not good: valid signatures by 2 of the given keys are needed, 1 found
                  no signature by '\(ids[1])'
                envelope 2: good: signed by \(ids[0]), \(ids[1])

                """)
    }

    @Test func `a private key brings the way to its public half`() throws {
        let run = IntotoRun()
        try run.makeKey("my key.pem")
        try run.write("x", to: "dist/file")
        try run("-q", "-k", "my key.pem", "-n", "s", "-p", "dist", "--", "true")
        let file = try run.file(endingIn: ".jsonl")
        func hint() throws -> String {
            let refused = try check(file, "my key.pem", in: run.directory)
            #expect(refused.status == 2 && refused.outputText == "")
            let lines = refused.errorText.split(separator: "\n").map(String.init)
            #expect(lines.first == "intoto-run: error: my key.pem: a private key where a public key is needed")
            #expect(lines.count == 2)
            return lines.last ?? ""
        }
        #expect(try hint() == "intoto-run: hint: give the public key, which lies beside it: my key.pem.pub")
        // What lies there and is no public key is none to give.
        _ = try run.shell("mv 'my key.pem.pub' right; echo x >'my key.pem.pub'")
        let making = "intoto-run: hint: make the public key: intoto-run "
        #expect(try hint().hasPrefix(making))
        _ = try run.shell("rm 'my key.pem.pub'")
        let command = try hint().dropFirst(making.count)
        #expect(try run.shell("\"$R\" \(command)").status == 0, "\(command)")
        #expect(try run.read("my key.pem.pub") == run.read("right"))
    }

    @Test func `no signatures, and one without key id, are said`() throws {
        let none = try check("dsse/envelopes/no-signatures.json", Self.alice)
        #expect(none.status == 1 && none.outputText == "not good: there are no signatures\n")
        #expect(try check("dsse/envelopes/no-keyid.json", Self.alice).status == 0)
        let other = try check("dsse/envelopes/no-keyid.json", Self.bob)
        #expect(other.status == 1)
        #expect(other.outputText.contains("\n  a signature without key id is by none of the given keys\n"))
    }

    @Test(arguments: [
        (["sign", "--check", link], "no --verification-keys to check with"),
        (["sign", link], "no key to sign with"),
        (
            ["sign", "--check", "absent", "--verification-keys", alice],
            "absent: cannot open: No such file or directory"
        ),
        (["sign", "--check", link, "--verification-keys", "absent"], "absent: cannot open: No such file or directory"),
        (["sign", "--check", link, "--verification-keys", "keys/README.md"], "keys/README.md: not a key"),
        (["sign", "--check", alice, "--verification-keys", alice], "keys/ed25519-alice.spki.pem: not valid JSON: "),
    ])
    func `a question that cannot be answered is an error, not a no`(arguments: [String], message: String) throws {
        let result = try IntotoRun(in: Vectors.directory).run(arguments)
        #expect(result.status == 2 && result.outputText == "")
        #expect(result.errorText.hasPrefix("intoto-run: error: \(message)"), "\(result.errorText)")
    }
}
