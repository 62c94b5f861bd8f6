public import InTotoCrypto
public import InTotoMetadata
internal import InTotoStorage
public import SystemPackage

/// What is to be verified, and against what.
public struct VerificationRequest: Sendable {
    /// The layout file: how messages call it, and its bytes.
    public var layoutPath: String
    public var layout: [UInt8]
    /// The project owner's keys: every one must have signed the layout.
    public var ownerKeys: [PublicKey]
    public var evidence: [EvidencePlace]
    /// Nil: nothing is substituted.
    public var parameters: ParameterSubstitution?
    public var policy = VerificationPolicy()
    /// Read once; everything is judged at this time.
    public var now: UTCTime

    public init(
        layoutPath: String, layout: [UInt8], ownerKeys: [PublicKey], evidence: [EvidencePlace], now: UTCTime
    ) {
        self.layoutPath = layoutPath
        self.layout = layout
        self.ownerKeys = ownerKeys
        self.evidence = evidence
        self.now = now
    }
}

/// What a verifier may choose. The defaults are strict: every leniency is named, and off.
public struct VerificationPolicy: Sendable {
    public enum Inspections: Sendable {
        case run
        /// A verdict without them is incomplete.
        case skip
    }

    public enum CommandMismatch: Sendable {
        case warns, fails
    }

    public var inspections = Inspections.run
    public var sublayoutInspections = Inspections.skip
    public var commands = CommandMismatch.warns
    public var names = NameSpelling.normalized
    /// Of functionaries' keys; certificates' stay strict.
    public var keys = KeyStrength.standard
    /// SHA-256 of the layout file, in lower case: no other layout will do, however well it is signed.
    public var layoutDigest: Text?
    /// Statements that must be there, beside the links of the layout's own steps.
    public var attestations: [RequiredAttestation] = []
    /// Most bytes of one file of evidence.
    public var evidenceSize = BoundedReader.evidenceLimit
    /// Most bytes of all files of evidence together.
    public var totalEvidenceSize = 64 << 30

    var limits: JSONLimits {
        var limits = JSONLimits()
        limits.size = evidenceSize
        return limits
    }

    /// Layouts within layouts.
    static let sublayoutDepth = 8
    static let sublayoutCount = 64

    public init() {}
}

/// What an inspection found and left.
public struct InspectionRecord: Sendable {
    /// Something that was there, before or after, and is no artifact: rules do not see it.
    public struct NotRecorded: Hashable, Sendable {
        /// Safe to print.
        public let path: String
        public let reason: String

        public init(path: String, reason: String) {
            self.path = path
            self.reason = reason
        }
    }

    /// Unsigned.
    public let link: Link
    public let notRecorded: [NotRecorded]
    /// What was passed over, such as `.git/`: each pattern, safe to print, and how many paths it hid.
    public let hidden: [(pattern: String, paths: Int)]

    public init(link: Link, notRecorded: [NotRecorded] = [], hidden: [(pattern: String, paths: Int)] = []) {
        self.link = link
        self.notRecorded = notRecorded
        self.hidden = hidden
    }
}

/// Runs the command of one inspection, and returns what it found and left.
///
/// `digests` are the algorithms that the links use: artifacts can be compared with those of them that the runner can
/// compute of files. `evidence` are the files that functionaries' evidence was read from: no others are hidden from the
/// rules as evidence.
public struct InspectionRunner {
    public typealias Run = (
        _ inspection: Inspection, _ digests: [DigestAlgorithm], _ evidence: Set<FilePath>
    ) throws -> InspectionRecord

    let announce: ([InspectionReport]) -> Void
    let run: Run

    /// `announce` is told of every inspection before the first runs.
    public init(announce: @escaping ([InspectionReport]) -> Void, run: @escaping Run) {
        self.announce = announce
        self.run = run
    }
}
