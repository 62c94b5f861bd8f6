/// Values that the verifier puts into a layout's rules and commands, where `{NAME}` stands. Spec: in-toto v1.0, 4.3.4.
///
/// One pass, nothing nested. What other implementations read differently is refused: `{NAME.x}`, `{NAME[x]}`, `{NAME!x}`
/// and `{NAME:x}`, which Python evaluates, and doubled braces, which are its escapes. Other braces stay as they are.
public struct ParameterSubstitution: Sendable {
    private let values: [Text: Text]

    /// Throws for a name that is not of letters, digits, `_` and `-`, or of digits only.
    public init(_ values: [Text: Text]) throws(ParameterError) {
        for name in values.keys.sorted() {
            guard Self.isName(name.utf8[...]) else { throw .badName(name) }
        }
        self.values = values
    }

    /// The layout with parameters replaced in rules, expected commands and inspections' commands; names, keys and the
    /// readme stay.
    public func applied(to layout: Layout) throws(ParameterError) -> Layout {
        var layout = layout
        for index in layout.steps.indices {
            layout.steps[index].expectedCommand = try texts(layout.steps[index].expectedCommand)
            layout.steps[index].expectedMaterials = try rules(layout.steps[index].expectedMaterials)
            layout.steps[index].expectedProducts = try rules(layout.steps[index].expectedProducts)
        }
        for index in layout.inspections.indices {
            layout.inspections[index].command = try texts(layout.inspections[index].command)
            layout.inspections[index].expectedMaterials = try rules(layout.inspections[index].expectedMaterials)
            layout.inspections[index].expectedProducts = try rules(layout.inspections[index].expectedProducts)
        }
        return layout
    }

    private func texts(_ texts: [Text]) throws(ParameterError) -> [Text] {
        var result: [Text] = []
        for text in texts { result.append(try applied(to: text)) }
        return result
    }

    private func rules(_ rules: [ArtifactRule]) throws(ParameterError) -> [ArtifactRule] {
        var result: [ArtifactRule] = []
        for rule in rules { result.append(try applied(to: rule)) }
        return result
    }

    private func applied(to rule: ArtifactRule) throws(ParameterError) -> ArtifactRule {
        func pattern(_ pattern: GlobPattern) throws(ParameterError) -> GlobPattern {
            GlobPattern(try applied(to: pattern.text))
        }
        switch rule {
        case .create(let old): return .create(try pattern(old))
        case .delete(let old): return .delete(try pattern(old))
        case .modify(let old): return .modify(try pattern(old))
        case .allow(let old): return .allow(try pattern(old))
        case .disallow(let old): return .disallow(try pattern(old))
        case .require(let name): return .require(ArtifactName(try applied(to: name.text)))
        case .match(var match):
            match.pattern = try pattern(match.pattern)
            match.sourcePrefix = try applied(to: match.sourcePrefix)
            match.destinationPrefix = try applied(to: match.destinationPrefix)
            match.step = try applied(to: match.step)
            return .match(match)
        }
    }

    /// The text with its parameters replaced.
    public func applied(to text: Text) throws(ParameterError) -> Text {
        var result: [UInt8] = []
        var rest = text.utf8[...]
        while let brace = rest.firstIndex(where: { $0 == openBrace || $0 == closeBrace }) {
            result += rest[..<brace]
            let after = rest[(brace + 1)...]
            if after.first == rest[brace] { throw .ambiguous(text) }
            rest = after
            guard text.utf8[brace] == openBrace else {
                result.append(closeBrace)
                continue
            }
            let name = after.prefix(while: Self.isNameByte)
            switch after[name.endIndex...].first {
            case closeBrace? where !name.isEmpty:
                guard let value = values[Text(trusted: Array(name))] else {
                    throw .unknown(Text(trusted: Array(name)), in: text)
                }
                result += value.utf8
                rest = after[(name.endIndex + 1)...]
            case UInt8(ascii: ".")?, UInt8(ascii: "[")?, UInt8(ascii: "!")?, UInt8(ascii: ":")?:
                throw .ambiguous(text)
            default: result.append(openBrace)
            }
        }
        return Text(trusted: result + rest)
    }

    private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy(isNameByte) && !bytes.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}

private let openBrace = UInt8(ascii: "{")
private let closeBrace = UInt8(ascii: "}")

/// Why parameters cannot be put into a layout.
public enum ParameterError: Error, Hashable {
    case badName(Text)
    case unknown(Text, in: Text)
    /// Braces that implementations read differently.
    case ambiguous(Text)
}

extension ParameterError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badName(let name):
            "'\(name.escaped)' cannot name a parameter: names are of letters, digits, '_' and '-', and not of digits only"
        case .unknown(let name, let text): "'\(text.escaped)' needs a parameter '\(name.escaped)', which was not given"
        case .ambiguous(let text): "the braces in '\(text.escaped)' mean different things to different verifiers"
        }
    }
}
