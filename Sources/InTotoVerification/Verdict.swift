public import InTotoMetadata
internal import SystemPackage

/// What a verification came to, and everything that led there.
public struct Verdict: Sendable {
    public enum Outcome: String, Sendable {
        case passed, failed
        /// Nothing failed, and not everything was looked at.
        case incomplete
    }

    public internal(set) var outcome: Outcome
    public let checkedAt: UTCTime
    public internal(set) var layout: LayoutReport
    /// Those of sublayouts first, then those of the layout, as they were run or would have been.
    public internal(set) var inspections: [InspectionReport] = []
    /// Attestations that are required and were not looked for, since something failed before.
    public internal(set) var attestationsNotReached: [RequiredAttestation] = []
    /// Of files that were to be among what was verified.
    public internal(set) var subjectProblems: [VerificationProblem] = []

    /// What the supply chain says it delivered: the products of the last step, where its evidence is good.
    public var products: ArtifactSet? { layout.products }

    /// Everything that failed, in the order in which it was looked at; the first decided.
    public var problems: [VerificationProblem] {
        layout.allProblems + inspections.flatMap(\.everyProblem) + subjectProblems
    }
    /// Of the layout itself, which would have been run, had nothing failed before.
    public var inspectionsNotReached: [Inspection] {
        inspections.contains(where: \.sublayoutPath.isEmpty) ? [] : layout.layout?.inspections ?? []
    }
    /// Of the layout itself, whose evidence was not looked at, since the layout is refused as it is.
    public var stepsNotReached: [Step] { layout.steps.isEmpty ? layout.layout?.steps ?? [] : [] }
    public var warnings: [VerificationWarning] { layout.allWarnings + inspections.flatMap(\.everyWarning) }

    /// Every piece of evidence that was believed, of whose signers one was counted already, too.
    public var usedEvidence: [EvidenceReference] { layout.usedEvidence }
}

/// One layout and its steps.
public struct LayoutReport: Sendable {
    /// Safe to print.
    public let path: String
    /// SHA-256 of the file's bytes.
    public let sha256: Text
    /// Nil where it was not believed.
    public internal(set) var layout: Layout?
    public internal(set) var signedBy: [Functionary] = []
    public internal(set) var steps: [StepReport] = []
    /// Of the last step, whatever the rules say of them; nil where nobody can say.
    public internal(set) var products: ArtifactSet?
    /// What stands in bundles and named files and is no evidence of a step.
    public internal(set) var otherEvidence = OtherEvidence()
    /// Authenticated statements of other types.
    public internal(set) var otherStatements = 0
    /// One for each attestation that is required, where everything else holds.
    public internal(set) var attestations: [AttestationReport] = []
    /// Bundles and named files in which something is signed by functionaries of the layout.
    var signedFiles: Set<FilePath> = []
    /// Of the layout as a whole.
    public internal(set) var problems: [VerificationProblem] = []
    public internal(set) var warnings: [VerificationWarning] = []

    var allProblems: [VerificationProblem] {
        problems + steps.flatMap(\.everyProblem) + attestations.compactMap(\.problem)
    }
    var allWarnings: [VerificationWarning] {
        warnings + steps.flatMap(\.everyWarning)
    }
    /// The files, those of sublayouts among them, of which at least a part is signed by functionaries.
    var evidenceFiles: Set<FilePath> {
        steps.reduce(into: signedFiles) { files, step in
            files.formUnion(step.linkFiles)
            for sublayout in step.sublayouts { files.formUnion(sublayout.evidenceFiles) }
        }
    }
    var usedEvidence: [EvidenceReference] {
        steps.flatMap { step in step.believed.map(\.reference) + step.sublayouts.flatMap(\.usedEvidence) }
            + attestations.flatMap { $0.counted.map(\.reference) }
    }
}

/// One step: who did it, and what the rules say of it.
public struct StepReport: Sendable {
    public let step: Step
    /// Distinct keys that may have done it, certificates aside.
    public internal(set) var listed: [Functionary] = []
    /// Everything that was found for the step, in order.
    public internal(set) var evidence: [EvidenceFinding] = []
    /// Those of `evidence` that are good and have a file of their own.
    var linkFiles: Set<FilePath> = []
    public internal(set) var sublayouts: [LayoutReport] = []
    /// The command that the first good evidence has, empty where it has none; nil without such evidence.
    public internal(set) var command: [Text]?
    /// Nil where the rules were not applied, because evidence is missing.
    public internal(set) var materials: RuleTrace?
    public internal(set) var products: RuleTrace?
    public internal(set) var problems: [VerificationProblem] = []
    public internal(set) var warnings: [VerificationWarning] = []

    /// Whether nothing is wrong with it so far, and its rules were not applied, because another step's evidence is missing.
    public var isUndecided: Bool { materials == nil && everyProblem.isEmpty }

    public var counted: [EvidenceFinding] {
        evidence.filter { if case .counted = $0.standing { true } else { false } }
    }

    var believed: [EvidenceFinding] { evidence.filter { if case .rejected = $0.standing { false } else { true } } }

    /// Its own, and those of its sublayouts.
    public var everyProblem: [VerificationProblem] {
        problems
            + sublayouts.flatMap { layout in layout.allProblems.map { .within(step.name, by: layout.signedBy, $0) } }
    }

    var everyWarning: [VerificationWarning] {
        warnings + sublayouts.flatMap(\.allWarnings).map { .within(step.name, $0) }
    }
}

/// One inspection.
public struct InspectionReport: Sendable {
    public let inspection: Inspection
    /// The steps that lead to the sublayout that wants it, the outermost first; none for the layout itself.
    public let sublayoutPath: [StepName]
    /// Whether its command was begun: it may have changed what is here, however it ended.
    public internal(set) var hasRun = false
    /// What it found and left, unsigned.
    public internal(set) var link: Link?
    /// What was there and is no artifact, so that no rule could forbid it: the inspection has failed.
    public internal(set) var notRecorded: [InspectionRecord.NotRecorded] = []
    /// What rules do not see, as the default excludes hide it: each pattern, and how many paths it hid.
    public internal(set) var hidden: [(pattern: String, paths: Int)] = []
    public internal(set) var materials: RuleTrace?
    public internal(set) var products: RuleTrace?
    public internal(set) var problems: [VerificationProblem] = []
    public internal(set) var warnings: [VerificationWarning] = []

    /// Its problems as those of the sublayout that it is of: two layouts may call their inspections the same.
    public var everyProblem: [VerificationProblem] {
        // Whoever signed the sublayout is asked about none of them.
        problems.map { problem in sublayoutPath.reversed().reduce(problem) { .within($1, by: [], $0) } }
    }

    var everyWarning: [VerificationWarning] {
        warnings.map { warning in sublayoutPath.reversed().reduce(warning) { .within($1, $0) } }
    }

    /// Whose inspection it is, as it reads after its name; nothing for the layout's own.
    public var owner: String { sublayoutPath.reversed().map { " of the sublayout of '\($0)'" }.joined() }
}
