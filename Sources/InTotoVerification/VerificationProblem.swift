public import InTotoCrypto
public import InTotoMetadata

/// Why a supply chain is not accepted.
public indirect enum VerificationProblem: Error, Sendable {
    /// Of the sublayout that stands for a step, and that these signed.
    case within(StepName, by: [Functionary], VerificationProblem)
    case malformedLayout(MetadataError)
    /// As people write layouts, before somebody signs them: YAML, most likely.
    case writtenLayout(MetadataError)
    /// `missing`: those of the owner's keys of which there is no good signature.
    case layoutNotSigned(AuthenticationError, missing: [PublicKey])
    case otherLayout(expected: Text, found: Text)
    case expired(at: UTCTime, checkedAt: UTCTime)
    case clockNotSet(UTCTime)
    case emptyLayout
    case parameters(ParameterError)
    case impossibleThreshold(Step, keys: Int)
    /// `missing`: those whom the step lists and of whom there is no good link. `elsewhere`: what stands in bundles and is no
    /// evidence of a step, of which some may have been meant for this one.
    case thresholdNotMet(
        Step, counted: Int, rejected: [EvidenceFinding], missing: [Functionary], elsewhere: OtherEvidence)
    case tooManyLinks(StepName, limit: Int)
    case disagreement(StepName, EvidenceReference, EvidenceReference, String)
    case sublayoutTooDeep(StepName, limit: Int)
    case tooManySublayouts(limit: Int)
    case sublayoutFolder(StepName, String)
    case sublayoutInspections(StepName, [Inspection])
    case rules(of: StepName, ArtifactKind, RuleFailure)
    case command(StepName, EvidenceReference, expected: [Text], found: [Text])
    case inspection(StepName, InspectionFault)
    case attestation(RequiredAttestation, MissingAttestation)
    case notRecorded(StepName, [InspectionRecord.NotRecorded])
    case subject(ArtifactName, String)
    case crypto(CryptoError)
}

/// What became of an inspection that failed.
public enum InspectionFault: Error, Sendable {
    case status(Int64)
    case noStatus
    case tookLonger(than: Duration)
    case notRun(String)
    /// It has run, whatever came of it.
    case notRecordable(String)
    case artifacts(ArtifactProblem)
}

extension InspectionFault: CustomStringConvertible {
    /// Reads after the inspection's name.
    public var description: String {
        switch self {
        case .status(let status): "ended with status \(status)"
        case .noStatus: "ended without a status"
        case .tookLonger(let limit):
            "took longer than \(limit.components.seconds) \(limit.components.seconds == 1 ? "second" : "seconds"), "
                + "and was ended"
        case .notRun(let reason): "could not be run: \(reason)"
        case .notRecordable(let reason): "was run, and what it left cannot be recorded: \(reason)"
        case .artifacts(let problem): "found what cannot be judged: \(problem)"
        }
    }

    /// Whether the command had begun.
    var hasRun: Bool {
        switch self {
        case .status, .noStatus, .tookLonger, .notRecordable, .artifacts: true
        case .notRun: false
        }
    }

    var hint: String? {
        switch self {
        case .status, .noStatus: "run the inspection's command by hand to see what it says"
        case .tookLonger: "give it more time with --inspection-timeout, or run its command by hand"
        case .notRun: "see that the program can be executed, and that it is in an absolute directory of PATH"
        case .notRecordable:
            "look at what it has left here; verify in a directory that holds the product's files and no more"
        case .artifacts: nil
        }
    }
}

/// Why nothing counts as a required attestation.
public enum MissingAttestation: Sendable {
    case noSuchStep
    /// What was found, or what could have been it and is not believed.
    case missing([EvidenceFinding])
    /// What the step's own functionaries say against what it made, whatever stands beside that.
    case contradicted([EvidenceFinding])
}

extension VerificationProblem: CustomStringConvertible {
    /// One line, no capital, no full stop; then one indented line for each piece of evidence.
    public var description: String {
        switch self {
        case .within(let step, _, let problem): "in the sublayout of step '\(step)': \(problem)"
        case .malformedLayout(let error), .writtenLayout(let error): "the layout is not taken: \(error)"
        case .layoutNotSigned(let error, let missing):
            "the layout is not believed: \(error)"
                + missing.map { "\n  no good signature by '\($0.keyID(.python))'" }.joined()
        case .otherLayout(let expected, let found):
            "the layout is another one: its SHA-256 is \(found), not \(expected.escaped)"
        case .expired(let expiry, let now): "the layout expired at \(expiry) (checked at \(now))"
        case .clockNotSet(let now): "the clock says \(now), so nobody can tell what has expired"
        case .emptyLayout: "the layout has neither steps nor inspections: it would accept anything"
        case .parameters(let error): "the layout's parameters cannot be filled in: \(error)"
        case .impossibleThreshold(let step, let keys):
            "step '\(step.name)' needs \(step.threshold) functionaries, and the layout lists \(keys) distinct usable "
                + "\(keys == 1 ? "key" : "keys") for it"
        case .thresholdNotMet(let step, let counted, let rejected, let missing, let elsewhere):
            "step '\(step.name)' needs links from \(step.threshold) "
                + "\(step.threshold == 1 ? "functionary" : "functionaries"), found \(counted)"
                + rejected.prefix(Self.shownEntries).map { "\n  \($0)" }.joined() + Self.more(rejected.count)
                + missing.prefix(Self.shownEntries).map { "\n  no good link by \($0.shown)" }.joined()
                + Self.more(missing.count) + Self.shown(elsewhere)
        case .tooManyLinks(let step, let limit): "step '\(step)' has more than \(limit) link files"
        case .disagreement(let step, let a, let b, let difference):
            "the links of step '\(step)' disagree: \(a) and \(b)\n  \(difference)"
        case .sublayoutTooDeep(let step, let limit):
            "step '\(step)' is a layout within more than \(limit) others"
        case .tooManySublayouts(let limit): "there are more than \(limit) sublayouts"
        case .sublayoutFolder(let step, let reason): "the links of the sublayout of step '\(step)': \(reason)"
        case .sublayoutInspections(let step, let inspections):
            "the sublayout of step '\(step)' wants to run commands here"
                + inspections.map { "\n  \($0.name): \($0.command.shellLine)" }.joined()
        case .rules(let name, let kind, let failure): "the \(kind.rawValue) of '\(name)': \(failure)"
        case .command(let step, let reference, let expected, let found):
            "step '\(step)' ran another command: expected \(expected.shellLine), recorded \(found.shellLine), in \(reference)"
        case .inspection(let name, let fault): "inspection '\(name)' \(fault)"
        case .attestation(let requirement, .noSuchStep):
            "the attestation \(requirement) is required, and the layout has no such step"
        case .attestation(let requirement, .missing(let findings)):
            "the attestation \(requirement) is required, and none counts"
                + findings.prefix(Self.shownEntries).map { "\n  \($0)" }.joined() + Self.more(findings.count)
        case .attestation(let requirement, .contradicted(let findings)):
            "the attestation \(requirement) is required, and one by a functionary of the step speaks against it"
                + findings.prefix(Self.shownEntries).map { "\n  \($0)" }.joined() + Self.more(findings.count)
        case .notRecorded(let name, let entries):
            "inspection '\(name)' met what is no artifact, and what no rule can judge"
                + entries.prefix(Self.shownEntries).map { "\n  '\($0.path)': \($0.reason)" }.joined()
                + Self.more(entries.count)
        case .subject(let name, let reason): "the subject '\(name)' \(reason)"
        case .crypto(let error): error.description
        }
    }

    private static let shownEntries = 20

    private static func more(_ count: Int) -> String {
        count > shownEntries ? "\n  and \(count - shownEntries) more" : ""
    }

    private static let shownElsewhere = 5

    private static func shown(_ elsewhere: OtherEvidence) -> String {
        let rest = elsewhere.count - min(elsewhere.first.count, shownElsewhere)
        return elsewhere.first.prefix(shownElsewhere).map { "\n  \($0)" }.joined()
            + (rest > 0 ? "\n  and \(rest) more of no step: --explain shows them" : "")
    }

    /// What to do about it.
    public var hint: String? { hint(asking: "the project owner") }

    /// `owner`: who has signed the layout and can sign another.
    private func hint(asking owner: String) -> String? {
        switch self {
        case .within(_, let signers, let problem):
            problem.hint(asking: "\(signers.map(\.shown).joined(separator: ", ")), who signed the sublayout,")
        case .clockNotSet, .crypto, .sublayoutTooDeep, .tooManySublayouts: nil
        case .malformedLayout(let error): error.hint
        case .writtenLayout, .layoutNotSigned(.notSigned(openPGPSignatures: 0), _):
            "give the signed layout; its owner makes it: intoto-run layout sign FILE -k KEY -o root.layout"
        case .layoutNotSigned:
            "check that --verification-keys are the project owner's, and that the layout came unchanged"
        case .otherLayout: "get the layout that is meant, or the digest of this one from its owner"
        case .expired: "ask \(owner) for a layout with a later 'expires'"
        case .emptyLayout: "ask \(owner) for a layout with steps"
        case .parameters: "give what the layout asks for with --parameter NAME=VALUE"
        case .impossibleThreshold: "ask \(owner) to list more keys that are supported, or to lower the threshold"
        case .thresholdNotMet:
            "check --link-dir, or ask the functionary for a link of this step, signed with a listed key"
        case .tooManyLinks: "keep each product's evidence in a directory of its own"
        case .disagreement: "find out which functionary's build differs, and why; remove evidence of other builds"
        case .sublayoutFolder: "put the sublayout's links beside it, in the directory STEP.KEYID8"
        case .sublayoutInspections: "read them; --allow-sublayout-inspections runs them"
        case .rules(_, _, let failure): failure.hint
        case .command:
            "have the step done as the layout says, or the layout changed; without --strict-commands it is a warning"
        case .inspection(_, let fault): fault.hint
        case .attestation(_, .noSuchStep): "name a step of the layout: --require-attestation STEP=TYPE"
        case .attestation(_, .contradicted):
            "find out what it objects to; evidence of another run does not belong beside this one's"
        case .attestation:
            "have one of the step's functionaries sign one about what the step made: intoto-run attest"
        case .subject: "put what was delivered there, or name with --vsa-subject what was"
        case .notRecorded:
            "find out how it came there; verify in a directory that holds the product's files and no more"
        }
    }

    /// A word for programs; does not change.
    public var code: String {
        switch self {
        case .within(_, _, let problem): problem.code
        case .malformedLayout, .writtenLayout: "layout-malformed"
        case .layoutNotSigned: "layout-signature"
        case .otherLayout: "layout-digest"
        case .expired: "layout-expired"
        case .clockNotSet: "clock"
        case .emptyLayout: "layout-empty"
        case .parameters: "parameters"
        case .impossibleThreshold: "threshold-impossible"
        case .thresholdNotMet: "threshold"
        case .tooManyLinks: "too-many-links"
        case .disagreement: "disagreement"
        case .sublayoutTooDeep, .tooManySublayouts: "sublayout-limit"
        case .sublayoutFolder: "sublayout-links"
        case .sublayoutInspections: "sublayout-inspections"
        case .rules: "rule"
        case .command: "command"
        case .inspection: "inspection"
        case .attestation: "attestation"
        case .notRecorded: "not-recorded"
        case .subject: "subject"
        case .crypto: "crypto"
        }
    }
}

extension EvidenceFinding: CustomStringConvertible {
    public var description: String {
        switch standing {
        case .counted(let functionary): "\(reference): counts for \(functionary.shown)\(Self.also(cosigners))"
        case .additional(let functionary):
            isCopy && !cosigners.isEmpty
                ? "\(reference): also by \(functionary.shown), and the same as what is counted\(Self.also(cosigners))"
                : "\(reference): also by \(Self.shown([functionary] + cosigners)), who \(cosigners.isEmpty ? "is" : "are") "
                    + "counted already"
        case .rejected(.unknownLines(let lines)): "\(reference): \(lines)"
        case .rejected(let reason): "\(reference): does not count: \(reason)"
        }
    }

    private static func also(_ cosigners: [Functionary]) -> String {
        guard !cosigners.isEmpty else { return "" }
        return ", signed by \(shown(cosigners)), too: one piece of evidence counts once"
    }

    private static func shown(_ functionaries: [Functionary]) -> String {
        functionaries.map(\.shown).joined(separator: ", ")
    }
}

extension RuleFailure {
    var hint: String {
        for miss in artifacts.flatMap(\.nearMisses) {
            switch miss {
            case .otherDigest:
                return "somebody or something changed it between the two, or one link is of another run: "
                    + "get the recorded file, or the links of one run"
            case .otherName:
                return
                    "if it was renamed or moved, put it back; if it belongs there, the layout's rule needs an IN prefix"
            case .noCommonDigest, .cannotTell: return "record the steps with one digest algorithm in common: --digest"
            case .uncovered: return "if it is meant, the rule needs another pattern or IN prefix"
            case .noSuchStep: return "the layout's MATCH names a step that is not there"
            case .notRunYet:
                return "have the layout changed: steps are matched with steps, inspections also with those before them"
            case .consumed: return "move the REQUIRE before the rule that consumes the artifact"
            case .absent:
                return "see that it is there, and that the step's -m or -p names it, or have the layout changed"
            case .alreadyThere, .unchanged, .notOnBothSides, .stillThere: continue
            }
        }
        return "if the artifact belongs there, the layout has to allow it; if not, find out how it came there"
    }
}

/// Something that does not decide, and that somebody should know.
public indirect enum VerificationWarning: Sendable, Hashable {
    /// Of the sublayout that stands for a step.
    case within(StepName, VerificationWarning)
    case command(StepName, EvidenceReference, expected: [Text], found: [Text])
    case unusableKey(KeyID, String)
    case weakKey(KeyID, String)
    case openEnd(StepName, ArtifactKind, allowed: Int)
    case unknownStep(StepName, Text)
    case peculiarRule(StepName, ArtifactRule, String)
    case farExpiry(UTCTime)
    case relativeProgram(StepName, Text)
    /// Of what an inspection has recorded, since a pattern hides it.
    case hidden(StepName, pattern: String, paths: Int)
}

extension VerificationWarning: CustomStringConvertible {
    public var description: String {
        switch self {
        case .within(let step, let warning): "in the sublayout of step '\(step)': \(warning)"
        case .command(let step, let reference, let expected, let found):
            VerificationProblem.command(step, reference, expected: expected, found: found).description
        case .unusableKey(let keyID, let reason): "the layout's key '\(keyID)' cannot be used: \(reason)"
        case .weakKey(let keyID, let reason): "the layout's key '\(keyID)' counts, as was allowed: \(reason)"
        case .openEnd(let name, let kind, let allowed):
            "the \(kind.rawValue) rules of '\(name)' do not end in DISALLOW *: "
                + (allowed == 1 ? "1 artifact was allowed by none" : "\(allowed) artifacts were allowed by none")
        case .unknownStep(let name, let step):
            "a MATCH of '\(name)' is from '\(step.escaped)', which has no link: it consumes nothing"
        case .peculiarRule(let name, let rule, let reason): "rule \(rule) of '\(name)': \(reason)"
        case .farExpiry(let expiry): "the layout expires only at \(expiry): until then nobody can take it back"
        case .relativeProgram(let name, let program):
            "inspection '\(name)' runs '\(program.escaped)' from the directory that is inspected"
        case .hidden(let name, let pattern, let paths):
            "the rules of inspection '\(name)' do not see \(paths == 1 ? "1 path" : "\(paths) paths"), hidden as \(pattern)"
        }
    }
}
