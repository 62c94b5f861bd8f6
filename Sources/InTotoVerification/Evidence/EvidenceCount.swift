internal import InTotoCrypto
internal import InTotoMetadata

/// Whom each piece of evidence counts for: every functionary once, and every piece, with its copies, for one of its
/// signers; as many of them as can be.
struct EvidenceCount {
    private var functionaries: [EvidenceReference: Functionary] = [:]
    private var cosigners: [EvidenceReference: [Functionary]] = [:]
    /// Those of which a copy counts.
    private var copies: Set<EvidenceReference> = []

    /// How many functionaries count.
    var total: Int { functionaries.count }

    init(_ accepted: [AcceptedEvidence]) {
        let people = People(accepted.flatMap(\.signers))
        let pieces = Piece.pieces(of: accepted, people)
        let assignment = Assignment(pieces.map(\.people))
        for (piece, person) in zip(pieces, assignment.people) {
            for copy in piece.copies where piece.signers.count > 1 { cosigners[copy.reference] = piece.signers }
            guard let person else { continue }
            copies.formUnion(piece.copies.map(\.reference))
            for copy in piece.copies {
                guard let signer = copy.signers.first(where: { people.number(of: $0) == person }) else { continue }
                functionaries[copy.reference] = signer
                break
            }
        }
    }

    func finding(_ evidence: AcceptedEvidence) -> EvidenceFinding {
        let counted = functionaries[evidence.reference]
        let signer = counted ?? evidence.signers[0]
        return EvidenceFinding(
            reference: evidence.reference,
            standing: counted.map(EvidenceFinding.Standing.counted) ?? .additional(signer),
            cosigners: (cosigners[evidence.reference] ?? []).filter { !$0.isSame(as: signer) },
            isCopy: counted == nil && copies.contains(evidence.reference))
    }
}

/// Numbers people, so that keys have one number where certificates say that they are one person's.
private struct People {
    private var keys: [PublicKey: Int] = [:]
    private var numbers: Partition

    init(_ functionaries: [Functionary]) {
        numbers = Partition(count: functionaries.count)
        var identities: [(CertifiedIdentity, Int)] = []
        for (index, functionary) in functionaries.enumerated() {
            if let other = keys[functionary.key] { numbers.join(index, other) } else { keys[functionary.key] = index }
            guard let identity = functionary.identity else { continue }
            for (other, number) in identities where other.isSame(as: identity) { numbers.join(index, number) }
            if !identities.contains(where: { $0.0 == identity }) { identities.append((identity, index)) }
        }
    }

    /// Nil for somebody who was not among them.
    func number(of functionary: Functionary) -> Int? { keys[functionary.key].map { numbers.first(of: $0) } }
}

/// One piece of evidence, as often as it is there.
private struct Piece {
    var copies: [AcceptedEvidence] = []
    /// Each person once.
    var signers: [Functionary] = []
    /// The numbers of the signers.
    var people: [Int] = []

    private struct Claim: Hashable {
        let signedDigest: Text
        /// Nil for what one run alone can have signed.
        let person: Int?
    }

    /// Finds copies: the same signed bytes with a signer in common, or the bytes of one run, whoever has signed them.
    ///
    /// Others who signed the same bytes did the same separately, and so wrote the same.
    static func pieces(of accepted: [AcceptedEvidence], _ people: People) -> [Piece] {
        var copies = Partition(count: accepted.count)
        var known: [Claim: Int] = [:]
        for (index, evidence) in accepted.enumerated() {
            guard let digest = evidence.signedDigest else { continue }
            var claims = evidence.signers.map { Claim(signedDigest: digest, person: people.number(of: $0)) }
            if evidence.isOfOneRun { claims.append(Claim(signedDigest: digest, person: nil)) }
            for claim in claims {
                if let other = known.updateValue(index, forKey: claim) { copies.join(index, other) }
            }
        }
        var pieces: [Int: Piece] = [:]
        for (index, evidence) in accepted.enumerated() {
            pieces[copies.first(of: index), default: Piece()].add(evidence, people)
        }
        // In the order in which they were found.
        return pieces.sorted { $0.key < $1.key }.map(\.value)
    }

    private mutating func add(_ evidence: AcceptedEvidence, _ numbers: People) {
        copies.append(evidence)
        for signer in evidence.signers {
            guard let number = numbers.number(of: signer), !people.contains(number) else { continue }
            signers.append(signer)
            people.append(number)
        }
    }
}

/// Gives as many pieces as possible a person of their own among those who signed them: augmenting paths.
private struct Assignment {
    /// For each piece the person that it counts for.
    private(set) var people: [Int?]
    /// By person.
    private var pieces: [Int: Int] = [:]
    /// Nobody among them can be freed by giving a piece to another one, now or later.
    private var settled: Set<Int> = []

    init(_ choices: [[Int]]) {
        people = Array(repeating: nil, count: choices.count)
        // Those with one signer choose first: it leaves less to rearrange.
        for piece in choices.indices where choices[piece].count == 1 { place(piece, choices) }
        for piece in choices.indices where choices[piece].count > 1 { place(piece, choices) }
    }

    private mutating func place(_ piece: Int, _ choices: [[Int]]) {
        var wantedBy: [Int: Int] = [:]
        var waiting = [piece]
        var next = 0
        while next < waiting.count {
            for person in choices[waiting[next]] where wantedBy[person] == nil && !settled.contains(person) {
                wantedBy[person] = waiting[next]
                guard let holder = pieces[person] else { return shift(to: person, wantedBy) }
                waiting.append(holder)
            }
            next += 1
        }
        settled.formUnion(wantedBy.keys)
    }

    /// Gives the person to the piece that wants them, and what that piece had to the next, up to the one without any.
    private mutating func shift(to free: Int, _ wantedBy: [Int: Int]) {
        var freed: Int? = free
        while let person = freed, let piece = wantedBy[person] {
            freed = people[piece]
            people[piece] = person
            pieces[person] = piece
        }
    }
}

/// Which of some numbered things are one.
private struct Partition {
    /// For each an earlier one that it is one with, or itself.
    private var earlier: [Int]

    init(count: Int) { earlier = Array(0..<count) }

    mutating func join(_ a: Int, _ b: Int) {
        let (a, b) = (first(of: a), first(of: b))
        earlier[max(a, b)] = min(a, b)
    }

    func first(of index: Int) -> Int {
        var index = index
        while earlier[index] != index { index = earlier[index] }
        return index
    }
}
