import InTotoMetadata
import TestSupport
import Testing

/// Decoding is validation: each demand on a layout, beside what it refuses.
@Suite struct LayoutTests {
    static let keyID: Text = "00ff"

    static func step(_ changes: JSONObject = [:]) -> JSONValue {
        changed(
            [
                "_type": "step", "name": "build", "threshold": 1, "pubkeys": ["00ff"], "expected_command": [],
                "expected_materials": [], "expected_products": [],
            ], changes)
    }

    static func inspection(_ changes: JSONObject = [:]) -> JSONValue {
        changed(
            [
                "_type": "inspection", "name": "look", "run": ["true"], "expected_materials": [],
                "expected_products": [],
            ], changes)
    }

    static func key(_ changes: JSONObject = [:]) -> JSONValue {
        changed(
            ["keyid": "00ff", "keytype": "ed25519", "scheme": "ed25519", "keyval": ["public": "00"]], changes)
    }

    /// Members that become `null` are left out.
    static func changed(_ object: JSONObject, _ changes: JSONObject) -> JSONValue {
        var object = object
        for member in changes.members { object[member.name] = member.value == .null ? nil : member.value }
        return .object(object)
    }

    static func layout(_ changes: JSONObject = [:]) -> JSONObject {
        guard
            case .object(let object) = changed(
                [
                    "_type": "layout", "expires": "2099-01-01T00:00:00Z", "readme": "", "keys": ["00ff": key()],
                    "steps": [step()], "inspect": [inspection()],
                ], changes)
        else { return [:] }
        return object
    }

    static func refusal(_ changes: JSONObject) -> String {
        do {
            _ = try Layout(json: layout(changes))
            return "is taken"
        } catch { return error.description }
    }

    static func refusal(step changes: JSONObject) -> String { refusal(["steps": [step(changes)]]) }
    static func refusal(inspection changes: JSONObject) -> String { refusal(["inspect": [inspection(changes)]]) }
    static func refusal(key changes: JSONObject) -> String { refusal(["keys": ["00ff": key(changes)]]) }

    @Test func `a layout with one of everything is taken`() throws {
        let layout = try Layout(json: Self.layout())
        #expect(layout.steps.count == 1 && layout.inspections.count == 1 && layout.keys.count == 1)
    }

    @Test(arguments: ["_type", "expires", "readme", "keys", "steps", "inspect"] as [Text])
    func `no member of a layout may be missing`(name: Text) {
        #expect(Self.refusal([name: .null]) == "the layout has no member '\(name.escaped)'")
    }

    @Test(
        arguments: [
            "_type", "name", "threshold", "pubkeys", "expected_command", "expected_materials", "expected_products",
        ] as [Text])
    func `no member of a step may be missing`(name: Text) {
        #expect(Self.refusal(step: [name: .null]).contains("has no member '\(name.escaped)'"))
    }

    @Test(arguments: ["_type", "name", "run", "expected_materials", "expected_products"] as [Text])
    func `no member of an inspection may be missing`(name: Text) {
        #expect(Self.refusal(inspection: [name: .null]).contains("has no member '\(name.escaped)'"))
    }

    @Test func `a misspelled or further member is refused everywhere`() {
        let unknown = "has an unknown member 'expected_product'"
        #expect(Self.refusal(["expected_product": []]) == "the layout \(unknown)")
        #expect(Self.refusal(step: ["expected_product": []]).contains(unknown))
        #expect(Self.refusal(inspection: ["expected_product": []]).contains(unknown))
        #expect(Self.refusal(key: ["expected_product": []]).contains(unknown))
        #expect(Self.refusal(key: ["keyval": ["public": "00", "expected_product": ""]]).contains(unknown))
        #expect(Self.refusal(step: ["cert_constraints": [["expected_product": ""]]]).contains(unknown))
    }

    /// Each with what is said of it.
    @Test(
        arguments: [
            ("expected_product", "did you mean 'expected_products'?"), ("treshold", "did you mean 'threshold'?"),
            ("pubKeys", "did you mean 'pubkeys'?"), ("nam", "did you mean 'name'?"), ("ne", nil), ("expect", nil),
            ("comment", nil), ("", nil),
        ] as [(Text, String?)])
    func `an unknown member that is nearly a known one leads to that`(name: Text, hint: String?) {
        #expect {
            try Layout(json: Self.layout(["steps": [Self.step([name: "x"])]]))
        } throws: { error in
            (error as? MetadataError)?.hint == hint
        }
    }

    @Test func `types are what they are called`() {
        #expect(Self.refusal(["_type": "link"]).contains("is not 'layout'"))
        #expect(Self.refusal(step: ["_type": "inspection"]).contains("is not 'step'"))
        #expect(Self.refusal(inspection: ["_type": "step"]).contains("is not 'inspection'"))
    }

    @Test(arguments: [0, -1, 257, true, "1", .number("1.5"), .integer(.min), .integer(.max)] as [JSONValue])
    func `a threshold is a whole number from 1 to 256`(value: JSONValue) {
        #expect(Self.refusal(step: ["threshold": value]).contains("'threshold'"))
        #expect(Self.refusal(step: ["threshold": 1]) == "is taken")
        #expect(Self.refusal(step: ["threshold": 256]) == "is taken")
    }

    @Test func `names stand for one thing each`() {
        #expect(Self.refusal(["steps": [Self.step(), Self.step()]]).contains("'build' stands for two"))
        #expect(Self.refusal(inspection: ["name": "build"]).contains("'build' stands for two"))
        #expect(Self.refusal(["steps": [Self.step(), Self.step(["name": "Build"])]]) == "is taken")
        for name in ["", ".", "a/b", "-a", "a*"] {
            #expect(Self.refusal(step: ["name": .string(Text(name))]).contains("step name"), "\(name)")
            #expect(Self.refusal(inspection: ["name": .string(Text(name))]).contains("step name"), "\(name)")
        }
    }

    // MARK: Keys

    @Test func `keys have the label that is repeated inside, of hexadecimal digits`() {
        #expect(Self.refusal(key: ["keyid": "00fe"]).contains("not the label of the key"))
        #expect(Self.refusal(["keys": ["../x": Self.key(["keyid": "../x"])]]).contains("is not hexadecimal"))
        #expect(Self.refusal(["keys": ["": Self.key(["keyid": ""])]]).contains("is not hexadecimal"))
        #expect(Self.refusal(step: ["pubkeys": ["00ff", "x"]]).contains("which is not hexadecimal"))
        #expect(Self.refusal(step: ["pubkeys": [""]]).contains("which is not hexadecimal"))
        #expect(Self.refusal(step: ["pubkeys": ["00ff", "00FF"]]) == "is taken")
    }

    @Test func `no private key has slipped in`() {
        for secret: JSONValue in ["00", [:], 1] {
            #expect(Self.refusal(key: ["keyval": ["public": "00", "private": secret]]).contains("PRIVATE KEY"))
        }
        #expect(Self.refusal(key: ["keyval": ["public": "00", "private": ""]]) == "is taken")
    }

    @Test func `an OpenPGP key has members of its own`() {
        #expect(Self.refusal(key: ["method": "pgp+rsa-pkcsv1.5", "subkeys": [:]]) == "is taken")
    }

    // MARK: Commands, rules, dates

    @Test func `an inspection has a command`() {
        for run: JSONValue in [[], [""], ["", "x"]] {
            #expect(Self.refusal(inspection: ["run": run]).contains("names no command"))
        }
    }

    @Test(arguments: [
        [], ["ALLOW"], ["ALLOW", "a", "b"], ["", "a"], ["FOO", "a"], ["MATCH", "a"],
        ["MATCH", "a", "WITH", "PRODUCTS"],
        ["MATCH", "a", "WITH", "PRODUCT", "FROM", "build"], ["MATCH", "a", "WITH", "PRODUCTS", "FROM", "build", "x"],
        ["MATCH", "a", "IN", "WITH", "PRODUCTS", "FROM", "build"],
        ["MATCH", "a", "WITH", "PRODUCTS", "IN", "FROM", "build"],
        ["MATCH", "a", "WITH", "PRODUCTS", "FROM"], ["MATCH", "a", "XX", "b", "WITH", "PRODUCTS", "FROM", "build"],
        ["MATCH", "a", "WITH", "PRODUCTS", "TO", "build"],
    ])
    func `what is no rule is refused`(words: [String]) {
        let rules: JSONValue = [.array(words.map { .string(Text($0)) })]
        for member: Text in ["expected_materials", "expected_products"] {
            #expect(Self.refusal(step: [member: rules]).contains("is no rule: "))
            #expect(Self.refusal(inspection: [member: rules]).contains("is no rule: "))
        }
    }

    @Test func `the words of a rule are bounded, and strings`() {
        func rule(_ length: Int) -> JSONObject {
            ["expected_products": [["ALLOW", .string(Text(String(repeating: "a", count: length)))]]]
        }
        #expect(Self.refusal(step: rule(4096)) == "is taken")
        #expect(Self.refusal(step: rule(4097)).contains("has more than 4096 bytes"))
        #expect(Self.refusal(step: rule(4097)).utf8.count < 300)
        #expect(Self.refusal(step: ["expected_products": ["ALLOW a"]]).contains("must be an array of rules"))
        #expect(Self.refusal(step: ["expected_products": [["ALLOW", 1]]]).contains("which are strings"))
    }

    @Test(arguments: [
        "", "2099-01-01", "2099-01-01T00:00:00", "2099-01-01T00:00:00+00:00", "2099-02-29T00:00:00Z",
        "2099-01-01T24:00:00Z", "2099-01-01 00:00:00Z", "2099-01-01T00:00:00.0Z", "99-01-01T00:00:00Z",
    ])
    func `an expiry is a time of one form`(text: String) {
        #expect(Self.refusal(["expires": .string(Text(text))]).contains("is no time"))
    }

    // MARK: Bounds

    @Test func `there are ten thousand of anything at most`() throws {
        func rules(_ count: Int) -> JSONObject {
            ["expected_products": .array(Array(repeating: ["ALLOW", "*"], count: count))]
        }
        #expect(Self.refusal(step: rules(10_000)) == "is taken")
        #expect(Self.refusal(step: rules(10_001)).contains("has more than 10000 entries"))

        func keys(_ count: Int) throws -> JSONValue {
            let members = (0..<count).map { number in
                let label = "00" + String(number, radix: 16)
                return ##""\##(label)":{"keyid":"\##(label)","keytype":"","scheme":"","keyval":{}}"##
            }
            return try json("{" + members.joined(separator: ",") + "}")
        }
        #expect(Self.refusal(["keys": try keys(10_000)]) == "is taken")
        for member: Text in ["keys", "rootcas", "intermediatecas"] {
            #expect(Self.refusal([member: try keys(10_001)]).contains("has more than 10000 entries"))
        }
    }

    @Test func `a step lists 256 keys at most, each of which counts once`() {
        func listed(_ count: Int) -> JSONObject {
            ["pubkeys": .array((0..<count).map { .string(Text("00" + String($0, radix: 16))) })]
        }
        #expect(Self.refusal(step: listed(256)) == "is taken")
        #expect(Self.refusal(step: listed(257)).contains("has more than 256 entries"))
        let repeated = JSONValue.array(Array(repeating: "00ff", count: 1000))
        #expect(Self.refusal(step: ["pubkeys": repeated]) == "is taken")
    }
}
