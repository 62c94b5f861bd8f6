/// Addresses of repositories and pages, made fit to be published.
public enum Addresses {
    /// `value` without user names and passwords, and without what stands behind `?` or `#`, where tokens travel, too.
    ///
    /// What is no address comes back as it is; `git@host:path`, whose user is everybody's, too.
    public static func withoutCredentials(_ value: [UInt8]) -> [UInt8] {
        guard let colon = value.firstOccurrence(of: Array("://".utf8)) else { return withoutPassword(scpForm: value) }
        let address = value[(colon + 3)...].prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        let authority = address.prefix { $0 != UInt8(ascii: "/") }
        // A password with a slash in it, which should have been encoded, ends at the last @ all the same.
        let hasOddPort = authority.firstIndex(of: UInt8(ascii: ":")).map { !authority[($0 + 1)...].allSatisfy(isDigit) }
        let end = (hasOddPort == true ? address : authority).lastIndex(of: UInt8(ascii: "@"))
        return Array(value[..<(colon + 3)]) + (end.map { address[($0 + 1)...] } ?? address)
    }

    /// `user:password@host:path`, and a user that is long enough for a token, lose both.
    private static func withoutPassword(scpForm value: [UInt8]) -> [UInt8] {
        let host = value.prefix { $0 != UInt8(ascii: "/") }
        guard let at = host.lastIndex(of: UInt8(ascii: "@")), !host.contains(UInt8(ascii: " ")) else { return value }
        let isSecret = host[..<at].contains(UInt8(ascii: ":")) || at >= 20
        return isSecret ? Array(value[(at + 1)...]) : value
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
