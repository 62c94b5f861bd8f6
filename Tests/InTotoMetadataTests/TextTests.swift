import InTotoMetadata
import Testing

@Suite struct TextTests {
    @Test func `spellings of one character are different texts`() {
        let composed: Text = "\u{E9}"
        let decomposed: Text = "e\u{301}"
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(composed == Text("\u{E9}"))
        #expect(composed.hashValue == Text("\u{E9}").hashValue)
        #expect("\u{E9}" == "e\u{301}" as String)
    }

    @Test func `order is that of bytes`() {
        let texts: [Text] = [
            "", "\u{0}", "A", "Z", "a", "a\u{0}", "aa", "e\u{301}", "z", "\u{7F}", "\u{E9}", "\u{FFEE}", "\u{1F600}",
        ]
        #expect(texts.shuffled().sorted() == texts)
        for (low, high) in zip(texts, texts.dropFirst()) {
            #expect(low < high)
            #expect(!(high < low))
            #expect(!(low < low))
        }
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98],
            [0xC3, 0x28],
        ] as [[UInt8]])
    func `bytes that are not UTF-8 are no text`(bytes: [UInt8]) {
        #expect(Text(validating: bytes) == nil)
        #expect(Text(validating: [0x61] + bytes) == nil)
        #expect(Text(repairing: bytes).description.unicodeScalars.contains("\u{FFFD}"))
    }

    @Test func `validity is what the standard library says`() {
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<50_000 {
            var bytes = Array(generator.text(maximumLength: 3).utf8)
            if !bytes.isEmpty, Bool.random(using: &generator) { bytes = generator.mutation(of: bytes) }
            #expect((Text(validating: bytes) != nil) == (String(validating: bytes, as: UTF8.self) != nil), "\(bytes)")
        }
    }

    @Test func `valid text is not repaired`() throws {
        for text in try naughtyStrings() {
            #expect(Text(repairing: text.utf8) == text)
            #expect(Text(validating: text.utf8) == text)
        }
    }

    @Test func `of a very long text the beginning is shown`() {
        let short = Text(String(repeating: "a", count: 4096))
        #expect(short.escaped == short.description)
        let long = Text(String(repeating: "a", count: 4095) + "é" + "b")
        #expect(long.escaped == String(repeating: "a", count: 4095) + "… (4098 bytes)")
    }
}
