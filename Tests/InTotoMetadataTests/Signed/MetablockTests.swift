import InTotoMetadata
import TestSupport
import Testing

@Suite struct MetablockTests {
    /// Source: in-toto 3.1.0 and in-toto-golang, one link for each kind of key.
    @Test func `what other implementations signed is what we would verify and sign`() throws {
        let results = try #require(try Vectors.json("classic-links/results.json") as? [String: [String: Any]])
        for (file, result) in results {
            let metadata = try SignedMetadata(Vectors.bytes("classic-links/\(file)"))
            let signed = Hex.decode(Text(result["canonical_signed_utf8_hex"] as? String ?? "?"))
            #expect(try metadata.signedBytes() == signed, "\(file)")
            guard case .link(let link) = try metadata.payload() else {
                Issue.record("\(file) is no link")
                continue
            }
            #expect(try link.canonicalBytes() == signed, "\(file)")
            #expect(metadata.signatures.map(\.keyID.text.description) == [result["keyid"] as? String])
            let prefix = metadata.signatures.first?.keyID.prefix8.description ?? ""
            #expect(file.hasSuffix("build.\(prefix).link"))
        }
        print("vectors: classic-links \(results.count) reproduced")
        #expect(results.count == 12)
    }

    @Test func `more signatures than functionaries are refused, and labels longer than any`() throws {
        func read(_ count: Int, label: Int) throws -> SignedMetadata {
            let signature = #"{"keyid":"\#(String(repeating: "a", count: label))","sig":"00"}"#
            let signatures = [String](repeating: signature, count: count).joined(separator: ",")
            return try SignedMetadata(Array(#"{"signed":{"_type":"link"},"signatures":[\#(signatures)]}"#.utf8))
        }
        #expect(try read(256, label: 256).signatures.count == 256)
        #expect(throws: MetadataError.badValue("signatures", in: "the file", reason: "has more than 256 entries")) {
            try read(257, label: 1)
        }
        #expect(throws: MetadataError.badValue("keyid", in: "signature 0", reason: "is longer than 256 bytes")) {
            try read(1, label: 257)
        }
    }

    @Test func `links in envelopes are read, but not golang's invalid JSON`() throws {
        for file in try Vectors.list("dsse-links/python").map({ "python/\($0)" }) + [
            "golang-no-control-characters/copy.2eef8cbe.link"
        ] {
            guard case .link = try SignedMetadata(Vectors.bytes("dsse-links/\(file)")).payload() else {
                Issue.record("\(file) is no link")
                continue
            }
        }
        let files = try Vectors.list("dsse-links/golang")
        for file in files {
            let metadata = try SignedMetadata(Vectors.bytes("dsse-links/golang/\(file)"))
            #expect {
                try metadata.payload()
            } throws: { error in
                "\(error)" == #"the payload is not valid JSON: unexpected '\n' at byte 61"#
            }
        }
        print("vectors: dsse-links 7 read, \(files.count) refused")
        #expect(files.count == 6)
    }

    /// Nil where it reads as a link; else what is wrong. Signatures are not looked at. Source: the folder's README.
    static let edgeCases: KeyValuePairs<String, String?> = [
        "link-plain.json": nil,
        "link-unknown-field-signed.json": "the link has an unknown member 'x'",
        "link-unknown-field-added.json": "the link has an unknown member 'x'",
        "link-default-field-removed.json": "the link has no member 'environment'",
        "link-command-null.json": "member 'command' of the link must be an array, not null",
        "link-materials-null.json": "member 'materials' of the link must be an object, not null",
        "link-return-value-float.json": "not valid JSON: canonical JSON has no number 0.0",
        "link-upper-case-hex.json": nil,
        "link-empty-hash-object.json": nil,  // compares as incomparable with everything, also with itself
        "link-odd-length-hex.json": nil,  // likewise
        "link-unicode-controls.json": #"step name 'edge\n\u{2028}é' may not contain '\n'"#,
        "link-duplicate-json-key.json": "not valid JSON: member 'name' stands twice in an object",
        "link-first-signature-bad-second-good.json": nil,
        "link-signature-upper-hex.json": nil,
        "link-signature-extra-field.json": nil,
        "link-no-signatures-member.json": "the file has no member 'signatures'",
        "link-both-forms.json": "both a DSSE envelope ('payload') and classic metadata ('signed')",
    ]

    @Test func `edge cases of classic links are decided`() throws {
        let files = try Vectors.list("edge-cases").filter { $0.hasPrefix("link-") }
        #expect(Set(files) == Set(Self.edgeCases.map(\.key)))
        for (file, expected) in Self.edgeCases {
            var found: String?
            do {
                let metadata = try SignedMetadata(Vectors.bytes("edge-cases/\(file)"))
                _ = try metadata.signedBytes()
                guard case .link = try metadata.payload() else { throw MetadataError.unknownContainer }
            } catch let error as MetadataError {
                found = error.description
            }
            #expect(
                found == nil ? expected == nil : found?.hasPrefix(expected ?? "?") == true,
                "\(file): \(found ?? "accepted")")
        }
        print("vectors: edge-cases links \(files.count) decided")
    }

    @Test(arguments: ["link-empty-hash-object.json", "link-odd-length-hex.json"])
    func `an artifact without a usable digest equals nothing`(file: String) throws {
        guard case .link(let link) = try SignedMetadata(Vectors.bytes("edge-cases/\(file)")).payload() else {
            throw MetadataError.unknownContainer
        }
        #expect(!link.products.isEmpty)
        for product in link.products { #expect(product.digests.compare(with: product.digests) == .incomparable) }
    }

    @Test func `layouts are recognised and kept as they are`() throws {
        let files = try Vectors.list("edge-cases").filter { $0.hasPrefix("layout-") }
        for file in files {
            let metadata = try SignedMetadata(Vectors.bytes("edge-cases/\(file)"))
            _ = try metadata.signedBytes()
            guard case .layout(let layout) = try metadata.payload() else {
                Issue.record("\(file) is no layout")
                continue
            }
            #expect(layout["steps"] != nil)
        }
        print("vectors: edge-cases layouts \(files.count) recognised")
        #expect(!files.isEmpty)
    }

    @Test func `what is unknown in the signed part stays under the signature`() throws {
        let text = #"{"signed":{"_type":"layout","z":[1,null],"a":"\u00e9"},"signatures":[]}"#
        let metadata = try SignedMetadata(Array(text.utf8))
        #expect(try metadata.signedBytes() == Array(#"{"_type":"layout","a":"é","z":[1,null]}"#.utf8))
    }

    @Test(arguments: [
        #"{"signatures":[]}"#, #"{"signed":{}}"#, "[]", "{}", "null", #"{"signed":{},"signatures":{}}"#,
        #"{"signed":{},"signatures":[{"keyid":"a"}]}"#, #"{"signed":{},"signatures":[{"sig":"00"}]}"#,
        #"{"signed":{},"signatures":[{"keyid":"a","sig":"0"}]}"#,
        #"{"signed":{},"signatures":[{"keyid":"a","sig":"0g"}]}"#,
        #"{"signed":{},"signatures":[{"keyid":null,"sig":"00"}]}"#, #"{"signed":{},"signatures":[null]}"#,
    ])
    func `a container that lacks something is refused`(text: String) throws {
        _ = try SignedMetadata(Array(#"{"signed":{},"signatures":[{"keyid":"a","sig":"00"}]}"#.utf8))
        #expect(throws: MetadataError.self) { try SignedMetadata(Array(text.utf8)) }
    }

    @Test func `OpenPGP signatures are counted and passed over`() throws {
        let text =
            #"{"signed":{},"signatures":[{"keyid":"a","signature":"00","other_headers":""},{"keyid":"b","sig":"00"}]}"#
        guard case .metablock(let metablock) = try SignedMetadata(Array(text.utf8)) else {
            throw MetadataError.unknownContainer
        }
        #expect(metablock.openPGPSignatures.count == 1)
        #expect(metablock.signatures.map(\.keyID) == [KeyID("b")])
    }

    @Test func `OpenPGP signatures are written as they were read`() throws {
        let text =
            #"{"signatures":[{"keyid":"a","other_headers":"04000108","signature":"00ff"}],"signed":{"_type":"link"}}"#
        guard case .metablock(let metablock) = try SignedMetadata(Array(text.utf8)) else {
            throw MetadataError.unknownContainer
        }
        let expected = Signature(keyID: KeyID("a"), bytes: [0x00, 0xFF], openPGPHeaders: [4, 0, 1, 8])
        #expect(metablock.openPGPSignatures == [expected])
        #expect(try JSONWriter.bytes(.compact) { metablock.write(to: &$0) } == Array(text.utf8))
        for broken in ["0g", "0"] {
            #expect(throws: MetadataError.self) {
                try SignedMetadata(Array(text.replacing("00ff", with: broken).utf8))
            }
            #expect(throws: MetadataError.self) {
                try SignedMetadata(Array(text.replacing("04000108", with: broken).utf8))
            }
        }
    }

    @Test func `what we do not know stays beside the signatures`() throws {
        let text = """
            {"more":[1],"signatures":[{"cert":"PEM","keyid":"a","sig":"00","timestamps":[{"type":"tsp"}]},\
            {"keyid":"b","other_headers":"0400","signature":"ff","x":null}],"signed":{"_type":"link"}}
            """
        let metadata = try SignedMetadata(Array(text.utf8))
        #expect(try JSONWriter.bytes(.compact) { metadata.write(to: &$0) } == Array(text.utf8))
        #expect(metadata.signatures.first?.certificate == "PEM")
    }

    @Test func `a statement is no classic metadata`() throws {
        let text = #"{"signed":\#(EnvelopeTests.statement),"signatures":[]}"#
        #expect(throws: MetadataError.notEvidence(type: Statement.type)) {
            try SignedMetadata(Array(text.utf8)).payload()
        }
    }

    @Test func `a link written with its signatures reads back`() throws {
        var generator = SeededGenerator(seed: 12)
        let link = try generator.link(names: naughtyStrings())
        let signatures = [Signature(keyID: KeyID("ab"), bytes: [1, 2, 255])]
        let bytes = try JSONWriter.bytes(.indented) { Metablock.write(link, signatures: signatures, to: &$0) }
        let metadata = try SignedMetadata(bytes)
        #expect(try metadata.payload() == .link(link))
        #expect(metadata.signatures == signatures)
    }
}
