/// One `[…]` of a pattern: single bytes, ranges, escapes, `!` or `^` for "none of", and names such as `[:alpha:]`.
struct CharacterClass {
    let pattern: UnsafeBufferPointer<UInt8>
    /// First the byte after the opening bracket; afterwards the closing bracket.
    var position: Int

    /// Nil where the class is not closed or names an unknown set.
    mutating func matches(_ byte: UInt8) -> Bool? {
        let isNegated = current == UInt8(ascii: "!") || current == UInt8(ascii: "^")
        if isNegated { position += 1 }
        var matched = false
        var previous: UInt8?
        var isFirst = true
        while let here = current, isFirst || here != closeBracket {
            isFirst = false
            if here == dash, let low = previous, let after = peek, after != closeBracket {
                position += 1
                guard let high = literal() else { return nil }
                if (low...max(low, high)).contains(byte), high >= low { matched = true }
                previous = nil
            } else if here == openBracket, peek == colon {
                guard let isMember = namedSet(byte) else { return nil }
                matched = matched || isMember
                previous = nil
            } else {
                guard let single = literal() else { return nil }
                matched = matched || single == byte
                previous = single
            }
            position += 1
        }
        guard current != nil else { return nil }
        return matched != isNegated
    }

    private var current: UInt8? { position < pattern.count ? pattern[position] : nil }
    private var peek: UInt8? { position + 1 < pattern.count ? pattern[position + 1] : nil }

    /// The byte at `position`, or the one that a backslash there escapes.
    private mutating func literal() -> UInt8? {
        if current == backslash { position += 1 }
        return current
    }

    /// Reads `[:name:]`, leaving `position` at its last byte. Without the closing `:]` the bracket is an ordinary byte.
    private mutating func namedSet(_ byte: UInt8) -> Bool? {
        let start = position + 2
        guard let end = pattern[min(start, pattern.count)...].firstIndex(of: closeBracket) else { return nil }
        guard end > start, pattern[end - 1] == colon else { return byte == openBracket }
        let name = String(decoding: pattern[start..<end - 1], as: UTF8.self)
        position = end
        return Self.isMember(byte, of: name)
    }

    private static func isMember(_ byte: UInt8, of name: String) -> Bool? {
        let isUpper = (0x41...0x5A).contains(byte)
        let isLower = (0x61...0x7A).contains(byte)
        let isDigit = (0x30...0x39).contains(byte)
        let isGraphic = (0x21...0x7E).contains(byte)
        switch name {
        case "alnum": return isUpper || isLower || isDigit
        case "alpha": return isUpper || isLower
        case "blank": return byte == 0x20 || byte == 0x09
        case "cntrl": return byte < 0x20 || byte == 0x7F
        case "digit": return isDigit
        case "graph": return isGraphic
        case "lower": return isLower
        case "print": return isGraphic || byte == 0x20
        case "punct": return isGraphic && !isUpper && !isLower && !isDigit
        // Git's own table knows no vertical tab and no form feed here.
        case "space": return byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
        case "upper": return isUpper
        case "xdigit": return isDigit || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
        default: return nil
        }
    }
}

private let dash = UInt8(ascii: "-")
private let colon = UInt8(ascii: ":")
