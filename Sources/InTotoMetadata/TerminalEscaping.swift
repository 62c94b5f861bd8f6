/// Bytes from outside, made safe to print: no name, message or log line may drive a terminal.
///
/// Control characters, DEL, C1, bidirectional and zero-width characters, fillers, and spaces that look like the plain
/// one become `\xNN` or `\u{NNNN}`, a backslash becomes `\\`, and bytes that are not UTF-8 become `\xNN`, so that
/// different bytes never become one text.
public func escapedForTerminal(_ bytes: some Collection<UInt8>) -> String {
    var result = ""
    let bytes = Array(bytes)
    bytes.withUnsafeBufferPointer { buffer in
        var index = 0
        while index < buffer.count {
            let byte = buffer[index]
            if byte < 0x80 {
                result += escapedASCII(byte)
                index += 1
            } else if let length = UTF8Validation.sequenceLength(buffer, at: index) {
                let character = String(
                    decoding: UnsafeBufferPointer(rebasing: buffer[index..<index + length]), as: UTF8.self)
                for scalar in character.unicodeScalars {
                    result +=
                        isInvisible(scalar)
                        ? "\\u{\(String(scalar.value, radix: 16, uppercase: true))}" : String(scalar)
                }
                index += length
            } else {
                result += hexEscape(byte)
                index += 1
            }
        }
    }
    return result
}

private func escapedASCII(_ byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "\\"): "\\\\"
    case UInt8(ascii: "\n"): "\\n"
    case UInt8(ascii: "\t"): "\\t"
    case UInt8(ascii: "\r"): "\\r"
    case 0..<0x20, 0x7F: hexEscape(byte)
    default: String(UnicodeScalar(byte))
    }
}

private func hexEscape(_ byte: UInt8) -> String {
    "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
}

/// Whether the character drives a terminal, hides, or looks like a plain space.
package func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
    case .spaceSeparator: scalar != " "
    // Variation selectors, Hangul fillers and their like are marks or letters by category.
    default: scalar.properties.isDefaultIgnorableCodePoint
    }
}
