/// What the attributes at the top of a work tree and the repository's own have git do with files' content. Source:
/// `gitattributes(5)`.
struct GitAttributes {
    /// Git may convert line endings.
    let convertLineEndings: Bool
    /// Git may convert content in other ways.
    let haveFilters: Bool

    init(top: borrowing GitDirectory, common: borrowing GitDirectory) throws(GitError) {
        let files = [
            (try? top.contents(of: ".gitattributes".utf8, limit: 4 << 20)) ?? nil,
            try common.contents(of: "info/attributes".utf8, limit: 4 << 20),
        ]
        let lines = files.compactMap(\.self).flatMap { $0.split { $0 == 0x0A || $0 == 0x0D } }
        let words = lines.flatMap(Self.words)
        convertLineEndings = words.contains(where: Self.convertsLineEndings)
        haveFilters = words.contains(where: Self.isFilter)
    }

    private static func convertsLineEndings(_ word: ArraySlice<UInt8>) -> Bool {
        word.elementsEqual("text".utf8) || word.elementsEqual("crlf".utf8)
            || ["text=", "eol=", "crlf="].contains { word.starts(with: $0.utf8) }
    }

    /// Large files of git LFS are compared with their pointers.
    private static func isFilter(_ word: ArraySlice<UInt8>) -> Bool {
        if word.elementsEqual("filter=lfs".utf8) { return false }
        return word.elementsEqual("ident".utf8)
            || ["filter=", "working-tree-encoding="].contains { word.starts(with: $0.utf8) }
    }

    /// The words behind the pattern, which may be quoted.
    private static func words(of line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var rest = line.drop { $0 == 0x20 || $0 == 0x09 }
        if rest.first == UInt8(ascii: "#") { return [] }
        if rest.first == UInt8(ascii: "\"") {
            rest = rest.dropFirst()
            while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
                if byte == backslash { rest = rest.dropFirst() }
            }
        }
        return Array(rest.drop { $0 != 0x20 && $0 != 0x09 }.split { $0 == 0x20 || $0 == 0x09 })
    }
}
