import InTotoMetadata
import TestSupport
import Testing

@Suite struct CanonicalJSONTests {
    struct Vector {
        var name: String
        var input: [UInt8]
        var canonical: [UInt8]?
    }

    /// Source: securesystemslib and go-securesystemslib; see the folder's README.
    static func vectors() throws -> [Vector] {
        let rows = try #require(try Vectors.json("canonical-json/vectors.json") as? [[String: Any]])
        return rows.compactMap { row in
            guard let name = row["name"] as? String, let input = row["input_json"] as? String else { return nil }
            let python = (row["python"] as? [String: String])?["utf8_hex"]
            let agree = row["agree"] as? Bool ?? false
            return Vector(
                name: name, input: Array(input.utf8),
                canonical: agree && !refusedDuplicates.contains(name) ? python.flatMap { Hex.decode(Text($0)) } : nil
            )
        }
    }

    /// What Python and Go disagree about; nothing else may be without a common canonical form and yet valid JSON.
    static let disagreements: Set = [
        "negative zero integer", "int64 max plus one", "uint64 max", "bigint", "lone high surrogate",
        "lone low surrogate",
    ]

    /// The peers agree on taking the last of two members with one name; we refuse, as their readers differ from others.
    static let refusedDuplicates: Set = ["duplicate keys", "duplicate keys nested"]

    @Test func `where the peers agree we agree with them`() throws {
        let vectors = try Self.vectors()
        for vector in vectors {
            if let canonical = vector.canonical {
                #expect(try JSONReader.read(vector.input).canonicalBytes() == canonical, "\(vector.name)")
            } else {
                #expect(throws: JSONError.self, "\(vector.name)") { try JSONReader.read(vector.input).canonicalBytes() }
            }
        }
        let reproduced = vectors.count { $0.canonical != nil }
        print("vectors: canonical-json \(reproduced) reproduced, \(vectors.count - reproduced) refused")
        #expect(reproduced > 20)
    }

    @Test func `what the peers disagree about is known and refused`() throws {
        let rows = try #require(try Vectors.json("canonical-json/vectors.json") as? [[String: Any]])
        let names = rows.filter { $0["agree"] as? Bool == false }.compactMap { $0["name"] as? String }
        #expect(Set(names) == Self.disagreements)
    }

    @Test func `only the backslash and the quote are escaped`() throws {
        let value: JSONValue = ["k\n": "a\"b\\c/\u{0}\t\u{7F}\u{2028}"]
        #expect(try value.canonicalBytes() == Array("{\"k\n\":\"a\\\"b\\\\c/\u{0}\t\u{7F}\u{2028}\"}".utf8))
    }

    @Test(arguments: ["1.0", "1e3", "-0", "9223372036854775808"])
    func `a number without canonical form is named`(number: String) throws {
        let value = try json(#"{"a":[1,\#(number)]}"#)
        #expect(throws: JSONError.notCanonical(number: Text(number))) { try value.canonicalBytes() }
        #expect(try JSONWriter.bytes(.compact) { $0.value(value) } == Array(#"{"a":[1,\#(number)]}"#.utf8))
    }
}
