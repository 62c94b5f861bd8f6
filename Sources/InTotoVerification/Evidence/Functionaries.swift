internal import InTotoCrypto
internal import InTotoMetadata

/// Who may have done what, as one layout says it: its keys, made usable.
struct Functionaries {
    private let byLabel: [KeyID: Functionary]
    private let byKey: [PublicKey: Functionary]
    /// Positions in `all`, by every id that a signature may name a key with.
    private let byKeyID: [KeyID: [Int]]
    /// Every key once, in the layout's order.
    let all: [Functionary]
    /// Keys that cannot be used, and why; links signed with them do not count.
    let unusable: [(label: KeyID, reason: KeyError)]
    /// Keys that are used though they are weak, and why they are.
    let weak: [(label: KeyID, reason: KeyError)]
    let roots: [(label: KeyID, certificate: FunctionaryCertificate)]
    let intermediates: [FunctionaryCertificate]

    init(_ layout: Layout, _ strength: KeyStrength = .standard) {
        var byLabel: [KeyID: Functionary] = [:]
        var all: [Functionary] = []
        var byKey: [PublicKey: Functionary] = [:]
        var byKeyID: [KeyID: [Int]] = [:]
        var unusable: [(label: KeyID, reason: KeyError)] = []
        var weak: [(label: KeyID, reason: KeyError)] = []
        for key in layout.keys {
            do {
                let functionary = Functionary(
                    label: key.keyID, key: try PublicKey(keyObject: key.object, strength: strength))
                byLabel[key.keyID] = functionary
                if let reason = functionary.key.weakness { weak.append((key.keyID, reason)) }
                guard byKey[functionary.key] == nil else { continue }
                byKey[functionary.key] = functionary
                for keyID in functionary.key.knownKeyIDs { byKeyID[keyID, default: []].append(all.count) }
                all.append(functionary)
            } catch { unusable.append((key.keyID, error)) }
        }
        func certificates(_ keys: [LayoutKey]) -> [(label: KeyID, certificate: FunctionaryCertificate)] {
            var read: [(label: KeyID, certificate: FunctionaryCertificate)] = []
            for key in keys {
                do throws(KeyError) {
                    guard let pem = key.certificate else { throw .badKeyObject("it has no 'certificate'") }
                    read.append((key.keyID, try FunctionaryCertificate(pem: pem)))
                } catch { unusable.append((key.keyID, error)) }
            }
            return read
        }
        roots = certificates(layout.roots)
        intermediates = certificates(layout.intermediates).map(\.certificate)
        self.byLabel = byLabel
        self.byKey = byKey
        self.byKeyID = byKeyID
        self.all = all
        self.unusable = unusable
        self.weak = weak
    }

    /// Those that a step lists, each key once, however many labels it has.
    func listed(for step: Step) -> [Functionary] {
        var seen: Set<PublicKey> = []
        return step.keyIDs.compactMap { byLabel[$0] }.filter { seen.insert($0.key).inserted }
    }

    /// The labels under which the layout has the key.
    func functionary(_ key: PublicKey) -> Functionary {
        byKey[key] ?? Functionary(label: key.keyID(.python), key: key)
    }

    /// Those whom the signatures name, in the layout's order; everybody, where one of them names nobody.
    func possibleSigners(of signatures: [Signature]) -> [Functionary] {
        var named: Set<Int> = []
        for signature in signatures {
            guard let positions = byKeyID[signature.keyID] else { return all }
            named.formUnion(positions)
        }
        return named.sorted().map { all[$0] }
    }

    /// Those whom the signatures name, by their labels in the layout, too.
    func named(by signatures: [Signature]) -> Set<Functionary> {
        Set(signatures.flatMap { (byKeyID[$0.keyID] ?? []).map { all[$0] } + [byLabel[$0.keyID]].compactMap(\.self) })
    }
}

// MARK: Certificates. Spec: ITE-7, as in-toto-golang has it

extension Functionaries {
    /// The keys of those certificates beside the signatures that fulfil one of the step's constraints and lead to a root of
    /// the layout; and why the others do not.
    func certified(
        for step: Step, by signatures: [Signature], at time: UTCTime, _ budget: SignatureBudget
    ) throws(CryptoError) -> (keys: [PublicKey], identities: [PublicKey: CertifiedIdentity], refusals: [String]) {
        guard !step.certificateConstraints.isEmpty else { return ([], [:], []) }
        var keys: [PublicKey] = []
        var identities: [PublicKey: CertifiedIdentity] = [:]
        var refusals: [String] = []
        var seen: Set<Text> = []
        for pem in signatures.compactMap(\.certificate) where seen.insert(pem).inserted {
            guard seen.count <= Self.certificateLimit else {
                refusals.append("more than \(Self.certificateLimit) certificates stand beside the signatures")
                break
            }
            do throws(CertificateRefusal) {
                let (key, identity) = try certificate(pem, step.certificateConstraints, at: time, budget)
                if identities[key] == nil { keys.append(key) }
                identities[key, default: identity].add(identity)
            } catch {
                switch error {
                case .crypto(let error): throw error
                case .unfit(let reason): refusals.append("the certificate beside the signature\(reason)")
                }
            }
        }
        return (keys, identities, refusals)
    }

    /// Most certificates of one file that are looked at: nobody believes them yet.
    private static let certificateLimit = 16

    private enum CertificateRefusal: Error {
        case unfit(String)
        case crypto(CryptoError)
    }

    /// What costs little comes first: anybody may put a certificate beside a signature.
    private func certificate(
        _ pem: Text, _ constraints: [CertificateConstraint], at time: UTCTime, _ budget: SignatureBudget
    ) throws(CertificateRefusal) -> (PublicKey, CertifiedIdentity) {
        let certificate: FunctionaryCertificate
        do { certificate = try FunctionaryCertificate(pem: pem) } catch { throw .unfit(": \(error)") }
        guard certificate.maySign else { throw .unfit(" is not for signing") }
        let mismatches = constraints.map { $0.mismatch(with: certificate.subject) }
        guard mismatches.contains(nil) else { throw .unfit(" does not fit: \((mismatches.first ?? "") ?? "")") }
        guard budget.allowsChains(roots.count, intermediates: intermediates.count) else {
            throw .unfit(" is not looked at: checking it, and others before, would cost too much")
        }
        var reached: Set<Text> = []
        do throws(CryptoError) {
            for root in roots where try certificate.leads(to: root.certificate, over: intermediates, at: time) {
                reached.insert(root.label.text)
            }
        } catch { throw .crypto(error) }
        guard !reached.isEmpty else {
            throw .unfit(" leads to no root of the layout, or is not valid at this time")
        }
        let fitting = zip(constraints, mismatches).filter { $0.1 == nil }.map { $0.0.mismatch(withRoots: reached) }
        guard fitting.contains(nil) else { throw .unfit(" does not fit: \((fitting.first ?? "") ?? "")") }
        return (certificate.publicKey, CertifiedIdentity(certificate.subject, roots: reached))
    }
}

extension CertificateConstraint {
    /// The first attribute, roots aside, that does not fit; nil where all do.
    fileprivate func mismatch(with subject: CertificateSubject) -> String? {
        let attributes: [(String, Values, Set<Text>)] = [
            ("common name", commonName, subject.commonNames), ("DNS names", dnsNames, subject.dnsNames),
            ("email addresses", emails, subject.emails), ("organizations", organizations, subject.organizations),
            ("URIs", uris, subject.uris),
        ]
        for (name, wanted, found) in attributes {
            if case .exactly(let values) = wanted, values != found {
                return "\(name): wanted \(Self.shown(values)), found \(Self.shown(found))"
            }
        }
        return nil
    }

    fileprivate func mismatch(withRoots reached: Set<Text>) -> String? {
        // A certificate leads to one root or several; the constraint names those that are good enough.
        if case .exactly(let values) = roots, values.isDisjoint(with: reached) {
            return "roots: wanted \(Self.shown(values)), found \(Self.shown(reached))"
        }
        return nil
    }

    private static func shown(_ values: Set<Text>) -> String {
        values.isEmpty ? "none" : values.sorted().map { "'\($0.escaped)'" }.joined(separator: ", ")
    }
}
