/// What a value in a predicate has to be. Members that a shape does not name are allowed: predicates may be extended.
/// Spec: in-toto attestation v1, parsing rules.
indirect enum PredicateShape: Sendable {
    case any
    case text
    case texts(atLeast: Int = 0)
    case uri
    /// RFC 3339 in UTC, with `Z`.
    case timestamp
    case object
    case oneOf([Text])
    /// An object of any names.
    case map(PredicateShape)
    /// A whole number, or its digits as a string, which is how protobuf writes large ones.
    case count
    case array(PredicateShape, atLeast: Int = 0)
    case members([Field])
    /// A resource descriptor that has these members at least.
    case descriptor(with: [Text] = [])

    struct Field: Sendable {
        let name: Text
        let shape: PredicateShape
        let isRequired: Bool

        static func required(_ name: Text, _ shape: PredicateShape) -> Field {
            Field(name: name, shape: shape, isRequired: true)
        }

        static func optional(_ name: Text, _ shape: PredicateShape) -> Field {
            Field(name: name, shape: shape, isRequired: false)
        }
    }

    /// Throws what is wrong first; `place` is how messages call the object that `name` is a member of.
    func check(_ value: JSONValue, _ name: Text, in place: String) throws(MetadataError) {
        switch (self, value) {
        case (.any, _), (.text, .string), (.object, .object): return
        case (.texts(let minimum), .array(let elements)):
            try PredicateShape.array(.text, atLeast: minimum).check(.array(elements), name, in: place)
        case (.uri, .string(let text)):
            guard text.isURI else { throw .badValue(name, in: place, reason: "is no URI") }
        case (.timestamp, .string(let text)):
            guard text.isTimestamp else {
                throw .badValue(name, in: place, reason: "is no time such as 2025-03-01T10:00:00Z")
            }
        case (.oneOf(let values), .string(let text)):
            guard values.contains(text) else {
                let list = values.map(\.description).joined(separator: ", ")
                throw .badValue(name, in: place, reason: "is '\(text.escaped)', none of: \(list)")
            }
        case (.map(let shape), .object(let object)):
            for member in object.members { try shape.check(member.value, member.name, in: "'\(name.escaped)'") }
        case (.count, .integer(let number)) where number >= 0: return
        case (.count, .string(let text)) where UInt64(text.description) != nil: return
        case (.array(let shape, let minimum), .array(let elements)):
            guard elements.count >= minimum else { throw .badValue(name, in: place, reason: "is empty") }
            for (index, element) in elements.enumerated() {
                try shape.check(element, Text("\(name)[\(index)]"), in: place)
            }
        case (.members(let fields), .object(let object)): try Self.check(fields, of: object, "'\(name.escaped)'")
        case (.descriptor(let needed), .object(let object)):
            let inner = "'\(name.escaped)' of \(place)"
            _ = try ResourceDescriptor(json: value, place: inner)
            for name in needed where object[name] == nil { throw .missingMember(name, in: inner) }
        default: throw .wrongType(name, in: place, expected: expectation, found: value.kind)
        }
    }

    static func check(_ fields: [Field], of object: JSONObject, _ place: String) throws(MetadataError) {
        for field in fields {
            guard let value = object[field.name] else {
                if field.isRequired { throw .missingMember(field.name, in: place) }
                continue
            }
            // Null and absent are one, where something may be absent.
            if !field.isRequired, case .null = value { continue }
            try field.shape.check(value, field.name, in: place)
        }
    }

    private var expectation: String {
        switch self {
        case .any: "anything"
        case .text, .uri, .timestamp, .oneOf: "a string"
        case .count: "a whole number"
        case .texts: "an array of strings"
        case .array: "an array"
        case .object, .map, .members, .descriptor: "an object"
        }
    }
}

extension Text {
    /// A scheme, a colon, something behind it, and nothing that a URI cannot hold. Spec: RFC 3986.
    package var isURI: Bool {
        guard let colon = utf8.firstIndex(of: UInt8(ascii: ":")), colon > 0, colon + 1 < utf8.count else {
            return false
        }
        let scheme = utf8[..<colon]
        let isScheme = scheme.allSatisfy { Self.isLetterOrDigit($0) || "+-.".utf8.contains($0) }
        return isScheme && !(0x30...0x39).contains(utf8[0])
            && utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"<>\"\\^`{|}".utf8.contains($0) }
    }

    /// `YYYY-MM-DDTHH:MM:SS`, a fraction where wanted, `Z`.
    fileprivate var isTimestamp: Bool {
        let pattern = Array("0000-00-00T00:00:00".utf8)
        guard utf8.count > pattern.count, utf8.last == UInt8(ascii: "Z") else { return false }
        for (byte, mark) in zip(utf8, pattern) {
            guard mark == UInt8(ascii: "0") ? (0x30...0x39).contains(byte) : byte == mark else { return false }
        }
        func number(_ start: Int) -> Int { Int(utf8[start] - 0x30) * 10 + Int(utf8[start + 1] - 0x30) }
        guard (1...12).contains(number(5)), (1...31).contains(number(8)), number(11) < 24, number(14) < 60,
            number(17) <= 60
        else { return false }
        let fraction = utf8[pattern.count...].dropLast()
        if fraction.isEmpty { return true }
        return fraction.first == UInt8(ascii: ".") && fraction.count > 1
            && fraction.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
