import Testing

@testable import InTotoCrypto

/// DER as ITU-T X.690 has it: lengths in their shortest form, and nothing read beyond the bytes there are.
@Suite struct DERReaderTests {
    private static let long = [UInt8](repeating: 7, count: 256)
    private static let first: [(start: [UInt8], count: Int)] = [
        ([0x01], 1), ([0x00], 0), ([0x7F], 0x7F), ([0x81, 0x80], 0x80), ([0x81, 0xFF], 0xFF),
        ([0x82, 0x01, 0x00], 0x100),
    ]

    @Test(arguments: first) func `a length in its shortest form is read`(start: [UInt8], count: Int) {
        #expect(content(.octetString, of: [0x04] + start + Self.long[..<count])?.count == count)
        // Too little of it, too much, and under another tag.
        #expect(
            content(.octetString, of: [0x04] + start + Self.long[..<max(0, count - 1)])?.count == (count == 0 ? 0 : nil)
        )
        #expect(content(.octetString, of: [0x04] + start + Self.long[..<count] + [0]) == nil)
        #expect(content(.sequence, of: [0x04] + start + Self.long[..<count]) == nil)
    }

    private static let others: [(start: [UInt8], count: Int)] = [
        ([], 0), ([0x80], 0), ([0x81], 0), ([0x82, 0x01], 0), ([0x81, 0x01], 1), ([0x81, 0x7F], 0x7F),
        ([0x82, 0x00, 0x80], 0x80), ([0x83, 0x00, 0x01, 0x00], 0x100), ([0x85, 0x00, 0x00, 0x00, 0x01, 0x00], 0x100),
        ([0x84, 0xFF, 0xFF, 0xFF, 0xFF], 1), ([0xFF], 256),
    ]

    @Test(arguments: others) func `any other is not`(start: [UInt8], count: Int) {
        #expect(content(.octetString, of: [0x04] + start + Self.long[..<count]) == nil)
    }

    private static let integers: [(content: [UInt8], value: Int?)] = [
        ([0x00], 0), ([0x7F], 0x7F), ([0x00, 0x80], 0x80), ([0x7F] + [UInt8](repeating: 0xFF, count: 7), .max),
        ([], nil), ([0x80], nil), ([0x80, 0, 0, 0, 0, 0, 0, 0], nil), ([0x01, 0, 0, 0, 0, 0, 0, 0, 0], nil),
        ([0x00, 0, 0, 0, 0, 0, 0, 0, 1], nil),
    ]

    @Test(arguments: integers) func `an integer that fits is read, and no other`(content: [UInt8], value: Int?) {
        let bytes = [0x02, UInt8(content.count)] + content
        let read = bytes.withUnsafeBytes { buffer in
            var reader = DERReader(buffer)
            return reader.smallInteger()
        }
        #expect(read == value)
    }

    private func content(_ tag: DERReader.Tag, of bytes: [UInt8]) -> [UInt8]? {
        bytes.withUnsafeBytes { buffer in DERReader.only(tag, in: buffer).map { Array($0.bytes) } }
    }
}
