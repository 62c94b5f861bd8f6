internal import InTotoCrypto
internal import InTotoMetadata

/// A statement that functionaries of the layout have signed, and that is no link.
struct SignedStatement {
    let statement: Statement
    let signers: [PublicKey]
    let reference: EvidenceReference
}

/// Decides which statements beside a step's links count: signed by one of the step's functionaries, about nothing but
/// the step's artifacts and about something that it made, and saying nothing against it. One that does say something
/// against it, or against what has its name and cannot be compared with it, decides, whatever stands beside it.
struct AttestationJudge {
    let functionaries: Functionaries
    let statements: [SignedStatement]
    /// What stands in bundles and is not believed: one of these may be what is missing.
    let unbelieved: [EvidenceFinding]

    /// `record` is what the step's links say, once its rules hold; nil for a step that the layout does not have.
    func report(on requirement: RequiredAttestation, _ step: Step?, _ record: ArtifactRecord?) -> AttestationReport {
        var report = AttestationReport(requirement: requirement)
        guard let step, let record else {
            report.problem = .attestation(requirement, .noSuchStep)
            return report
        }
        let listed = Set(functionaries.listed(for: step).map(\.key))
        let artifacts = StepContents(record)
        var objections: [EvidenceFinding] = []
        for candidate in statements where requirement.isOf(type: candidate.statement.predicateType) {
            let signers = candidate.signers.filter(listed.contains)
            guard let signer = signers.first else {
                let reason = RejectionReason.unlisted(candidate.signers.map(functionaries.functionary))
                report.evidence.append(EvidenceFinding(reference: candidate.reference, standing: .rejected(reason)))
                continue
            }
            let objection = requirement.refusal(of: candidate.statement)
            let refusal = artifacts.refusal(of: candidate.statement.subject) ?? objection
            let finding = EvidenceFinding(
                reference: candidate.reference,
                standing: refusal.map(EvidenceFinding.Standing.rejected) ?? .counted(functionaries.functionary(signer)))
            report.evidence.append(finding)
            guard let objection, let reason = artifacts.aimed(objection, at: candidate.statement.subject) else {
                continue
            }
            objections.append(EvidenceFinding(reference: candidate.reference, standing: .rejected(reason)))
        }
        if !objections.isEmpty {
            report.problem = .attestation(requirement, .contradicted(objections))
        } else if report.counted.isEmpty {
            report.problem = .attestation(requirement, .missing(report.evidence.isEmpty ? unbelieved : report.evidence))
        }
        return report
    }
}

/// The contents of a step's artifacts by their digests, whatever their names: subjects are matched by digest alone.
/// Spec: in-toto attestation v1, Statement, processing model.
private struct StepContents {
    private let record: ArtifactRecord
    private var all = DigestIndex()
    /// What tells this run from others: products that are not just what was there before, and commits. Of a step that makes
    /// nothing, such as a test or a review, everything.
    private var made = DigestIndex()
    private var makesNothing = false

    init(_ record: ArtifactRecord) {
        self.record = record
        let (materials, products) = (record.materials.set, record.products.set)
        for artifact in materials { all.insert(artifact.digests) }
        for artifact in products {
            all.insert(artifact.digests)
            if !Self.isUnchanged(artifact.name, artifact.digests, since: materials) { made.insert(artifact.digests) }
        }
        if made.isEmpty {
            made = all
            makesNothing = true
        }
    }

    private static func isUnchanged(_ name: ArtifactName, _ digests: DigestSet, since materials: ArtifactSet) -> Bool {
        materials[name].map { $0.compare(with: digests) == .same } ?? false
    }

    /// The objection where it is against something that the step made, or may be; nil where it is against something else.
    func aimed(_ objection: RejectionReason, at subjects: [ResourceDescriptor]) -> RejectionReason? {
        let isAimed = subjects.contains { made.shares($0.digest) || all.shares($0.digest, .gitCommit) }
        if isAimed { return objection }
        let unclear = subjects.first(where: mayBeMade)
        return unclear.map { .unclearObjection("\(objection)", about: $0.name ?? $0.uri ?? "") }
    }

    private func mayBeMade(_ subject: ResourceDescriptor) -> Bool {
        guard !makesNothing else { return isIncomparable(subject) }
        guard let name = Self.name(of: subject), let product = record.products.set[name] else { return false }
        return product.compare(with: subject.digest) == .incomparable
            && !Self.isUnchanged(name, product, since: record.materials.set)
    }

    /// Whether the step has an artifact of this name, by whose digests nobody can tell whether it is the subject.
    private func isIncomparable(_ subject: ResourceDescriptor) -> Bool {
        guard let name = Self.name(of: subject) else { return false }
        let named = [record.materials.set[name], record.products.set[name]].compactMap(\.self)
        return named.contains { $0.compare(with: subject.digest) == .incomparable }
    }

    /// As rules see it.
    private static func name(of subject: ResourceDescriptor) -> ArtifactName? {
        (subject.name ?? subject.uri).map { ArtifactName(Text(repairing: LexicalPath.normalized($0.utf8[...]))) }
    }

    private func isMade(oneOf subjects: [ResourceDescriptor]) -> Bool {
        subjects.contains { made.contains($0.digest) || all.contains($0.digest, .gitCommit) }
    }

    func refusal(of subjects: [ResourceDescriptor]) -> RejectionReason? {
        for subject in subjects where !all.contains(subject.digest) {
            let name = subject.name ?? subject.uri ?? ""
            return isIncomparable(subject) ? .incomparableSubject(name) : .foreignSubject(name)
        }
        return isMade(oneOf: subjects) ? nil : .nothingMade
    }
}

/// Artifacts by each of their strong digests; others say nothing of a content.
private struct DigestIndex {
    private struct Key: Hashable {
        let algorithm: DigestAlgorithm
        let value: Text

        init(_ entry: DigestSet.Entry) {
            algorithm = entry.algorithm
            value = entry.value.asciiLowercased
        }
    }

    private(set) var isEmpty = true
    private var artifacts: [Key: [DigestSet]] = [:]

    /// Most different digest sets that are kept of one digest: one content has one of each algorithm. What stands in
    /// further ones is not found, and a statement about it does not count.
    private static let limit = 64

    mutating func insert(_ set: DigestSet) {
        isEmpty = false
        for entry in set.entries where entry.isStrong {
            let kept = artifacts[Key(entry), default: []]
            if kept.count < Self.limit, !kept.contains(set) { artifacts[Key(entry), default: []].append(set) }
        }
    }

    /// Whether one artifact has these digests, as far as it has them; `algorithm`: that one among them.
    func contains(_ wanted: DigestSet, _ algorithm: DigestAlgorithm? = nil) -> Bool {
        keys(wanted, algorithm).contains { key in
            artifacts[key]?.contains { $0.compare(with: wanted) == .same } ?? false
        }
    }

    /// Whether any of the digests is an artifact's, whatever the others are: nobody answers an objection by giving the
    /// artifact another digest that is wrong.
    func shares(_ wanted: DigestSet, _ algorithm: DigestAlgorithm? = nil) -> Bool {
        keys(wanted, algorithm).contains { artifacts[$0] != nil }
    }

    private func keys(_ wanted: DigestSet, _ algorithm: DigestAlgorithm?) -> [Key] {
        wanted.entries.filter { $0.isStrong && (algorithm == nil || $0.algorithm == algorithm) }.map(Key.init)
    }
}
