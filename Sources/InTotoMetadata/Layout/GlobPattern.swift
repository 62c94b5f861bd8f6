/// A pattern of an artifact rule: Python's `fnmatch` on POSIX, which other verifiers follow most closely.
///
/// `*` is any run of characters, `/` included; `?` is one character, that is one Unicode scalar; `[…]` and `[!…]` are
/// classes. There is no escape character. The whole name has to match, by bytes: nothing is normalised or folded.
/// Spec: in-toto v1.0, 4.3.3.1.
public struct GlobPattern: Hashable, Sendable {
    public let text: Text
    private let tokens: [Token]
    /// What every matching name begins with; names sorted by bytes can be searched for it.
    package let literalPrefix: [UInt8]

    private enum Token: Hashable, Sendable {
        case literal([UInt8])
        case anyCharacter
        case anyRun
        case characterClass(GlobCharacterClass)
    }

    public init(_ text: Text) {
        self.text = text
        tokens = Self.tokens(of: text)
        literalPrefix = if case .literal(let bytes)? = tokens.first { bytes } else { [] }
    }

    /// Whether no name but the text itself matches.
    package var isLiteral: Bool {
        tokens.allSatisfy { if case .literal = $0 { true } else { false } }
    }

    /// Whether every name matches.
    package var matchesEverything: Bool { tokens == [.anyRun] }

    /// Whether every name that `other` matches below a literal prefix matches this, too; false where that is not plain to
    /// see: of a literal it always is, of other patterns where this is a beginning and `*`.
    package func covers(_ other: GlobPattern, below prefix: [UInt8] = []) -> Bool {
        if other.isLiteral { return matches((prefix + other.text.utf8)[...]) }
        if prefix.isEmpty && other == self { return true }
        return (tokens.last == .anyRun && tokens.count <= (literalPrefix.isEmpty ? 1 : 2))
            && (prefix + other.literalPrefix).starts(with: literalPrefix)
    }

    public func matches(_ name: Text) -> Bool { matches(name.utf8[...]) }

    /// `name` is valid UTF-8. Time grows with the product of the two lengths at worst, whatever the pattern.
    package func matches(_ name: ArraySlice<UInt8>) -> Bool {
        name.withUnsafeBufferPointer { matches($0) }
    }

    private func matches(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        var token = 0
        var offset = 0
        // Where to go on after a mismatch: behind the last `*`, which takes one character more each time.
        var retryToken: Int?
        var retryOffset = 0
        while true {
            if token < tokens.count, case .anyRun = tokens[token] {
                token += 1
                if token == tokens.count { return true }
                retryToken = token
                retryOffset = offset
                if case .literal(let end) = tokens[token], token + 1 == tokens.count {
                    return name.count - offset >= end.count && Self.isLiteral(end, in: name, at: name.count - end.count)
                }
                continue
            }
            if token < tokens.count, let length = length(of: tokens[token], in: name, at: offset) {
                token += 1
                offset += length
                continue
            }
            if token == tokens.count, offset == name.count { return true }
            guard let retry = retryToken, retryOffset < name.count else { return false }
            retryOffset += Self.characterLength(name, at: retryOffset)
            token = retry
            offset = retryOffset
        }
    }

    /// How many bytes of the name the token takes here; nil where it does not match.
    private func length(of token: Token, in name: UnsafeBufferPointer<UInt8>, at offset: Int) -> Int? {
        switch token {
        case .literal(let bytes): return Self.isLiteral(bytes, in: name, at: offset) ? bytes.count : nil
        case .anyCharacter: return offset < name.count ? Self.characterLength(name, at: offset) : nil
        case .characterClass(let members):
            guard offset < name.count else { return nil }
            let length = Self.characterLength(name, at: offset)
            return members.contains(Self.scalar(name, at: offset, length: length)) ? length : nil
        case .anyRun: return nil
        }
    }

    private static func isLiteral(_ bytes: [UInt8], in name: UnsafeBufferPointer<UInt8>, at offset: Int) -> Bool {
        guard name.count - offset >= bytes.count else { return false }
        for index in bytes.indices where bytes[index] != name[offset + index] { return false }
        return true
    }

    private static func characterLength(_ name: UnsafeBufferPointer<UInt8>, at offset: Int) -> Int {
        let length =
            switch name[offset] {
            case ..<0xC0: 1
            case ..<0xE0: 2
            case ..<0xF0: 3
            default: 4
            }
        return min(length, name.count - offset)
    }

    private static func scalar(_ name: UnsafeBufferPointer<UInt8>, at offset: Int, length: Int) -> UInt32 {
        guard length > 1 else { return UInt32(name[offset]) }
        var value = UInt32(name[offset]) & (0x7F >> UInt32(length))
        for index in 1..<length { value = value << 6 | UInt32(name[offset + index] & 0x3F) }
        return value
    }
}

extension GlobPattern {
    /// Tokens without two literals or two `*` side by side.
    private static func tokens(of text: Text) -> [Token] {
        let scalars = Array(text.description.unicodeScalars)
        var tokens: [Token] = []
        var literal: [UInt8] = []
        func flush() {
            if !literal.isEmpty { tokens.append(.literal(literal)) }
            literal = []
        }
        var index = 0
        while index < scalars.count {
            defer { index += 1 }
            switch scalars[index] {
            case "*":
                flush()
                if tokens.last != .anyRun { tokens.append(.anyRun) }
            case "?":
                flush()
                tokens.append(.anyCharacter)
            case "[":
                // Without an end, the bracket stands for itself.
                guard let end = GlobCharacterClass.end(in: scalars, after: index) else { fallthrough }
                flush()
                tokens.append(.characterClass(GlobCharacterClass(scalars[(index + 1)..<end])))
                index = end
            default: literal += Array(String(scalars[index]).utf8)
            }
        }
        flush()
        return tokens
    }

    /// What another implementation reads differently here, in words; nil where all that we know agree.
    package var peculiarity: String? {
        let scalars = Array(text.description.unicodeScalars)
        if scalars.contains("\\") { return "'\\' is a character like any other here, and an escape in in-toto-golang" }
        var index = 0
        while let start = scalars[index...].firstIndex(of: "[") {
            guard let end = GlobCharacterClass.end(in: scalars, after: start) else {
                return "'[' without ']' is a character like any other here, and an error in in-toto-golang"
            }
            if GlobCharacterClass.isPeculiar(scalars[(start + 1)..<end]) {
                return "a class with ']', '-' or '^' in an odd place is read differently by in-toto-golang"
            }
            index = end + 1
        }
        return nil
    }
}

extension GlobPattern: CustomStringConvertible {
    /// The pattern, safe to print.
    public var description: String { text.escaped }
}
