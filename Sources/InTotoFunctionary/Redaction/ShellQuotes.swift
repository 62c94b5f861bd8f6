/// A word as a shell's `set -x` shows it, and a string as JSON has it.
enum ShellQuotes {
    /// How bash and dash write `'` within single quotes.
    static let inSingleQuotes = ["'\\''", "'\"'\"'"].map { Array($0.utf8) }

    /// Where the text in quotes, which `text` begins with, ends: at the quote that closes it; nil where none does.
    static func end(of text: ArraySlice<UInt8>, in quote: UInt8) -> Int? {
        var place = text.startIndex
        while place < text.endIndex {
            if let length = escapedQuote(in: text[place...], quote) {
                place += length
            } else if text[place] == quote {
                return place
            } else {
                place += 1
            }
        }
        return nil
    }

    /// What `text` means, which stood in quotes.
    static func unquoted(_ text: ArraySlice<UInt8>, in quote: UInt8) -> [UInt8] {
        var meant: [UInt8] = []
        var place = text.startIndex
        while place < text.endIndex {
            let length = escapedQuote(in: text[place...], quote)
            // Of `\"` and `\\` the second byte is meant.
            let isPair = length != nil && quote == UInt8(ascii: "\"")
            meant.append(isPair ? text[place + 1] : length == nil ? text[place] : quote)
            place += length ?? 1
        }
        return meant
    }

    /// How long the way of writing a quote, or in double quotes a pair after a backslash, is that `text` begins with.
    private static func escapedQuote(in text: ArraySlice<UInt8>, _ quote: UInt8) -> Int? {
        if quote == UInt8(ascii: "'") { return inSingleQuotes.first(where: text.starts)?.count }
        guard text.first == UInt8(ascii: "\\"), let next = text.dropFirst().first else { return nil }
        return "\"\\$`".utf8.contains(next) ? 2 : nil
    }
}
