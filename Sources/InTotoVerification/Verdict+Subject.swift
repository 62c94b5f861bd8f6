public import InTotoMetadata

/// A file that a summary of the verdict is to be about, as it is here.
public struct SummarySubject: Hashable, Sendable {
    public let name: ArtifactName
    /// Nil where it could not be read, for that reason.
    public let digests: DigestSet?
    public let reason: String

    public init(name: ArtifactName, digests: DigestSet) {
        self.name = name
        self.digests = digests
        reason = ""
    }

    public init(name: ArtifactName, unreadable reason: String) {
        self.name = name
        digests = nil
        self.reason = reason
    }
}

extension Verdict {
    /// Fails a verdict that was passed where one of the files that it is to be said of is not what was verified.
    public mutating func require(_ subjects: [SummarySubject]) {
        guard outcome == .passed else { return }
        subjectProblems = subjects.compactMap { subject -> VerificationProblem? in
            guard let digests = subject.digests else { return .subject(subject.name, subject.reason) }
            return objection(to: subject.name, digests).map { .subject(subject.name, $0) }
        }
        if !subjectProblems.isEmpty { outcome = .failed }
    }

    /// A product of the last step under its own name is that product; another file is one of the products under another
    /// name, or what one of the layout's own inspections has matched with a step's artifacts.
    private func objection(to name: ArtifactName, _ digests: DigestSet) -> String? {
        let products = products ?? ArtifactSet()
        if let delivered = products[name] {
            return delivered.compare(with: digests) == .same
                ? nil : "is not what the last step delivered: here \(digests), delivered \(delivered)"
        }
        let isDelivered = products.contains { $0.digests.compare(with: digests) == .same }
        let steps = Set((layout.layout?.steps ?? []).map(\.name.text))
        guard !isDelivered, !inspections.contains(where: { $0.matched(digests, withOneOf: steps) }) else { return nil }
        return "(\(digests)) is no product of the last step, and no inspection has matched it with any step's artifacts"
    }

    /// The algorithms of the digests that files can be compared with.
    public var digestAlgorithms: [DigestAlgorithm] {
        let links = inspections.compactMap(\.link)
        let all =
            (products?.usedAlgorithms ?? [])
            + links.flatMap { $0.materials.usedAlgorithms + $0.products.usedAlgorithms }
        return Set(all).sorted()
    }
}

extension InspectionReport {
    /// A MATCH with another inspection compares what is here with what is here.
    fileprivate func matched(_ digests: DigestSet, withOneOf steps: Set<Text>) -> Bool {
        guard sublayoutPath.isEmpty else { return false }
        return [materials, products].compactMap { $0 }.flatMap(\.entries).contains { entry in
            guard case .match(let match) = entry.rule, steps.contains(match.step) else { return false }
            return entry.consumed.positions.contains {
                entry.consumed.artifacts.set[$0].digests.compare(with: digests) == .same
            }
        }
    }
}
