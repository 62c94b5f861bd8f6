import InTotoMetadata

/// JSON for people and scripts.
enum JSONText {
    static func indented(_ object: JSONObject) throws -> String { try indented(value: .object(object)) }

    static func indented(value: JSONValue) throws -> String {
        String(decoding: try JSONWriter.bytes(.indented) { $0.value(value) }, as: UTF8.self)
    }
}
