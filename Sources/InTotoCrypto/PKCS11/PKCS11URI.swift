/// Which key on which token, and the module that knows it. Spec: RFC 7512.
public struct PKCS11URI: Hashable, Sendable {
    /// The library to load.
    public let modulePath: String
    /// A file that holds the PIN.
    public let pinSource: String?
    /// What the token must be: `token`, `serial`, `manufacturer`, `model`.
    let tokenAttributes: [String: [UInt8]]
    let slotID: UInt?
    let label: [UInt8]?
    let id: [UInt8]?

    /// `text` begins with `pkcs11:`.
    public init(_ text: String) throws(PKCS11Error) {
        let parts = text.dropFirst("pkcs11:".count).split(
            separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var path = try Self.attributes(parts[0], separator: ";")
        var query = try Self.attributes(parts.count > 1 ? parts[1] : "", separator: "&")
        guard query["pin-value"] == nil else { throw .pinInURI }
        guard let module = query.removeValue(forKey: "module-path") else { throw .modulePathMissing }
        // A bare name would be looked up along the library path, which is not the user's word.
        guard module.contains(UInt8(ascii: "/")), !module.contains(0) else { throw .badAttribute("module-path") }
        modulePath = String(decoding: module, as: UTF8.self)
        let source = query.removeValue(forKey: "pin-source").map { String(decoding: $0, as: UTF8.self) }
        guard source?.hasPrefix("|") != true else { throw .badAttribute("pin-source") }
        pinSource = source.map { $0.hasPrefix("file:") ? String($0.dropFirst("file:".count)) : $0 }
        label = path.removeValue(forKey: "object")
        id = path.removeValue(forKey: "id")
        let type = path.removeValue(forKey: "type").map { String(decoding: $0, as: UTF8.self) }
        guard [nil, "private", "public", "cert"].contains(type) else { throw .badAttribute("type") }
        let slot = path.removeValue(forKey: "slot-id")
        slotID = slot.flatMap { UInt(String(decoding: $0, as: UTF8.self)) }
        guard slot == nil || slotID != nil else { throw .badAttribute("slot-id") }
        for name in path.keys where !Self.tokenNames.contains(name) { throw .unknownAttribute(name) }
        for name in query.keys { throw .unknownAttribute(name) }
        tokenAttributes = path
    }

    private static let tokenNames = ["token", "serial", "manufacturer", "model"]

    private static func attributes(
        _ text: Substring, separator: Character
    ) throws(PKCS11Error) -> [String: [UInt8]] {
        var attributes: [String: [UInt8]] = [:]
        for attribute in text.split(separator: separator) {
            let parts = attribute.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard parts.count == 2, let value = decoded(parts[1]), attributes[name] == nil else {
                throw .badAttribute(name)
            }
            attributes[name] = value
        }
        return attributes
    }

    /// Percent-decoded; nil where the encoding is broken.
    private static func decoded(_ text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
