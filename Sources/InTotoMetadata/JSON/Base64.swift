/// Base64 (RFC 4648) as DSSE uses it: written in the standard alphabet with padding, read in either alphabet.
package enum Base64 {
    package static func encode(_ bytes: [UInt8]) -> Text {
        let alphabet = standard  // once, not for each digit of 140 MB
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group = UInt32(bytes[start]) << 16
            if count > 1 { group |= UInt32(bytes[start + 1]) << 8 }
            if count > 2 { group |= UInt32(bytes[start + 2]) }
            for position in 0..<4 {
                let digit = position <= count ? alphabet[Int(group >> UInt32(18 - 6 * position)) & 63] : padding
                result.append(digit)
            }
        }
        return Text(trusted: result)
    }

    /// Nil for missing padding, white space, a mixture of the alphabets, and spellings that we would not write:
    /// each signature has one text.
    package static func decode(_ text: Text) -> [UInt8]? {
        let digits = text.utf8
        guard digits.count.isMultiple(of: 4) else { return nil }
        let paddingCount = digits.suffix(2).count { $0 == padding }
        guard !mixesAlphabets(digits) else { return nil }
        let table = values
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 4 * 3)
        var group: UInt32 = 0
        var bits = 0
        for digit in digits.dropLast(paddingCount) {
            let value = table[Int(digit)]
            guard value != invalid else { return nil }
            group = group << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
            }
        }
        guard bits < 6, group & (1 << UInt32(bits) - 1) == 0 else { return nil }
        return bytes
    }

    private static func mixesAlphabets(_ digits: [UInt8]) -> Bool {
        var usesStandard = false
        var usesURLSafe = false
        for digit in digits {
            usesStandard = usesStandard || digit == UInt8(ascii: "+") || digit == UInt8(ascii: "/")
            usesURLSafe = usesURLSafe || digit == UInt8(ascii: "-") || digit == UInt8(ascii: "_")
        }
        return usesStandard && usesURLSafe
    }

    private static let padding = UInt8(ascii: "=")
    private static let invalid: UInt8 = 255
    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var table = [UInt8](repeating: invalid, count: 256)
        for (value, digit) in standard.enumerated() { table[Int(digit)] = UInt8(value) }
        table[Int(UInt8(ascii: "-"))] = 62
        table[Int(UInt8(ascii: "_"))] = 63
        return table
    }()
}
