import Foundation
import InTotoMetadata
import Testing

@Suite struct Base64Tests {
    @Test func `Foundation reads what we write, and we read what it writes`() {
        var generator = SeededGenerator(seed: 4)
        for length in Array(0..<300) + [4096, 4097, 4098] {
            let bytes = generator.bytes(count: length)
            let text = Base64.encode(bytes)
            #expect(text.description == Data(bytes).base64EncodedString())
            #expect(Base64.decode(text) == bytes)
            let urlSafe = text.description.replacingOccurrences(of: "+", with: "-").replacingOccurrences(
                of: "/", with: "_")
            #expect(Base64.decode(Text(urlSafe)) == bytes)
        }
    }

    /// Whatever we read, we would write so, but for the alphabet: each signature has one text.
    @Test func `there is one spelling of each value`() {
        var generator = SeededGenerator(seed: 5)
        let alphabet = Array("ABQZagwz0189+/-_==\n".utf8)
        var decoded = 0
        for _ in 0..<100_000 {
            let count =
                Int.random(in: 0...3, using: &generator) * 4 + (Int.random(in: 0..<8, using: &generator) == 0 ? 1 : 0)
            let text = Text(repairing: (0..<count).compactMap { _ in alphabet.randomElement(using: &generator) })
            guard let bytes = Base64.decode(text) else { continue }
            decoded += 1
            let standard = text.description.replacingOccurrences(of: "-", with: "+").replacingOccurrences(
                of: "_", with: "/")
            #expect(Base64.encode(bytes).description == standard)
            #expect(Data(base64Encoded: standard).map { [UInt8]($0) } == bytes)
        }
        #expect(decoded > 1_000)
    }

    @Test(arguments: [
        "A", "AA", "AAA", "A===", "AA=", "AAA==", "====", "=AAA", "A=AA", "AA=A", "AAAA=", "AAAA====", "AA==AAAA",
        "A=B=",
        "AAA\n", "AAAA\n", " AAA", "AA A", "AAAé", "AA\u{0}A",
        "AB==", "AP==", "AAB=", "AAD=",  // bits after the last byte
        "+-AA", "/_AA", "+AA_",  // both alphabets
    ])
    func `other spellings are refused`(text: String) {
        #expect(Base64.decode(Text(text)) == nil)
    }

    @Test(arguments: [
        ("", []), ("AA==", [0]), ("AAA=", [0, 0]), ("+/+/", [251, 255, 191]), ("-_-_", [251, 255, 191]),
    ])
    func `both alphabets are read`(text: String, bytes: [UInt8]) {
        #expect(Base64.decode(Text(text)) == bytes)
    }
}

@Suite struct HexTests {
    @Test func `every byte is written in lower case and read in either`() {
        let bytes = [UInt8](0...255)
        let text = Hex.encode(bytes)
        #expect(text.description == bytes.map { String(format: "%02x", $0) }.joined())
        #expect(Hex.decode(text) == bytes)
        #expect(Hex.decode(Text(text.description.uppercased())) == bytes)
        #expect(Hex.decode("") == [])
    }

    @Test(arguments: ["0", "000", "0g", "g0", "0x", " 0", "0 ", "é", "-1", "/0", ":0", "@0", "`0", "G0"])
    func `anything else is refused`(text: String) {
        #expect(Hex.decode(Text(text)) == nil)
    }
}
