import InTotoMetadata

/// JSON for people and scripts.
enum JSONText {
    static func indented(_ object: JSONObject) throws -> String {
        String(decoding: try JSONWriter.bytes(.indented) { $0.object(object) }, as: UTF8.self)
    }
}
