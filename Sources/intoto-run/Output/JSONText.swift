import InTotoMetadata

/// JSON for people and scripts. What drives a terminal, or turns or hides text, is escaped, as JSON allows it.
enum JSONText {
    static func indented(_ object: JSONObject) throws -> String { try indented(value: .object(object)) }

    static func indented(value: JSONValue) throws -> String {
        let bytes = try JSONWriter.bytes(.indented) { $0.value(value) }
        let text = String(decoding: bytes, as: UTF8.self)
        return bytes.allSatisfy { $0 < 0x7F } ? text : escaped(text)
    }

    /// Characters beyond ASCII stand in strings only, where each may be written by its number.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.value >= 0x7F, isInvisible(scalar) {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
