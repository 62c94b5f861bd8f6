import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// How many functionaries evidence counts for.
@Suite(.temporaryDirectory) struct VerifyThresholdTests {
    typealias Chain = VerifyTests.Chain

    @Test func `a piece of evidence that two signed counts once, however often it is there`() throws {
        let chain = try Chain.handmade(threshold: 2)
        let both = try chain.signed(Chain.link(), by: ["alice.pem", "bob.pem"])
        let alices = try chain.signed(Chain.link(), by: ["alice.pem"])
        let twice: [UInt8] = both + [UInt8(ascii: "\n")] + both
        let (alice, bob) = (try chain.linkName(of: "alice.pem"), try chain.linkName(of: "bob.pem"))
        let folders: [[String: [UInt8]]] = [
            [alice: both], [alice: both, bob: both], ["x.intoto.jsonl": twice], ["x.intoto.jsonl": both, alice: both],
            ["x.intoto.jsonl": both, "y.intoto.jsonl": both], [alice: alices, bob: both],
            [alice: alices, "x.intoto.jsonl": twice],
        ]
        for files in folders {
            _ = try chain.run.shell("rm -f links/*")
            for (name, bytes) in files { try chain.write(bytes, to: "links/\(name)") }
            let result = try chain.verify()
            #expect(result.status == 1, "\(files.keys): \(result.outputText)")
            #expect(result.outputText.contains("one piece of evidence counts once"), "\(result.outputText)")
        }
    }

    @Test func `two who did the same and wrote the same are two`() throws {
        let chain = try Chain.handmade(threshold: 2)
        try chain.add(by: "alice.pem")
        #expect(try chain.verify().status == 1)
        try chain.add(by: "bob.pem")
        #expect(try chain.verify().status == 0)
        // Carl has signed Bob's, too: that makes two, not three.
        let three = try Chain.withThreshold(3, chain)
        try three.add(by: "bob.pem", "carl.pem")
        #expect(try three.verify().status == 1)
        try three.add(by: "bob.pem")
        try three.add(by: "carl.pem")
        #expect(try three.verify().status == 0)
    }

    @Test func `one run in two forms by two keys is one, and two runs are two`() throws {
        let chain = try Chain.handmade(threshold: 2)
        try chain.run.write("x", to: "product/app")
        func build(_ people: [String], _ formats: String) throws {
            let made = try IntotoRun(in: chain.run.directory.appending(path: "product")).run(
                ["-q", "-n", "build", "-k"] + people.map { "../\($0)" } + ["-p", "app", "-d", "../links", "--format"]
                    + [formats, "--", "true"])
            #expect(made.status == 0, "\(made.errorText)")
        }
        try build(["alice.pem", "bob.pem"], "attestation,link")
        #expect(try chain.run.list("links").count == 3)
        let one = try chain.verify()
        #expect(one.status == 1, "\(one.outputText)")
        #expect(one.outputText.contains("one piece of evidence counts once"), "\(one.outputText)")
        _ = try chain.run.shell("rm links/*")
        try build(["alice.pem"], "attestation")
        #expect(try chain.verify().status == 1)
        try build(["bob.pem"], "link")
        let two = try chain.verify()
        #expect(two.status == 0, "\(two.outputText)")
    }

    // MARK: Certificates

    /// Roots, and leaves under them, made by the `openssl` program with throwaway keys.
    private struct Authority {
        let chain: Chain

        init(threshold: Int, roots names: [String: String] = ["root": "aa"]) throws {
            var chain = try Chain.handmade(threshold: threshold)
            var roots: [String: Any] = [:]
            for (name, label) in names {
                try Self.make(name, in: chain, ["-addext", "basicConstraints=critical,CA:TRUE"])
                let pem = String(decoding: try chain.run.read("\(name).crt"), as: UTF8.self)
                let key = try FunctionaryCertificate(pem: Text(pem)).publicKey
                guard var object = try VerifyTests.JSONText.object(key.keyObject) as? [String: Any] else {
                    throw IntotoRun.SetupFailure(reason: "no key object")
                }
                object["keyid"] = label
                object["keyval"] = ["public": "", "certificate": pem]
                roots[label] = object
            }
            chain.layout["rootcas"] = roots
            chain.layout["keys"] = [String: Any]()
            try chain.change("pubkeys", to: [Any]())
            let any = ["*"]
            let constraint: [String: Any] = [
                "common_name": "*", "dns_names": any, "emails": any, "organizations": any, "roots": Array(names.values),
                "uris": any,
            ]
            try chain.change("cert_constraints", to: [constraint])
            self.chain = chain
        }

        static func make(_ name: String, in chain: Chain, _ options: [String]) throws {
            let result = try Subprocess.run(
                "/usr/bin/env",
                ["openssl", "req", "-x509", "-nodes", "-newkey", "ed25519", "-keyout", "\(name).key", "-out"]
                    + ["\(name).crt", "-days", "36500"]
                    + (options.contains("-subj") ? [] : ["-subj", "/CN=\(name)/O=Example"]) + options,
                in: chain.run.directory)
            guard result.status == 0 else { throw IntotoRun.SetupFailure(reason: result.errorText) }
        }

        /// A certificate for somebody of that subject and alternative name.
        func leaf(_ name: String, _ subject: String, _ alternative: String?, ca: String = "root") throws {
            let names = alternative.map { ["-addext", "subjectAltName=\($0)"] } ?? []
            try Self.make(
                name, in: chain,
                ["-subj", subject, "-CA", "\(ca).crt", "-CAkey", "\(ca).key", "-addext", "basicConstraints=CA:FALSE"]
                    + names)
        }

        /// A link that these have signed, certificates beside the signatures.
        func write(_ file: String, by leaves: [String], beside others: [String] = []) throws {
            let data = try JSONSerialization.data(withJSONObject: Chain.link(), options: .sortedKeys)
            let json = try JSONReader.read([UInt8](data))
            let message = try SignedMetadata.metablock(Metablock(signed: json, signatures: [])).signedBytes()
            func certificate(_ leaf: String) throws -> Text {
                Text(String(decoding: try chain.run.read("\(leaf).crt"), as: UTF8.self))
            }
            var signatures = try others.map {
                Signature(keyID: KeyID("bb"), bytes: [0], certificate: try certificate($0))
            }
            signatures += try leaves.map { leaf in
                let key = try PrivateKey(file: SecretBytes(copying: chain.run.read("\(leaf).key")), passphrase: nil)
                return Signature(
                    keyID: key.publicKey.keyID(.python), bytes: try key.sign(message),
                    certificate: try certificate(leaf))
            }
            let bytes = try JSONWriter.bytes(.compact) {
                Metablock(signed: json, signatures: signatures).write(to: &$0)
            }
            try chain.write(bytes, to: "links/build.\(file).link")
        }
    }

    @Test(
        arguments: [
            ("/CN=alice/O=Example", "/CN=alice/O=Example", nil, nil),
            ("/CN=alice/O=Example", "/CN=alice/O=Example", nil, "email:alice@example.org"),
            ("/CN=alice/O=Example", "/CN=alice/O=Example", "URI:spiffe://x/alice", nil),
            ("/CN=alice", "/CN=another", "URI:spiffe://x/alice", "URI:spiffe://x/alice"),
            ("/CN=alice", "/CN=another", "email:alice@example.org", "email:alice@example.org,URI:spiffe://x/alice"),
            // The case of letters tells nobody apart.
            ("/CN=alice", "/CN=another", "email:alice@example.org", "email:Alice@EXAMPLE.org"),
            ("/CN=alice", "/CN=another", "URI:spiffe://x/alice", "URI:SPIFFE://X/alice"),
            ("/O=Example", "/O=Example", "DNS:alice.example", "DNS:Alice.example"),
            ("/CN=alice/O=Example", "/CN=Alice/O=EXAMPLE", nil, nil),
        ] as [(String, String, String?, String?)])
    func `somebody with two certificates is one functionary`(
        first: String, second: String, name: String?, secondName: String?
    ) throws {
        let authority = try Authority(threshold: 2)
        try authority.leaf("one", first, name)
        try authority.leaf("two", second, secondName)
        try authority.leaf("bob", "/CN=bob/O=Example", name == nil ? nil : "URI:spiffe://x/bob")
        try authority.write("00000001", by: ["one"])
        try authority.write("00000002", by: ["two"])
        let result = try authority.chain.verify()
        #expect(result.status == 1, "\(result.outputText)")
        #expect(result.outputText.contains("who is counted already"), "\(result.outputText)")
        try authority.write("00000002", by: ["bob"])
        let both = try authority.chain.verify()
        #expect(both.status == 0, "\(both.outputText)")
    }

    @Test func `who has one name from two roots is two, as each speaks for its own people`() throws {
        let authority = try Authority(threshold: 2, roots: ["root": "aa", "other": "bb"])
        for (name, ca) in [("one", "root"), ("two", "other")] {
            try authority.leaf(name, "/CN=alice/O=Example", "email:alice@example.org", ca: ca)
            try authority.write(name == "one" ? "00000001" : "00000002", by: [name])
        }
        let result = try authority.chain.verify()
        #expect(result.status == 0, "\(result.outputText)")
        try authority.leaf("two", "/CN=alice/O=Example", "email:alice@example.org")
        try authority.write("00000002", by: ["two"])
        #expect(try authority.chain.verify().status == 1)
    }

    @Test func `two of one name, each with an address of their own, are two`() throws {
        let authority = try Authority(threshold: 2)
        for name in ["one", "two"] {
            try authority.leaf(name, "/CN=alice/O=Example", "email:\(name)@example.org")
            try authority.write(name == "one" ? "00000001" : "00000002", by: [name])
        }
        let result = try authority.chain.verify()
        #expect(result.status == 0, "\(result.outputText)")
        // A certificate without an address may be either's.
        try authority.leaf("three", "/CN=alice/O=Example", nil)
        try authority.write("00000002", by: ["three"])
        #expect(try authority.chain.verify().status == 1)
    }

    @Test func `only the first certificates of a file are looked at`() throws {
        let authority = try Authority(threshold: 1)
        try authority.leaf("alice", "/CN=alice", nil)
        let chain = authority.chain
        // A forged root of the same name: nothing under it is believed.
        try Authority.make(
            "forged", in: chain, ["-subj", "/CN=root/O=Example", "-addext", "basicConstraints=critical,CA:TRUE"])
        let forged = (0..<16).map { "forged\($0)" }
        for name in forged { try authority.leaf(name, "/CN=alice", nil, ca: "forged") }
        try authority.write("00000001", by: ["alice"], beside: Array(forged.dropLast()))
        let good = try chain.verify()
        #expect(good.status == 0, "\(good.outputText)")
        // The same one again is none more.
        try authority.write("00000001", by: ["alice"], beside: Array(repeating: forged[0], count: 100))
        #expect(try chain.verify().status == 0)
        try authority.write("00000001", by: ["alice"], beside: forged)
        let tooMany = try chain.verify()
        #expect(tooMany.status == 1)
    }
}

extension VerifyTests.Chain {
    static func withThreshold(_ threshold: Int, _ chain: Self) throws -> Self {
        var chain = chain
        try chain.change("threshold", to: threshold)
        return chain
    }
}
