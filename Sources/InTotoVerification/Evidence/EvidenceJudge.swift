internal import InTotoCrypto
internal import InTotoMetadata
internal import SystemPackage

/// What an authenticated piece of evidence says of its step.
struct AcceptedEvidence {
    enum Content {
        case link(ArtifactRecord, command: [Text])
        case sublayout(Authenticated<Layout>)
    }

    let reference: EvidenceReference
    let content: Content
    /// Those who signed it and whom the step lists; never empty.
    let signers: [Functionary]
    let sublayoutFolder: FilePath?
    /// SHA-256 of what was signed, where copies have to be told from evidence of one's own.
    let signedDigest: Text?
    /// Whether only one run can have written it, so that who else signed the same bytes signed that run's.
    let isOfOneRun: Bool
}

/// Decides for one step which evidence is good: signatures first, then what they cover, then its name and its artifacts.
struct EvidenceJudge {
    let functionaries: Functionaries
    let step: Step
    let listed: [Functionary]
    let time: UTCTime
    private let policy: VerificationPolicy
    private let budget: SignatureBudget

    init(
        _ functionaries: Functionaries, _ step: Step, at time: UTCTime, _ policy: VerificationPolicy,
        _ budget: SignatureBudget
    ) {
        self.budget = budget
        self.functionaries = functionaries
        self.step = step
        listed = functionaries.listed(for: step)
        self.time = time
        self.policy = policy
    }

    /// Judges a file that is named after the step. Spec: in-toto v1.0, 5.2, step 4.
    func judge(_ found: FoundEvidence) throws(CryptoError) -> Result<AcceptedEvidence, RejectionReason> {
        let metadata: SignedMetadata
        switch found.content {
        case .success(let read): metadata = read
        case .failure(let reason): return .failure(reason)
        }
        let certified = try functionaries.certified(for: step, by: metadata.signatures, at: time, budget)
        let keys = listed.map(\.key) + certified.keys
        guard budget.allows(metadata, size: found.size, keys) else { return .failure(.tooManySignatures) }
        let authenticated: Authenticated<Payload>
        do {
            authenticated = try metadata.authenticated(by: keys, limits: policy.limits) {
                budget.allowsTrials($0, size: found.size)
            }
        } catch {
            return .failure(try reason(metadata, size: found.size, error, certified.refusals))
        }
        let signers = authenticated.signedBy.map { key in
            functionaries.functionary(key).certified(by: certified.identities[key])
        }
        return try accept(authenticated, signers, found)
    }

    /// Judges what stands in a bundle and functionaries of the layout have signed.
    func judge(
        _ authenticated: Authenticated<Payload>, _ found: FoundEvidence
    ) throws(CryptoError) -> Result<AcceptedEvidence, RejectionReason> {
        let keys = Set(listed.map(\.key))
        let signers = authenticated.signedBy.filter(keys.contains)
        guard !signers.isEmpty else {
            return .failure(.unlisted(authenticated.signedBy.map(functionaries.functionary)))
        }
        return try accept(authenticated, signers.map(functionaries.functionary), found)
    }

    private func accept(
        _ authenticated: Authenticated<Payload>, _ signers: [Functionary], _ found: FoundEvidence
    ) throws(CryptoError) -> Result<AcceptedEvidence, RejectionReason> {
        let content: AcceptedEvidence.Content
        let isOfOneRun: Bool
        do { (content, isOfOneRun) = try self.content(of: authenticated, found) } catch { return .failure(error) }
        return .success(
            AcceptedEvidence(
                reference: found.reference, content: content, signers: signers, sublayoutFolder: found.sublayoutFolder,
                signedDigest: try signedDigest(of: found), isOfOneRun: isOfOneRun))
    }

    private func signedDigest(of found: FoundEvidence) throws(CryptoError) -> Text? {
        guard step.threshold > 1, case .success(let metadata) = found.content else { return nil }
        // What was authenticated has bytes that were.
        guard let bytes = try? metadata.signedBytes() else { return nil }
        return try EvidencePool.sha256(bytes)
    }

    private func content(
        of authenticated: Authenticated<Payload>, _ found: FoundEvidence
    ) throws(RejectionReason) -> (AcceptedEvidence.Content, isOfOneRun: Bool) {
        if case .layout = authenticated.payload {
            guard found.sublayoutFolder != nil else { throw .sublayoutInBundle }
            do { return (.sublayout(try authenticated.layout()), false) } catch { throw .malformedSublayout(error) }
        }
        let read: Link?
        do { read = try authenticated.payload.link() } catch { throw .malformed(error) }
        guard let link = read else {
            guard case .statement(let statement) = authenticated.payload else { throw .sublayoutInBundle }
            throw .noLink(statement.predicateType)
        }
        // Otherwise a link of one step could be passed off as that of another.
        guard link.name == step.name else { throw .otherStep(link.name.text) }
        do {
            return (.link(try ArtifactRecord(link, policy.names), command: link.command), link.saysWhenItBegan)
        } catch { throw .artifacts(error) }
    }

    /// The most telling reason why nobody whom the step lists has signed.
    private func reason(
        _ metadata: SignedMetadata, size: Int, _ error: AuthenticationError, _ refusals: [String]
    ) throws(CryptoError) -> RejectionReason {
        switch error {
        case .crypto(let error): throw error
        case .metadata(let error): return .malformed(error)
        case .notSigned: return .notSigned(error)
        case .notEnoughSignatures, .impossibleThreshold: break
        }
        if let refusal = refusals.first { return .certificate(refusal) }
        let others = functionaries.named(by: metadata.signatures).subtracting(listed)
        // Only those signatures that say whose they are: each of the others would be tried with every key.
        let naming = metadata.keepingSignatures { !functionaries.named(by: [$0]).isDisjoint(with: others) }
        guard !others.isEmpty, budget.allows(naming, size: size, others.map(\.key)),
            let checks = try? naming.checkSignatures(by: others.map(\.key), mayTryOthers: { _ in false })
        else { return .notSigned(error) }
        let signers = checks.compactMap { check in
            if case .valid(let key) = check.outcome { functionaries.functionary(key) } else { nil }
        }
        return signers.isEmpty ? .notSigned(error) : .unlisted(signers)
    }
}

extension RejectionReason: Error {}

extension Link {
    /// As ours do, beside what the run took: no other run writes the same bytes. Links of other tools say nothing of the
    /// kind, so that two who did the same have the same.
    var saysWhenItBegan: Bool { if case .string? = byproducts["started"] { true } else { false } }
}

extension SignedMetadata {
    fileprivate func keepingSignatures(where isKept: (Signature) -> Bool) -> SignedMetadata {
        switch self {
        case .envelope(var envelope):
            envelope.signatures = envelope.signatures.filter(isKept)
            return .envelope(envelope)
        case .metablock(var metablock):
            metablock.signatures = metablock.signatures.filter(isKept)
            return .metablock(metablock)
        }
    }
}

extension Authenticated<Payload> {
    /// The layout that this is.
    func layout() throws(MetadataError) -> Authenticated<Layout> {
        try map { payload throws(MetadataError) in
            switch payload {
            case .layout(let object): return try Layout(json: object)
            case .link: throw .notEvidence(type: Link.type)
            case .statement(let statement): throw .notEvidence(type: statement.predicateType)
            }
        }
    }
}
