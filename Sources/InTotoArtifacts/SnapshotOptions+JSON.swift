package import InTotoMetadata
internal import SystemPackage

/// What of the options decides which artifacts there are and what they are called, for a step that is completed later.
extension SnapshotOptions {
    package var json: JSONObject {
        [
            "allow-missing": .bool(allowsMissing),
            "base": JSONValue(bytes: base.bytes),
            "digests": .array(digests.map { .string($0.name) }),
            "exclusions": .array(
                exclusions.patterns.map {
                    ["line": JSONValue(bytes: $0.source), "only": .string(Text($0.condition.rawValue))]
                }),
            "git-trust-owner": .bool(git.trustsOwner),
            "line-endings": .string(lineEndings == .normalized ? "normalized" : "verbatim"),
            "strip-prefixes": .array(stripPrefixes.map(JSONValue.init(bytes:))),
            "symlinks": .string(Text(symlinks.rawValue)),
        ]
    }

    /// Nil where `json` is not what this version writes.
    package init?(json: JSONObject) {
        self.init()
        guard json.members.count == 8, case .bool(let allowsMissing)? = json["allow-missing"],
            case .bool(let trustsOwner)? = json["git-trust-owner"],
            let base = json["base"]?.bytes, let digests = json["digests"]?.texts,
            case .array(let lines)? = json["exclusions"], case .array(let prefixes)? = json["strip-prefixes"],
            case .string(let endings)? = json["line-endings"], endings == "normalized" || endings == "verbatim",
            case .string(let policy)? = json["symlinks"], let symlinks = SymlinkPolicy(rawValue: policy.description)
        else { return nil }
        let stripPrefixes = prefixes.compactMap(\.bytes)
        let patterns = lines.compactMap(ExclusionPattern.init(json:))
        guard stripPrefixes.count == prefixes.count, patterns.count == lines.count else { return nil }
        self.allowsMissing = allowsMissing
        self.base = FilePath(platformString: base.map { CChar(bitPattern: $0) } + [0])
        self.digests = digests.map { DigestAlgorithm($0) }
        self.exclusions = ExclusionPatterns(patterns: patterns)
        self.stripPrefixes = stripPrefixes
        git.trustsOwner = trustsOwner
        self.symlinks = symlinks
        lineEndings = endings == "normalized" ? .normalized : .verbatim
    }
}

extension FilePath {
    var bytes: [UInt8] {
        withPlatformString { Array(UnsafeBufferPointer(start: $0, count: length)) }.map { UInt8(bitPattern: $0) }
    }
}

extension ExclusionPattern {
    fileprivate init?(json: JSONValue) {
        guard case .object(let object) = json, let line = object["line"]?.bytes,
            case .string(let word)? = object["only"], let condition = FileCondition(rawValue: word.description)
        else { return nil }
        self.init(line: line, only: condition)
    }
}

extension JSONValue {
    /// Nil where this is no array of strings.
    fileprivate var texts: [Text]? {
        guard case .array(let elements) = self else { return nil }
        let texts = elements.compactMap { element -> Text? in
            if case .string(let text) = element { text } else { nil }
        }
        return texts.count == elements.count ? texts : nil
    }
}
