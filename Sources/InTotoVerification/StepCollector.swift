internal import InTotoCrypto
internal import InTotoMetadata

/// Finds and judges the evidence of each step of one layout. Spec: in-toto v1.0, 5.2, step 4.
struct StepCollector {
    private let layout: Layout
    private let functionaries: Functionaries
    private let pool: EvidencePool
    private let request: VerificationRequest
    private let budget: SignatureBudget
    private var bundled: [Text: [(Authenticated<Payload>, FoundEvidence)]] = [:]
    private(set) var otherEvidence: [EvidenceFinding] = []
    private(set) var otherStatements = 0
    /// Those of types that are required.
    private(set) var requiredStatements: [SignedStatement] = []

    init(
        _ layout: Layout, _ functionaries: Functionaries, _ pool: EvidencePool, _ request: VerificationRequest,
        _ budget: SignatureBudget
    ) {
        self.layout = layout
        self.functionaries = functionaries
        self.pool = pool
        self.request = request
        self.budget = budget
    }

    /// Gives each link in bundles and named files to the step that it says it is of; what else stands there is passed
    /// over, as bundles ask for, and counted.
    mutating func sortBundles() throws(CryptoError) {
        let steps = Set(layout.steps.map(\.name.text))
        for found in try pool.bundled() {
            let authenticated: Authenticated<Payload>
            do throws(RejectionReason) { authenticated = try authenticate(found) } catch {
                otherEvidence.append(EvidenceFinding(reference: found.reference, standing: .rejected(error)))
                continue
            }
            guard let link = try? authenticated.payload.link() else {
                reportOther(authenticated, found)
                continue
            }
            guard steps.contains(link.name.text) else {
                otherEvidence.append(
                    EvidenceFinding(reference: found.reference, standing: .rejected(.otherStep(link.name.text))))
                continue
            }
            bundled[link.name.text, default: []].append((authenticated, found))
        }
    }

    private func authenticate(_ found: FoundEvidence) throws(RejectionReason) -> Authenticated<Payload> {
        let metadata = try found.content.get()
        let keys = functionaries.possibleSigners(of: metadata.signatures).map(\.key)
        guard budget.allows(metadata, size: found.size, keys) else { throw .tooManySignatures }
        do { return try metadata.authenticated(by: keys) } catch {
            if case .metadata(let error) = error { throw .malformed(error) }
            throw .notSigned(error)
        }
    }

    private mutating func reportOther(_ authenticated: Authenticated<Payload>, _ found: FoundEvidence) {
        let reason: RejectionReason
        switch authenticated.payload {
        case .statement(let statement) where statement.predicateType != LinkPredicate.type:
            otherStatements += 1
            if request.policy.attestations.contains(where: { $0.isOf(type: statement.predicateType) }) {
                requiredStatements.append(
                    SignedStatement(
                        statement: statement, signers: authenticated.signedBy, reference: found.reference))
            }
            return
        case .layout: reason = .sublayoutInBundle
        case .link, .statement:
            do throws(MetadataError) {
                _ = try authenticated.payload.link()
                return
            } catch { reason = .malformed(error) }
        }
        otherEvidence.append(EvidenceFinding(reference: found.reference, standing: .rejected(reason)))
    }

    /// Everything that counts for the step, and the report of what does not.
    func collect(_ step: Step) throws(CryptoError) -> (StepReport, [AcceptedEvidence]) {
        let judge = EvidenceJudge(functionaries, step, at: request.now, request.policy.names, budget)
        var report = StepReport(step: step, listed: judge.listed)
        guard step.threshold <= judge.listed.count || !step.certificateConstraints.isEmpty else {
            report.problems.append(.impossibleThreshold(step, keys: judge.listed.count))
            return (report, [])
        }
        guard let links = try pool.links(of: step.name) else {
            report.problems.append(.tooManyLinks(step.name, limit: EvidencePool.fileLimit))
            return (report, [])
        }
        var results: [(EvidenceReference, Result<AcceptedEvidence, RejectionReason>)] = []
        for found in links { results.append((found.reference, try judge.judge(found))) }
        for (authenticated, found) in bundled[step.name.text] ?? [] {
            results.append((found.reference, judge.judge(authenticated, found)))
        }
        let accepted = results.compactMap { try? $0.1.get() }
        let counted = Self.count(accepted)
        report.evidence = results.map { reference, result in
            switch result {
            case .failure(let reason): EvidenceFinding(reference: reference, standing: .rejected(reason))
            case .success(let evidence):
                EvidenceFinding(
                    reference: reference,
                    standing: counted[reference].map(EvidenceFinding.Standing.counted)
                        ?? .additional(evidence.signers[0]))
            }
        }
        if counted.count < step.threshold {
            let rejected = report.evidence.filter { if case .rejected = $0.standing { true } else { false } }
            report.problems.append(.thresholdNotMet(step, counted: counted.count, rejected: rejected))
            return (report, [])
        }
        return (report, accepted)
    }

    /// Whom each piece counts for: every functionary, that is every key, once, and every piece for one of its signers.
    /// Those with one signer choose first.
    private static func count(_ accepted: [AcceptedEvidence]) -> [EvidenceReference: Functionary] {
        var counted: [EvidenceReference: Functionary] = [:]
        var taken: Set<Functionary> = []
        let order = accepted.filter { $0.signers.count == 1 } + accepted.filter { $0.signers.count > 1 }
        for evidence in order {
            guard let signer = evidence.signers.first(where: { !taken.contains($0) }) else { continue }
            taken.insert(signer)
            counted[evidence.reference] = signer
        }
        return counted
    }
}
