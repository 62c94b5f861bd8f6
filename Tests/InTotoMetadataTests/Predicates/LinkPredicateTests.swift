import InTotoMetadata
import TestSupport
import Testing

@Suite struct LinkPredicateTests {
    static func read(_ file: String) throws -> Link {
        try LinkPredicate.link(from: StatementTests.read(file))
    }

    @Test func `the specification's shape is a link`() throws {
        let link = try Self.read("link-v0.3.json")
        #expect(link.name.text == "build")
        #expect(link.command == ["swift", "build", "-c", "release"])
        #expect(link.materials.map(\.name) == ["Package.swift", "Sources/main.swift"])
        #expect(link.products.map(\.name) == ["bin/hello"])
        #expect(link.byproducts["stdout"] == "Build complete!\n")
        #expect(link.environment["workdir"] == "/build")
    }

    @Test func `optional members may be absent`() throws {
        let link = try Self.read("link-v0.3-empty-optionals.json")
        #expect(link.command.isEmpty && link.materials.isEmpty && link.byproducts.isEmpty && link.environment.isEmpty)
        #expect(link.products.map(\.name) == ["notes.txt"])
    }

    @Test func `another predicate is no link, whatever its members`() throws {
        #expect {
            try Self.read("statement-v0.1-legacy.json")
        } throws: { error in
            "\(error)" == "member 'predicateType' of the statement is not '\(LinkPredicate.type)'"
        }
        var statement = try StatementTests.read("link-v0.3.json")
        statement.predicateType = "https://in-toto.io/attestation/link/v0.3/"
        #expect(throws: MetadataError.self) { try LinkPredicate.link(from: statement) }
    }

    @Test func `a link becomes a statement and the same link again`() throws {
        var generator = SeededGenerator(seed: 13)
        let names = try naughtyStrings()
        for _ in 0..<200 {
            var link = try generator.link(names: names)
            if link.products.isEmpty {
                link.products = try ArtifactSet([Artifact(name: "p", digests: generator.digests())])
            }
            let statement = try Statement(json: JSONReader.read(LinkPredicate.statementBytes(of: link)))
            #expect(try LinkPredicate.link(from: statement) == link)
        }
    }

    @Test func `the streamed statement is what the tree of values would be`() throws {
        let statement = try StatementTests.read("link-v0.3.json")
        let streamed = try LinkPredicate.statementBytes(of: LinkPredicate.link(from: statement))
        var again = try Statement(json: JSONReader.read(streamed))
        #expect(try JSONWriter.bytes(.compact) { again.write(to: &$0) } == streamed)
        again.predicate["materials"] = statement.predicate["materials"]
        #expect(try LinkPredicate.link(from: again) == LinkPredicate.link(from: statement))
    }

    @Test func `a statement needs a subject, and each artifact a digest`() throws {
        let digests = DigestSet(.sha256, "00")
        let whole = try ArtifactSet([Artifact(name: "a", digests: digests)])
        let bare = try ArtifactSet([Artifact(name: "a", digests: digests), Artifact(name: "b", digests: DigestSet())])
        let name = try StepName("build")
        _ = try LinkPredicate.statementBytes(of: Link(name: name, products: whole))
        #expect(throws: MetadataError.emptySubject) {
            try LinkPredicate.statementBytes(of: Link(name: name, materials: whole))
        }
        #expect(throws: MetadataError.missingMember("digest", in: "'b' in 'products' of the link")) {
            try LinkPredicate.statementBytes(of: Link(name: name, products: bare))
        }
        #expect(throws: MetadataError.missingMember("digest", in: "'b' in 'materials' of the link")) {
            try LinkPredicate.statementBytes(of: Link(name: name, materials: bare, products: whole))
        }
    }

    static let descriptor = #"{"name":"a","digest":{"sha256":"00"}}"#

    static func statement(subject: String = descriptor, predicate: String) -> String {
        StatementTests.statement(
            subject: "[\(subject)]", rest: #","predicateType":"\#(LinkPredicate.type)","predicate":\#(predicate)"#)
    }

    @Test(arguments: [
        (statement(predicate: "{}"), "the link predicate has no member 'name'"),
        (statement(predicate: #"{"name":"a/b"}"#), "step name 'a/b' may not contain '/'"),
        (
            statement(predicate: #"{"name":"s","command":"make"}"#),
            "member 'command' of the link predicate must be an array, not a string"
        ),
        (
            statement(predicate: #"{"name":"s","materials":{}}"#),
            "member 'materials' of the link predicate must be an array, not an object"
        ),
        (
            statement(predicate: #"{"name":"s","materials":[\#(descriptor),\#(descriptor)]}"#),
            "'materials' of the link predicate names 'a' twice"
        ),
        (
            statement(predicate: #"{"name":"s","materials":[{"name":"m"}]}"#),
            "'materials' of the link predicate has no member 'digest'"
        ),
        (
            statement(predicate: #"{"name":"s","materials":[{"digest":{"sha256":"00"}}]}"#),
            "'materials' of the link predicate has no member 'name'"
        ),
        (
            statement(subject: "\(descriptor),\(descriptor)", predicate: #"{"name":"s"}"#),
            "'subject' of the statement names 'a' twice"
        ),
        (
            statement(subject: #"{"digest":{"sha256":"00"}}"#, predicate: #"{"name":"s"}"#),
            "'subject' of the statement has no member 'name'"
        ),
    ])
    func `a link predicate that lacks something is refused`(text: String, message: String) throws {
        _ = try LinkPredicate.link(from: Statement(json: json(Self.statement(predicate: #"{"name":"s"}"#))))
        #expect {
            try LinkPredicate.link(from: Statement(json: json(text)))
        } throws: { error in
            "\(error)" == message
        }
    }
}
