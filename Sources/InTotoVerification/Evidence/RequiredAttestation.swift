public import InTotoMetadata

/// A statement that has to stand beside the links of a step.
///
/// Layouts of in-toto 1.0 speak of links only, so the verifier's user asks for the others: provenance of the build, the
/// result of the tests. The layout says who may make them and, through the step's link, about what.
public struct RequiredAttestation: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// In any version whose form is known.
        case known(KnownPredicate)
        /// Exactly this predicate type.
        case type(Text)
    }

    public let step: StepName
    public let kind: Kind

    public init(_ kind: Kind, of step: StepName) {
        self.step = step
        self.kind = kind
    }
}

extension RequiredAttestation: CustomStringConvertible {
    /// As the command line has it, safe to print.
    public var description: String {
        switch kind {
        case .known(let kind): "\(step)=\(kind.rawValue)"
        case .type(let type): "\(step)=\(type.escaped)"
        }
    }
}

extension RequiredAttestation {
    func isOf(type: Text) -> Bool {
        switch kind {
        case .known(let kind): KnownPredicate(type: type) == kind
        case .type(let wanted): type == wanted
        }
    }

    /// Why the predicate does not do, though it is of the type: it is not well formed, or says something against its
    /// subject. Of types whose form is not known, the predicate is not looked at.
    func refusal(of statement: Statement) -> RejectionReason? {
        guard let kind = KnownPredicate(type: statement.predicateType) else { return nil }
        do { try kind.check(statement.predicate, type: statement.predicateType) } catch { return .malformed(error) }
        return kind.objection(in: statement.predicate).map(RejectionReason.objection)
    }
}

/// What was found of a required attestation.
public struct AttestationReport: Sendable {
    public let requirement: RequiredAttestation
    /// Statements of the type, each with what it was good for.
    public internal(set) var evidence: [EvidenceFinding] = []
    public internal(set) var problem: VerificationProblem?

    public var counted: [EvidenceFinding] {
        evidence.filter { if case .counted = $0.standing { true } else { false } }
    }
}
