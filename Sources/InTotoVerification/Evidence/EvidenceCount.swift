internal import InTotoCrypto
internal import InTotoMetadata

/// Whom each piece of evidence counts for: every functionary once, and every piece, with its copies, for one of its
/// signers.
struct EvidenceCount {
    private var functionaries: [EvidenceReference: Functionary] = [:]
    private var cosigners: [EvidenceReference: [Functionary]] = [:]

    /// How many functionaries count.
    var total: Int { functionaries.count }

    init(_ accepted: [AcceptedEvidence]) {
        let pieces = Copies(accepted).pieces
        var taken = People()
        // Those with one signer choose first.
        for piece in pieces.filter({ $0.signers.count == 1 }) + pieces.filter({ $0.signers.count > 1 }) {
            for copy in piece.copies where piece.signers.count > 1 { cosigners[copy.reference] = piece.signers }
            guard let signer = piece.signers.first(where: { !taken.contains($0) }) else { continue }
            taken.insert(signer)
            let copy = piece.copies.first { copy in copy.signers.contains { $0.isSame(as: signer) } }
            functionaries[(copy ?? piece.copies[0]).reference] = signer
        }
    }

    func finding(_ evidence: AcceptedEvidence) -> EvidenceFinding {
        let counted = functionaries[evidence.reference]
        let signer = counted ?? evidence.signers[0]
        return EvidenceFinding(
            reference: evidence.reference,
            standing: counted.map(EvidenceFinding.Standing.counted) ?? .additional(signer),
            cosigners: (cosigners[evidence.reference] ?? []).filter { !$0.isSame(as: signer) })
    }
}

/// Functionaries, each once: by key, and by name where a certificate gives one.
private struct People {
    private(set) var members: [Functionary] = []
    private var keys: Set<PublicKey> = []
    private var identities: [CertifiedIdentity] = []

    func contains(_ functionary: Functionary) -> Bool {
        if keys.contains(functionary.key) { return true }
        guard let identity = functionary.identity else { return false }
        return identities.contains { $0.isSame(as: identity) }
    }

    mutating func insert(_ functionary: Functionary) {
        guard !contains(functionary) else { return }
        members.append(functionary)
        keys.insert(functionary.key)
        if let identity = functionary.identity { identities.append(identity) }
    }
}

/// Finds copies: the same signed bytes with a signer in common. Those who did the same separately, and so wrote the same,
/// have none in common.
private struct Copies {
    struct Piece {
        var copies: [AcceptedEvidence] = []
        var signers: [Functionary] = []
    }

    private struct Claim: Hashable {
        let signedDigest: Text
        let key: PublicKey
    }

    private let accepted: [AcceptedEvidence]
    /// For each piece an earlier one that it is a copy of, or itself.
    private var earlier: [Int]

    init(_ accepted: [AcceptedEvidence]) {
        self.accepted = accepted
        earlier = Array(accepted.indices)
        var known: [Claim: Int] = [:]
        var certified: [Text: [(CertifiedIdentity, Int)]] = [:]
        for (index, evidence) in accepted.enumerated() {
            guard let digest = evidence.signedDigest else { continue }
            for signer in evidence.signers {
                if let other = known.updateValue(index, forKey: Claim(signedDigest: digest, key: signer.key)) {
                    join(index, other)
                }
                guard let identity = signer.identity else { continue }
                for (other, position) in certified[digest] ?? [] where other.isSame(as: identity) {
                    join(index, position)
                }
                certified[digest, default: []].append((identity, index))
            }
        }
    }

    private mutating func join(_ a: Int, _ b: Int) {
        let (a, b) = (first(a), first(b))
        earlier[max(a, b)] = min(a, b)
    }

    private func first(_ index: Int) -> Int {
        var index = index
        while earlier[index] != index { index = earlier[index] }
        return index
    }

    /// In the order in which they were found.
    var pieces: [Piece] {
        var copies: [Int: [AcceptedEvidence]] = [:]
        var signers: [Int: People] = [:]
        for (index, evidence) in accepted.enumerated() {
            let first = first(index)
            copies[first, default: []].append(evidence)
            for signer in evidence.signers { signers[first, default: People()].insert(signer) }
        }
        return copies.keys.sorted().map {
            Piece(copies: copies[$0] ?? [], signers: signers[$0]?.members ?? [])
        }
    }
}
