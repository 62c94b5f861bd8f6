/// A repository's own configuration, as far as a record needs it.
///
/// Read here and not by libgit2, which would follow `include.path` to files anywhere; includes are counted, not read.
/// Source: git, `config.c`; `git-config(1)`, "CONFIGURATION FILE".
struct GitConfiguration {
    struct Entry {
        /// Lower case.
        var section: String
        /// As written.
        var subsection: [UInt8]?
        /// Lower case.
        var key: String
        /// Nil for a key without `=`, which means true.
        var value: [UInt8]?
    }

    /// Larger ones are refused, in bytes.
    static let limit = 4 << 20

    private(set) var entries: [Entry] = []

    init() {}

    /// Nil where git would refuse to read it.
    init?(parsing bytes: [UInt8]) {
        var reader = Reader(bytes: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...])
        guard let entries = reader.entries() else { return nil }
        self.entries = entries
    }

    mutating func append(_ other: GitConfiguration) { entries += other.entries }

    /// The last value of `section.key`; empty for a key without one.
    func value(_ section: String, _ key: String) -> String? {
        entries.last { $0.section == section && $0.subsection == nil && $0.key == key }
            .map { String(decoding: $0.value ?? Array("true".utf8), as: UTF8.self) }
    }

    func bool(_ section: String, _ key: String) -> Bool? {
        value(section, key).map { ["true", "yes", "on", "1"].contains($0.lowercased()) }
    }

    /// Sections that tell git to read other files.
    var includes: Int { entries.count { ($0.section == "include" || $0.section == "includeif") && $0.key == "path" } }

    /// Remotes with their first `limit` addresses in all, in the order of the file, and how many addresses were omitted.
    func remotes(limit: Int) -> (listed: [(name: [UInt8], urls: [[UInt8]])], omitted: Int) {
        var remotes: [(name: [UInt8], urls: [[UInt8]])] = []
        var places: [[UInt8]: Int] = [:]
        var count = 0
        for entry in entries where entry.section == "remote" && entry.key == "url" {
            guard let name = entry.subsection, let url = entry.value else { continue }
            count += 1
            if count > limit { continue }
            if let place = places[name] {
                remotes[place].urls.append(url)
            } else {
                places[name] = remotes.count
                remotes.append((name, [url]))
            }
        }
        return (remotes, max(0, count - limit))
    }
}

/// Takes the text apart; any error makes all of it nil.
private struct Reader {
    var bytes: ArraySlice<UInt8>

    private static let newline = UInt8(ascii: "\n")
    private static let quote = UInt8(ascii: "\"")

    mutating func entries() -> [GitConfiguration.Entry]? {
        var entries: [GitConfiguration.Entry] = []
        var section: (name: String, sub: [UInt8]?)?
        while let byte = bytes.first {
            switch byte {
            case Self.newline, UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): bytes.removeFirst()
            case UInt8(ascii: "#"), UInt8(ascii: ";"): skipLine()
            case openBracket:
                guard let header = header() else { return nil }
                section = header
            default:
                guard let current = section, let key = key() else { return nil }
                guard let value = value() else { return nil }
                entries.append(.init(section: current.name, subsection: current.sub, key: key, value: value.bytes))
            }
        }
        return entries
    }

    private mutating func skipLine() { bytes = bytes.drop { $0 != Self.newline } }

    private mutating func skipBlanks() { bytes = bytes.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") } }

    /// `[name]`, `[name "sub"]`, and the old `[name.sub]`.
    private mutating func header() -> (String, [UInt8]?)? {
        bytes.removeFirst()
        let name = bytes.prefix { Self.isWord($0) || $0 == UInt8(ascii: ".") }
        bytes = bytes.dropFirst(name.count)
        skipBlanks()
        var sub: [UInt8]?
        if bytes.first == Self.quote {
            guard let quoted = quotedName() else { return nil }
            sub = quoted
        }
        guard bytes.first == UInt8(ascii: "]") else { return nil }
        bytes.removeFirst()
        let parts = String(decoding: name, as: UTF8.self).lowercased().split(separator: ".", maxSplits: 1)
        guard let first = parts.first else { return nil }
        if sub == nil, parts.count == 2 { sub = Array(parts[1].utf8) }
        return (String(first), sub)
    }

    private mutating func quotedName() -> [UInt8]? {
        var name: [UInt8] = []
        bytes.removeFirst()
        while var byte = bytes.popFirst(), byte != Self.newline {
            if byte == Self.quote { return name }
            if byte == backslash {
                guard let next = bytes.popFirst(), next != Self.newline else { return nil }
                byte = next
            }
            name.append(byte)
        }
        return nil
    }

    private mutating func key() -> String? {
        let name = bytes.prefix(while: Self.isWord)
        guard let first = name.first, (UInt8(ascii: "A")...UInt8(ascii: "z")).contains(first) else { return nil }
        bytes = bytes.dropFirst(name.count)
        skipBlanks()
        return String(decoding: name, as: UTF8.self).lowercased()
    }

    /// What follows a key, up to the end of the line.
    private mutating func value() -> (bytes: [UInt8]?, Void)? {
        if bytes.first == UInt8(ascii: "\r") { bytes.removeFirst() }
        if bytes.isEmpty || bytes.first == Self.newline { return (nil, ()) }
        if bytes.first == UInt8(ascii: "#") || bytes.first == UInt8(ascii: ";") {
            skipLine()
            return (nil, ())
        }
        guard bytes.popFirst() == UInt8(ascii: "=") else { return nil }
        skipBlanks()
        var value: [UInt8] = []
        var isQuoted = false
        // Blanks at the end count only within quotes.
        var kept = 0
        while let byte = bytes.popFirst(), byte != Self.newline || isQuoted {
            switch byte {
            case Self.newline: return nil
            case Self.quote:
                isQuoted.toggle()
                kept = value.count
            case backslash:
                guard let escaped = escape() else { return nil }
                value += escaped
                kept = value.count
            case UInt8(ascii: "#") where !isQuoted, UInt8(ascii: ";") where !isQuoted:
                skipLine()
            case UInt8(ascii: "\r") where bytes.first == Self.newline: break
            default:
                value.append(byte)
                if isQuoted || byte != UInt8(ascii: " ") && byte != UInt8(ascii: "\t") { kept = value.count }
            }
        }
        return isQuoted ? nil : (Array(value.prefix(kept)), ())
    }

    private mutating func escape() -> [UInt8]? {
        switch bytes.popFirst() {
        case Self.newline: []
        case UInt8(ascii: "n"): [Self.newline]
        case UInt8(ascii: "t"): [UInt8(ascii: "\t")]
        case UInt8(ascii: "b"): [0x08]
        case backslash: [backslash]
        case Self.quote: [Self.quote]
        default: nil
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
