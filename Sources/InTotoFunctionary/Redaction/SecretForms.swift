internal import InTotoMetadata

/// The spellings under which a secret turns up in output.
///
/// Not covered: a secret in hexadecimal, compressed, encrypted, reversed, one character a line, or in base64 in lines of
/// less than `PatternSet.shortestLine` digits. Percent-encoding with mixed-case digits, or of characters that nobody
/// encodes, neither; nor the quotes of HTML and XML, those of bash's `printf %q`, and JSON that escapes what is not ASCII.
struct SecretForms: Sendable {
    /// Sought as they are.
    private(set) var exact: Set<[UInt8]> = []
    /// Of base64, sought wherever lines break them.
    private(set) var digits: Set<[UInt8]> = []

    var isEmpty: Bool { exact.isEmpty && digits.isEmpty }

    /// Whether one of them begins with `text`.
    func contains(beginning text: ArraySlice<UInt8>) -> Bool {
        exact.contains { $0.starts(with: text) } || digits.contains { $0.starts(with: text) }
    }

    mutating func formUnion(_ other: SecretForms) {
        exact.formUnion(other.exact)
        digits.formUnion(other.digits)
    }

    /// What finds them; sorted, since the order of a set changes from run to run.
    var patterns: [PatternSet] {
        let sets = [(exact, false), (digits, true)].filter { !$0.0.isEmpty }
        return sets.map { PatternSet($0.sorted { $0.precedesBytewise($1) }, acrossLines: $1) }
    }

    /// Longest value that is sought encoded too, in bytes; of longer ones the text and its lines are sought.
    static let encodedLimit = 16 << 10

    /// All spellings of `value`, and of its lines where it has several; pieces of less than `minimum` bytes are left out.
    static func all(of value: [UInt8], minimum: Int) -> SecretForms {
        let whole = value.trimmingWhiteSpace()
        guard whole.count >= minimum else { return SecretForms() }
        var forms = SecretForms()
        for piece in [whole] + lines(of: whole) where piece.count >= minimum && !isArmour(piece) {
            forms.exact.insert(piece)
            // As a terminal shows it, and Windows has it.
            forms.exact.insert(
                Array(
                    piece.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                        .joined(separator: "\r\n".utf8)))
            guard piece.count <= encodedLimit else { continue }
            forms.digits.formUnion(base64(piece))
            forms.exact.formUnion(percentEncoded(piece) + percentEncodedBase64(piece))
            forms.exact.formUnion(quotedForJSON(piece) + quotedForShell(piece))
        }
        return forms
    }

    /// Lines without white space around them; the escape `\n` of JSON and dotenv files ends a line too.
    private static func lines(of value: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var index = 0
        while index < value.count {
            let isEscaped = value[index...].starts(with: Array("\\n".utf8))
            if isEscaped || value[index] == UInt8(ascii: "\n") || value[index] == UInt8(ascii: "\r") {
                lines.append(line)
                line = []
                index += isEscaped ? 2 : 1
            } else {
                line.append(value[index])
                index += 1
            }
        }
        return lines.isEmpty ? [] : (lines + [line]).map { $0.trimmingWhiteSpace() }
    }

    /// The first and last lines of PEM blocks are in many outputs and say nothing.
    private static func isArmour(_ line: [UInt8]) -> Bool {
        line.starts(with: Array("-----".utf8)) && line.suffix(5).elementsEqual("-----".utf8)
            && !line.contains(UInt8(ascii: "\n")) && line.count < 64
    }

    // MARK: Base64

    /// Alone, with and without padding, line by line, and inside of longer data, at each of the three alignments.
    ///
    /// Inside, the digits are sought that depend on the value alone: up to four bits of its first and of its last byte
    /// share a digit with the neighbours and stay.
    private static func base64(_ value: [UInt8]) -> [[UInt8]] {
        let padded = Base64.encode(value).utf8
        var forms = [padded, padded.filter { $0 != UInt8(ascii: "=") }]
        for offset in 0..<3 { forms.append(innerDigits(of: value, at: offset)) }
        let digits = forms[2]
        for width in [64, 76] where padded.count > width {
            // A last line of a few digits may be a word of other texts; it stays.
            for start in stride(from: 0, through: digits.count - 8, by: width) {
                forms.append(Array(digits[start..<min(start + width, digits.count)]))
            }
        }
        return forms + forms.map(urlSafe)
    }

    private static func innerDigits(of value: [UInt8], at offset: Int) -> [UInt8] {
        let digits = Base64.encode([UInt8](repeating: 0, count: offset) + value).utf8
        let first = (offset * 8 + 5) / 6
        return Array(digits[first..<(offset + value.count) * 8 / 6])
    }

    private static func urlSafe(_ digits: [UInt8]) -> [UInt8] {
        digits.map {
            switch $0 {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            default: $0
            }
        }
    }

    // MARK: URLs

    /// What encoders leave as it is besides letters, digits and `-._~`: nothing (RFC 3986, Go), the path separator
    /// (Python), what JavaScript's two functions leave.
    private static let leftAlone = ["", "/", "!'()*", "!'()*;,/?:@&=+$#"].map { Set("-._~\($0)".utf8) }

    private static func percentEncoded(_ value: [UInt8]) -> [[UInt8]] {
        var forms: [[UInt8]] = []
        for safe in leftAlone {
            for isUpper in [true, false] {
                let encoded = value.flatMap { percentEncoded($0, safe: safe, isUpper: isUpper) }
                forms.append(encoded)
                // As in forms and queries.
                if value.contains(UInt8(ascii: " ")) {
                    forms.append(
                        value.flatMap {
                            $0 == UInt8(ascii: " ")
                                ? [UInt8(ascii: "+")] : percentEncoded($0, safe: safe, isUpper: isUpper)
                        })
                }
            }
        }
        return forms
    }

    /// Base64 as it stands in a URL, where that changes it: whole, and inside of longer data.
    private static func percentEncodedBase64(_ value: [UInt8]) -> [[UInt8]] {
        let digits = [Array(Base64.encode(value).utf8)] + (0..<3).map { innerDigits(of: value, at: $0) }
        return digits.filter { !$0.allSatisfy(\.isLetterOrDigit) }.flatMap { digits in
            // Nobody leaves `+` and `=` and encodes `/`.
            leftAlone.prefix(2).flatMap { safe in
                [true, false].map { isUpper in digits.flatMap { percentEncoded($0, safe: safe, isUpper: isUpper) } }
            }
        }
    }

    private static func percentEncoded(_ byte: UInt8, safe: Set<UInt8>, isUpper: Bool) -> [UInt8] {
        if byte.isLetterOrDigit || safe.contains(byte) { return [byte] }
        let digits = [Hex.digit(byte >> 4), Hex.digit(byte & 15)]
        return [UInt8(ascii: "%")] + (isUpper ? digits.map { $0 >= 0x61 ? $0 - 0x20 : $0 } : digits)
    }

    /// The bytes that a percent-encoded text means; a `%` without two digits stays.
    static func percentDecoded(_ text: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "%"), index + 2 < text.count,
                let high = Hex.value(of: text[index + 1]), let low = Hex.value(of: text[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(text[index])
                index += 1
            }
        }
        return bytes
    }

    // MARK: Quoting

    /// What encoders of JSON escape besides what they must: nothing, what means something in HTML (Go), the slash (PHP).
    private static let escapedBesides: [[UInt8: String]] = [
        [:],
        [UInt8(ascii: "&"): "\\u0026", UInt8(ascii: "<"): "\\u003c", UInt8(ascii: ">"): "\\u003e"],
        [UInt8(ascii: "/"): "\\/"],
    ]

    private static func quotedForJSON(_ value: [UInt8]) -> [[UInt8]] {
        escapedBesides.map { escapes in
            value.flatMap { byte -> [UInt8] in
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), byte]
                case UInt8(ascii: "\n"): Array("\\n".utf8)
                case UInt8(ascii: "\r"): Array("\\r".utf8)
                case UInt8(ascii: "\t"): Array("\\t".utf8)
                default: escapes[byte].map { Array($0.utf8) } ?? [byte]
                }
            }
        }
    }

    /// As bash's and dash's `set -x` show it.
    private static func quotedForShell(_ value: [UInt8]) -> [[UInt8]] {
        ShellQuotes.inSingleQuotes.map { quote in value.flatMap { $0 == UInt8(ascii: "'") ? quote : [$0] } }
    }
}

extension [UInt8] {
    func trimmingWhiteSpace() -> [UInt8] {
        guard let first = firstIndex(where: { !$0.isWhiteSpace }), let last = lastIndex(where: { !$0.isWhiteSpace })
        else { return [] }
        return Array(self[first...last])
    }
}

extension UInt8 {
    fileprivate var isWhiteSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }

    fileprivate var isLetterOrDigit: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}
