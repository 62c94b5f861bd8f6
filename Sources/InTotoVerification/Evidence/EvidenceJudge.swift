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
}

/// Decides for one step which evidence is good: signatures first, then what they cover, then its name and its artifacts.
struct EvidenceJudge {
    let functionaries: Functionaries
    let step: Step
    let listed: [Functionary]
    let time: UTCTime
    let spelling: NameSpelling
    private let budget: SignatureBudget

    init(
        _ functionaries: Functionaries, _ step: Step, at time: UTCTime, _ spelling: NameSpelling,
        _ budget: SignatureBudget
    ) {
        self.budget = budget
        self.functionaries = functionaries
        self.step = step
        listed = functionaries.listed(for: step)
        self.time = time
        self.spelling = spelling
    }

    /// Judges a file that is named after the step. Spec: in-toto v1.0, 5.2, step 4.
    func judge(_ found: FoundEvidence) throws(CryptoError) -> Result<AcceptedEvidence, RejectionReason> {
        let metadata: SignedMetadata
        switch found.content {
        case .success(let read): metadata = read
        case .failure(let reason): return .failure(reason)
        }
        let certified = try functionaries.certified(for: step, by: metadata.signatures, at: time)
        let keys = listed.map(\.key) + certified.keys
        guard budget.allows(metadata, size: found.size, keys) else { return .failure(.tooManySignatures) }
        let authenticated: Authenticated<Payload>
        do { authenticated = try metadata.authenticated(by: keys) } catch {
            return .failure(try reason(metadata, error, certified.refusals))
        }
        return accept(authenticated, signers: authenticated.signedBy, found)
    }

    /// Judges what stands in a bundle and functionaries of the layout have signed.
    func judge(
        _ authenticated: Authenticated<Payload>, _ found: FoundEvidence
    ) -> Result<AcceptedEvidence, RejectionReason> {
        let keys = Set(listed.map(\.key))
        let signers = authenticated.signedBy.filter(keys.contains)
        guard !signers.isEmpty else {
            return .failure(.unlisted(authenticated.signedBy.map(functionaries.functionary)))
        }
        return accept(authenticated, signers: signers, found)
    }

    private func accept(
        _ authenticated: Authenticated<Payload>, signers: [PublicKey], _ found: FoundEvidence
    ) -> Result<AcceptedEvidence, RejectionReason> {
        do throws(RejectionReason) {
            return .success(
                AcceptedEvidence(
                    reference: found.reference, content: try content(of: authenticated, found),
                    signers: signers.map(functionaries.functionary), sublayoutFolder: found.sublayoutFolder))
        } catch { return .failure(error) }
    }

    private func content(
        of authenticated: Authenticated<Payload>, _ found: FoundEvidence
    ) throws(RejectionReason) -> AcceptedEvidence.Content {
        if case .layout = authenticated.payload {
            guard found.sublayoutFolder != nil else { throw .sublayoutInBundle }
            do { return .sublayout(try authenticated.layout()) } catch { throw .malformedSublayout(error) }
        }
        let link: Link
        do {
            guard let read = try authenticated.payload.link() else {
                throw MetadataError.notEvidence(type: "statement")
            }
            link = read
        } catch let error as MetadataError {
            if case .statement(let statement) = authenticated.payload, case .notEvidence = error {
                throw .noLink(statement.predicateType)
            }
            throw .malformed(error)
        } catch { throw .noLink("") }
        // Otherwise a link of one step could be passed off as that of another.
        guard link.name == step.name else { throw .otherStep(link.name.text) }
        do { return .link(try ArtifactRecord(link, spelling), command: link.command) } catch { throw .artifacts(error) }
    }

    /// The most telling reason why nobody whom the step lists has signed.
    private func reason(
        _ metadata: SignedMetadata, _ error: AuthenticationError, _ refusals: [String]
    ) throws(CryptoError) -> RejectionReason {
        switch error {
        case .crypto(let error): throw error
        case .metadata(let error): return .malformed(error)
        case .notSigned: return .notSigned(error)
        case .notEnoughSignatures, .impossibleThreshold: break
        }
        if let refusal = refusals.first { return .certificate(refusal) }
        let others = functionaries.named(by: metadata.signatures).subtracting(listed)
        guard !others.isEmpty, let checks = try? metadata.checkSignatures(by: others.map(\.key)) else {
            return .notSigned(error)
        }
        let signers = checks.compactMap { check in
            if case .valid(let key) = check.outcome { functionaries.functionary(key) } else { nil }
        }
        return signers.isEmpty ? .notSigned(error) : .unlisted(signers)
    }
}

extension RejectionReason: Error {}

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
