/// What the attributes that hold for a directory have git do with files' content: those of the work tree, from the top
/// down to it, and the repository's own. Whichever file a line is for, it counts for all below. Source:
/// `gitattributes(5)`.
struct GitAttributes {
    /// Git may convert line endings.
    private(set) var convertLineEndings: Bool
    /// Git may convert content in other ways.
    private(set) var haveFilters = false

    private static let limit = 4 << 20

    init(convertLineEndings: Bool) { self.convertLineEndings = convertLineEndings }

    /// Adds the repository's own, below its common directory.
    mutating func add(from common: borrowing GitDirectory) throws(GitError) {
        if let content = try common.contents(of: "info/attributes".utf8, limit: Self.limit) { add(content) }
    }

    /// Adds those of an open directory of the work tree.
    mutating func enter(_ directory: Int32, prefix: [UInt8]) {
        // A file that cannot be read, or is a link, says nothing, as in git.
        let content = try? GitDirectory.contents(
            of: Array(".gitattributes".utf8)[...], in: directory, path: prefix, Self.limit)
        if let content { add(content) }
    }

    private mutating func add(_ content: [UInt8]) {
        var rest = content.starts(with: [0xEF, 0xBB, 0xBF]) ? content[3...] : content[...]
        while !rest.isEmpty, !(convertLineEndings && haveFilters) {
            let line = rest.prefix { $0 != 0x0A && $0 != 0x0D }
            rest = rest[line.endIndex...].dropFirst()
            for word in Self.words(of: line) {
                convertLineEndings = convertLineEndings || Self.convertsLineEndings(word)
                haveFilters = haveFilters || Self.isFilter(word)
            }
        }
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
