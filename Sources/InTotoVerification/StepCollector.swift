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
    /// Of links, by the digests of what was signed.
    private var contents: [Text: AcceptedEvidence.Content] = [:]
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
        switch try authenticate(found) {
        case .success(let believed): authenticated = believed
        case .failure(let reason):
            otherEvidence.append(found.reference, reason)
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
        let result = try judge.judge(authenticated, found).map { share($0) }
        bundled[link.name.text, default: []].append((found.reference, result))
    }

    private func judge(of step: Step) -> EvidenceJudge {
        EvidenceJudge(functionaries, step, at: request.now, request.policy, budget)
    }

    private func authenticate(
        _ found: FoundEvidence
    ) throws(CryptoError) -> Result<Authenticated<Payload>, RejectionReason> {
        let metadata: SignedMetadata
        switch found.content {
        case .success(let read): metadata = read
        case .failure(let reason): return .failure(reason)
        }
        let named = functionaries.possibleSigners(of: metadata.signatures).map(\.key)
        guard budget.allows(metadata, size: found.size, named) else { return .failure(.tooManySignatures) }
        do throws(AuthenticationError) {
            if named.count < functionaries.all.count, let authenticated = try onlyNamed(metadata, named) {
                return .success(authenticated)
            }
            // Not every signature is by whom it names: a key id is a hint, and everybody may have made it.
            return .success(
                try metadata.authenticated(by: functionaries.all.map(\.key), limits: request.policy.limits) {
                    budget.allowsTrials($0, size: found.size)
                })
        } catch {
            switch error {
            case .crypto(let error): throw error
            case .metadata(let error): return .failure(.malformed(error))
            case .notSigned, .notEnoughSignatures, .impossibleThreshold: return .failure(.notOfLayout(error))
            }
        }
    }

    /// What each of its signers has signed whom it names; nil where somebody else may have, too.
    private func onlyNamed(
        _ metadata: SignedMetadata, _ named: [PublicKey]
    ) throws(AuthenticationError) -> Authenticated<Payload>? {
        do {
            let authenticated = try metadata.authenticated(
                by: named, limits: request.policy.limits, mayTryOthers: { _ in false })
            return authenticated.signedBy.count == metadata.signatures.count ? authenticated : nil
        } catch {
            if case .crypto = error { throw error }
            return nil
        }
    }

    /// Copies in other containers share their artifacts.
    private mutating func share(_ evidence: AcceptedEvidence) -> AcceptedEvidence {
        guard case .link = evidence.content, let digest = evidence.signedDigest else { return evidence }
        var evidence = evidence
        evidence.content = contents[digest] ?? evidence.content
        contents[digest] = evidence.content
        return evidence
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
    mutating func collect(_ step: Step) throws(CryptoError) -> (StepReport, [AcceptedEvidence]) {
        let judge = judge(of: step)
        var report = StepReport(step: step, listed: judge.listed)
        guard step.threshold <= judge.listed.count || !step.certificateConstraints.isEmpty else {
            report.problems.append(.impossibleThreshold(step, keys: judge.listed.count))
            return (report, [])
        }
        var results: [JudgedEvidence] = []
        var known: [Text: AcceptedEvidence] = [:]
        let others = bundled[step.name.text] ?? []
        let isAlone = others.isEmpty && pool.linkCount(of: step.name) == 1
        // Whoever can put files here has as many copies of a genuine link as they like.
        func isKnown(_ reference: EvidenceReference, _ file: FilePath) -> Bool {
            guard let copy = known[reference.sha256]?.found(as: reference) else { return false }
            report.linkFiles.insert(file)
            results.append((reference, .success(copy)))
            return true
        }
        let areFew = try pool.visitLinks(of: step.name, isKnown: isKnown) { (found) throws(CryptoError) in
            let result = try judge.judge(found, isAlone: isAlone).map { share($0) }
            if case .success(let evidence) = result {
                report.linkFiles.insert(found.file)
                if case .link = evidence.content { known[found.reference.sha256] = evidence }
            }
            results.append((found.reference, result))
        }
        guard areFew else {
            report.problems.append(.tooManyLinks(step.name, limit: EvidencePool.fileLimit))
            return (report, [])
        }
        // A folder and a file in it may both be named.
        var seen: Set<EvidenceReference> = []
        results = (results + others).filter { seen.insert($0.reference).inserted }
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
            let uncounted = report.evidence.filter { finding in
                if case .counted = finding.standing { !finding.cosigners.isEmpty } else { true }
            }
            // Of a thousand files that are nothing, the few that are something are what has to be seen.
            let shown = uncounted.filter { !$0.isNothing } + uncounted.filter(\.isNothing)
            report.problems.append(
                .thresholdNotMet(
                    step, counted: count.total, rejected: shown, missing: missing(judge.listed, accepted),
                    elsewhere: otherEvidence.named(after: step.name)))
            return (report, [])
        }
        return (report, accepted)
    }

    private func missing(_ listed: [Functionary], _ accepted: [AcceptedEvidence]) -> [Functionary] {
        let signers = Set(accepted.flatMap(\.signers).map(\.key))
        return listed.filter { !signers.contains($0.key) }
    }
}
