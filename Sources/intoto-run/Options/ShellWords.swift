import InTotoMetadata

/// Takes a command line apart as a shell does, without expanding anything in it: quotes and backslashes.
enum ShellWords {
    struct Unbalanced: Error {}

    /// Throws where a quote is not closed, or a backslash ends the line.
    static func split(_ line: String) throws(Unbalanced) -> [Text] {
        var reader = Reader(rest: Array(line.utf8)[...])
        var words: [Text] = []
        while let word = try reader.word() { words.append(Text(repairing: word)) }
        return words
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        /// Nil at the end of the line.
        mutating func word() throws(Unbalanced) -> [UInt8]? {
            rest = rest.drop(while: Self.isBlank)
            guard !rest.isEmpty else { return nil }
            var word: [UInt8] = []
            while let byte = rest.first, !Self.isBlank(byte) {
                rest = rest.dropFirst()
                switch byte {
                case UInt8(ascii: "'"): word += try untilQuote()
                case UInt8(ascii: "\""): word += try untilDoubleQuote()
                case UInt8(ascii: "\\"): word.append(try next())
                default: word.append(byte)
                }
            }
            return word
        }

        private mutating func next() throws(Unbalanced) -> UInt8 {
            guard let byte = rest.first else { throw Unbalanced() }
            rest = rest.dropFirst()
            return byte
        }

        private mutating func untilQuote() throws(Unbalanced) -> [UInt8] {
            guard let end = rest.firstIndex(of: UInt8(ascii: "'")) else { throw Unbalanced() }
            defer { rest = rest[(end + 1)...] }
            return Array(rest[..<end])
        }

        /// A backslash escapes itself, quotes, `$` and backquotes only.
        private mutating func untilDoubleQuote() throws(Unbalanced) -> [UInt8] {
            var bytes: [UInt8] = []
            while true {
                let byte = try next()
                if byte == UInt8(ascii: "\"") { return bytes }
                if byte == UInt8(ascii: "\\"), let escaped = rest.first, "\\\"$`".utf8.contains(escaped) {
                    bytes.append(try next())
                } else {
                    bytes.append(byte)
                }
            }
        }

        private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A }
    }
}
