import InTotoMetadata
import TestSupport
import Testing

@Suite struct StatementTests {
    static func read(_ file: String) throws -> Statement {
        try Statement(json: JSONReader.read(Vectors.bytes("statements/\(file)")))
    }

    @Test func `the least statement has a subject with a digest`() throws {
        let statement = try Self.read("statement-v1-minimal.json")
        #expect(statement.subject.count == 1)
        #expect(statement.subject[0].name == nil)
        #expect(statement.predicateType == "https://example.com/empty-claim/v1")
        #expect(statement.predicate.isEmpty)
    }

    @Test func `an older statement is read, and written as a new one`() throws {
        let statement = try Self.read("statement-v0.1-legacy.json")
        #expect(statement.predicateType == "https://in-toto.io/Link/v0.2")
        let written = try JSONReader.read(JSONWriter.bytes(.compact) { statement.write(to: &$0) })
        #expect(try Statement(json: written) == statement)
        guard case .object(let object) = written else { throw MetadataError.unknownContainer }
        #expect(object["_type"] == .string(Statement.type))
    }

    @Test func `every field of a resource descriptor is kept`() throws {
        let json = try JSONReader.read(Vectors.bytes("statements/resource-descriptor-all-fields.json"))
        let descriptor = try ResourceDescriptor(json: json, place: "a test")
        #expect(descriptor.content == Array("{}".utf8))
        #expect(descriptor.digest.entries.map(\.algorithm) == [.gitBlob, .sha256, .sha512])
        #expect(descriptor.annotations["score"] == .number("1.5"))
        let written = try JSONWriter.bytes(.compact) { descriptor.write(to: &$0) }
        #expect(try ResourceDescriptor(json: JSONReader.read(written), place: "a test").uri == descriptor.uri)
        #expect(written == (try JSONWriter.bytes(.compact) { $0.value(json) }))
    }

    @Test(arguments: [
        "{}", #"{"mediaType":"text/plain"}"#, #"{"digest":{}}"#, #"{"digest":[]}"#, #"{"digest":{"sha256":1}}"#,
        #"{"name":1}"#,
        #"{"name":null}"#, #"{"uri":[]}"#, #"{"name":"a","content":"e30"}"#, #"{"name":"a","content":"e31="}"#,
        #"{"name":"a","annotations":[]}"#, "[]", "null",
    ])
    func `a descriptor that names nothing, or wrongly, is refused`(text: String) throws {
        for good in [
            #"{"name":"a"}"#, #"{"uri":"u"}"#, #"{"content":""}"#, #"{"digest":{"x":""}}"#,
            #"{"name":"a","other":null}"#,
        ] {
            _ = try ResourceDescriptor(json: json(good), place: "a test")
        }
        #expect(throws: MetadataError.self) { try ResourceDescriptor(json: json(text), place: "a test") }
    }

    static func statement(
        type: String = "https://in-toto.io/Statement/v1", subject: String = #"[{"digest":{"sha256":"00"}}]"#,
        rest: String = #","predicateType":"t""#
    ) -> String {
        #"{"_type":"\#(type)","subject":\#(subject)\#(rest)}"#
    }

    @Test(arguments: [
        (statement(subject: "[]"), "the statement has no subject"),
        (statement(subject: "{}"), "member 'subject' of the statement must be an array, not an object"),
        (statement(subject: "null"), "member 'subject' of the statement must be an array, not null"),
        (statement(subject: #"[{"digest":{"sha256":"00"}},{"name":"a"}]"#), "subject 1 has no member 'digest'"),
        (statement(subject: #"[{"name":"a","digest":{}}]"#), "subject 0 has no member 'digest'"),
        (statement(subject: "[7]"), "subject 0 must be an object, not a number"),
        (statement(rest: ""), "the statement has no member 'predicateType'"),
        (statement(rest: #","predicateType":"""#), "member 'predicateType' of the statement is empty"),
        (
            statement(rest: #","predicateType":"t","predicate":null"#),
            "member 'predicate' of the statement must be an object, not null"
        ),
        (
            statement(type: "https://in-toto.io/Statement/v2"),
            "unknown kind of metadata 'https://in-toto.io/Statement/v2'"
        ),
        (#"{"type":"https://in-toto.io/Statement/v1"}"#, "the statement has no member '_type'"),
    ])
    func `a statement that lacks something is refused`(text: String, message: String) throws {
        _ = try Statement(json: json(Self.statement()))
        #expect {
            try Statement(json: json(text))
        } throws: { error in
            "\(error)" == message
        }
    }

    @Test func `members that we do not know are ignored`() throws {
        let plain = try Statement(json: json(Self.statement()))
        #expect(
            try Statement(json: json(Self.statement(rest: #","predicateType":"t","vendor_x":{"a":[1.5]}"#))) == plain)
    }

    @Test func `signed examples are read`() throws {
        let files = try Vectors.list("attestations").filter {
            $0.hasSuffix(".json") && $0 != "bundle-expectations.json"
        }
        for file in files {
            let metadata = try SignedMetadata(Vectors.bytes("attestations/\(file)"))
            guard case .statement(let statement) = try metadata.payload() else {
                Issue.record("\(file) is no statement")
                continue
            }
            #expect(!statement.predicate.isEmpty && metadata.signatures.count == 1)
        }
        print("vectors: attestations \(files.count) read")
        #expect(files.count == 7)
    }
}
