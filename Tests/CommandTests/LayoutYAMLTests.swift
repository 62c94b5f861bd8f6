import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Layouts that people write as YAML, signed as JSON that verifiers read.
@Suite(.temporaryDirectory) struct LayoutYAMLTests {
    private static let layout = """
        # What looks like something else stays the text that it is.
        expires: 2099-01-01T00:00:00Z
        keys: {}
        steps:
          - name: no
            threshold: 2
            pubkeys: [0123, "45"]
            expected_command: [sleep, 60, yes, 1.0, 0x1F, ~, null, 2030-01-01, "a && b?c=1&d=2"]
            expected_materials:
              - [MATCH, "*", WITH, PRODUCTS, FROM, on]
              - - DISALLOW
                - '*'
            expected_products: [[CREATE, true], [REQUIRE, "threshold"], [DISALLOW, "*"]]
        """

    private func sign(_ layout: String, _ options: String...) throws -> Subprocess {
        let run = IntotoRun()
        if try !run.list().contains("owner.pem") { try run.makeKey("owner.pem") }
        try run.write(layout, to: "layout.yaml")
        return try run.run(["layout", "sign", "layout.yaml", "-k", "owner.pem", "-o", "root.layout"] + options)
    }

    @Test(arguments: [[], ["--dsse"]])
    func `YAML becomes the layout that it says, and texts stay texts`(form: [String]) throws {
        let run = IntotoRun()
        try run.makeKey("owner.pem")
        try run.write(Self.layout, to: "layout.yml")
        let signed = try run.run(["layout", "sign", "layout.yml", "-k", "owner.pem", "-o", "root.layout"] + form)
        #expect(signed.status == 0, "\(signed.errorText)")
        let metadata = try SignedMetadata(run.read("root.layout"))
        guard case .layout(let object) = try metadata.payload() else { throw MetadataError.unknownContainer }
        let layout = try Layout(json: object)
        let step = layout.steps[0]
        #expect(layout.expires.description == "2099-01-01T00:00:00Z")
        #expect(step.name.text == "no" && step.threshold == 2 && step.keyIDs.map(\.text) == ["0123", "45"])
        #expect(
            step.expectedCommand == [
                "sleep", "60", "yes", "1.0", "0x1F", "~", "null", "2030-01-01", "a && b?c=1&d=2",
            ])
        #expect(step.expectedMaterials.map(\.description) == ["MATCH * WITH PRODUCTS FROM on", "DISALLOW *"])
        #expect(step.expectedProducts[0].description == "CREATE true")
        #expect(layout.inspections.isEmpty && layout.readme.isEmpty)
        // The same layout, written as JSON, has the same signature.
        try run.write(
            String(
                decoding: JSONWriter.bytes(.compact) { $0.object(["signatures": [], "signed": .object(object)]) },
                as: UTF8.self),
            to: "layout.json")
        #expect(try run.run(["layout", "sign", "layout.json", "-k", "owner.pem", "-o", "again"] + form).status == 0)
        #expect(try run.read("again") == run.read("root.layout"))
        #expect(try run("layout", "show", "layout.yml").outputText.contains("step 'no': threshold 2 of 0123, 45"))
    }

    /// Each with a part of what is said.
    @Test(arguments: [
        ("threshold: 2", "threshold: two", "'two' is no whole number"),
        ("threshold: 2", "threshold: \"2\"", "whole number from 1 to 256, but a text: write it without quotes\n"),
        ("threshold: 2", "threshold: 02", "'02' is no whole number"),
        ("threshold: 2", "threshold: 1_0", "'1_0' is no whole number"),
        ("threshold: 2", "threshold: 0", "'threshold' of step 'no' is no whole number from 1 to 256\n"),
        ("threshold: 2", "threshold:", "'threshold' of step 'no' is no whole number"),
        ("threshold: 2", "threshold: !!int 2", "tag 'tag:yaml.org,2002:int' is not taken"),
        ("threshold: 2", "threshold: 2\n    threshold: 1", "stand twice"),
        ("threshold: 2", "threshold: 2\n    \"threshold\": 1", "stand twice"),
        ("threshold: 2", "threshold: 2\n    extra: 1", "unknown member 'extra'\n"),
        ("threshold: 2", "treshold: 2", "unknown member 'treshold'\nintoto-run: hint: did you mean 'threshold'?\n"),
        ("expected_materials", "expected_material", "hint: did you mean 'expected_materials'?\n"),
        ("threshold: 2", "threshold: 2\n    <<: {a: b}", "'<<' merges mappings"),
        ("threshold: 2", "threshold: 2\n    ? [a]\n    : b", "a member's name is no text"),
        ("    threshold: 2\n", "", "no member 'threshold'"),
        ("keys: {}", "keys:", "member 'keys' of the layout must be an object, not null"),
        ("keys: {}", "keys: &all {}", "'&' before a name is an anchor"),
        ("keys: {}", "keys: *all", "hint: put quotes around a text that begins with * "),
        ("- '*'", "- *", "hint: put quotes around a text that begins with * "),
        ("- '*'", "- *.o", "hint: put quotes around a text that begins with * "),
        ("- '*'", "- @a", "hint: put quotes around a text that begins with * "),
        ("- '*'", "- !a", "hint: put quotes around a text that begins with * "),
        ("- '*'", "- %a", "hint: put quotes around a text that begins with * "),
        ("- '*'", "- |a", "hint: put quotes around a text that begins with * "),
        ("keys: {}", "keys: {}\n---\na: b", "found another document"),
        ("keys: {}", "keys: {", "line "),
        ("keys: {}", "keys: {}\nexpectedPredicates: []", "unknown member 'expectedPredicates'"),
        ("keys: {}", "functionaries: {}", "as the drafts ITE-10 and ITE-11 have it ('functionaries')"),
        ("threshold: 2", "threshold: 2\n    expectedPredicates: []", "drafts ITE-10 and ITE-11 have it"),
        ("[CREATE, true]", "[CREATE, !foo true]", "tag '!foo' is not taken"),
        ("[CREATE, true]", "[CREATE, [true]]", "must be an array of rules, which are strings, not an array"),
        ("[CREATE, true]", "CREATE true", "must be an array of rules, not a string"),
        ("2099-01-01T00:00:00Z", "2099-01-01", "'expires' of the layout is no time"),
        ("name: no", "name: \"a\\x1b[31m\"", "may not contain"),
    ])
    func `what says another thing, or nothing, is refused`(part: String, other: String, message: String) throws {
        #expect(Self.layout.contains(part))
        let result = try sign(Self.layout.replacing(part, with: other))
        #expect(result.status == 2 && result.errorText.contains(message), "\(result.errorText)")
        #expect(!result.errors.contains(0x1B))
        #expect(try !IntotoRun().list().contains("root.layout"))
    }

    @Test(arguments: ["aliases", "keys of aliases", "deep", "long", "wide", "not UTF-8", "nothing", "NUL"])
    func `hostile YAML is refused at once`(kind: String) throws {
        let run = IntotoRun()
        var bytes: [UInt8]
        switch kind {
        case "aliases", "keys of aliases":
            var text = "a0: &a0 [x, x]\n"
            for level in 1...40 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
            bytes = Array((text + (kind == "aliases" ? "z: *a40\n" : "? *a40\n: x\n? *a40\n: y\n")).utf8)
        case "deep": bytes = Array(repeating: UInt8(ascii: "["), count: 500_000)
        case "long": bytes = Array(repeating: UInt8(ascii: "a"), count: 2 << 20)
        case "wide": bytes = Array("{\((0..<90_000).map { "k\($0): v" }.joined(separator: ","))}".utf8)
        case "not UTF-8": bytes = Array("a: ".utf8) + [0xFF, 0xFE]
        case "nothing": bytes = []
        default: bytes = Array("a: \"\\0\"\nb: \0".utf8)
        }
        try Data(bytes).write(to: run.directory.appending(path: "layout.yaml"))
        let start = Date()
        let result = try run("layout", "lint", "layout.yaml")
        #expect([1, 2].contains(result.status), "\(result.status) \(result.errorText)")
        #expect((result.errorText + result.outputText).split(separator: "\n").count <= 3)
        #expect(Date().timeIntervalSince(start) < 60)
    }

    @Test func `nobody verifies YAML`() throws {
        let run = IntotoRun()
        #expect(try sign(Self.layout).status == 0)
        let result = try run("verify", "-l", "layout.yaml", "--verification-keys", "owner.pem.pub")
        #expect(result.status == 1 && result.outputText.contains("not valid JSON"), "\(result.outputText)")
        let advice = "what to do: give the signed layout; its owner makes it: intoto-run layout sign FILE "
        #expect(result.outputText.contains(advice), "\(result.outputText)")
        // JSON by its bytes, YAML by its name; neither; a layout that nobody has signed; one that is broken.
        for (name, text, isUnsigned) in [
            ("json.yaml", "{\"steps\": []}", true), ("layout", Self.layout, true), ("layout", "", true),
            ("layout", #"{"signatures": [], "signed": {"_type": "layout"}}"#, true),
            ("layout", #"{"signatures": [], "#, false),
        ] {
            try run.write(text, to: name)
            let refused = try run("verify", "-l", name, "--verification-keys", "owner.pem.pub")
            #expect(refused.status == 1 && refused.outputText.contains(advice) == isUnsigned, "\(refused.outputText)")
        }
        // Under another name it is not taken for YAML, either.
        try run.write(Self.layout, to: "layout.json")
        #expect(try run("layout", "show", "layout.json").errorText.contains("not valid JSON"))
    }

    /// A draft can be written on in YAML, which JSON is: the key objects of `key show` are, too.
    @Test func `JSON is YAML`() throws {
        let run = IntotoRun()
        #expect(try sign(Self.layout).status == 0)
        guard case .layout(let object) = try SignedMetadata(run.read("root.layout")).payload() else {
            throw IntotoRun.SetupFailure(reason: "no layout")
        }
        let json = String(decoding: try JSONWriter.bytes(.indented) { $0.object(object) }, as: UTF8.self)
        try run.write(json, to: "draft.yaml")
        #expect(try run("layout", "show", "draft.yaml").outputText == run("layout", "show", "root.layout").outputText)
    }
}
