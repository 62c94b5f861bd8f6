internal import InTotoCrypto
internal import InTotoMetadata
internal import SystemPackage

/// What an authenticated piece of evidence says of its step.
struct AcceptedEvidence {
    enum Content {
        case link(ArtifactRecord, command: [Text])
        case sublayout(Authenticated<Layout>)
    }

    var reference: EvidenceReference
    var content: Content
    /// Those who signed it and whom the step lists; never empty.
    let signers: [Functionary]
    let sublayoutFolder: FilePath?
    /// SHA-256 of what was signed; of what only one run can have written, of what it says, in whichever form it was signed.
    /// Nil for what is the only evidence of its step: there are no copies to tell from it.
    let signedDigest: Text?
    /// Whether only one run can have written it, so that who else signed the same bytes signed that run's.
    let isOfOneRun: Bool

    /// The same bytes somewhere else.
    func found(as reference: EvidenceReference) -> AcceptedEvidence {
        var copy = self
        copy.reference = reference
        return copy
    }
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

    /// Judges a file that is named after the step, which has no other evidence where it `isAlone`. Spec: in-toto v1.0,
    /// 5.2, step 4.
    func judge(
        _ found: FoundEvidence, isAlone: Bool
    ) throws(CryptoError) -> Result<AcceptedEvidence, RejectionReason> {
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
        return try accept(authenticated, signers, found, isAlone)
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
        _ authenticated: Authenticated<Payload>, _ signers: [Functionary], _ found: FoundEvidence,
        _ isAlone: Bool = false
    ) throws(CryptoError) -> Result<AcceptedEvidence, RejectionReason> {
        let content: AcceptedEvidence.Content
        let run: Link?
        do { (content, run) = try self.content(of: authenticated, found) } catch { return .failure(error) }
        return .success(
            AcceptedEvidence(
                reference: found.reference, content: content, signers: signers, sublayoutFolder: found.sublayoutFolder,
                signedDigest: isAlone ? nil : try signedDigest(of: found, run), isOfOneRun: run != nil))
    }

    private func signedDigest(of found: FoundEvidence, _ run: Link?) throws(CryptoError) -> Text? {
        // What has a fraction in it has no canonical form.
        let said = run.flatMap { link in
            (try? JSONWriter.bytes(.canonical) { link.write(to: &$0) })
                ?? (try? JSONWriter.bytes(.compact) { link.write(to: &$0) })
        }
        // What was authenticated has bytes that were.
        guard let bytes = said ?? (try? found.content.get().signedBytes()) else { return nil }
        return try EvidencePool.sha256(bytes)
    }

    /// With the link, where only one run can have written it.
    private func content(
        of authenticated: Authenticated<Payload>, _ found: FoundEvidence
    ) throws(RejectionReason) -> (AcceptedEvidence.Content, run: Link?) {
        if case .layout = authenticated.payload {
            guard found.sublayoutFolder != nil else { throw .sublayoutInBundle }
            do { return (.sublayout(try authenticated.layout()), nil) } catch { throw .malformedSublayout(error) }
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
            let record = try ArtifactRecord(link, policy.names)
            return (.link(record, command: link.command), link.saysWhenItBegan ? link : nil)
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
        guard !others.isEmpty, budget.allows(naming, size: size, others.map(\.key)) else { return .notSigned(error) }
        let checks: [SignatureCheck]
        do { checks = try naming.checkSignatures(by: others.map(\.key), mayTryOthers: { _ in false }) } catch {
            guard case .crypto(let error) = error else { return .notSigned(error) }
            throw error
        }
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
