extension SecretNames {
    /// Whether a value is taken for a secret, whatever its variable is called.
    public static func looksSecret(value: [UInt8]) -> Bool { !SecretShapes.parts(of: value).isEmpty }
}

/// Secrets that are known by their looks: passwords in URLs, PEM blocks, tokens with a well-known prefix.
enum SecretShapes {
    /// The parts of `value` that are secret, in no particular order; they may overlap.
    ///
    /// `git clone https://me:hunter22@host/x` has the part `hunter22`: the rest stays readable.
    static func parts(of value: [UInt8]) -> [[UInt8]] {
        var parts = passwords(inURLsOf: value).map { Array($0) }
        if let block = value.firstOccurrence(of: armour) { parts.append(Array(value[block...])) }
        for kind in tokenKinds { parts += tokens(of: kind, in: value) }
        return parts + webTokens(in: value)
    }

    private static let armour = Array("-----BEGIN ".utf8)

    // MARK: URLs

    /// The passwords of `scheme://user:password@host`; for web addresses also a user alone, since `https://TOKEN@host`
    /// is how forges take tokens, where it is long enough for one.
    private static func passwords(inURLsOf value: [UInt8]) -> [ArraySlice<UInt8>] {
        var found: [ArraySlice<UInt8>] = []
        var position = 0
        while let colon = value.firstOccurrence(of: Array("://".utf8), from: position) {
            position = colon + 3
            let authority = value[position...].prefix { !endsAuthority($0) }
            guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { continue }
            let userInfo = authority[..<at]
            if let separator = userInfo.firstIndex(of: UInt8(ascii: ":")) {
                let password = userInfo[(separator + 1)...]
                found += password.isEmpty ? longUser(userInfo[..<separator]) : [password]
            } else {
                found += longUser(userInfo)
            }
        }
        return found
    }

    private static func longUser(_ user: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] { user.count >= 20 ? [user] : [] }

    private static func endsAuthority(_ byte: UInt8) -> Bool {
        byte <= 0x20 || Array("/?#\"'<>".utf8).contains(byte)
    }

    // MARK: Tokens

    private struct TokenKind {
        var prefix: [UInt8]
        /// Least number of token characters after the prefix.
        var length: Int

        init(_ prefix: String, _ length: Int) {
            self.prefix = Array(prefix.utf8)
            self.length = length
        }
    }

    private static let tokenKinds =
        [TokenKind("AKIA", 16), TokenKind("ASIA", 16), TokenKind("github_pat_", 20), TokenKind("glpat-", 16)]
        + "pousr".map { TokenKind("gh\($0)_", 20) }
        + "abeoprs".map { TokenKind("xox\($0)-", 10) } + [TokenKind("AGE-SECRET-KEY-", 20)]

    private static func tokens(of kind: TokenKind, in value: [UInt8]) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var position = 0
        while let start = value.firstOccurrence(of: kind.prefix, from: position) {
            position = start + kind.prefix.count
            let rest = value[position...].prefix(while: isTokenCharacter)
            let startsWord = start == 0 || !isTokenCharacter(value[start - 1]) || value[start - 1] == UInt8(ascii: "_")
            if startsWord, rest.count >= kind.length { found.append(Array(value[start..<rest.endIndex])) }
        }
        return found
    }

    /// JSON Web Tokens: two or more parts of base64 after `eyJ`, which is how `{"` begins.
    private static func webTokens(in value: [UInt8]) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var position = 0
        while let start = value.firstOccurrence(of: Array("eyJ".utf8), from: position) {
            let token = value[start...].prefix { isTokenCharacter($0) || $0 == UInt8(ascii: ".") }
            let dots = token.count { $0 == UInt8(ascii: ".") }
            if dots >= 2, token.count >= 20 { found.append(Array(token)) }
            position = token.endIndex
        }
        return found
    }

    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
