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

    /// What the summaries among these payloads lack; a summary must be there.
    func refusals(of payloads: [Payload]) throws -> [String] {
        guard !isEmpty else { return [] }
        var expectations = SummaryExpectations()
        expectations.subject = try subject.map(Self.digest)
        expectations.resourceURI = resourceURI.map { Text($0) }
        expectations.verifierID = verifierID.map { Text($0) }
        expectations.levels = levels.map { Text($0) }
        var refusals: [String] = ["there is no verification summary"]
        for case .statement(let statement) in payloads where statement.predicateType == VerificationSummary.type {
            do { refusals = try expectations.refusals(of: statement) } catch { refusals = ["\(error)"] }
            if refusals.isEmpty { return [] }
        }
        return refusals
    }

    private static func digest(_ word: String) throws -> DigestSet {
        do {
            let found = try Snapshot.take(of: ArtifactOptions.references([word])).artifacts
            guard let artifact = found.first, found.count == 1 else {
                throw Failure("\(Text(word).escaped): is not one file", hint: "name the file that was verified")
            }
            return artifact.digests
        } catch let error as SnapshotError { throw Failure("\(error)", hint: error.hint) }
    }
}
