public import InTotoCrypto
public import InTotoMetadata
public import InTotoStorage

/// Where a piece of evidence stands, and what it is.
public struct EvidenceReference: Hashable, Sendable {
    /// Safe to print.
    public let path: String
    /// In a bundle: which envelope, counted from 1.
    public let envelope: Int?
    /// SHA-256 of the file, or of the payload where it stands in a bundle.
    public let sha256: Text
}

extension EvidenceReference: CustomStringConvertible {
    public var description: String { envelope.map { "\(path), envelope \($0)" } ?? path }
}

/// A key that a layout lists, by the label that it has there, or one with a certificate that it believes.
public struct Functionary: Hashable, Sendable {
    public let label: KeyID
    public let key: PublicKey
    /// Whose key it is; nil where no certificate says.
    public private(set) var identity: CertifiedIdentity?

    init(label: KeyID, key: PublicKey) {
        self.label = label
        self.key = key
    }

    func certified(by identity: CertifiedIdentity?) -> Functionary {
        var functionary = self
        functionary.identity = identity
        return functionary
    }

    /// With one key, or one name under one root.
    func isSame(as other: Functionary) -> Bool {
        if key == other.key { return true }
        guard let mine = identity, let theirs = other.identity else { return false }
        return mine.isSame(as: theirs)
    }

    /// Safe to print.
    var shown: String { identity.map { "'\(label)' (\($0))" } ?? "'\(label)'" }

    public static func == (a: Self, b: Self) -> Bool { a.key == b.key }

    public func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

/// What a piece of evidence was good for.
public struct EvidenceFinding: Sendable {
    public enum Standing: Sendable {
        /// It counts for this functionary.
        case counted(Functionary)
        /// It is good, and all its signers are counted already.
        case additional(Functionary)
        case rejected(RejectionReason)
    }

    public let reference: EvidenceReference
    public let standing: Standing
    /// Who else signed it, or a copy of it: one piece of evidence counts once, however many signed it.
    public var cosigners: [Functionary] = []
    /// It is the same as one that counts.
    public var isCopy = false

    /// Nobody could read it.
    var isNothing: Bool {
        switch standing {
        case .rejected(.unreadable), .rejected(.malformed), .rejected(.misnamed), .rejected(.unknownLines): true
        case .rejected, .counted, .additional: false
        }
    }
}

/// Why a piece of evidence does not count.
public enum RejectionReason: Sendable {
    case unreadable(StorageError)
    case malformed(MetadataError)
    /// By nobody whom the step lists.
    case notSigned(AuthenticationError)
    /// By nobody whom the layout lists.
    case notOfLayout(AuthenticationError)
    /// By functionaries whom the layout lists, but not for this step.
    case unlisted([Functionary])
    case certificate(String)
    case otherStep(Text)
    case artifacts(ArtifactProblem)
    case noLink(Text)
    case sublayoutInBundle
    /// Of a bundle; the others count as they are.
    case unknownLines(UnknownLines)
    /// The file is not read; what it would have to be called.
    case misnamed(String)
    /// Checking its signatures would cost more than verifying a real chain ever does.
    case tooManySignatures
    /// What was read before it is all that is read.
    case tooMuchEvidence
    case malformedSublayout(MetadataError)
    /// The statement is about something that is no artifact of the step.
    case foreignSubject(Text)
    /// The statement is about something that has the name of an artifact of the step, and no digest in common with it.
    case incomparableSubject(Text)
    /// The statement is about nothing but what the step found and left as it was.
    case nothingMade
    /// It is about the step's artifacts, and against them.
    case objection(String)
    /// It says something against what has the name of an artifact of the step, and by its digests may be that or not.
    case unclearObjection(String, about: Text)
}

extension RejectionReason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let error): "\(error)"
        case .malformed(let error): "\(error)"
        case .notSigned(let error): "\(error)"
        case .notOfLayout(let error): "none of the layout's keys has signed it: \(error)"
        case .unlisted(let functionaries):
            "signed by \(functionaries.map { "'\($0.label)'" }.joined(separator: ", ")), "
                + "which the layout lists, but not for this step"
        case .certificate(let reason): reason
        case .otherStep(let name): "the link is of step '\(name.escaped)'"
        case .artifacts(let problem): "\(problem)"
        case .noLink(let type): "it is no link: \(type.escaped)"
        case .sublayoutInBundle:
            "a sublayout needs a file STEP.KEYID8.link of its own, beside the directory with its links"
        case .unknownLines(let lines): "\(lines)"
        case .misnamed(let name): "it is not read, since it is not called \(name)"
        case .tooManySignatures: "checking its signatures, and those of others before, would cost too much"
        case .tooMuchEvidence: "it is not looked at: there is more evidence than one verification reads"
        case .malformedSublayout(let error): "the sublayout is not taken: \(error)"
        case .foreignSubject(let name):
            "it is about '\(name.escaped)', whose digest no material or product of the step has"
        case .incomparableSubject(let name):
            "it is about '\(name.escaped)', and has no digest in common with what the step calls so"
        case .nothingMade: "it is about nothing that the step made, so that of an earlier run would do as well"
        case .objection(let objection): "it \(objection)"
        case .unclearObjection(let objection, let name):
            "\(objection); whether of the step's '\(name.escaped)' cannot be told: no digest in common"
        }
    }
}
