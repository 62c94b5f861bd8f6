/// Writes JSON into one buffer. Members are written in the order in which they are given: byte order of the names,
/// by convention, which canonical JSON requires.
public struct JSONWriter {
    public enum Style: Sendable {
        /// No white space; control characters escaped. For payloads and bundles.
        case compact
        /// Indented by two spaces. For people.
        case indented
        /// OLPC canonical JSON, which classic signatures cover: only `\` and `"` escaped, integers only. It is not
        /// always valid JSON. Spec: in-toto v1.0, 4.1.
        case canonical
    }

    public private(set) var bytes: [UInt8] = []
    private let style: Style
    private var depth = 0
    private var isFirst = true
    private var failure: JSONError?

    public init(_ style: Style) { self.style = style }

    /// The document; throws `.notCanonical` where a canonical one held a number that is no 64-bit integer.
    public consuming func finish() throws(JSONError) -> [UInt8] {
        if let failure { throw failure }
        return bytes
    }

    /// The bytes of what `body` writes.
    public static func bytes(_ style: Style, _ body: (inout JSONWriter) -> Void) throws(JSONError) -> [UInt8] {
        var writer = JSONWriter(style)
        body(&writer)
        return try writer.finish()
    }

    /// The same as a file has it: with the end of a line behind it.
    public static func lines(_ style: Style, _ body: (inout JSONWriter) -> Void) throws(JSONError) -> [UInt8] {
        var bytes = try bytes(style, body)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// Makes room for so many bytes: a buffer of 100 MB that grows by doubling takes twice as much.
    mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

    // MARK: Structure

    public mutating func object(_ body: (inout JSONWriter) -> Void) { container("{", "}", body) }

    public mutating func array(_ body: (inout JSONWriter) -> Void) { container("[", "]", body) }

    /// One member of the object being written; `body` writes exactly one value.
    public mutating func member(_ name: Text, _ body: (inout JSONWriter) -> Void) {
        member(utf8: name.utf8[...], body)
    }

    public mutating func member(_ name: Text, _ value: Text) { member(name) { $0.string(value) } }

    public mutating func member(_ name: Text, _ value: JSONValue) { member(name) { $0.value(value) } }

    mutating func member(utf8 name: ArraySlice<UInt8>, _ body: (inout JSONWriter) -> Void) {
        name.withUnsafeBytes { member(utf8: $0, body) }
    }

    mutating func member(utf8 name: UnsafeRawBufferPointer, _ body: (inout JSONWriter) -> Void) {
        separate()
        quoted(name)
        bytes.append(UInt8(ascii: ":"))
        if style == .indented { bytes.append(UInt8(ascii: " ")) }
        body(&self)
    }

    /// One element of the array being written; `body` writes exactly one value.
    public mutating func element(_ body: (inout JSONWriter) -> Void) {
        separate()
        body(&self)
    }

    private mutating func container(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ body: (inout JSONWriter) -> Void)
    {
        bytes.append(UInt8(ascii: open))
        depth += 1
        isFirst = true
        body(&self)
        depth -= 1
        if !isFirst { newLine() }
        isFirst = false
        bytes.append(UInt8(ascii: close))
    }

    private mutating func separate() {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        newLine()
    }

    private mutating func newLine() {
        guard style == .indented else { return }
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<2 * depth { bytes.append(UInt8(ascii: " ")) }
    }

    // MARK: Values

    public mutating func string(_ text: Text) { text.utf8.withUnsafeBytes { quoted($0) } }

    mutating func string(utf8: UnsafeRawBufferPointer) { quoted(utf8) }

    public mutating func integer(_ value: Int64) { bytes.append(contentsOf: String(value).utf8) }

    /// Any value; the members of objects are sorted by the bytes of their names.
    public mutating func value(_ value: JSONValue) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): integer(value)
        case .number(let text):
            if style == .canonical, failure == nil { failure = .notCanonical(number: text) }
            bytes.append(contentsOf: text.utf8)
        case .string(let text): string(text)
        case .array(let elements):
            array { writer in
                for element in elements { writer.element { $0.value(element) } }
            }
        case .object(let object): self.object(object)
        }
    }

    public mutating func object(_ object: JSONObject) {
        self.object { writer in
            for member in object.sortedMembers {
                writer.member(member.name, member.value)
            }
        }
    }

    private mutating func quoted(_ utf8: UnsafeRawBufferPointer) {
        bytes.append(UInt8(ascii: "\""))
        appendEscaped(utf8)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func appendEscaped(_ utf8: UnsafeRawBufferPointer) {
        let escapesControls = style != .canonical
        if !Self.anyNeedsEscape(utf8, escapesControls) { return bytes.append(contentsOf: utf8) }
        var start = 0
        for index in utf8.indices where Self.needsEscape(utf8[index], escapesControls) {
            bytes.append(contentsOf: utf8[start..<index])
            escape(utf8[index])
            start = index + 1
        }
        bytes.append(contentsOf: utf8[start...])
    }

    /// Without branches, so that it takes many bytes at a time: hardly any name or digest needs escaping.
    private static func anyNeedsEscape(_ bytes: UnsafeRawBufferPointer, _ escapesControls: Bool) -> Bool {
        let firstPlain: UInt8 = escapesControls ? 0x20 : 0
        var found: UInt8 = 0
        for byte in bytes {
            found |= byte == UInt8(ascii: "\"") ? 1 : 0
            found |= byte == UInt8(ascii: "\\") ? 1 : 0
            found |= byte < firstPlain ? 1 : 0
            found |= byte == 0x7F ? 1 : 0
        }
        return found != 0
    }

    private static func needsEscape(_ byte: UInt8, _ escapesControls: Bool) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || (escapesControls && (byte < 0x20 || byte == 0x7F))
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(Hex.digit(byte >> 4))
            bytes.append(Hex.digit(byte & 15))
        }
    }
}

extension JSONValue {
    /// The canonical form; throws where a number is no 64-bit integer.
    public func canonicalBytes() throws(JSONError) -> [UInt8] {
        try JSONWriter.bytes(.canonical) { $0.value(self) }
    }
}
