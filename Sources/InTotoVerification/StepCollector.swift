internal import InTotoCrypto
internal import InTotoMetadata
internal import SystemPackage

/// Finds and judges the evidence of each step of one layout. Spec: in-toto v1.0, 5.2, step 4.
struct StepCollector {
    private let layout: Layout
    private let functionaries: Functionaries
    private let pool: EvidencePool
    private let request: VerificationRequest
    private let budget: SignatureBudget
    private var bundled: [Text: [JudgedEvidence]] = [:]
    private typealias JudgedEvidence = (reference: EvidenceReference, result: Result<AcceptedEvidence, RejectionReason>)
    private(set) var otherEvidence = OtherEvidence()
    private(set) var otherStatements = 0
    /// Those of types that are required.
    private(set) var requiredStatements: [SignedStatement] = []
    /// Bundles and named files in which something is signed by functionaries of the layout.
    private(set) var signedFiles: Set<FilePath> = []

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
        var judges: [Text: EvidenceJudge] = [:]
        for step in layout.steps { judges[step.name.text] = judge(of: step) }
        let pool = pool
        try pool.visitBundled(besidesLinksOf: layout.steps.map(\.name)) { (found) throws(CryptoError) in
            try sort(found, judges)
        }
    }

    /// What is kept is what counts: bundles may hold far more.
    private mutating func sort(_ found: FoundEvidence, _ judges: [Text: EvidenceJudge]) throws(CryptoError) {
        let authenticated: Authenticated<Payload>
        do throws(RejectionReason) { authenticated = try authenticate(found) } catch {
            otherEvidence.append(found.reference, error)
            return
        }
        signedFiles.insert(found.file)
        guard let link = try? authenticated.payload.link() else {
            reportOther(authenticated, found)
            return
        }
        guard let judge = judges[link.name.text] else {
            otherEvidence.append(found.reference, .otherStep(link.name.text))
            return
        }
        bundled[link.name.text, default: []].append((found.reference, try judge.judge(authenticated, found)))
    }

    private func judge(of step: Step) -> EvidenceJudge {
        EvidenceJudge(functionaries, step, at: request.now, request.policy, budget)
    }

    private func authenticate(_ found: FoundEvidence) throws(RejectionReason) -> Authenticated<Payload> {
        let metadata = try found.content.get()
        let named = functionaries.possibleSigners(of: metadata.signatures).map(\.key)
        guard budget.allows(metadata, size: found.size, named) else { throw .tooManySignatures }
        if let authenticated = try? metadata.authenticated(
            by: named, limits: request.policy.limits, mayTryOthers: { _ in false }),
            authenticated.signedBy.count == metadata.signatures.count
        {
            return authenticated
        }
        // Not every signature is by whom it names: a key id is a hint, and everybody may have made it.
        do {
            return try metadata.authenticated(by: functionaries.all.map(\.key), limits: request.policy.limits) {
                budget.allowsTrials($0, size: found.size)
            }
        } catch {
            if case .metadata(let error) = error { throw .malformed(error) }
            throw .notOfLayout(error)
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
        otherEvidence.append(found.reference, reason)
    }

    /// Everything that counts for the step, and the report of what does not.
    func collect(_ step: Step) throws(CryptoError) -> (StepReport, [AcceptedEvidence]) {
        let judge = judge(of: step)
        var report = StepReport(step: step, listed: judge.listed)
        guard step.threshold <= judge.listed.count || !step.certificateConstraints.isEmpty else {
            report.problems.append(.impossibleThreshold(step, keys: judge.listed.count))
            return (report, [])
        }
        var results: [JudgedEvidence] = []
        let areFew = try pool.visitLinks(of: step.name) { (found) throws(CryptoError) in
            let result = try judge.judge(found)
            if case .success = result { report.linkFiles.insert(found.file) }
            results.append((found.reference, result))
        }
        guard areFew else {
            report.problems.append(.tooManyLinks(step.name, limit: EvidencePool.fileLimit))
            return (report, [])
        }
        results += bundled[step.name.text] ?? []
        let accepted = results.compactMap { try? $0.1.get() }
        let count = EvidenceCount(accepted)
        report.evidence = results.map { reference, result in
            switch result {
            case .failure(let reason): EvidenceFinding(reference: reference, standing: .rejected(reason))
            case .success(let evidence): count.finding(evidence)
            }
        }
        if count.total < step.threshold {
            report.evidence += pool.misnamed(for: step.name)
            let others = report.evidence.filter { finding in
                if case .counted = finding.standing { !finding.cosigners.isEmpty } else { true }
            }
            report.problems.append(
                .thresholdNotMet(
                    step, counted: count.total, rejected: others, elsewhere: otherEvidence.named(after: step.name)))
            return (report, [])
        }
        return (report, accepted)
    }
}
