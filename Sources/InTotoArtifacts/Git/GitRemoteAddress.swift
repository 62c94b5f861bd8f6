/// The address of a remote, without what may be a secret in it. Source: `git-fetch(1)`, "GIT URLS".
enum GitRemoteAddress {
    /// Without user and password, query and fragment; an SSH user, such as `git@`, stays.
    ///
    /// What runs a helper (`ext::…`) may hold anything and keeps only the helper's name.
    static func withoutCredentials(_ address: [UInt8]) -> [UInt8] {
        if let colons = firstIndex(of: "::", in: address) {
            return Array(address[..<colons]) + Array("::".utf8)
        }
        if let start = firstIndex(of: "://", in: address) {
            return withoutCredentials(scheme: address[..<start], rest: address[(start + 3)...])
        }
        return withoutPassword(address)
    }

    private static func withoutCredentials(scheme: ArraySlice<UInt8>, rest: ArraySlice<UInt8>) -> [UInt8] {
        let rest = rest.prefix { $0 != question && $0 != UInt8(ascii: "#") }
        let name = String(decoding: scheme, as: UTF8.self).lowercased()
        let head = Array(scheme) + Array("://".utf8)
        if name == "file" { return head + rest }
        // A password may hold a slash that nobody escaped: where something may be one, the last `@` ends it.
        let authority = rest.prefix { $0 != slash }
        let host = authority.lastIndex(of: at).map { authority[($0 + 1)...] } ?? authority
        let mayBePassword = host.contains(colon) && (host.count == authority.count || !endsInPort(host))
        let end = mayBePassword ? rest.endIndex : authority.endIndex
        guard let at = rest[..<end].lastIndex(of: at) else { return head + rest }
        let user = rest[..<at].prefix { $0 != colon && $0 != slash }
        let keepsUser = ["ssh", "git+ssh", "ssh+git"].contains(name) && !user.isEmpty
        return head + (keepsUser ? user + [Self.at] : []) + rest[(at + 1)...]
    }

    private static func endsInPort(_ host: ArraySlice<UInt8>) -> Bool {
        guard let last = host.lastIndex(of: colon) else { return false }
        return host[(last + 1)...].allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// `user@host:path` and paths stay; a colon before an `@` that stands before any slash is a password's.
    private static func withoutPassword(_ address: [UInt8]) -> [UInt8] {
        guard let at = address.lastIndex(of: at), let first = address.firstIndex(of: colon), first < at,
            address.first != slash, address.first != UInt8(ascii: ".")
        else { return address }
        return Array(address[(at + 1)...])
    }

    private static func firstIndex(of word: String, in bytes: [UInt8]) -> Int? {
        bytes.indices.first { bytes[$0...].starts(with: word.utf8) }
    }

    private static let at = UInt8(ascii: "@")
    private static let colon = UInt8(ascii: ":")
}
