import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// Whatever a layout, a link or a bundle holds: `verify` says no, soon, in little memory, without leaving anything
/// behind, and without a byte that drives a terminal.
@Suite(.temporaryDirectory) struct HostileVerifyTests {
    /// UTF-8 without control characters, and without what turns or hides text.
    static func expectHarmless(_ bytes: [UInt8], _ what: String, _ sourceLocation: SourceLocation = #_sourceLocation) {
        let text = String(validating: bytes, as: UTF8.self)
        #expect(text != nil, "\(what)", sourceLocation: sourceLocation)
        let harmful = text?.unicodeScalars.filter { scalar in
            switch scalar.value {
            case 0x0A: false
            case ..<0x20, 0x7F...0x9F, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF: true
            default: false
            }
        }
        #expect(harmful?.isEmpty == true, "\(what): \(text ?? "")", sourceLocation: sourceLocation)
    }

    // MARK: Documents

    private static func signed(_ value: String) -> [UInt8] { Array("{\"signed\":\(value),\"signatures\":[]}".utf8) }

    /// Bytes that are no metadata, each in a way of its own.
    static let documents: [(name: String, bytes: [UInt8])] = [
        ("nothing", []), ("white space", Array(repeating: 0x20, count: 1 << 20)),
        ("brackets", Array(repeating: UInt8(ascii: "["), count: 4 << 20)),
        ("objects", Array(String(repeating: "{\"a\":", count: 200_000).utf8)),
        ("nesting inside", signed(String(repeating: "[", count: 65) + String(repeating: "]", count: 65))),
        ("truncated", Array("{\"signed\":{\"_type\":\"link\"".utf8)), ("trailing bytes", signed("{}") + [0x5D]),
        ("byte order mark", [0xEF, 0xBB, 0xBF] + signed("{}")),
        ("UTF-16", [0xFF, 0xFE] + signed("{}").flatMap { [$0, 0] }), ("NUL", [0]),
        ("not UTF-8", Array("{\"signed\":\"".utf8) + [0xC3, 0x28, 0x22, 0x7D]),
        ("overlong", Array("{\"signed\":\"".utf8) + [0xC0, 0x80, 0x22, 0x7D]),
        ("NaN", signed("NaN")), ("infinity", signed("-Infinity")), ("huge exponent", signed("1e999")),
        ("digits", signed(String(repeating: "9", count: 100_000))), ("leading zero", signed("01")),
        ("half a surrogate", signed("{\"\\ud800\":1}")), ("control byte", signed("\"\u{1B}]0;x\u{7}\"")),
        ("single quotes", signed("{'a':1}")), ("comment", signed("{}/**/")), ("trailing comma", signed("[1,]")),
        ("a member twice", Array("{\"signed\":{},\"signed\":{},\"signatures\":[]}".utf8)),
        ("a member twice inside", signed("{\"_type\":\"link\",\"_type\":\"link\"}")),
        ("a member twice, one escaped", signed("{\"_type\":\"link\",\"\\u005ftype\":\"link\"}")),
        ("other case", Array("{\"Signed\":{},\"Signatures\":[]}".utf8)),
        ("both containers", Array("{\"signed\":{},\"payload\":\"\",\"payloadType\":\"\",\"signatures\":[]}".utf8)),
        ("no container", Array("{\"signatures\":[]}".utf8)), ("an array", Array("[]".utf8)),
        ("null", Array("null".utf8)),
        ("base64 of two alphabets", Array("{\"payload\":\"+-==\",\"payloadType\":\"x\",\"signatures\":[]}".utf8)),
        (
            "257 signatures",
            Array(
                ("{\"signed\":{},\"signatures\":["
                    + Array(repeating: "{\"keyid\":\"\",\"sig\":\"\"}", count: 257).joined(separator: ",") + "]}").utf8)
        ),
        (
            "300,000 members",
            signed("{" + (0..<300_000).map { "\"\($0)\":0" }.joined(separator: ",") + "}")
        ),
    ]

    @Test func `hostile documents are refused wherever a document may stand`() throws {
        let delivery = try Delivery()
        let layout = try delivery.chain.run.read("root.layout")
        for (name, bytes) in Self.documents {
            try delivery.replaceEvidence(by: bytes)
            try delivery.expectRefusal("link: \(name)")
            try delivery.replaceEvidence(by: bytes + [0x0A] + bytes, as: "links/x.intoto.jsonl")
            try delivery.expectRefusal("bundle: \(name)")
            // Signed by whom it has to be: what is signed is hostile.
            try delivery.replaceEvidence(by: Delivery.envelope(bytes, by: delivery.alice))
            try delivery.expectRefusal("signed link: \(name)")
            try delivery.write(bytes, to: "root.layout")
            try delivery.expectRefusal("layout: \(name)")
            try delivery.write(try Delivery.envelope(bytes, by: delivery.owner), to: "root.layout")
            try delivery.expectRefusal("signed layout: \(name)")
            try delivery.write(layout, to: "root.layout")
        }
        print(
            "hostile: \(Self.documents.count) documents, each as link, in a bundle, as layout, and both of these signed"
        )
    }

    @Test(arguments: [
        "application/vnd.in-toto.link+json", "application/vnd.in-toto+json ", "application/VND.in-toto+json",
        "text/plain",
        "", "application/json", "application/vnd.in-toto+xml", "\u{1B}[31m",
    ])
    func `a link or layout under another payload type is none`(type: String) throws {
        let delivery = try Delivery()
        let layout = try delivery.chain.run.read("root.layout")
        try delivery.replaceEvidence(by: Delivery.envelope(Delivery.link(), by: delivery.alice, type: Text(type)))
        try delivery.expectRefusal("link: \(type)")
        try delivery.write(try Delivery.envelope(layout, by: delivery.owner, type: Text(type)), to: "root.layout")
        try delivery.expectRefusal("layout: \(type)")
    }

    // MARK: Files

    /// What stands in the place of a file, as the script that puts it there.
    static let places: [(name: String, script: String)] = [
        ("pipe", "mkfifo F"), ("device", "mknod F c 1 5 2>/dev/null || mkfifo F"), ("folder", "mkdir F"),
        ("link to a device", "ln -s /dev/zero F"), ("link to a pipe", "mkfifo p; ln -s \"$PWD/p\" F"),
        ("link to itself", "ln -s F F"), ("link to nothing", "ln -s nowhere F"),
        ("2 GiB of nothing", "truncate -s 2G F"),
        ("link to a kernel file", "ln -s /proc/self/environ F"),
    ]

    @Test(.timeLimit(.minutes(20)), arguments: ["link", "bundle", "layout", "sublayout folder"])
    func `what is no file in the place of one is refused at once`(role: String) throws {
        let delivery = try Delivery()
        let layout = try delivery.chain.run.read("root.layout")
        for (name, script) in Self.places
        where !(role == "layout" && ["link to nothing", "link to itself"].contains(name)) {
            let place =
                switch role {
                case "link": delivery.linkName
                case "bundle": "links/x.intoto.jsonl"
                case "layout": "root.layout"
                default: String(delivery.linkName.dropLast(5))
                }
            _ = try delivery.chain.run.shell("rm -rf links/* root.layout p")
            if role != "layout" { try delivery.write(layout, to: "root.layout") }
            if role == "sublayout folder" { try delivery.write(try sublayout(delivery), to: delivery.linkName) }
            let made = try delivery.chain.run.shell(script.replacingOccurrences(of: "F", with: place))
            #expect(made.status == 0, "\(made.errorText)")
            let start = Date()
            try delivery.expectRefusal("\(role): \(name)")
            #expect(Date().timeIntervalSince(start) < 60)
        }
    }

    /// The layout itself, signed by the functionary: as a sublayout it wants a link of the same step.
    private func sublayout(_ delivery: Delivery) throws -> [UInt8] {
        let layout = try JSONSerialization.data(withJSONObject: delivery.chain.layout)
        return try Delivery.envelope([UInt8](layout), by: delivery.alice)
    }

    @Test func `a sublayout whose folder is the folder itself ends`() throws {
        let delivery = try Delivery()
        try delivery.replaceEvidence(by: try sublayout(delivery))
        let folder = String(delivery.linkName.dropLast(5))
        _ = try delivery.chain.run.shell("ln -s . \(folder)")
        try delivery.expectRefusal("a link")
        // Nested for real, until there are too many.
        _ = try delivery.chain.run.shell(
            """
            rm \(folder); cd links; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
            mkdir build.\(delivery.alice.keyID.prefix8) && cp *.link build.*/ && cd build.*/ || exit 1; done
            """)
        try delivery.expectRefusal("twelve layouts")
    }

    @Test func `names of files that are hostile are not printed as they are`() throws {
        let delivery = try Delivery()
        _ = try delivery.chain.run.shell(
            #"""
            rm -f links/*; printf '{' >"links/$(printf '\033]0;x\007').intoto.jsonl"
            printf '{' >"links/$(printf '\342\200\256').intoto.jsonl"; printf '{' >"links/$(printf 'x\377').intoto.jsonl"
            printf '{' >"links/$(printf 'x\ny').intoto.jsonl"
            """#)
        try delivery.expectRefusal("names", "--explain")
    }

    // MARK: Very much of it

    @Test(.timeLimit(.minutes(20))) func `tens of thousands of envelopes that nobody believes are counted, not kept`()
        throws
    {
        let delivery = try Delivery()
        let line = #"{"payload":"","payloadType":"","signatures":[]}"#
        let count = 30_000
        try delivery.chain.run.write(
            Array(repeating: line, count: count).joined(separator: "\n"), to: "links/junk.intoto.jsonl")
        let result = try delivery.verify(["--json", "../v.json", "--explain"])
        #expect(result.status == 0, "\(result.outputText)\(result.errorText)")
        #expect(result.outputText.contains("passed over: \(count - 1000) more\n"))
        #expect(result.output.count { $0 == 0x0A } < 1200)
        let json = try delivery.chain.run.read("v.json")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
        let layout = try #require(object["layout"] as? [String: Any])
        #expect((layout["otherEvidence"] as? [Any])?.count == 1000 && layout["otherEvidenceCount"] as? Int == count)
        #expect(json.count < 1 << 20, "\(json.count)")
    }

    // MARK: Names of inspections

    /// Alice's layout in the place of her link, with inspections of these names, and its evidence.
    private func addSublayout(_ delivery: Delivery, _ names: [String], step: String = "build", keyID: String) throws {
        var inner = delivery.chain
        try inner.change("name", to: "in")
        try inner.change("expected_products", to: [Any]())
        try inner.change("expected_command", to: [Any]())
        inner.layout["inspect"] = names.map { VerifyTests.Chain.inspection($0, ["true"]) }
        let payload = [UInt8](try JSONSerialization.data(withJSONObject: inner.layout))
        let folder = "links/\(step).\(keyID)"
        try delivery.write(try Delivery.envelope(payload, by: delivery.alice), to: "\(folder).link")
        _ = try delivery.chain.run.shell("mkdir '\(folder)'")
        try delivery.write(
            try Delivery.envelope(Delivery.link(["name": "in"]), by: delivery.alice),
            to: "\(folder)/in.\(delivery.alice.keyID.prefix8).link")
    }

    @Test(.timeLimit(.minutes(20)))
    func `inspections of sublayouts are saved under names of their own, whatever they are`()
        throws
    {
        var delivery = try Delivery()
        _ = try delivery.chain.run.shell("rm links/*; mkdir saved")
        try delivery.chain.change("expected_products", to: [Any]())
        try addSublayout(delivery, ["x", "x.2"], keyID: "00000000")
        try addSublayout(delivery, ["x"], keyID: "11111111")
        let options = ["--allow-sublayout-inspections", "--save-inspections", "../saved"]
        let result = try delivery.verifySigned(options)
        #expect(result.status == 0, "\(result.outputText)\(result.errorText)")
        #expect(try delivery.chain.run.list("saved") == ["build.x.2.link", "build.x.3.link", "build.x.link"])

        // Another output there is not written over.
        _ = try delivery.chain.run.shell("rm saved/*")
        let beside = try delivery.verifySigned(options + ["--json", "../saved/build.x.link"])
        #expect(beside.status == 0, "\(beside.errorText)")
        let names = ["build.x.2.2.link", "build.x.2.link", "build.x.3.link", "build.x.link"]
        #expect(try delivery.chain.run.list("saved") == names)
        #expect(String(decoding: try delivery.chain.run.read("saved/build.x.link"), as: UTF8.self).contains("schema"))
    }

    @Test func `names of inspections that are too long for a file's are cut`() throws {
        var delivery = try Delivery()
        let step = String(repeating: "n", count: 200)
        let inspection = String(repeating: "\u{E9}", count: 100)
        _ = try delivery.chain.run.shell("rm links/*; mkdir saved")
        try delivery.chain.change("name", to: step)
        try delivery.chain.change("expected_products", to: [Any]())
        try addSublayout(delivery, [inspection, String(inspection.dropLast()) + "x"], step: step, keyID: "00000000")
        let result = try delivery.verifySigned(
            ["--allow-sublayout-inspections", "--save-inspections", "../saved", "--explain"])
        #expect(result.status == 0, "\(result.outputText)\(result.errorText)")
        // 201 bytes before the letters, of two bytes each, and five or seven behind.
        let names = ["\(step).\(inspection.prefix(24)).link", "\(step).\(inspection.prefix(23)).2.link"]
        #expect(Set(try delivery.chain.run.list("saved")) == Set(names))
    }

    // MARK: Text on the terminal

    static let drivers = [
        "\u{1B}]0;owned\u{7}", "\u{9B}31m", "\u{202E}kcab", "a\nintoto-run: accepted", "\u{200B}", "\u{7F}\u{0}",
    ]

    @Test(arguments: drivers)
    func `no text of a link reaches the terminal as it is`(text: String) throws {
        let delivery = try Delivery()
        let hostile = Text(text)
        let digest: JSONValue = ["sha256": .string(Text(String(repeating: "a", count: 64)))]
        var digests = JSONObject()
        digests[hostile] = .string(hostile)
        var artifacts = JSONObject()
        artifacts[Text("x\(text)")] = digest
        artifacts["odd"] = .object(digests)
        var extra = JSONObject()
        extra[hostile] = 1
        for (name, changes): (String, JSONObject) in [
            ("name", ["name": .string(hostile)]), ("type", ["_type": .string(hostile)]),
            ("command", ["command": [.string(hostile)], "products": .object(artifacts)]),
            ("products", ["products": .object(artifacts)]), ("materials", ["materials": .object(artifacts)]),
            ("member", extra), ("digest", ["products": ["x": ["sha256": .string(hostile)]]]),
        ] {
            try delivery.replaceEvidence(by: Delivery.envelope(Delivery.link(changes), by: delivery.alice))
            try delivery.expectRefusal(name, "--explain")
            try delivery.replaceEvidence(
                by: Delivery.envelope(Delivery.link(changes), by: delivery.alice), as: "links/x.intoto.jsonl")
            try delivery.expectRefusal("\(name) in a bundle", "--explain")
            for options in [["--json"], ["--junit", "/dev/stdout"]] {
                let result = try delivery.verify(options)
                Self.expectHarmless(result.output + result.errors, "\(name) \(options)")
            }
        }
        let statement: JSONObject = [
            "_type": .string(Statement.type), "predicateType": .string(hostile), "predicate": [:],
            "subject": [["name": .string(hostile), "digest": digest]],
        ]
        try delivery.replaceEvidence(
            by: Delivery.envelope(try JSONWriter.bytes(.compact) { $0.object(statement) }, by: delivery.alice))
        try delivery.expectRefusal("predicate type", "--explain")
        var envelope = Envelope(payloadType: hostile, payload: try Delivery.link())
        envelope.signatures = [Signature(keyID: KeyID(hostile), bytes: [1])]
        try delivery.replaceEvidence(by: JSONWriter.bytes(.compact) { envelope.write(to: &$0) })
        try delivery.expectRefusal("key id", "--explain")
    }

    @Test(arguments: drivers)
    func `no text of a layout reaches the terminal as it is`(text: String) throws {
        var delivery = try Delivery()
        let layout = delivery.chain.layout
        for (member, value): (String, Any) in [
            ("name", text), ("_type", text), ("pubkeys", [text]), ("expected_products", [["ALLOW", text]]),
            ("expected_products", [["DISALLOW", text], ["REQUIRE", text]]), ("expected_products", [[text, text]]),
            ("expected_products", [["MATCH", text, "WITH", "PRODUCTS", "FROM", text], ["DISALLOW", "*"]]),
            ("expected_command", [text]), (text, 1), ("threshold", text),
        ] {
            delivery.chain.layout = layout
            try delivery.chain.change(member, to: value)
            for options in [["--explain", "--strict-commands"], ["--json"], ["--junit", "/dev/stdout"]] {
                let result = try delivery.verifySigned(options)
                #expect(result.status == 0 || result.status == 1, "\(member): \(result.errorText)")
                Self.expectHarmless(result.output + result.errors, "\(member) \(options)")
            }
        }
        for (member, value): (String, Any) in [
            ("expires", text), ("_type", text), (text, 1), ("keys", [text: [text: text]]), ("steps", [text]),
            ("inspect", [VerifyTests.Chain.inspection("look", [text])]),
        ] {
            delivery.chain.layout = layout
            delivery.chain.layout[member] = value
            let result = try delivery.verifySigned(["--explain"])
            #expect(result.status == 1, "\(member): \(result.outputText)\(result.errorText)")
            Self.expectHarmless(result.output + result.errors, "\(member)")
        }
    }

    // MARK: Rules that cost

    @Test(.timeLimit(.minutes(20))) func `hostile patterns, thousands of rules and of artifacts cost little`() throws {
        var delivery = try Delivery()
        let name = String(repeating: "a", count: 2000)
        var artifacts = JSONObject()
        for number in 0..<200 {
            artifacts[Text("\(name)\(number)")] = ["sha256": .string(Text(String(repeating: "a", count: 64)))]
        }
        try delivery.replaceEvidence(
            by: Delivery.envelope(Delivery.link(["products": .object(artifacts)]), by: delivery.alice))
        let patterns = [String(repeating: "*a", count: 1000) + "b", String(repeating: "*[!b]?", count: 300) + "b"]
        try delivery.chain.change(
            "expected_products",
            to: patterns.map { ["ALLOW", $0] } + Array(repeating: ["ALLOW", "b*"], count: 9000) + [["DISALLOW", "*"]])
        let result = try delivery.verifySigned([])
        #expect(result.status == 1)
        #expect(result.outputText.contains("forbids 200 artifacts"))
    }

    @Test func `a thousand copies of a genuine link cost what one does`() throws {
        let delivery = try Delivery()
        var products = JSONObject()
        for number in 0..<20_000 {
            products[Text("dist/\(number)")] = ["sha256": .string(Text(String(repeating: "a", count: 64)))]
        }
        var chain = delivery.chain
        try chain.change("expected_products", to: [["ALLOW", "*"]])
        try chain.change("expected_command", to: [Any]())
        let link = try Delivery.link(["products": .object(products)])
        try delivery.replaceEvidence(by: Delivery.envelope(link, by: delivery.alice))
        let copied = try chain.run.shell(
            "for i in $(seq 10000000 10000998); do ln \(delivery.linkName) links/build.$i.link; done")
        #expect(copied.status == 0, "\(copied.errorText)")
        #expect(try chain.verify().status == 0)
        let result = try delivery.verify()
        #expect(result.status == 0, "\(result.outputText.prefix(300))\(result.errorText.prefix(300))")
        // One more is one file too many.
        _ = try chain.run.shell("ln \(delivery.linkName) links/build.10000999.link")
        #expect(try delivery.verify().status == 1)
    }
}
