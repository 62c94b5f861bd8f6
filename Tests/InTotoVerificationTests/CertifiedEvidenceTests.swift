import Foundation
import InTotoCrypto
import InTotoMetadata
import InTotoVerification
import TestSupport
import Testing

/// Functionaries whom the layout does not list, but whose certificates it believes. Spec: ITE-7.
@Suite(.temporaryDirectory) struct CertifiedEvidenceTests {
    /// A root and certificates under it, made by the `openssl` program with throwaway keys.
    struct Authority {
        let directory = TemporaryDirectory.current

        init() throws { try make("root", extensions: ["basicConstraints=critical,CA:TRUE"]) }

        func make(_ name: String, issuer: String? = nil, extensions: [String]) throws {
            let signer = issuer.map { ["-CA", "\($0).pem", "-CAkey", "\($0).key"] } ?? []
            let result = try Subprocess.run(
                "/usr/bin/env",
                ["openssl", "req", "-x509", "-nodes", "-subj", "/CN=\(name)/O=Example", "-keyout", "\(name).key"]
                    + ["-out", "\(name).pem", "-days", "36500", "-newkey", "ed25519"] + signer
                    + extensions.flatMap { ["-addext", $0] }, in: directory)
            guard result.status == 0 else { throw IntotoRun.SetupFailure(reason: result.errorText) }
        }

        func makeLeaf(_ extensions: [String] = []) throws {
            let names = "subjectAltName=DNS:a.example,email:x@example.org,URI:https://example.org/x"
            try make("leaf", issuer: "root", extensions: ["basicConstraints=CA:FALSE", names] + extensions)
        }

        func text(_ name: String) throws -> Text {
            Text(String(decoding: try Data(contentsOf: directory.appending(path: name)), as: UTF8.self))
        }

        /// The key object of a certificate, as layouts have their roots.
        func object(_ name: String, label: Text) throws -> JSONValue {
            var object = try FunctionaryCertificate(pem: text("\(name).pem")).publicKey.keyObject
            object["keyid"] = .string(label)
            object["keyval"] = ["public": "", "certificate": .string(try text("\(name).pem"))]
            return .object(object)
        }

        /// A link of `build`, signed with the leaf's key, its certificate beside the signature.
        func link() throws -> [UInt8] {
            let key = try PrivateKey(file: SecretBytes(copying: text("leaf.key").utf8), passphrase: nil)
            let link = TestChain.link("build")
            let message = try SignedMetadata.metablock(Metablock(signed: link, signatures: [])).signedBytes()
            let signature = Signature(
                keyID: key.publicKey.keyID(.python), bytes: try key.sign(message), certificate: try text("leaf.pem"))
            return try JSONWriter.bytes(.compact) {
                Metablock(signed: link, signatures: [signature]).write(to: &$0)
            }
        }

        /// The link, and a layout that has the root and the constraint.
        func chain(_ changes: JSONObject = [:], people: [TestChain.Person] = []) throws -> TestChain {
            var constraint: JSONObject = [
                "common_name": "leaf", "dns_names": ["a.example"], "emails": ["x@example.org"],
                "organizations": ["Example"], "roots": ["aa"], "uris": ["https://example.org/x"],
            ]
            for member in changes.members { constraint[member.name] = member.value }
            guard case .object(var step) = try TestChain.step("build", people) else { return try TestChain() }
            step["cert_constraints"] = [.object(constraint)]
            var chain = try TestChain(steps: [.object(step)])
            chain.layout["rootcas"] = ["aa": try object("root", label: "aa")]
            chain.layout["expires"] = "2299-01-01T00:00:00Z"
            chain.files = ["build.00000000.link": try link()]
            return chain
        }
    }

    @Test func `a certificate that fits, under a root of the layout, is believed`() throws {
        let authority = try Authority()
        try authority.makeLeaf()
        let verdict = try authority.chain().verify()
        #expect(verdict.outcome == .passed, "\(verdict.text)")
    }

    @Test(
        arguments: [
            ("common_name", "other", "common name"), ("dns_names", ["b.example"], "DNS names"),
            ("dns_names", [], "DNS names"),
            ("emails", ["y@example.org"], "email addresses"), ("organizations", ["Other"], "organizations"),
            ("uris", ["https://example.org/y"], "URIs"), ("uris", [""], "URIs"), ("roots", ["bb"], "roots"),
            ("roots", [], "roots"), ("dns_names", ["a.example", "b.example"], "DNS names"),
        ] as [(Text, JSONValue, String)])
    func `each attribute has to fit`(member: Text, value: JSONValue, name: String) throws {
        let authority = try Authority()
        try authority.makeLeaf()
        let verdict = try authority.chain([member: value]).verify()
        #expect(verdict.problems.map(\.code) == ["threshold"])
        #expect(verdict.findings()[0].contains("does not fit: \(name): wanted"), "\(verdict.findings())")
        let anything: JSONValue = member == "common_name" ? "*" : ["*"]
        #expect(try authority.chain([member: anything]).problems() == [])
    }

    @Test func `without a constraint, a root or time it is not believed`() throws {
        let authority = try Authority()
        try authority.makeLeaf()
        var chain = try authority.chain(people: [.alice])
        #expect(try chain.problems() == [])
        chain.now = "2020-06-01T00:00:00Z"
        #expect(try chain.verify().findings()[0].contains("leads to no root of the layout"))
        chain.now = "2298-01-01T00:00:00Z"
        #expect(try chain.problems() == ["threshold"])
        chain.now = "2030-01-01T00:00:00Z"
        chain.layout["rootcas"] = nil
        #expect(try chain.problems() == ["threshold"])
        chain = try authority.chain(people: [.alice])
        chain.layout["steps"] = .array([try TestChain.step("build", [.alice])])
        #expect(try chain.problems() == ["threshold"])
        #expect(try !chain.verify().findings()[0].contains("certificate"))
    }

    @Test func `in a layout of very many roots no chain is looked for`() throws {
        let authority = try Authority()
        try authority.makeLeaf()
        var chain = try authority.chain()
        let labels = (0..<64).map { Text(String(0xAA00 + $0, radix: 16)) }
        func authorities(_ labels: [Text]) throws -> JSONValue {
            var object = JSONObject()
            for label in labels { object[label] = try authority.object("root", label: label) }
            return .object(object)
        }
        chain.layout["rootcas"] = try authorities(["aa"] + labels.prefix(63))
        for (count, isBelieved) in [(62, true), (64, false)] {
            chain.layout["intermediatecas"] = try authorities(Array(labels.prefix(count)))
            let verdict = try chain.verify()
            #expect((verdict.outcome == .passed) == isBelieved, "\(verdict.text)")
            #expect(isBelieved || verdict.findings()[0].contains("would cost too much"), "\(verdict.findings())")
        }
    }

    @Test func `a certificate for another use is not believed`() throws {
        let authority = try Authority()
        try authority.makeLeaf(["extendedKeyUsage=clientAuth"])
        let verdict = try authority.chain().verify()
        #expect(verdict.findings()[0].contains("is not for signing"), "\(verdict.findings())")
    }

    @Test func `somebody else's certificate beside a signature helps nobody`() throws {
        let authority = try Authority()
        try authority.makeLeaf()
        var chain = try authority.chain()
        let link = TestChain.link("build")
        let message = try SignedMetadata.metablock(Metablock(signed: link, signatures: [])).signedBytes()
        let stranger = try TestChain.Person.stranger.key
        let signature = Signature(
            keyID: stranger.publicKey.keyID(.python), bytes: try stranger.sign(message),
            certificate: try authority.text("leaf.pem"))
        chain.files = [
            "build.00000000.link": try JSONWriter.bytes(.compact) {
                Metablock(signed: link, signatures: [signature]).write(to: &$0)
            }
        ]
        #expect(try chain.problems() == ["threshold"])
    }
}
