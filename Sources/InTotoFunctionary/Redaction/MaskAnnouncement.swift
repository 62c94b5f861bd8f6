/// The workflow command by which a program tells GitHub's runner to mask a value: `::add-mask::VALUE` to the end of a
/// line.
///
/// Taken wherever it stands in a line: `set -x` shows the command that prints it before it is printed, maybe quoted.
enum MaskAnnouncement {
    static let marker = Array("::add-mask::".utf8)

    /// Longest announcement, in bytes of its line; of a longer one the line is masked and no more.
    static let limit = 64 << 10

    private static let filter = PrefixFilter([marker])

    /// Where the first marker starts.
    static func first(in text: UnsafeRawBufferPointer) -> Int? {
        var place = 0
        while let candidate = filter.candidate(in: text, place..<text.count) {
            if text[candidate...].starts(with: marker) { return candidate }
            place = candidate + 1
        }
        return nil
    }

    /// Length of the longest end of `text` with which a marker may begin.
    static func begun(in text: UnsafeRawBufferPointer) -> Int {
        (1..<marker.count).last { text.count >= $0 && text.suffix($0).elementsEqual(marker.prefix($0)) } ?? 0
    }

    /// What may be meant by a value that stands after `previous`: what is written, without escapes of quotes, decoded.
    static func meanings(of value: ArraySlice<UInt8>, after previous: UInt8) -> Set<[UInt8]> {
        let meant = isQuote(previous) ? ShellQuotes.unquoted(value, in: previous) : Array(value)
        return [Array(value), meant, SecretForms.percentDecoded(meant)]
    }

    private static func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") }

    /// Where the value stands in `line`, which begins with the marker; `previous` is the byte before it.
    static func value(in line: ArraySlice<UInt8>, after previous: UInt8) -> Range<Int> {
        let value = line.dropFirst(marker.count)
        if isQuote(previous), let end = ShellQuotes.end(of: value, in: previous) { return value.startIndex..<end }
        return value.startIndex..<(value.last == UInt8(ascii: "\r") ? value.endIndex - 1 : value.endIndex)
    }
}
