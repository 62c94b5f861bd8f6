/// Which artifacts of a link a rule is about.
public enum ArtifactKind: String, CaseIterable, Sendable {
    case materials, products
}

/// One entry of `expected_materials` or `expected_products`. Spec: in-toto v1.0, 4.3.3.
public enum ArtifactRule: Hashable, Sendable {
    case create(GlobPattern)
    case delete(GlobPattern)
    case modify(GlobPattern)
    case allow(GlobPattern)
    case disallow(GlobPattern)
    /// A name, not a pattern: `REQUIRE *` is about a file called `*`.
    case require(ArtifactName)
    case match(ArtifactMatch)
}

/// `MATCH pattern [IN source] WITH MATERIALS|PRODUCTS [IN destination] FROM step`.
public struct ArtifactMatch: Hashable, Sendable {
    public var pattern: GlobPattern
    /// Literal, without its last slash or with it; empty: none.
    public var sourcePrefix: Text = ""
    public var kind: ArtifactKind
    public var destinationPrefix: Text = ""
    /// A step or an inspection; it need not exist, and then the rule consumes nothing.
    public var step: Text

    public init(_ pattern: GlobPattern, with kind: ArtifactKind, from step: Text) {
        self.pattern = pattern
        self.kind = kind
        self.step = step
    }
}

extension ArtifactRule {
    /// Most bytes of a pattern, name or prefix.
    package static let maximumLength = 4096

    /// Reads a rule; keywords are taken in either case. Throws a reason that reads after "is no rule: ".
    init(_ words: [Text]) throws(RuleSyntaxError) {
        guard words.allSatisfy({ $0.utf8.count <= Self.maximumLength }) else {
            throw RuleSyntaxError("a word has more than \(Self.maximumLength) bytes")
        }
        guard words.count >= 2 else { throw RuleSyntaxError("a rule has a keyword and a pattern") }
        let keyword = words[0].asciiLowercased
        if keyword == "match" {
            self = .match(try ArtifactMatch(words))
            return
        }
        guard let make = Self.simple[keyword] else {
            throw RuleSyntaxError(
                "it begins with none of CREATE, DELETE, MODIFY, ALLOW, DISALLOW, REQUIRE and MATCH")
        }
        guard words.count == 2 else { throw RuleSyntaxError("something follows the pattern") }
        self = make(words[1])
    }

    private static let simple: [Text: @Sendable (Text) -> ArtifactRule] = [
        "create": { .create(GlobPattern($0)) }, "delete": { .delete(GlobPattern($0)) },
        "modify": { .modify(GlobPattern($0)) }, "allow": { .allow(GlobPattern($0)) },
        "disallow": { .disallow(GlobPattern($0)) }, "require": { .require(ArtifactName($0)) },
    ]

    /// The pattern; nil for REQUIRE, which has a name.
    package var pattern: GlobPattern? {
        switch self {
        case .create(let pattern), .delete(let pattern), .modify(let pattern), .allow(let pattern),
            .disallow(let pattern):
            pattern
        case .match(let match): match.pattern
        case .require: nil
        }
    }

    /// As layouts write it, keywords in capitals.
    public var words: [Text] {
        switch self {
        case .create(let pattern): ["CREATE", pattern.text]
        case .delete(let pattern): ["DELETE", pattern.text]
        case .modify(let pattern): ["MODIFY", pattern.text]
        case .allow(let pattern): ["ALLOW", pattern.text]
        case .disallow(let pattern): ["DISALLOW", pattern.text]
        case .require(let name): ["REQUIRE", name.text]
        case .match(let match): match.words
        }
    }
}

extension ArtifactRule: CustomStringConvertible {
    /// The rule's words, safe to print.
    public var description: String { words.map(\.escaped).joined(separator: " ") }
}

extension ArtifactMatch {
    init(_ words: [Text]) throws(RuleSyntaxError) {
        let form = RuleSyntaxError("MATCH has the form MATCH p [IN p] WITH MATERIALS|PRODUCTS [IN p] FROM step")
        var rest = words[2...]
        func take(_ keyword: Text) -> Text? {
            guard rest.count >= 2, rest[rest.startIndex].asciiLowercased == keyword else { return nil }
            defer { rest = rest.dropFirst(2) }
            return rest[rest.startIndex + 1]
        }
        let source = take("in")
        guard let kind = take("with").flatMap({ ArtifactKind(rawValue: $0.asciiLowercased.description) }) else {
            throw form
        }
        let destination = take("in")
        guard let step = take("from"), rest.isEmpty else { throw form }
        self.init(GlobPattern(words[1]), with: kind, from: step)
        sourcePrefix = source ?? ""
        destinationPrefix = destination ?? ""
    }

    fileprivate var words: [Text] {
        ["MATCH", pattern.text] + (sourcePrefix.isEmpty ? [] : ["IN", sourcePrefix])
            + ["WITH", kind == .materials ? "MATERIALS" : "PRODUCTS"]
            + (destinationPrefix.isEmpty ? [] : ["IN", destinationPrefix]) + ["FROM", step]
    }
}

/// Why words are no rule.
struct RuleSyntaxError: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}
