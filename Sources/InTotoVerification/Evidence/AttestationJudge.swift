internal import InTotoCrypto
internal import InTotoMetadata

/// A statement that functionaries of the layout have signed, and that is no link.
struct SignedStatement {
    let statement: Statement
    let signers: [PublicKey]
    let reference: EvidenceReference
}

/// Decides which statements beside a step's links count: signed by one of the step's functionaries, about nothing but
/// the step's artifacts, and saying nothing against them.
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
        let artifacts = DigestIndex(record)
        for candidate in statements where requirement.isOf(type: candidate.statement.predicateType) {
            let signers = candidate.signers.filter(listed.contains)
            let standing: EvidenceFinding.Standing
            if let signer = signers.first {
                standing =
                    refusal(of: candidate.statement, requirement, artifacts).map(EvidenceFinding.Standing.rejected)
                    ?? .counted(functionaries.functionary(signer))
            } else {
                standing = .rejected(.unlisted(candidate.signers.map(functionaries.functionary)))
            }
            report.evidence.append(EvidenceFinding(reference: candidate.reference, standing: standing))
        }
        if report.counted.isEmpty {
            report.problem = .attestation(requirement, .missing(report.evidence.isEmpty ? unbelieved : report.evidence))
        }
        return report
    }

    private func refusal(
        of statement: Statement, _ requirement: RequiredAttestation, _ artifacts: DigestIndex
    ) -> RejectionReason? {
        for subject in statement.subject where !artifacts.contains(subject.digest) {
            return .foreignSubject(subject.name ?? subject.uri ?? "")
        }
        return requirement.refusal(of: statement)
    }
}

/// The contents of a step's artifacts by their digests, whatever their names: subjects are matched by digest alone.
/// Spec: in-toto attestation v1, Statement, processing model.
private struct DigestIndex {
    private var digests: [Text: DigestSet] = [:]

    init(_ record: ArtifactRecord) {
        for kind in ArtifactKind.allCases {
            for artifact in record[kind].set {
                for entry in artifact.digests.entries { digests[entry.value.asciiLowercased] = artifact.digests }
            }
        }
    }

    func contains(_ wanted: DigestSet) -> Bool {
        wanted.entries.contains { entry in
            digests[entry.value.asciiLowercased].map { $0.compare(with: wanted) == .same } ?? false
        }
    }
}
