/// Why a JSON document is not the metadata that it should be.
public enum MetadataError: Error, Hashable {
    case json(JSONError)
    /// The file is well formed; what stands in its envelope is not.
    case payloadJSON(JSONError)
    case missingMember(Text, in: String)
    /// `near`: a known member that may have been meant.
    case unknownMember(Text, in: String, near: Text?)
    case notAnObject(String, found: String)
    case wrongType(Text, in: String, expected: String, found: String)
    case badValue(Text, in: String, reason: String)
    case badRule([Text], in: String, reason: String)
    case emptySubject
    case duplicateName(ArtifactName, in: String)
    case badStepName(StepNameError)
    case unknownContainer
    case bothContainers
    case notEvidence(type: Text)
    /// A draft that gives layouts another meaning; the member that says so.
    case newStyleLayout(Text)
}

extension MetadataError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .json(let error): "not valid JSON: \(error)"
        case .payloadJSON(let error): "the payload is not valid JSON: \(error)"
        case .missingMember(let name, let place): "\(place) has no member '\(name.escaped)'"
        case .unknownMember(let name, let place, _): "\(place) has an unknown member '\(name.escaped)'"
        case .notAnObject(let place, let found): "\(place) must be an object, not \(found)"
        case .wrongType(let name, let place, let expected, let found):
            "member '\(name.escaped)' of \(place) must be \(expected), not \(found)"
        case .badValue(let name, let place, let reason): "member '\(name.escaped)' of \(place) \(reason)"
        case .badRule(let words, let place, let reason):
            "'\(Self.shortened(words))', \(place), is no rule: \(reason)"
        case .emptySubject: "the statement has no subject"
        case .duplicateName(let name, let place): "\(place) names '\(name)' twice"
        case .badStepName(let error): error.description
        case .unknownContainer: "neither a DSSE envelope ('payload') nor classic metadata ('signed')"
        case .bothContainers: "both a DSSE envelope ('payload') and classic metadata ('signed')"
        case .notEvidence(let type): "unknown kind of metadata '\(type.escaped)'"
        case .newStyleLayout(let member):
            "a layout as the drafts ITE-10 and ITE-11 have it ('\(member.escaped)'): these are not read, "
                + "only layouts of in-toto 1.0"
        }
    }

    /// What to do about it, where that is plain.
    package var hint: String? {
        guard case .unknownMember(_, _, let near?) = self else { return nil }
        return "did you mean '\(near.escaped)'?"
    }

    /// Words and bytes of a word that are shown of what is no rule.
    private static let shownLength = 100

    private static func shortened(_ words: [Text]) -> String {
        let shown = words.prefix(shownLength).map { word in
            word.utf8.count > shownLength ? escapedForTerminal(word.utf8.prefix(shownLength)) + "…" : word.escaped
        }
        return shown.joined(separator: " ") + (words.count > shownLength ? " …" : "")
    }
}

/// Reads the members of one object; `place` is how messages call it.
struct MemberReader {
    let object: JSONObject
    let place: String

    init(_ value: JSONValue, _ place: String) throws(MetadataError) {
        guard case .object(let object) = value else {
            throw .notAnObject(place, found: value.kind)
        }
        self.init(object, place)
    }

    init(_ object: JSONObject, _ place: String) {
        self.object = object
        self.place = place
    }

    func refuseOthers(than known: [Text]) throws(MetadataError) {
        for member in object.members where !known.contains(member.name) {
            throw .unknownMember(member.name, in: place, near: known.nearest(to: member.name))
        }
    }

    /// What stands beside the members that we know.
    func others(than known: [Text]) -> JSONObject {
        JSONObject(distinct: object.members.filter { !known.contains($0.name) })
    }

    func value(_ name: Text) throws(MetadataError) -> JSONValue {
        guard let value = object[name] else { throw .missingMember(name, in: place) }
        return value
    }

    func text(_ name: Text) throws(MetadataError) -> Text {
        let value = try value(name)
        guard case .string(let text) = value else { throw wrong(name, "a string", value) }
        return text
    }

    func optionalText(_ name: Text) throws(MetadataError) -> Text? {
        guard object[name] != nil else { return nil }
        return try text(name)
    }

    func object(_ name: Text) throws(MetadataError) -> JSONObject {
        let value = try value(name)
        guard case .object(let object) = value else { throw wrong(name, "an object", value) }
        return object
    }

    func optionalObject(_ name: Text) throws(MetadataError) -> JSONObject? {
        guard object[name] != nil else { return nil }
        return try object(name)
    }

    func array(_ name: Text) throws(MetadataError) -> [JSONValue] {
        let value = try value(name)
        guard case .array(let elements) = value else { throw wrong(name, "an array", value) }
        return elements
    }

    func texts(_ name: Text) throws(MetadataError) -> [Text] {
        var texts: [Text] = []
        for element in try array(name) {
            guard case .string(let text) = element else { throw wrong(name, "an array of strings", element) }
            texts.append(text)
        }
        return texts
    }

    private func wrong(_ name: Text, _ expected: String, _ found: JSONValue) -> MetadataError {
        .wrongType(name, in: place, expected: expected, found: found.kind)
    }
}
