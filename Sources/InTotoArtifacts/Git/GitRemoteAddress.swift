/// The address of a repository or a page, without what may be a secret in it. Source: `git-fetch(1)`, "GIT URLS".
package enum GitRemoteAddress {
    /// Without user and password, query and fragment; an SSH user, such as `git@`, stays unless it is long enough for a
    /// token.
    ///
    /// What runs a helper (`ext::…`) may hold anything and keeps only the helper's name. Where it is open what is a
    /// password, more is cut out rather than less.
    package static func withoutCredentials(_ address: [UInt8]) -> [UInt8] {
        let start = firstIndex(of: "://", in: address)
        if let start, !address[..<start].contains(where: { $0 == colon || $0 == at }) {
            return withoutCredentials(scheme: address[..<start], rest: address[(start + 3)...])
        }
        if let colons = firstIndex(of: "::", in: address), colons > 0, address[..<colons].allSatisfy(isOfScheme) {
            return Array(address[..<(colons + 2)])
        }
        // An address within a text, or within a password.
        if start != nil { return Array(afterCredentials(address[...], mayHaveQuery: true)) }
        return withoutPassword(address)
    }

    private static func withoutCredentials(scheme: ArraySlice<UInt8>, rest: ArraySlice<UInt8>) -> [UInt8] {
        let head = Array(scheme) + Array("://".utf8)
        let authority = rest.prefix { $0 != slash && !beginsQuery($0) }
        let last = authority.lastIndex(of: at)
        let host = last.map { authority[($0 + 1)...] } ?? authority
        // A password may hold what nobody escaped: where something may be one, the last `@` of all ends it.
        let endsOddly = authority.endIndex < rest.endIndex && rest[authority.endIndex] != slash
        guard afterLiteral(host).contains(colon) || endsOddly, rest[authority.endIndex...].contains(at) else {
            return head + user(of: authority[..<(last ?? authority.startIndex)], scheme)
                + rest[host.startIndex...].prefix { !beginsQuery($0) }
        }
        return head + (authority.contains(colon) ? user(of: authority, scheme) : [])
            + afterCredentials(rest, mayHaveQuery: rest.contains(where: beginsQuery))
    }

    /// What stands behind the last `@`. Where that may be within a query, no further parameter of it is kept.
    private static func afterCredentials(_ bytes: ArraySlice<UInt8>, mayHaveQuery: Bool) -> ArraySlice<UInt8> {
        let rest = bytes.lastIndex(of: at).map { bytes[($0 + 1)...] } ?? bytes
        return rest.prefix { !beginsQuery($0) && !(mayHaveQuery && "&=;".utf8.contains($0)) }
    }

    /// `user@` of SSH, which is no secret.
    private static func user(of credentials: ArraySlice<UInt8>, _ scheme: ArraySlice<UInt8>) -> [UInt8] {
        let name = String(decoding: scheme, as: UTF8.self).lowercased()
        let user = credentials.prefix { $0 != colon }
        guard ["ssh", "git+ssh", "ssh+git"].contains(name), !user.isEmpty, user.count < shortestToken,
            user.allSatisfy({ isOfScheme($0) || $0 == UInt8(ascii: "_") })
        else { return [] }
        return user + [at]
    }

    /// Behind the brackets of an IPv6 address.
    private static func afterLiteral(_ host: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard host.first == openBracket, let end = host.firstIndex(of: UInt8(ascii: "]")) else { return host }
        let isLiteral = host[..<end].dropFirst().allSatisfy { "0123456789abcdefABCDEF:.".utf8.contains($0) }
        return isLiteral ? host[(end + 1)...] : host
    }

    /// `user@host:path` and paths stay; a colon before an `@` is a password's, and a long user is a token.
    private static func withoutPassword(_ address: [UInt8]) -> [UInt8] {
        guard let last = address.lastIndex(of: at), let first = address.firstIndex(of: at), address.first != slash,
            address.first != UInt8(ascii: ".")
        else { return address }
        if address.firstIndex(of: colon).map({ $0 < last }) == true { return Array(address[(last + 1)...]) }
        let isToken = first >= shortestToken && !address[..<first].contains { $0 == slash || $0 == UInt8(ascii: " ") }
        return isToken ? Array(address[(last + 1)...]) : address
    }

    private static func isOfScheme(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "+.-".utf8.contains(byte)
        }
    }

    private static func beginsQuery(_ byte: UInt8) -> Bool { byte == question || byte == UInt8(ascii: "#") }

    private static func firstIndex(of word: String, in bytes: [UInt8]) -> Int? {
        bytes.indices.first { bytes[$0...].starts(with: word.utf8) }
    }

    /// Users of this many bytes and more are taken for tokens.
    private static let shortestToken = 20
    private static let at = UInt8(ascii: "@")
    private static let colon = UInt8(ascii: ":")
}
