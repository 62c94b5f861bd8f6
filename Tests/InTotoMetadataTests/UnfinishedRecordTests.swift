import InTotoMetadata
import Testing

@Suite struct UnfinishedRecordTests {
    private static func record() throws -> UnfinishedRecord {
        UnfinishedRecord(
            link: Link(
                name: try StepName("edit"), command: ["vi"],
                materials: try ArtifactSet([Artifact(name: "a", digests: DigestSet(.sha256, "0a"))])),
            directory: Array("/x".utf8) + [0xFF], products: [Array("dist".utf8), [0xFE]], changedOnly: true,
            snapshot: ["base": "."], formats: ["link"], begun: "2025-01-01T00:00:00Z",
            redacted: ["A", "B_*"])
    }

    @Test func `what is written is read, bytes that are not UTF-8 included`() throws {
        let record = try Self.record()
        #expect(try UnfinishedRecord(payload: record.payload()) == record)
    }

    @Test func `its envelope is no evidence`() throws {
        let envelope = Envelope(payloadType: UnfinishedRecord.payloadType, payload: try Self.record().payload())
        #expect(throws: MetadataError.notEvidence(type: UnfinishedRecord.payloadType)) {
            try SignedMetadata.envelope(envelope).payload()
        }
        // Nor under the payload type of evidence: the payload has a type of its own.
        let disguised = Envelope(payload: try Self.record().payload())
        #expect(throws: MetadataError.notEvidence(type: "intoto-run/unfinished-record/v1")) {
            try SignedMetadata.envelope(disguised).payload()
        }
    }

    private static let wrong: [(Text, JSONValue)] = [
        ("_type", "link"), ("begun", 1), ("changed-only", "no"), ("directory", ["hex": "00"]),
        ("formats", "link"), ("link", [:]), ("products", [1]), ("redacted", "A"), ("snapshot", []), ("more", 1),
        ("directory", ["base64": "AA==", "more": 1]), ("directory", ["base64": "A"]),
    ]

    @Test(arguments: wrong)
    func `a member that is not as it should be is refused`(name: Text, value: JSONValue) throws {
        guard case .object(var object) = try JSONReader.read(Self.record().payload()) else {
            throw MetadataError.unknownContainer
        }
        object[name] = value
        let payload = try JSONWriter.bytes(.compact) { $0.object(object) }
        #expect(throws: MetadataError.self) { try UnfinishedRecord(payload: payload) }
        object[name] = nil
        guard name != "more" else { return }
        let without = try JSONWriter.bytes(.compact) { $0.object(object) }
        #expect(throws: MetadataError.self) { try UnfinishedRecord(payload: without) }
    }
}
