import InTotoMetadata
import Yams

/// A YAML document as the JSON that it would be, read for people who write layouts; no verifier reads YAML.
///
/// There are mappings, sequences and texts, and nothing is guessed: `no`, `1.0` and `2030-01-01` stay the texts that
/// they are, and only the members that are named as numbers are read as such. What hides meaning or costs much is
/// refused: anchors and aliases, tags, merge keys, several documents, members that stand twice.
enum YAMLDocument {
    /// Most bytes of a document.
    static let sizeLimit = 1 << 20
    /// Mappings and sequences inside each other.
    private static let depthLimit = 32

    /// Reads the one document; the values of members called as in `numbers` are whole numbers.
    static func read(_ bytes: [UInt8], numbers: Set<Text>) throws(YAMLDocumentError) -> JSONValue {
        guard bytes.count <= sizeLimit else { throw YAMLDocumentError("larger than \(sizeLimit) bytes") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw YAMLDocumentError("not UTF-8") }
        try refuseAnchors(in: bytes)
        guard let root = try parse(text) else { throw YAMLDocumentError("there is no document") }
        return try value(of: root, isNumber: false, numbers, depth: 0)
    }

    private static func parse(_ text: String) throws(YAMLDocumentError) -> Node? {
        do {
            // The encoding is named: the default asks the environment.
            return try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
        } catch let error as YamlError { throw YAMLDocumentError(error) } catch {
            throw YAMLDocumentError("\(error)")
        }
    }

    /// Without an anchor no alias means anything. Looked for before parsing: a parser compares the keys of a mapping,
    /// which takes for ever where these are aliases of aliases.
    ///
    /// An anchor begins where a token may begin: behind a blank, a bracket, a comma, a colon or a quote. So an `&` there
    /// is refused within texts, too, which costs nobody much.
    private static func refuseAnchors(in bytes: [UInt8]) throws(YAMLDocumentError) {
        var line = 1
        var previous = UInt8(ascii: "\n")
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "&"), beginsToken(behind: previous), index + 1 < bytes.count,
                isNameByte(bytes[index + 1])
            {
                throw YAMLDocumentError(
                    "line \(line): '&' before a name is an anchor: write out what it stands for; in a text, put a "
                        + "blank behind it")
            }
            if byte == UInt8(ascii: "\n") { line += 1 }
            previous = byte
        }
    }

    private static func beginsToken(behind byte: UInt8) -> Bool {
        // Bytes beyond ASCII may end a line, too.
        byte <= 0x20 || byte >= 0x80 || "[]{},:?\"'".utf8.contains(byte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }

    // MARK: Values

    private static func value(
        of node: Node, isNumber: Bool, _ numbers: Set<Text>, depth: Int
    ) throws(YAMLDocumentError) -> JSONValue {
        guard depth <= depthLimit else { throw YAMLDocumentError(at: node, "nested deeper than \(depthLimit) levels") }
        switch node {
        case .scalar(let scalar): return try value(of: scalar, node, isNumber: isNumber)
        case .sequence(let sequence):
            try refuseTag(sequence.tag, at: node)
            var elements: [JSONValue] = []
            for element in sequence {
                elements.append(try value(of: element, isNumber: false, numbers, depth: depth + 1))
            }
            return .array(elements)
        case .mapping(let mapping):
            try refuseTag(mapping.tag, at: node)
            return .object(try object(mapping, numbers, depth: depth))
        case .alias: throw YAMLDocumentError(at: node, "an alias")
        }
    }

    private static func object(
        _ mapping: Node.Mapping, _ numbers: Set<Text>, depth: Int
    ) throws(YAMLDocumentError) -> JSONObject {
        var members: [JSONObject.Member] = []
        var names: Set<Text> = []
        for (key, node) in mapping {
            guard case .scalar(let scalar) = key else { throw YAMLDocumentError(at: key, "a member's name is no text") }
            try refuseTag(scalar.tag, at: key)
            let name = Text(scalar.string)
            guard !(name == "<<" && scalar.style == .plain) else {
                throw YAMLDocumentError(at: key, "'<<' merges mappings elsewhere: write out what it stands for")
            }
            let value = try value(of: node, isNumber: numbers.contains(name), numbers, depth: depth + 1)
            guard names.insert(name).inserted else {
                throw YAMLDocumentError(at: key, "member '\(name.escaped)' stands twice")
            }
            members.append(JSONObject.Member(name, value))
        }
        return JSONObject(distinct: members)
    }

    private static func value(
        of scalar: Node.Scalar, _ node: Node, isNumber: Bool
    ) throws(YAMLDocumentError) -> JSONValue {
        try refuseTag(scalar.tag, at: node)
        guard scalar.style == .plain else { return .string(Text(scalar.string)) }
        // Nothing was written: YAML's null, which is no text.
        guard !scalar.string.isEmpty else { return .null }
        guard isNumber else { return .string(Text(scalar.string)) }
        let digits = scalar.string.utf8
        guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.count == 1 || digits.first != UInt8(ascii: "0"), let number = Int64(scalar.string)
        else { throw YAMLDocumentError(at: node, "'\(Text(scalar.string).escaped)' is no whole number") }
        return .integer(number)
    }

    /// Quoted texts bear the tag of a text.
    private static func refuseTag(_ tag: Tag, at node: Node) throws(YAMLDocumentError) {
        guard tag.rawValue.isEmpty || [.implicit, .str, .seq, .map].contains(Tag.Name(rawValue: tag.rawValue)) else {
            throw YAMLDocumentError(
                at: node, "tag '\(Text(tag.rawValue).escaped)' is not taken", hint: YAMLDocumentError.quotesHint)
        }
    }
}

/// Why bytes are not a YAML document that we take.
struct YAMLDocumentError: Error, CustomStringConvertible {
    let description: String
    /// What to do about it, where that is plain.
    let hint: String?

    fileprivate static let quotesHint = "put quotes around a text that begins with * & ! @ ` % or |, such as \"*\""

    init(_ reason: String, hint: String? = nil) {
        description = reason
        self.hint = hint
    }

    init(at node: Node, _ reason: String, hint: String? = nil) {
        self.init((node.mark.map { "line \($0.line), column \($0.column): " } ?? "") + reason, hint: hint)
    }

    init(_ error: YamlError) {
        switch error {
        case .reader(let problem, _, _, _), .writer(let problem), .emitter(let problem), .representer(let problem):
            self.init(Text(problem).escaped)
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            self.init(
                "line \(mark.line), column \(mark.column): \(Text(problem).escaped)",
                hint: Self.isOfUnquotedText(problem) ? Self.quotesHint : nil)
        case .duplicatedKeysInMapping(let names, let context):
            let list = names.map { "'\(Text($0).escaped)'" }.joined(separator: ", ")
            self.init("line \(context.mark.line): the members \(list) stand twice")
        case .no, .memory, .dataCouldNotBeDecoded: self.init("it cannot be parsed")
        }
    }

    /// Whether the parser, which has no codes, says this of a mark where it expects an alias, an anchor, a tag, a
    /// directive or a block.
    private static func isOfUnquotedText(_ problem: String) -> Bool {
        [
            "alias", "expected alphabetic or numeric character", "cannot start any token", "expected '!'", "tag",
            "expected whitespace", "expected comment or line break",
        ].contains { problem.contains($0) }
    }
}
