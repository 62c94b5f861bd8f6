import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// What `verify` does not do, said in so many words; and the leniency for keys that are too short.
@Suite(.temporaryDirectory) struct VerifyRefusalTests {
    // MARK: Weak keys

    /// A chain whose step a weak key has signed: an RSA key of `bits`, made and used by openssl.
    private func weakChain(bits: Int) throws -> VerifyTests.Chain {
        var chain = try VerifyTests.Chain()
        let made = try chain.run.shell("openssl genrsa \(bits) >weak.pem && openssl rsa -in weak.pem -pubout >weak.pub")
        guard made.status == 0 else { throw IntotoRun.SetupFailure(reason: made.errorText) }
        let keyID = String(repeating: "ab", count: 32)
        chain.layout["keys"] = [
            keyID: [
                "keyid": keyID, "keytype": "rsa", "scheme": "rsassa-pss-sha256",
                "keyval": ["public": String(decoding: try chain.run.read("weak.pub"), as: UTF8.self)],
            ]
        ]
        try chain.change("pubkeys", to: [keyID])
        let name = try chain.run.file(endingIn: ".intoto.jsonl", in: "links")
        var envelope = Bundle(try chain.run.read(name)).envelopes[0]
        let message = Envelope.preAuthenticationEncoding(payloadType: envelope.payloadType, payload: envelope.payload)
        try Data(message).write(to: chain.run.directory.appending(path: "message"))
        let signed = try chain.run.shell(
            """
            openssl dgst -sha256 -sign weak.pem -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest message \
            >signature
            """)
        guard signed.status == 0 else { throw IntotoRun.SetupFailure(reason: signed.errorText) }
        envelope.signatures = [Signature(keyID: KeyID(Text(keyID)), bytes: try chain.run.read("signature"))]
        try Data(Bundle([envelope]).bytes()).write(to: chain.run.directory.appending(path: name))
        return chain
    }

    @Test func `a key that is too short counts only where that is allowed, with a warning`() throws {
        let chain = try weakChain(bits: 1024)
        let strict = try chain.verify()
        #expect(strict.status == 1 && strict.outputText.contains("the layout lists 0 distinct usable keys"))
        #expect(strict.errorText.contains("an RSA key of 1024 bits is too weak"))
        let lenient = try chain.verify("--allow-weak-keys")
        #expect(lenient.status == 0, "\(lenient.outputText)\(lenient.errorText)")
        #expect(lenient.errorText.contains("counts, as was allowed: an RSA key of 1024 bits is too weak"))
        // Weak, and not just anybody's.
        let name = try chain.run.file(endingIn: ".intoto.jsonl", in: "links")
        var envelope = Bundle(try chain.run.read(name)).envelopes[0]
        var bytes = envelope.signatures[0].bytes
        bytes[9] ^= 1
        envelope.signatures = [Signature(keyID: envelope.signatures[0].keyID, bytes: bytes)]
        try Data(Bundle([envelope]).bytes()).write(to: chain.run.directory.appending(path: name))
        #expect(try chain.verify("--allow-weak-keys").status == 1)
    }

    @Test func `a key that everybody can break never counts`() throws {
        #expect(try weakChain(bits: 768).verify("--allow-weak-keys").status == 1)
    }

    @Test func `an owner's key that is too short is taken only where that is allowed`() throws {
        let chain = try weakChain(bits: 1024)
        let runner = IntotoRun(in: chain.run.directory)
        try runner.write("{}", to: "root.layout")
        let verify = ["verify", "-l", "root.layout", "--verification-keys", "weak.pub"]
        let strict = try runner.run(verify)
        #expect(strict.status == 2 && strict.errorText.contains("weak.pub: an RSA key of 1024 bits is too weak"))
        let lenient = try runner.run(verify + ["--allow-weak-keys"])
        #expect(lenient.status == 1 && lenient.errorText.contains("warning: weak.pub: an RSA key of 1024 bits"))
    }

    // MARK: OpenPGP. Source: gpg/README.md

    private func openPGPChain() throws -> (chain: VerifyTests.Chain, keyID: String) {
        var chain = try VerifyTests.Chain()
        let objects = try #require(try Vectors.json("gpg/layout-key-objects.json") as? [String: [String: Any]])
        let object = try #require(objects["rsa"])
        let keyID = try #require(object["keyid"] as? String)
        var keys = try #require(chain.layout["keys"] as? [String: Any])
        keys[keyID] = object
        chain.layout["keys"] = keys
        try chain.change("name", to: "gpg-rsa")
        try chain.change("expected_products", to: [["ALLOW", "*"]])
        _ = try chain.run.shell("rm links/*")
        try Data(Vectors.bytes("gpg/gpg-rsa.d24f1793.link")).write(
            to: chain.run.directory.appending(path: "links/gpg-rsa.d24f1793.link"))
        return (chain, keyID)
    }

    @Test func `an OpenPGP key may stand in a layout, and what it signed does not count`() throws {
        var (chain, keyID) = try openPGPChain()
        // Alice is listed, too, and has not signed.
        let steps = try #require(chain.layout["steps"] as? [[String: Any]])
        let others = try #require(steps[0]["pubkeys"] as? [String])
        try chain.change("pubkeys", to: others + [keyID])
        let missing = try chain.verify()
        #expect(missing.status == 1, "\(missing.outputText)")
        #expect(missing.outputText.contains("its one signature is an OpenPGP one, which is not verified here"))
        #expect(
            missing.errorText.contains(
                "the layout's key '\(keyID)' cannot be used: an OpenPGP key, whose signatures are not verified here"))
        // Nobody else is listed.
        try chain.change("pubkeys", to: [keyID])
        let alone = try chain.verify()
        #expect(alone.status == 1 && alone.outputText.contains("the layout lists 0 distinct usable keys for it"))
        #expect(try chain.run("layout", "lint", "root.layout").outputText.contains("an OpenPGP key"))
    }

    /// As securesystemslib itself writes such keys.
    @Test func `an OpenPGP key in its other form is known for what it is`() throws {
        var (chain, keyID) = try openPGPChain()
        chain.layout["keys"] = [
            keyID: [
                "keyid": keyID, "keytype": "rsa", "scheme": "pgp+rsa-pkcsv1.5",
                "keyval": ["public": ["e": "010001", "n": "a5d9"], "creation_time": 1],
            ]
        ]
        try chain.change("pubkeys", to: [keyID])
        let result = try chain.verify()
        #expect(result.status == 1 && result.errorText.contains("an OpenPGP key, whose signatures are not verified"))
    }

    @Test func `an owner's OpenPGP key is refused, and so is a layout that only one has signed`() throws {
        let (chain, _) = try openPGPChain()
        let objects = try #require(try Vectors.json("gpg/layout-key-objects.json") as? [String: [String: Any]])
        try JSONSerialization.data(withJSONObject: try #require(objects["rsa"])).write(
            to: chain.run.directory.appending(path: "gpg.json"))
        try chain.run.write(#"{"signed": {"_type": "layout"}, "signatures": []}"#, to: "root.layout")
        let key = try chain.run("verify", "-l", "root.layout", "--verification-keys", "gpg.json")
        #expect(
            key.status == 2 && key.errorText.contains("gpg.json: an OpenPGP key, whose signatures are not verified"))
        let named = try chain.run(
            "verify", "-l", "root.layout", "--verification-keys", "gpg:d24f179378665923c451c6d6af0ba0680eeb4f82")
        #expect(named.status == 2 && named.errorText.contains("OpenPGP keys sign classic links"))
        try chain.run.write(
            #"{"signed": {"_type": "layout"}, "signatures": [{"keyid": "ab", "other_headers": "04", "signature": "05"}]}"#,
            to: "root.layout")
        let layout = try chain.run("verify", "-l", "root.layout", "--verification-keys", "owner.pem.pub")
        #expect(layout.status == 1 && layout.outputText.contains("its one signature is an OpenPGP one"))
    }

    // MARK: ITE-10 and ITE-11. Source: new-style-layout/README.md

    @Test func `a layout of the drafts is refused as what it is`() throws {
        let run = IntotoRun()
        try run.makeKey("owner.pem")
        try Data(Vectors.bytes("new-style-layout/layout.yml")).write(to: run.directory.appending(path: "layout.yml"))
        let draft = "as the drafts ITE-10 and ITE-11 have it"
        let signing = try run("layout", "sign", "layout.yml", "-k", "owner.pem", "-o", "root.layout")
        #expect(signing.status == 2 && signing.errorText.contains("\(draft) ('functionaries')"), "\(signing.errorText)")
        let lint = try run("layout", "lint", "layout.yml")
        #expect(lint.status == 1 && lint.outputText.contains(draft))

        // Signed by somebody else's tool, in an envelope and without one.
        let key = try PrivateKey(file: SecretBytes(copying: run.read("owner.pem")), passphrase: nil)
        let steps = #"[{"name": "a", "expectedPredicates": []}]"#
        for payload in [
            #"{"expires": "2099-01-01T00:00:00Z", "functionaries": {}, "steps": []}"#,
            #"{"expires": "2099-01-01T00:00:00Z", "keys": {}, "steps": \#(steps)}"#,
            #"{"_type": "layout", "expires": "2099-01-01T00:00:00Z", "keys": {}, "steps": \#(steps)}"#,
        ] {
            var envelope = Envelope(payload: Array(payload.utf8))
            let message = Envelope.preAuthenticationEncoding(
                payloadType: envelope.payloadType, payload: envelope.payload)
            envelope.signatures = [try KeyFileSigner(key).signature(over: message)]
            try Data(JSONWriter.bytes(.compact) { envelope.write(to: &$0) }).write(
                to: run.directory.appending(path: "root.layout"))
            let signed = try run("verify", "-l", "root.layout", "--verification-keys", "owner.pem.pub")
            #expect(signed.status == 1 && signed.outputText.contains(draft), "\(signed.outputText)")
            try run.write(payload, to: "root.layout")
            let bare = try run("verify", "-l", "root.layout", "--verification-keys", "owner.pem.pub")
            #expect(bare.status == 1, "\(bare.outputText)")
        }
    }

    /// A member that would change the meaning, in each place where one may stand.
    @Test(arguments: ["layout", "step", "inspection", "key", "keyval"])
    func `an unknown member is refused by its name, wherever it stands`(place: String) throws {
        var chain = try VerifyTests.Chain(inspections: [VerifyTests.Chain.inspection("look", ["true"])])
        #expect(try chain.verify().status == 0)
        switch place {
        case "layout": chain.layout["expired"] = "2000-01-01T00:00:00Z"
        case "step": try chain.change("expired", to: 1)
        case "inspection":
            var inspections = try #require(chain.layout["inspect"] as? [[String: Any]])
            inspections[0]["expired"] = [String]()
            chain.layout["inspect"] = inspections
        default:
            var keys = try #require(chain.layout["keys"] as? [String: [String: Any]])
            let label = try #require(keys.keys.first)
            if place == "key" {
                keys[label]?["expired"] = "x"
            } else {
                var values = try #require(keys[label]?["keyval"] as? [String: Any])
                values["expired"] = "x"
                keys[label]?["keyval"] = values
            }
            chain.layout["keys"] = keys
        }
        let refused = try chain.verify()
        #expect(
            refused.status == 1 && refused.outputText.contains("has an unknown member 'expired'"),
            "\(refused.outputText)")
    }
}
