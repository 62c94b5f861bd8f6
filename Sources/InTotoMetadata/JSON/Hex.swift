/// Hexadecimal, lower case when written, either case when read.
package enum Hex {
    package static func encode(_ bytes: some Sequence<UInt8>) -> Text {
        var digits: [UInt8] = []
        digits.reserveCapacity(bytes.underestimatedCount * 2)
        for byte in bytes {
            digits.append(digit(byte >> 4))
            digits.append(digit(byte & 15))
        }
        return Text(trusted: digits)
    }

    /// Nil for an odd number of digits or anything that is no digit.
    package static func decode(_ text: Text) -> [UInt8]? {
        guard text.utf8.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 2)
        for index in stride(from: 0, to: text.utf8.count, by: 2) {
            guard let high = value(of: text.utf8[index]), let low = value(of: text.utf8[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    package static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x61 + 10
        case 0x41...0x46: byte - 0x41 + 10
        default: nil
        }
    }

    package static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x61 + value - 10 }
}
