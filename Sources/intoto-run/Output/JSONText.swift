import InTotoMetadata

/// JSON for people and scripts: safe on a terminal, whatever stands in it.
enum JSONText {
    static func indented(_ object: JSONObject) throws -> String { try indented(value: .object(object)) }

    static func indented(value: JSONValue) throws -> String {
        escaped(String(decoding: try JSONWriter.bytes(.indented) { $0.value(value) }, as: UTF8.self))
    }

    /// Other than ASCII stands within strings only, where any character may be written as an escape.
    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 >= 0x80 }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            guard !scalar.isASCII, isInvisible(scalar) else {
                result.unicodeScalars.append(scalar)
                continue
            }
            for unit in UTF16.encode(scalar).map({ Array($0) }) ?? [] {
                let digits = String(unit, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return result
    }
}
