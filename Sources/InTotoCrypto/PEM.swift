/// One block between BEGIN and END lines; the ranges are offsets in the text. Spec: RFC 7468, headers RFC 1421, 4.6.
struct PEMBlock {
    let label: String
    /// `Proc-Type` and `DEK-Info` of traditional encryption.
    let headers: Range<Int>?
    let body: Range<Int>

    /// Of any kind, whether we can read it or not.
    var isPrivateKey: Bool { label.contains("PRIVATE KEY") }
    var hasPublicKey: Bool { label.contains("PUBLIC KEY") || label.hasSuffix("CERTIFICATE") }
}

/// Finds and decodes PEM without copying the text, which may be secret.
enum PEM {
    /// The blocks in their order. Text around them is ignored; lines may end in CRLF and have any length.
    static func blocks(in text: UnsafeRawBufferPointer) throws(KeyError) -> [PEMBlock] {
        var blocks: [PEMBlock] = []
        var lines = LineReader(text)
        while let line = lines.next() {
            guard let label = label(of: text[line], after: beginning) else { continue }
            blocks.append(try block(labelled: label, text, &lines))
        }
        return blocks
    }

    private static func block(
        labelled label: String, _ text: UnsafeRawBufferPointer, _ lines: inout LineReader
    ) throws(KeyError) -> PEMBlock {
        let start = lines.offset
        var headers: Range<Int>?
        var inHeaders = false
        while let line = lines.next() {
            let content = text[line]
            if line.lowerBound == start, content.contains(UInt8(ascii: ":")) { inHeaders = true }
            if inHeaders, content.isEmpty {
                headers = start..<line.lowerBound
                inHeaders = false
            }
            if content.starts(with: beginning) { break }
            if content.starts(with: ending) {
                guard Self.label(of: content, after: ending) == label, !inHeaders else { break }
                return PEMBlock(label: label, headers: headers, body: (headers?.upperBound ?? start)..<line.lowerBound)
            }
        }
        throw .unfinishedPEM(label)
    }

    private static let beginning = Array("-----BEGIN ".utf8)
    private static let ending = Array("-----END ".utf8)
    private static let dashes = Array("-----".utf8)

    /// Nil for lines that only look like one.
    private static func label(of line: Slice<UnsafeRawBufferPointer>, after start: [UInt8]) -> String? {
        guard line.starts(with: start), line.count > start.count + dashes.count,
            line.suffix(dashes.count).elementsEqual(dashes)
        else { return nil }
        let label = line.dropFirst(start.count).dropLast(dashes.count)
        let isPlain = label.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x20 }
        return isPlain && label.count <= 64 ? String(decoding: label, as: UTF8.self) : nil
    }
}

extension PEM {
    /// Decodes base64, white space aside; nil for anything else.
    static func decode(_ text: UnsafeRawBufferPointer) -> SecretBytes? {
        let digits = text.count { !$0.isBlank }
        let padding = text.lazy.reversed().filter { !$0.isBlank }.prefix { $0 == UInt8(ascii: "=") }.prefix(3).count
        guard digits > 0, digits.isMultiple(of: 4), padding <= 2 else { return nil }
        let count = digits / 4 * 3 - padding
        var isWellFormed = false
        let bytes = SecretBytes(count: count) { isWellFormed = decode(text, digits: digits - padding, into: $0) }
        return isWellFormed ? bytes : nil
    }

    private static func decode(
        _ text: UnsafeRawBufferPointer, digits: Int, into bytes: UnsafeMutableRawBufferPointer
    ) -> Bool {
        var group: UInt32 = 0
        var bits: UInt32 = 0
        var written = 0
        for digit in text.lazy.filter({ !$0.isBlank }).prefix(digits) {
            guard let value = value(of: digit) else { return false }
            group = (group << 6 | value) & 0xFFFF
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes[written] = UInt8(truncatingIfNeeded: group >> bits)
                written += 1
            }
        }
        return written == bytes.count && group & (1 << bits - 1) == 0
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case 0x41...0x5A: UInt32(digit - 0x41)
        case 0x61...0x7A: UInt32(digit - 0x61 + 26)
        case 0x30...0x39: UInt32(digit - 0x30 + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

/// Lines without their ends and the blanks before them.
private struct LineReader {
    private let text: UnsafeRawBufferPointer
    private(set) var offset = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    mutating func next() -> Range<Int>? {
        guard offset < text.count else { return nil }
        let start = offset
        var end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
        offset = min(end + 1, text.count)
        while end > start, text[end - 1].isBlank { end -= 1 }
        return start..<end
    }
}

extension Collection<UInt8> {
    /// Without the mark that some editors put before UTF-8.
    var withoutByteOrderMark: SubSequence { starts(with: [0xEF, 0xBB, 0xBF]) ? dropFirst(3) : self[...] }
}

extension UInt8 {
    /// ASCII white space.
    var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
