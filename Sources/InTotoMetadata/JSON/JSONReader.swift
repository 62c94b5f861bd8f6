/// Bounds on a document, so that a hostile one costs little.
public struct JSONLimits: Sendable {
    /// Bytes of the whole document.
    public var size = 1 << 30
    /// Arrays and objects inside each other.
    public var depth = 64
    /// Values of any kind: each takes many times the two bytes that it may be written in. A link of a million artifacts has
    /// six million.
    public var values = 16 << 20

    public init() {}
}

/// Why bytes are not a JSON document that we take.
public enum JSONError: Error, Hashable {
    case tooLarge(limit: Int)
    case tooDeep(limit: Int, offset: Int)
    case tooManyValues(limit: Int)
    case unexpectedEnd
    case unexpected(byte: UInt8, offset: Int)
    case invalidUTF8(offset: Int)
    case loneSurrogate(offset: Int)
    case duplicateMember(Text, offset: Int)
    case trailingBytes(offset: Int)
    /// Canonical JSON has integers only, within 64 bits. Raised when writing.
    case notCanonical(number: Text)
}

extension JSONError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLarge(let limit): "larger than \(limit) bytes"
        case .tooDeep(let limit, let offset): "nested deeper than \(limit) levels at byte \(offset)"
        case .tooManyValues(let limit): "more than \(limit) values"
        case .unexpectedEnd: "ends too early"
        case .unexpected(let byte, let offset): "unexpected '\(escapedForTerminal([byte]))' at byte \(offset)"
        case .invalidUTF8(let offset): "not UTF-8 at byte \(offset)"
        case .loneSurrogate(let offset): "half a surrogate pair at byte \(offset)"
        case .duplicateMember(let name, let offset):
            "member '\(name.escaped)' stands twice in an object, at byte \(offset)"
        case .trailingBytes(let offset): "something follows the document at byte \(offset)"
        case .notCanonical(let number): "canonical JSON has no number \(number.escaped)"
        }
    }
}

/// A strict reader of RFC 8259: UTF-8 without a byte order mark, every member name once in its object.
///
/// Never traps, whatever the bytes. Numbers that 64 bits do not hold exactly are kept as text.
public struct JSONReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let limits: JSONLimits
    private var offset = 0
    private var values = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// Returns the one document that `bytes` hold.
    public static func read(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        guard bytes.count <= limits.size else { throw .tooLarge(limit: limits.size) }
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<JSONValue, JSONError> in
            Result { () throws(JSONError) -> JSONValue in
                var reader = JSONReader(buffer, limits: limits)
                return try reader.document()
            }
        }
        return try result.get()
    }

    private mutating func document() throws(JSONError) -> JSONValue {
        skipWhitespace()
        let value = try value(depth: 0)
        skipWhitespace()
        guard offset == bytes.count else { throw .trailingBytes(offset: offset) }
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        values += 1
        guard values <= limits.values else { throw .tooManyValues(limit: limits.values) }
        switch try peek() {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        try enter(depth)
        var members: [JSONObject.Member] = []
        var names = NameSet()
        if try closes(UInt8(ascii: "}")) { return .object(JSONObject()) }
        repeat {
            skipWhitespace()
            let start = offset
            guard try peek() == UInt8(ascii: "\"") else { throw unexpected() }
            let name = try string()
            guard names.insert(name, beside: members) else { throw .duplicateMember(name, offset: start) }
            skipWhitespace()
            try take(UInt8(ascii: ":"))
            skipWhitespace()
            members.append(JSONObject.Member(name, try value(depth: depth)))
        } while try continues(closing: UInt8(ascii: "}"))
        return .object(JSONObject(distinct: members))
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        try enter(depth)
        var elements: [JSONValue] = []
        if try closes(UInt8(ascii: "]")) { return .array([]) }
        repeat {
            skipWhitespace()
            elements.append(try value(depth: depth))
        } while try continues(closing: UInt8(ascii: "]"))
        return .array(elements)
    }

    private mutating func enter(_ depth: Int) throws(JSONError) {
        guard depth <= limits.depth else { throw .tooDeep(limit: limits.depth, offset: offset) }
        offset += 1
    }

    /// Whether the array or object that was just opened is empty.
    private mutating func closes(_ closing: UInt8) throws(JSONError) -> Bool {
        skipWhitespace()
        guard try peek() == closing else { return false }
        offset += 1
        return true
    }

    /// Takes the comma before a further element, or the closing bracket.
    private mutating func continues(closing: UInt8) throws(JSONError) -> Bool {
        skipWhitespace()
        let byte = try peek()
        guard byte == UInt8(ascii: ",") || byte == closing else { throw unexpected() }
        offset += 1
        return byte != closing
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount { try take(word.utf8Start[index]) }
        return value
    }

    // MARK: Bytes

    private func peek() throws(JSONError) -> UInt8 {
        guard offset < bytes.count else { throw .unexpectedEnd }
        return bytes[offset]
    }

    private mutating func take(_ byte: UInt8) throws(JSONError) {
        guard try peek() == byte else { throw unexpected() }
        offset += 1
    }

    private func unexpected() -> JSONError { .unexpected(byte: bytes[offset], offset: offset) }

    private mutating func skipWhitespace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }
}

// MARK: Numbers

extension JSONReader {
    private mutating func number() throws(JSONError) -> JSONValue {
        let start = offset
        var isInteger = true
        if try peek() == UInt8(ascii: "-") { offset += 1 }
        if try peek() == UInt8(ascii: "0") { offset += 1 } else { try digits() }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            isInteger = false
            offset += 1
            try digits()
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            offset += 1
            let sign = try peek()
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { offset += 1 }
            try digits()
        }
        let text = Text(trusted: Array(bytes[start..<offset]))
        guard isInteger, text != "-0", let integer = Self.int64(text.utf8) else { return .number(text) }
        return .integer(integer)
    }

    /// At least one digit.
    private mutating func digits() throws(JSONError) {
        guard (0x30...0x39).contains(try peek()) else { throw unexpected() }
        while offset < bytes.count, (0x30...0x39).contains(bytes[offset]) { offset += 1 }
    }

    private static func int64(_ text: [UInt8]) -> Int64? {
        let isNegative = text.first == UInt8(ascii: "-")
        var value: Int64 = 0
        for byte in text.dropFirst(isNegative ? 1 : 0) {
            let digit = Int64(byte - 0x30)
            let (shifted, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowedAgain) =
                isNegative ? shifted.subtractingReportingOverflow(digit) : shifted.addingReportingOverflow(digit)
            if overflowed || overflowedAgain { return nil }
            value = sum
        }
        return value
    }
}

// MARK: Strings

extension JSONReader {
    private mutating func string() throws(JSONError) -> Text {
        try take(UInt8(ascii: "\""))
        var result: [UInt8] = []
        var start = offset
        while true {
            skipPlainCharacters()
            switch try peek() {
            case UInt8(ascii: "\""):
                result.append(contentsOf: bytes[start..<offset])
                offset += 1
                return Text(trusted: result)
            case UInt8(ascii: "\\"):
                result.append(contentsOf: bytes[start..<offset])
                offset += 1
                try escape(into: &result)
                start = offset
            case 0..<0x20:
                throw unexpected()
            default:
                guard let length = UTF8Validation.sequenceLength(bytes, at: offset) else {
                    throw .invalidUTF8(offset: offset)
                }
                offset += length
            }
        }
    }

    /// ASCII that stands for itself: nearly all of a document, hence a loop of its own.
    private mutating func skipPlainCharacters() {
        var index = offset
        while index < bytes.count {
            let byte = bytes[index]
            guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { break }
            index += 1
        }
        offset = index
    }

    private mutating func escape(into result: inout [UInt8]) throws(JSONError) {
        let byte = try peek()
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "u"):
            offset += 1
            return try unicodeEscape(into: &result)
        default: throw unexpected()
        }
        offset += 1
    }

    private mutating func unicodeEscape(into result: inout [UInt8]) throws(JSONError) {
        let start = offset - 2
        var code = try hexQuad()
        if (0xD800...0xDBFF).contains(code) {
            guard offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"), bytes[offset + 1] == UInt8(ascii: "u")
            else { throw .loneSurrogate(offset: start) }
            offset += 2
            let low = try hexQuad()
            guard (0xDC00...0xDFFF).contains(low) else { throw .loneSurrogate(offset: start) }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw .loneSurrogate(offset: start) }
        result.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
    }

    private mutating func hexQuad() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Hex.value(of: try peek()) else { throw unexpected() }
            code = code << 4 | UInt32(digit)
            offset += 1
        }
        return code
    }
}

/// Names seen in one object. Most objects have a handful of members; only large ones pay for a hash table.
private struct NameSet {
    private var names: Set<Text>?

    /// Whether `name` is new; `members` are those read so far.
    mutating func insert(_ name: Text, beside members: [JSONObject.Member]) -> Bool {
        if names == nil, members.count < 16 { return !members.contains { $0.name == name } }
        if names == nil { names = Set(members.map(\.name)) }
        return names?.insert(name).inserted ?? false
    }
}
