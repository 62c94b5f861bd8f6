import InTotoMetadata
import TestSupport
import Testing

@Suite struct EnvelopeTests {
    /// Source: securesystemslib and go-securesystemslib; the first row is the DSSE document's own example.
    @Test func `pre-authentication encodings are those of other implementations`() throws {
        let file = try Vectors.json("dsse/pae.json") as? [String: Any]
        let rows = file?["vectors"] as? [[String: String]] ?? []
        for row in rows {
            guard let type = row["payloadType"], let payload = Hex.decode(Text(row["payload_hex"] ?? "?")) else {
                Issue.record("bad row \(row)")
                continue
            }
            let encoded = Envelope.preAuthenticationEncoding(payloadType: Text(type), payload: payload)
            #expect(Hex.encode(encoded) == Text(row["pae_hex"] ?? ""), "\(type)")
        }
        print("vectors: dsse pae \(rows.count)")
        #expect(rows.count >= 6)
    }

    enum Outcome {
        /// What its signatures are worth is not decided here. Most links inside stop at their step's name: its question
        /// marks are there to get both of base64's last digits, and we do not allow them.
        case readable
        case notEvidence, badBase64
    }

    /// Source: the folder's README. Those refused only for their signatures read well.
    static let outcomes: [String: Outcome] = [
        "base64-with-newlines.json": .badBase64,  // white space is no base64
        "duplicate-keyid.json": .readable,  // a key id is only a hint
        "ecdsa-high-s.json": .readable,
        "ecdsa-raw-rs.json": .readable,
        "empty-keyid.json": .readable,
        "foreign-keyid.json": .readable,
        "hex-signature-in-dsse.json": .readable,  // hexadecimal digits happen to be base64
        "no-keyid.json": .readable,  // optional in DSSE
        "no-signatures.json": .readable,
        "ok-ecdsa-p256.json": .readable,
        "ok-ecdsa-p384.json": .readable,
        "ok-ecdsa-p521.json": .readable,
        "ok-ed25519-alice.json": .readable,
        "ok-extra-fields.json": .readable,
        "ok-rsa-2048.json": .readable,
        "ok-rsa-3072.json": .readable,
        "ok-urlsafe-both.json": .readable,
        "ok-urlsafe-payload-std-sig.json": .readable,
        "payload-type-swapped-after-signing.json": .notEvidence,
        "predicate-specific-payload-type.json": .notEvidence,  // allowed around a statement; this is a classic link
        "rsa-pkcs1v15-under-pss-scheme.json": .readable,
        "rsa-pss-salt0.json": .readable,
        "rsa-pss-salt20.json": .readable,
        "rsa-pss-saltmax.json": .readable,
        "signed-without-pae.json": .readable,
        "tampered-payload.json": .readable,
        "tampered-signature.json": .readable,
        "two-signatures-one-bad.json": .readable,
        "unpadded-base64.json": .badBase64,
        "wrong-payload-type.json": .notEvidence,
    ]

    static func outcome(of path: String) throws -> Outcome {
        do {
            guard case .link = try SignedMetadata(Vectors.bytes(path)).payload() else {
                throw MetadataError.unknownContainer
            }
            return .readable
        } catch MetadataError.badStepName(let error) where error.problem == .character("?") {
            return .readable
        } catch MetadataError.notEvidence {
            return .notEvidence
        } catch MetadataError.badValue(_, _, let reason) where reason == "is not base64" {
            return .badBase64
        }
    }

    @Test func `each envelope of other implementations is read or refused as decided`() throws {
        let files = try Vectors.list("dsse/envelopes")
        #expect(Set(files) == Set(Self.outcomes.keys))
        for file in files { #expect(try Self.outcome(of: "dsse/envelopes/\(file)") == Self.outcomes[file], "\(file)") }
        let readable = Self.outcomes.values.count { $0 == .readable }
        print("vectors: dsse envelopes \(files.count), \(readable) readable, \(files.count - readable) refused")
    }

    @Test func `an envelope read and written again is the same`() throws {
        for file in try Vectors.list("dsse/envelopes") where Self.outcomes[file] == .readable {
            let metadata = try SignedMetadata(Vectors.bytes("dsse/envelopes/\(file)"))
            let written = try JSONWriter.bytes(.compact) { metadata.write(to: &$0) }
            #expect(try SignedMetadata(written) == metadata, "\(file)")
        }
    }

    @Test func `what we do not know stays in the envelope and beside its signatures`() throws {
        let text = """
            {"about":{"b":1,"c":[]},"payload":"e30=","payloadType":"x","signatures":[{"cert":"PEM","keyid":"a",\
            "sig":"AA==","timestamps":[{"type":"tsp"}]},{"keyid":"b","sig":"AQ=="}],"z":null}
            """
        let metadata = try SignedMetadata(Array(text.utf8))
        #expect(try JSONWriter.bytes(.compact) { metadata.write(to: &$0) } == Array(text.utf8))
        // ITE-7's member is classic metadata's alone.
        #expect(metadata.signatures.count == 2 && metadata.signatures.allSatisfy { $0.certificate == nil })
    }

    static func envelope(_ members: String) -> [UInt8] { Array("{\(members)}".utf8) }

    @Test(arguments: [
        #""payload":"e30=","signatures":[]"#, #""payloadType":"x","signatures":[]"#,
        #""payload":"e30=","payloadType":"x""#,
        #""payload":1,"payloadType":"x","signatures":[]"#, #""payload":"e30=","payloadType":null,"signatures":[]"#,
        #""payload":"e30=","payloadType":"x","signatures":{}"#, #""payload":"e30=","payloadType":"x","signatures":[1]"#,
        #""payload":"e30=","payloadType":"x","signatures":[{"keyid":"k"}]"#,
        #""payload":"e30=","payloadType":"x","signatures":[{"sig":"!"}]"#,
        #""payload":"e30=","payloadType":"x","signatures":[{"sig":"AA==","keyid":1}]"#,
        #""payload":"e30=","payloadType":"x","signatures":[],"signed":{}"#,
        #""payload":"e30=","payloadType":"x","payloadType":"x","signatures":[]"#,
    ])
    func `an envelope has three members, each of its type`(members: String) throws {
        _ = try SignedMetadata(
            Self.envelope(#""payload":"e30=","payloadType":"x","signatures":[{"sig":"AA=="}],"more":1"#))
        #expect(throws: MetadataError.self) { try SignedMetadata(Self.envelope(members)) }
    }

    @Test func `more signatures than functionaries are refused before they are decoded`() throws {
        func file(_ count: Int, last: String) -> [UInt8] {
            let signatures = [String](repeating: #"{"keyid":"00","sig":"AAAA"}"#, count: count - 1) + [last]
            return Self.envelope(
                #""payload":"e30=","payloadType":"x","signatures":[\#(signatures.joined(separator: ","))]"#)
        }
        #expect(try SignedMetadata(file(256, last: #"{"sig":"AAAA"}"#)).signatures.count == 256)
        for last in [#"{"sig":"AAAA"}"#, #"{"sig":"no base64"}"#] {
            #expect(throws: MetadataError.badValue("signatures", in: "the file", reason: "has more than 256 entries")) {
                try SignedMetadata(file(257, last: last))
            }
        }
    }

    static let statement =
        #"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"00"}}],"predicateType":"t"}"#

    @Test(arguments: [
        ("application/vnd.in-toto+json", true), ("application/vnd.in-toto.link+json", true),
        ("application/vnd.in-toto.link.json", false), ("application/vnd.in-toto.test-result+json", true),
        ("application/vnd.in-toto.+json", false),
        ("application/vnd.in-totox+json", false), ("application/vnd.in-toto", false),
        ("application/vnd.in-toto+jso", false),
        ("APPLICATION/VND.IN-TOTO+JSON", false), ("application/vnd.in-toto+json ", false),
        ("application/vnd.in-toto+json+json", false),
        ("", false),
    ])
    func `a payload type is in-toto's or the payload is not looked at`(type: String, isOurs: Bool) throws {
        let envelope = SignedMetadata.envelope(Envelope(payloadType: Text(type), payload: Array(Self.statement.utf8)))
        if isOurs {
            guard case .statement = try envelope.payload() else { throw MetadataError.unknownContainer }
        } else {
            #expect(throws: MetadataError.notEvidence(type: Text(type))) { try envelope.payload() }
        }
    }

    @Test func `a payload type of a predicate is for statements only`() throws {
        let link = Array(LinkTests.document().utf8)
        guard case .link = try SignedMetadata.envelope(Envelope(payload: link)).payload() else {
            throw MetadataError.unknownContainer
        }
        for payload in [link, Array(#"{"_type":"layout"}"#.utf8)] {
            let type: Text = "application/vnd.in-toto.link+json"
            let metadata = SignedMetadata.envelope(Envelope(payloadType: type, payload: payload))
            #expect(throws: MetadataError.notEvidence(type: type)) { try metadata.payload() }
        }
    }

    @Test func `a payload is read within the limits of the file`() throws {
        var limits = JSONLimits()
        limits.size = Self.statement.utf8.count
        let metadata = SignedMetadata.envelope(Envelope(payload: Array(Self.statement.utf8)))
        _ = try metadata.payload(limits: limits)
        limits.size -= 1
        #expect(throws: MetadataError.payloadJSON(.tooLarge(limit: limits.size))) {
            try metadata.payload(limits: limits)
        }
    }
}
