extension Text {
    /// This as one word of a shell's command line, safe to print and to paste: quoted where it is not plain, and in the
    /// form `$'…'` where it holds what a terminal should not see.
    package var shellWord: String {
        if !isEmpty && utf8.allSatisfy(Self.isPlain) { return description }
        let quote = UInt8(ascii: "'")
        let parts = utf8.split(separator: quote, omittingEmptySubsequences: false)
        let escaped = parts.map { escapedForTerminal($0) }
        let raw = parts.map { String(decoding: $0, as: UTF8.self) }
        // Escaping also doubles backslashes, which single quotes leave as they are.
        let isVisible = zip(escaped, parts).allSatisfy {
            $0.utf8.count == $1.count + $1.count { $0 == UInt8(ascii: "\\") }
        }
        return isVisible ? "'\(raw.joined(separator: "'\\''"))'" : "$'\(escaped.joined(separator: "\\'"))'"
    }

    /// Letters, digits and marks that mean nothing to a shell.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "_@%+=:,./-".utf8.contains(byte)
        }
    }
}

extension [Text] {
    /// A command as a shell takes it, safe to print and to paste; `none` where there is none.
    package var shellLine: String { isEmpty ? "none" : map(\.shellWord).joined(separator: " ") }
}
