import ArgumentParser
import InTotoArtifacts
import InTotoMetadata

/// What a verification summary must say, beside being signed: `sign --check` asks for it. Spec: SLSA VSA v1, verifying.
struct SummaryExpectationOptions: ParsableArguments {
    @Option(
        name: .customLong("expect-subject"),
        help: ArgumentHelp("With --check: a verification summary must be about this file.", valueName: "ref"))
    var subject: String?

    @Option(
        name: .customLong("expect-resource"),
        help: ArgumentHelp("With --check: the resource that the summary must be about.", valueName: "uri"))
    var resourceURI: String?

    @Option(
        name: .customLong("expect-verifier"),
        help: ArgumentHelp("With --check: the verifier that must have made the summary.", valueName: "uri"))
    var verifierID: String?

    @Option(
        name: .customLong("expect-level"), parsing: .upToNextOption,
        help: ArgumentHelp("With --check: levels that the summary must have verified.", valueName: "level"))
    var levels: [String] = []

    var isEmpty: Bool { subject == nil && resourceURI == nil && verifierID == nil && levels.isEmpty }

    /// Whoever checks a part and believes the whole has checked nothing.
    func validate() throws {
        let options = [
            ("--expect-subject", subject == nil), ("--expect-resource", resourceURI == nil),
            ("--expect-verifier", verifierID == nil), ("--expect-level", levels.isEmpty),
        ]
        let missing = options.filter(\.1).map(\.0)
        guard !isEmpty, !missing.isEmpty else { return }
        throw ValidationError(
            "a verification summary is checked as to all of subject, resource, verifier and level: give "
                + missing.joined(separator: ", "))
    }

    /// What the summaries among these payloads lack; a summary must be there. `isAll`: the file holds nothing else, which
    /// may be a summary that others have signed.
    func refusals(of payloads: [Payload], isAll: Bool) throws -> [String] {
        guard !isEmpty else { return [] }
        let summaries = payloads.compactMap(\.summary)
        // One that names the subject by another digest is about it all the same.
        let used = Set(summaries.flatMap(\.subject).flatMap { $0.digest.entries.map(\.algorithm) })
        let algorithms = DigestList.offered.filter { $0 == .sha256 || used.contains($0) }
        var expectations = SummaryExpectations()
        expectations.subject = try subject.map { try Self.digests(of: $0, algorithms) }
        expectations.resourceURI = resourceURI.map { Text($0) }
        expectations.verifierID = verifierID.map { Text($0) }
        expectations.levels = levels.map { Text($0) }
        guard isAll || !summaries.isEmpty else { return ["no verification summary is signed by the given keys"] }
        do { return try expectations.refusals(of: summaries) } catch { return ["\(error)"] }
    }

    /// What was expected, on one line.
    var summary: String {
        let words = [
            subject.map { "about \(Text($0).escaped)" }, resourceURI.map { "resource \(Text($0).escaped)" },
            verifierID.map { "verifier \(Text($0).escaped)" },
            "level \(levels.map { Text($0).escaped }.joined(separator: ", "))",
        ]
        return words.compactMap(\.self).joined(separator: ", ")
    }

    private static func digests(of word: String, _ algorithms: [DigestAlgorithm]) throws -> DigestSet {
        var options = SnapshotOptions()
        options.digests = algorithms
        do {
            let found = try Snapshot.take(of: ArtifactOptions.references([word]), options: options).artifacts
            guard let artifact = found.first, found.count == 1 else {
                throw Failure("\(Text(word).escaped): is not one file", hint: "name the file that was verified")
            }
            return artifact.digests
        } catch let error as SnapshotError { throw Failure("\(error)", hint: error.hint) }
    }
}

extension Payload {
    /// The statement, where it is a verification summary.
    var summary: Statement? {
        guard case .statement(let statement) = self, statement.predicateType == VerificationSummary.type else {
            return nil
        }
        return statement
    }
}
