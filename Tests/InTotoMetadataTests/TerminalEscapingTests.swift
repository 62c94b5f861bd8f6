import InTotoMetadata
import Testing

@Suite struct TerminalEscapingTests {
    /// Whether a terminal shows it as something, in its place.
    static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return false
        case .spaceSeparator: return scalar == " "
        default: return !properties.isDefaultIgnorableCodePoint && !properties.isBidiControl
        }
    }

    @Test func `what is printed holds nothing invisible, whatever the bytes`() {
        var generator = SeededGenerator(seed: 7)
        var printed: [String: [UInt8]] = [:]
        for _ in 0..<20_000 {
            let isText = Bool.random(using: &generator)
            let bytes =
                isText ? generator.text().utf8 : generator.bytes(count: Int.random(in: 0..<12, using: &generator))
            let string = escapedForTerminal(bytes)
            #expect(string.unicodeScalars.allSatisfy(Self.isVisible), "\(bytes)")
            #expect(printed[string, default: bytes] == bytes, "two texts look the same")
            printed[string] = bytes
        }
    }

    /// The basic plane, and where the others have invisible characters.
    @Test func `every scalar alone is printed visibly`() {
        for value in Array(UInt32(0)...0xFFFF) + Array(0x1_D160...0x1_D190) + Array(0xE_0000...0xE_01FF) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let string = escapedForTerminal(Array(String(scalar).utf8))
            guard string.unicodeScalars.allSatisfy(Self.isVisible) else {
                Issue.record("U+\(String(value, radix: 16)) is printed as it is")
                return
            }
        }
    }

    @Test func `naughty strings are tamed, each in its own way`() throws {
        let texts = try naughtyStrings()
        for text in texts { #expect(text.escaped.unicodeScalars.allSatisfy(Self.isVisible)) }
        #expect(Set(texts.map { Text($0.escaped) }).count == Set(texts).count)
    }

    @Test(arguments: [
        ("plain é 日本 😀", "plain é 日本 😀"), ("a\\b", "a\\\\b"), ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\u{1B}[31m", "\\x1B[31m"),
        ("\u{7F}", "\\x7F"), ("\u{9B}0m", "\\u{9B}0m"), ("\u{202E}gpj.exe", "\\u{202E}gpj.exe"),
        ("a\u{200B}b", "a\\u{200B}b"),
        ("\u{FEFF}", "\\u{FEFF}"), ("a\u{A0}b", "a\\u{A0}b"), ("\u{3164}", "\\u{3164}"), ("a\u{34F}b", "a\\u{34F}b"),
        ("\\n", "\\\\n"),
    ])
    func `invisible characters are spelled out`(text: String, expected: String) {
        #expect(Text(text).escaped == expected)
    }

    @Test func `bytes that are not UTF-8 are shown in hexadecimal`() {
        #expect(escapedForTerminal([0x61, 0xFF, 0xC3, 0x28, 0xED, 0xA0, 0x80]) == "a\\xFF\\xC3(\\xED\\xA0\\x80")
    }
}
