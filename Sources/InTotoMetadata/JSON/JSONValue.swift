/// A JSON document as it was written: exact integers, members in their order, names as bytes.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// An integer that 64 bits hold, written without fraction, exponent or `-0`.
    case integer(Int64)
    /// Any other number, as its text.
    case number(Text)
    case string(Text)
    case array([JSONValue])
    case object(JSONObject)
}

/// Members of a JSON object, each name once, in the document's order.
public struct JSONObject: Hashable, Sendable {
    public struct Member: Hashable, Sendable {
        public let name: Text
        public var value: JSONValue

        public init(_ name: Text, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var members: [Member]

    public init() { members = [] }

    /// `members` have distinct names: whoever reads has checked that.
    package init(distinct members: [Member]) { self.members = members }

    public var isEmpty: Bool { members.isEmpty }

    public subscript(name: Text) -> JSONValue? {
        get { members.first { $0.name == name }?.value }
        set {
            let index = members.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name, value))
            case (nil, nil): break
            }
        }
    }
}

/// Objects are equal where their members are, in whatever order these stand.
extension JSONObject {
    public static func == (a: Self, b: Self) -> Bool {
        guard a.members.count == b.members.count else { return false }
        return a.members == b.members || a.sortedMembers == b.sortedMembers
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(sortedMembers) }

    /// In byte order of the names.
    var sortedMembers: [Member] { members.sorted { $0.name < $1.name } }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (Text, JSONValue)...) {
        self.init()
        for (name, value) in elements { self[name] = value }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(Text(value)) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    public init(dictionaryLiteral elements: (Text, JSONValue)...) {
        var object = JSONObject()
        for (name, value) in elements { object[name] = value }
        self = .object(object)
    }

    /// What kind of value it is, as an error message names it.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
