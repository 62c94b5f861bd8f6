/// What a verifier came to, for those who trust it and do not want to verify again. Spec: SLSA Verification Summary
/// Attestation, v1.
public struct VerificationSummary: Hashable, Sendable {
    /// A raw value is what metadata has.
    public enum Result: String, Sendable {
        case passed = "PASSED"
        case failed = "FAILED"
    }

    public var verifierID: Text
    /// Tools and their versions.
    public var verifierVersion: [Text: Text] = [:]
    public var timeVerified: UTCTime?
    /// Where the consumer gets the artifact.
    public var resourceURI: Text
    public var policy: ResourceDescriptor
    /// Everything that the verdict rests on.
    public var inputAttestations: [ResourceDescriptor] = []
    public var result: Result
    /// The highest level of each track, and other properties.
    public var verifiedLevels: [Text]

    public init(
        verifierID: Text, resourceURI: Text, policy: ResourceDescriptor, result: Result, verifiedLevels: [Text]
    ) {
        self.verifierID = verifierID
        self.resourceURI = resourceURI
        self.policy = policy
        self.result = result
        self.verifiedLevels = verifiedLevels
    }
}

extension VerificationSummary {
    public static let type: Text = "https://slsa.dev/verification_summary/v1"

    /// What stands in the place of levels where the result is FAILED.
    public static let failedLevel: Text = "FAILED"

    /// A statement about `subject`, each of which has a digest.
    public func statement(about subject: [ResourceDescriptor]) -> Statement {
        var predicate: JSONObject = [
            "inputAttestations": .array(inputAttestations.map(\.json)), "policy": policy.json,
            "resourceUri": .string(resourceURI), "slsaVersion": "1.1",
            "verificationResult": .string(Text(result.rawValue)),
            "verifiedLevels": .array(verifiedLevels.map { .string($0) }),
        ]
        if let timeVerified { predicate["timeVerified"] = .string(Text(timeVerified.description)) }
        var verifier: JSONObject = ["id": .string(verifierID)]
        if !verifierVersion.isEmpty {
            var versions = JSONObject()
            for (tool, version) in verifierVersion.sorted(by: { $0.key < $1.key }) { versions[tool] = .string(version) }
            verifier["version"] = .object(versions)
        }
        predicate["verifier"] = .object(verifier)
        return Statement(subject: subject, predicateType: Self.type, predicate: predicate)
    }

    /// Reads the predicate; members that we do not know are ignored, as the specification asks.
    public init(_ statement: Statement) throws(MetadataError) {
        guard statement.predicateType == Self.type else {
            throw .badValue("predicateType", in: "the statement", reason: "is not '\(Self.type)'")
        }
        let members = MemberReader(statement.predicate, "the verification summary")
        let verifier = MemberReader(try members.object("verifier"), "'verifier' of the verification summary")
        guard let result = Result(rawValue: try members.text("verificationResult").description) else {
            throw .badValue("verificationResult", in: members.place, reason: "is neither PASSED nor FAILED")
        }
        self.init(
            verifierID: try verifier.text("id"), resourceURI: try members.text("resourceUri"),
            policy: try ResourceDescriptor(json: try members.value("policy"), place: "'policy' of \(members.place)"),
            result: result, verifiedLevels: try members.texts("verifiedLevels"))
        if let text = try members.optionalText("timeVerified") { timeVerified = UTCTime(text) }
        if members.object["inputAttestations"] != nil {
            inputAttestations = try members.values("inputAttestations") { json, place throws(MetadataError) in
                try ResourceDescriptor(json: json, place: place)
            }
        }
    }
}

/// What a consumer demands of a verification summary, beside its signature. Spec: SLSA, "Verifying artifacts", VSA.
public struct SummaryExpectations: Sendable {
    public var subject: DigestSet?
    public var verifierID: Text?
    public var resourceURI: Text?
    public var levels: [Text] = []

    public init() {}

    /// Everything that does not fit, in words; the result must be PASSED in any case.
    ///
    /// Every summary that is about the subject and the resource, by the verifier, has to fit: a pass hides no failure; nor
    /// does it where nobody can tell what the failure is about.
    public func refusals(of statements: [Statement]) throws(MetadataError) -> [String] {
        var isMet = false
        var others: [String] = []
        for statement in statements {
            let summary = try VerificationSummary(statement)
            let subject = comparison(with: statement.subject, of: summary.result)
            let mismatches = mismatches(summary, subject)
            let shortcomings = shortcomings(summary)
            if mismatches.isEmpty && !shortcomings.isEmpty {
                return (subject == .same ? [] : [Self.unknownSubject]) + shortcomings
            }
            isMet = isMet || (mismatches.isEmpty && subject == .same)
            if others.isEmpty {
                others = mismatches + (subject == .incomparable ? [Self.unknownSubject] : []) + shortcomings
            }
        }
        if isMet { return [] }
        return others.isEmpty ? ["there is no verification summary"] : others
    }

    private static let unknownSubject =
        "whether it is about this artifact cannot be told: a subject has no digest that can be compared with the artifact's"

    /// Same where one of the subjects is the artifact, different where none can be. A failure is about whatever it has
    /// one right digest of: a wrong one beside it, which no pass may have, hides it from nobody.
    private func comparison(
        with subjects: [ResourceDescriptor], of result: VerificationSummary.Result
    ) -> DigestSet.Comparison {
        guard let subject else { return .same }
        if result == .failed, subjects.contains(where: { $0.digest.shares(with: subject) }) { return .same }
        let comparisons = subjects.map { $0.digest.compare(with: subject) }
        if comparisons.contains(.same) { return .same }
        return comparisons.contains(.incomparable) ? .incomparable : .different
    }

    /// Why it is about something else, or by somebody else.
    private func mismatches(_ summary: VerificationSummary, _ subject: DigestSet.Comparison) -> [String] {
        var mismatches: [String] = []
        if subject == .different { mismatches.append("it is not about this artifact: no subject has its digest") }
        if let verifierID, summary.verifierID != verifierID {
            mismatches.append("the verifier is '\(summary.verifierID.escaped)', not '\(verifierID.escaped)'")
        }
        if let resourceURI, summary.resourceURI != resourceURI {
            mismatches.append("the resource is '\(summary.resourceURI.escaped)', not '\(resourceURI.escaped)'")
        }
        return mismatches
    }

    private func shortcomings(_ summary: VerificationSummary) -> [String] {
        var shortcomings: [String] = []
        if summary.result != .passed { shortcomings.append("the result is \(summary.result.rawValue), not PASSED") }
        if summary.result == .passed, summary.verifiedLevels.contains(VerificationSummary.failedLevel) {
            shortcomings.append("the result is PASSED, and FAILED is among the levels")
        }
        for level in levels where !summary.hasLevel(level) {
            shortcomings.append("'\(level.escaped)' is not among the verified levels")
        }
        return shortcomings
    }
}

extension VerificationSummary {
    /// Whether the level, or a higher one of the same track, is verified.
    fileprivate func hasLevel(_ wanted: Text) -> Bool {
        if verifiedLevels.contains(wanted) { return true }
        guard let (track, number) = Self.trackAndNumber(wanted) else { return false }
        return verifiedLevels.compactMap(Self.trackAndNumber).contains { $0.track == track && $0.number >= number }
    }

    /// `SLSA_<TRACK>_LEVEL_<N>` taken apart; a number has its plain digits only, no sign and no zeros before them.
    private static func trackAndNumber(_ level: Text) -> (track: ArraySlice<UInt8>, number: Int)? {
        guard level.utf8.starts(with: "SLSA_".utf8), let last = level.utf8.lastIndex(of: UInt8(ascii: "_")),
            let number = Int(String(decoding: level.utf8[(last + 1)...], as: UTF8.self)),
            level.utf8[(last + 1)...].elementsEqual("\(number)".utf8), number >= 0,
            level.utf8[..<last].suffix(6).elementsEqual("_LEVEL".utf8)
        else { return nil }
        return (level.utf8[..<last], number)
    }
}

extension ResourceDescriptor {
    var json: JSONValue {
        var object = JSONObject()
        if let name { object["name"] = .string(name) }
        if let uri { object["uri"] = .string(uri) }
        var digests = JSONObject()
        for entry in digest.entries { digests[entry.algorithm.name] = .string(entry.value) }
        if !digests.isEmpty { object["digest"] = .object(digests) }
        return .object(object)
    }
}
