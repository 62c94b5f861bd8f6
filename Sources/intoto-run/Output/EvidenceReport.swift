import InTotoCrypto
import InTotoMetadata

/// What one piece of evidence says, for `inspect`.
struct EvidenceReport {
    private let payload: Payload
    /// The link, where the payload is one in either form.
    private let link: Link?
    private let container: String
    /// Without an outcome where there were no keys to check with.
    private let signatures: [(keyID: KeyID, outcome: SignatureCheck.Outcome?)]
    private let areChecked: Bool
    private let oddities: [Oddity]

    private static let envelope = "DSSE envelope"

    init(_ metadata: SignedMetadata, keys: [PublicKey]) throws {
        payload = try metadata.payload()
        link = try payload.link()
        oddities = link.map(Oddity.all) ?? []
        container = if case .envelope = metadata { Self.envelope } else { "classic metadata" }
        // Evidence whose signed bytes cannot be told, such as a classic link with a fraction in it, can still be shown.
        signatures =
            keys.isEmpty
            ? metadata.signatures.map { ($0.keyID, nil) }
            : try metadata.checkSignatures(by: keys).map { ($0.keyID, $0.outcome) }
        areChecked = !keys.isEmpty
    }

    // MARK: For people

    /// The claim first: what it is about, of which kind, who signed it; then its parts.
    /// `limit` is how many artifacts of each kind are named; nil: all.
    func lines(limit: Int?) -> [String] {
        var lines = [claim] + signatureLines
        guard let link else { return lines + otherLines }
        lines += oddityLines(limit)
        lines.append("step: \(link.name)")
        lines.append("command: \(link.command.shellLine)")
        lines += ArtifactListing(title: "materials", artifacts: link.materials, limit: limit).lines
        lines +=
            ArtifactListing(
                title: "products", artifacts: link.products, earlier: link.materials, limit: limit
            ).lines
        lines += Self.objectLines("byproducts", link.byproducts)
        lines += Self.objectLines("environment", link.environment)
        return lines
    }

    private var claim: String {
        switch payload {
        case .link(let link): "link of step '\(link.name)' \(place)"
        case .statement(let statement):
            "statement about \(Self.subjects(statement)): \(statement.predicateType.escaped), \(place)"
        case .layout: "layout \(place)"
        }
    }

    private var place: String { container == Self.envelope ? "in a \(container)" : "in \(container)" }

    private static func subjects(_ statement: Statement) -> String {
        guard let first = statement.subject.first else { return "nothing" }
        let name = first.name?.escaped ?? first.uri?.escaped ?? "an unnamed subject"
        let digest = first.digest.entries.first.map { " (\($0.algorithm.name.escaped):\($0.value.escaped))" } ?? ""
        let others = statement.subject.count > 1 ? " and \(statement.subject.count - 1) more" : ""
        return name + digest + others
    }

    private var signatureLines: [String] {
        guard !signatures.isEmpty else { return ["signatures: none"] }
        return signatures.map {
            "signature: \($0.keyID.text.isEmpty ? "no key id" : "\($0.keyID)"), \(describe($0.outcome))"
        }
    }

    private func describe(_ outcome: SignatureCheck.Outcome?) -> String {
        switch outcome {
        case .valid(let key): "good, by \(key.schemeName) key \(key.keyID(.python).prefix8)"
        case .bad: "BAD: the signature does not fit"
        case .unknownKey: "by none of the given keys"
        case nil: "not checked"
        }
    }

    private func oddityLines(_ limit: Int?) -> [String] {
        let shown = min(oddities.count, limit ?? oddities.count)
        let rest = oddities.count - shown
        return oddities.prefix(shown).map(\.line) + (rest > 0 ? ["odd: … \(rest) more (--all)"] : [])
    }

    private var otherLines: [String] {
        switch payload {
        case .link: []
        case .statement(let statement): Self.objectLines("predicate", statement.predicate)
        case .layout(let object): Self.objectLines("layout", object)
        }
    }

    /// One line a member, as JSON; long values are cut.
    private static func objectLines(_ title: String, _ object: JSONObject) -> [String] {
        guard !object.isEmpty else { return ["\(title): none"] }
        return ["\(title):"]
            + object.members.map { "  \($0.name.escaped): \($0.value.line(limit: 200))" }
    }

    // MARK: For programs

    func json() throws -> JSONObject {
        var object: JSONObject = ["container": .string(Text(container)), "signaturesChecked": .bool(areChecked)]
        object["signatures"] = .array(
            signatures.map { check in
                ["keyid": .string(check.keyID.text), "outcome": .string(Text((check.outcome ?? .unknownKey).word))]
            })
        if link != nil { object["oddities"] = .array(oddities.map(\.json)) }
        object["payload"] = try payloadJSON()
        return object
    }

    private func payloadJSON() throws -> JSONValue {
        switch payload {
        case .link(let link): try JSONReader.read(JSONWriter.bytes(.compact) { link.write(to: &$0) })
        case .statement(let statement): try JSONReader.read(JSONWriter.bytes(.compact) { statement.write(to: &$0) })
        case .layout(let object): .object(object)
        }
    }
}

extension JSONValue {
    /// As JSON on one line, cut behind `limit` bytes. JSON escapes control characters and doubles backslashes itself;
    /// what else a terminal should not see becomes `\\x7F` or `\\u{202E}`, which JSON never writes.
    func line(limit: Int) -> String {
        // Written for reading: a number that canonical JSON refuses is fine here.
        let bytes = (try? JSONWriter.bytes(.compact) { $0.value(self) }) ?? []
        let cut = bytes.count > limit ? " … (\(bytes.count) bytes)" : ""
        let parts = bytes.prefix(limit).split(separator: UInt8(ascii: "\\"), omittingEmptySubsequences: false)
        return parts.map(escapedForTerminal).joined(separator: "\\") + cut
    }
}

extension SignatureCheck.Outcome {
    /// The outcome as JSON has it.
    var word: String {
        switch self {
        case .valid: "good"
        case .bad: "bad"
        case .unknownKey: "unknown-key"
        }
    }
}

extension DigestSet {
    /// Every digest, as `algorithm:value`.
    var summary: String {
        isEmpty
            ? "NO DIGEST" : entries.map { "\($0.algorithm.name.escaped):\($0.value.escaped)" }.joined(separator: " ")
    }

    var json: JSONValue {
        var object = JSONObject()
        for entry in entries { object[entry.algorithm.name] = .string(entry.value) }
        return .object(object)
    }
}
