import Foundation
import InTotoMetadata
import TestSupport
import Testing

@Suite struct JSONWriterTests {
    @Test(arguments: [JSONWriter.Style.compact, .indented])
    func `what is written reads back the same`(style: JSONWriter.Style) throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<2_000 {
            let value = generator.document()
            let bytes = try JSONWriter.bytes(style) { $0.value(value) }
            #expect(try JSONReader.read(bytes) == value)
        }
    }

    @Test func `another reader understands what is written`() throws {
        for text in try naughtyStrings() {
            let bytes = try JSONWriter.bytes(.compact) { $0.value(["text": .string(text)]) }
            let read = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: String]
            #expect(read.map { Text($0["text"] ?? "") } == text)
        }
    }

    @Test func `compact and indented forms hold no control character inside strings`() throws {
        let text = Text(String(String.UnicodeScalarView((0...0x9F).compactMap { Unicode.Scalar($0) })))
        for style in [JSONWriter.Style.compact, .indented] {
            let bytes = try JSONWriter.bytes(style) { $0.string(text) }
            #expect(bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
            #expect(try JSONReader.read(bytes) == .string(text))
        }
    }

    @Test func `the indented form is for people`() throws {
        let value: JSONValue = ["b": [1, [], ["x": .null]], "a": [:], "c": "é\n"]
        let text = String(decoding: try JSONWriter.bytes(.indented) { $0.value(value) }, as: UTF8.self)
        #expect(
            text == """
                {
                  "a": {},
                  "b": [
                    1,
                    [],
                    {
                      "x": null
                    }
                  ],
                  "c": "é\\n"
                }
                """)
    }

    @Test func `members are sorted by bytes`() throws {
        let value: JSONValue = ["\u{1F600}": 1, "\u{FFEE}": 2, "Z": 3, "a": 4, "\u{E9}": 5, "e\u{301}": 6, "": 7]
        let text = String(decoding: try value.canonicalBytes(), as: UTF8.self)
        #expect(text == "{\"\":7,\"Z\":3,\"a\":4,\"e\u{301}\":6,\"\u{E9}\":5,\"\u{FFEE}\":2,\"\u{1F600}\":1}")
    }
}
