import InTotoMetadata

/// Writes layouts as YAML that `YAMLDocument` reads and people change: mappings and lists in lines of their own, a list
/// of texts, such as a rule, in one; every text in double quotes, so that `*`, `yes` and `1` are texts to other readers,
/// too.
///
/// `_type` is left out: its place says what something is.
struct YAMLWriter {
    private var lines: [String]

    /// The bytes of a document; `comments` stand above it, one a line, and are words of ours.
    static func bytes(_ layout: JSONObject, comments: [String]) -> [UInt8] {
        var writer = YAMLWriter(lines: comments.map { "# \($0)" })
        writer.write(layout, indentation: "")
        return Array(writer.lines.map { "\($0)\n" }.joined().utf8)
    }

    /// The order in which people read; what is not here follows by name.
    private static let order: [Text] = [
        "expires", "readme", "keys", "rootcas", "intermediatecas", "steps", "inspect", "name", "threshold", "pubkeys",
        "cert_constraints", "expected_command", "run", "expected_materials", "expected_products",
    ]

    /// `first`: what the first line begins with, behind a list's dash.
    private mutating func write(_ object: JSONObject, indentation: String, first: String? = nil) {
        func rank(_ name: Text) -> Int { Self.order.firstIndex(of: name) ?? Self.order.count }
        let members = object.members.filter { $0.name != "_type" }
            .sorted { (rank($0.name), $0.name) < (rank($1.name), $1.name) }
        var start = first ?? indentation
        for member in members {
            write(member.value, behind: "\(start)\(Self.name(member.name)):", indentation: indentation)
            start = indentation
        }
    }

    private mutating func write(_ value: JSONValue, behind start: String, indentation: String) {
        switch value {
        case .object(let object) where !object.members.isEmpty:
            lines.append(start)
            write(object, indentation: indentation + "  ")
        case .array(let elements) where !elements.allSatisfy(\.isText):
            lines.append(start)
            for element in elements {
                if case .object(let object) = element, !object.members.isEmpty {
                    write(object, indentation: indentation + "    ", first: indentation + "  - ")
                } else {
                    lines.append("\(indentation)  - \(Self.inLine(element))")
                }
            }
        case .null, .bool, .integer, .number, .string, .array, .object: lines.append("\(start) \(Self.inLine(value))")
        }
    }

    private static func inLine(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let text): text.description
        case .string(let text): quoted(text)
        case .array(let elements): "[\(elements.map(inLine).joined(separator: ", "))]"
        case .object(let object):
            "{\(object.members.map { "\(name($0.name)): \(inLine($0.value))" }.joined(separator: ", "))}"
        }
    }

    private static func name(_ name: Text) -> String {
        let isPlain = !name.isEmpty && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "_") }
        return isPlain ? name.description : quoted(name)
    }

    // MARK: Texts

    private static func quoted(_ text: Text) -> String {
        let scalars = Array(text.description.unicodeScalars)
        let escaped = scalars.enumerated().map { index, scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            // `YAMLDocument` takes it for an anchor where something follows it.
            case "&" where index + 1 < scalars.count && scalars[index + 1] != " ": escape(scalar)
            // Characters that end lines, or that YAML does not have, are among these.
            default: isInvisible(scalar) ? escape(scalar) : "\(scalar)"
            }
        }
        return "\"\(escaped.joined())\""
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let (letter, width) = scalar.value <= 0xFF ? ("x", 2) : scalar.value <= 0xFFFF ? ("u", 4) : ("U", 8)
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "\\\(letter)\(String(repeating: "0", count: width - digits.count))\(digits)"
    }
}

extension JSONValue {
    fileprivate var isText: Bool { if case .string = self { true } else { false } }
}
