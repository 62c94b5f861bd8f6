import InTotoMetadata
import TestSupport
import Testing

@Suite struct JSONReaderTests {
    // MARK: Hostile bytes

    static let realFiles = [
        "classic-links/python/build.23044263.link", "classic-links/golang/build.2eef8cbe.link",
        "dsse-links/python/build.23044263.link", "attestations/link-v0.3.23044263.json",
    ]

    @Test(arguments: realFiles)
    func `no beginning of a file is a file`(path: String) throws {
        let bytes = try Vectors.bytes(path)
        _ = try SignedMetadata(bytes)
        for length in 0..<bytes.count {
            #expect(throws: MetadataError.self) { try SignedMetadata(Array(bytes[..<length])) }
        }
    }

    /// What still is a file after the mutation must survive being written and read again.
    @Test(arguments: realFiles)
    func `no mutation of a byte stops the reader`(path: String) throws {
        let original = try Vectors.bytes(path)
        var generator = SeededGenerator(seed: 1)
        var readable = 0
        for _ in 0..<10_000 {
            let bytes = generator.mutation(of: original)
            let metadata: SignedMetadata
            do { metadata = try SignedMetadata(bytes) } catch { continue }
            readable += 1
            _ = try? metadata.payload()
            let written = try JSONWriter.bytes(.compact) { metadata.write(to: &$0) }
            #expect(try SignedMetadata(written).signatures == metadata.signatures)
        }
        #expect((1..<10_000).contains(readable))
    }

    @Test func `random bytes of JSON's own alphabet stop nothing`() throws {
        var generator = SeededGenerator(seed: 2)
        let alphabet = Array(#"{}[]",:\u0129dDaAefFnrt -+.truefalsn"#.utf8) + [0xC3, 0xA9, 0xED, 0xA0, 0x80, 0]
        var valid = 0
        for _ in 0..<50_000 {
            let length = Int.random(in: 0..<24, using: &generator)
            let bytes = (0..<length).compactMap { _ in alphabet.randomElement(using: &generator) }
            guard let value = try? JSONReader.read(bytes) else { continue }
            valid += 1
            let canonical = try JSONWriter.bytes(.compact) { $0.value(value) }
            let again = try JSONReader.read(canonical)
            #expect(try JSONWriter.bytes(.compact) { $0.value(again) } == canonical)
        }
        #expect(valid > 0)
    }

    @Test func `ten megabytes of brackets are refused at the depth limit`() {
        let limit = 64
        #expect(throws: JSONError.tooDeep(limit: limit, offset: limit)) {
            try JSONReader.read([UInt8](repeating: UInt8(ascii: "["), count: 10_000_000))
        }
    }

    @Test func `a megabyte of digits is a number of that text`() throws {
        let digits = [UInt8](repeating: UInt8(ascii: "9"), count: 1_000_000)
        let value = try JSONReader.read(digits)
        #expect(value == .number(Text(repairing: digits)))
        #expect(throws: JSONError.self) { try value.canonicalBytes() }
    }

    // MARK: Limits

    @Test(arguments: ["[", #"{"a":"#])
    func `sixty-four levels are read and sixty-five refused`(opening: String) throws {
        func nested(_ levels: Int) -> String {
            let closing = opening == "[" ? "]" : "}"
            return String(repeating: opening, count: levels - 1) + "[]" + String(repeating: closing, count: levels - 1)
        }
        _ = try json(nested(64))
        #expect(throws: JSONError.tooDeep(limit: 64, offset: 64 * opening.utf8.count)) { try json(nested(65)) }
    }

    @Test func `levels count what is open, not what was`() throws {
        _ = try json("[" + Array(repeating: "[[]]", count: 100).joined(separator: ",") + "]")
    }

    @Test func `a document may be as large as the limit`() throws {
        var limits = JSONLimits()
        limits.size = 6
        #expect(try JSONReader.read(Array("[1234]".utf8), limits: limits) == [1234])
        #expect(throws: JSONError.tooLarge(limit: 6)) { try JSONReader.read(Array("[1234] ".utf8), limits: limits) }
    }

    @Test func `a document may have as many values as the limit, whatever they are in`() throws {
        var limits = JSONLimits()
        limits.values = 4
        #expect(try JSONReader.read(Array(#"[1, {"a": 2}]"#.utf8), limits: limits) == [1, ["a": 2]])
        for more in [#"[1, {"a": 2}, 3]"#, #"[1, {"a": [2]}]"#, #"[1, {"a": 2, "b": 3}]"#] {
            #expect(throws: JSONError.tooManyValues(limit: 4)) {
                try JSONReader.read(Array(more.utf8), limits: limits)
            }
        }
    }

    // MARK: Members

    @Test(arguments: [
        #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, #"{"é":1,"\u00e9":2}"#, #"{"😀":1,"\ud83d\ude00":2}"#,
        #"{"":1,"":1}"#,
        #"{"x":{"a":1,"b":2,"a":3}}"#, #"{"/":1,"\/":2}"#,
    ])
    func `a member that stands twice is refused`(text: String) {
        #expect {
            try json(text)
        } throws: { error in
            guard case JSONError.duplicateMember = error else { return false }
            return true
        }
    }

    /// Large objects are checked in another way than small ones: every pair of places, around the change.
    @Test(arguments: [15, 16, 17, 18, 40])
    func `a repetition is found wherever it stands in a large object`(count: Int) throws {
        func document(repeating first: Int, at second: Int) -> String {
            let names = (0..<count).map { $0 == second ? "\\u006e\(first)" : "n\($0)" }
            return "{" + names.map { "\"\($0)\":0" }.joined(separator: ",") + "}"
        }
        _ = try json(document(repeating: count, at: count - 1))
        for second in 1..<count {
            for first in 0..<second {
                #expect(throws: JSONError.self) { try json(document(repeating: first, at: second)) }
            }
        }
    }

    @Test func `composed and decomposed names are two names`() throws {
        let value = try json("{\"\u{E9}\":1,\"e\u{301}\":2,\"e\\u0301 \":3}")
        guard case .object(let object) = value else { throw JSONError.unexpectedEnd }
        #expect(object["\u{E9}"] == 1)
        #expect(object["e\u{301}"] == 2)
        #expect(object.members.count == 3)
    }

    @Test func `members keep their order and a name can be replaced`() throws {
        guard case .object(var object) = try json(#"{"b":1,"a":2}"#) else { throw JSONError.unexpectedEnd }
        #expect(object.members.map(\.name) == ["b", "a"])
        object["b"] = 3
        object["c"] = 4
        object["a"] = nil
        #expect(object.members.map(\.name) == ["b", "c"])
        #expect(object == ["b": 3, "c": 4])
    }

    @Test func `objects are equal in whatever order their members stand`() throws {
        let value = try json(#"{"a":1,"b":[{"x":1,"y":2}],"\u00e9":3}"#)
        let other = try json(#"{"\u00e9":3,"b":[{"y":2,"x":1}],"a":1}"#)
        #expect(value == other)
        #expect(value.hashValue == other.hashValue)
        for different in [
            #"{"a":1,"b":[{"x":1,"y":2}]}"#, #"{"a":1,"b":[{"x":2,"y":1}],"\u00e9":3}"#,
            #"{"a":1,"b":[{"x":1,"y":2}],"e\u0301":3}"#,
        ] {
            #expect(try json(different) != value)
        }
        #expect(try json("[1,2]") != json("[2,1]"))
    }

    // MARK: Numbers

    @Test(arguments: [
        ("9223372036854775807", JSONValue.integer(.max)), ("9223372036854775808", .number("9223372036854775808")),
        ("-9223372036854775808", .integer(.min)), ("-9223372036854775809", .number("-9223372036854775809")),
        ("0", 0), ("-0", .number("-0")), ("-1", -1), ("1.0", .number("1.0")), ("1e3", .number("1e3")),
        ("1E+3", .number("1E+3")), ("0e0", .number("0e0")), ("18446744073709551616", .number("18446744073709551616")),
    ])
    func `a number is an integer only where 64 bits hold it as written`(text: String, expected: JSONValue) throws {
        #expect(try json(text) == expected)
        #expect(try json("[\(text),\(text)]") == .array([expected, expected]))
    }

    @Test(arguments: [
        "01", "-", "-01", "+1", ".5", "1.", "1.e1", "1e", "1e+", "0x1", "1_0", "NaN", "Infinity", "-Infinity", "１",
    ])
    func `what is no number is refused`(text: String) {
        #expect(throws: JSONError.self) { try json(text) }
        #expect(throws: JSONError.self) { try json("[\(text)]") }
    }

    // MARK: Messages

    @Test(arguments: [
        ("", "ends too early"), (#"{"a" 1}"#, "unexpected '1' at byte 5"),
        ("[1] x", "something follows the document at byte 4"),
        (#"["\ud800"]"#, "half a surrogate pair at byte 2"), (#"["\ud800\"#, "half a surrogate pair at byte 2"),
        (#"["\ud800xudc00"]"#, "half a surrogate pair at byte 2"),
        (#"["\ud800\ndc00"]"#, "half a surrogate pair at byte 2"), ("[\"a\nb\"]", #"unexpected '\n' at byte 3"#),
        (#"{"a":1,"a":2}"#, "member 'a' stands twice in an object, at byte 7"),
    ])
    func `an error says where and what`(text: String, message: String) {
        #expect {
            try json(text)
        } throws: { error in
            (error as? JSONError)?.description == message
        }
    }
}
