import InTotoMetadata
import TestSupport
import Testing

@Suite struct LinkTests {
    static let digest = #"{"sha256":"51a1f05af85e342e3c849b47d387086476282d5f50dc240c19216d6edfb1eb5a"}"#

    static let members: [(Text, String)] = [
        ("_type", #""link""#), ("byproducts", #"{"return-value":0}"#), ("command", #"["make","all"]"#),
        ("environment", #"{"workdir":"/build"}"#), ("materials", "{\"a\":\(digest)}"), ("name", #""build""#),
        ("products", "{\"b\":\(digest)}"),
    ]

    static func document(replacing name: Text? = nil, by value: String? = nil, adding extra: String = "") -> String {
        let kept = members.compactMap { member, text -> String? in
            guard member == name else { return "\"\(member)\":\(text)" }
            return value.map { "\"\(member)\":\($0)" }
        }
        return "{" + kept.joined(separator: ",") + extra + "}"
    }

    @Test func `seven members make a link`() throws {
        let link = try Link(json: json(Self.document()))
        #expect(link.name.text == "build")
        #expect(link.command == ["make", "all"])
        #expect(link.materials.map(\.name) == ["a"])
        #expect(link.products["b"]?[.sha256] != nil)
        #expect(link.byproducts["return-value"] == 0)
        #expect(try link.canonicalBytes() == Array(Self.document().utf8))
    }

    @Test(arguments: members.map(\.0))
    func `none of the seven may be missing`(name: Text) throws {
        let document = try json(Self.document(replacing: name))
        #expect(throws: MetadataError.missingMember(name, in: "the link")) { try Link(json: document) }
    }

    @Test(
        arguments: members.map(\.0),
        ["null", "true", "7", "1.5", #""text""#, "[1]", "[null]", #"{"a":null}"#, #"{"a":{"sha256":1}}"#])
    func `each has its type`(name: Text, value: String) throws {
        let document = try json(Self.document(replacing: name, by: value))
        let isFreeForm = name == "byproducts" || name == "environment"
        if (name == "name" && value == #""text""#) || (isFreeForm && value.hasPrefix("{")) {
            _ = try Link(json: document)
        } else {
            #expect(throws: MetadataError.self) { try Link(json: document) }
        }
    }

    @Test(arguments: [#","extra":0"#, #","_TYPE":"link""#, #","":null"#, #","readme":"""#])
    func `an eighth member is refused`(extra: String) throws {
        #expect {
            try Link(json: json(Self.document(adding: extra)))
        } throws: { error in
            guard case MetadataError.unknownMember = error else { return false }
            return true
        }
    }

    @Test(arguments: [#""layout""#, #""Link""#, #""link ""#, #""""#])
    func `another type is no link`(type: String) throws {
        #expect(throws: MetadataError.self) { try Link(json: json(Self.document(replacing: "_type", by: type))) }
    }

    @Test(arguments: [#""""#, #""a/b""#, #""..""#, #""-x""#, #""a\u0000""#, #""a\u202eb""#, #""build*""#])
    func `a step name is as strict when read`(name: String) throws {
        #expect {
            try Link(json: json(Self.document(replacing: "name", by: name)))
        } throws: { error in
            guard case MetadataError.badStepName = error else { return false }
            return true
        }
    }

    @Test(arguments: [
        (#"{"dir/x":null}"#, "'dir/x' in 'materials' of the link must be an object, not null"),
        (
            #"{"dir/x\n":{"sha256":[]}}"#,
            #"member 'sha256' of 'dir/x\n' in 'materials' of the link must be a string, not an array"#
        ),
        ("[]", "member 'materials' of the link must be an object, not an array"),
    ])
    func `an error names the artifact`(materials: String, message: String) throws {
        #expect {
            try Link(json: json(Self.document(replacing: "materials", by: materials)))
        } throws: { error in
            "\(error)" == message
        }
    }

    @Test(arguments: ["1.0", "1e3", "-0", "18446744073709551616"])
    func `a link with a number that is no integer cannot be signed in the classic form`(number: String) throws {
        let link = try Link(json: json(Self.document(replacing: "byproducts", by: "{\"return-value\":\(number)}")))
        #expect(throws: JSONError.notCanonical(number: Text(number))) { try link.canonicalBytes() }
    }

    @Test func `random links survive writing and reading`() throws {
        var generator = SeededGenerator(seed: 11)
        let names = try naughtyStrings()
        for _ in 0..<100 {
            let link = try generator.link(names: names)
            for style in [JSONWriter.Style.compact, .indented] {
                let bytes = try JSONWriter.bytes(style) { link.write(to: &$0) }
                #expect(try Link(json: JSONReader.read(bytes)) == link)
            }
        }
    }
}

extension SeededGenerator {
    mutating func link(names: [Text]) throws -> Link {
        let suffix = (0..<5).compactMap { _ in Array("ab1 _.-".utf8).randomElement(using: &self) }
        return Link(
            name: try StepName(Text(repairing: Array("s".utf8) + suffix)),
            command: (0..<3).map { _ in text() } + [names.randomElement(using: &self) ?? ""],
            materials: try artifacts(count: Int.random(in: 0...20, using: &self), names: names),
            products: try artifacts(count: Int.random(in: 1...20, using: &self), names: names),
            byproducts: object(depth: 2),
            environment: object(depth: 1)
        )
    }
}
