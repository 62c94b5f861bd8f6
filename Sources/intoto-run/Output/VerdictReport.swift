import InTotoCrypto
import InTotoMetadata
import InTotoVerification

/// A verdict for people: a few lines, or the whole tree.
struct VerdictReport {
    private let verdict: Verdict

    private let isTimeGiven: Bool

    /// `isTimeGiven`: not by the clock.
    init(_ verdict: Verdict, isTimeGiven: Bool) {
        self.verdict = verdict
        self.isTimeGiven = isTimeGiven
    }

    /// Each once, in order; the first of very many.
    var warnings: [String] {
        var seen: Set<VerificationWarning> = []
        let distinct = verdict.warnings.filter { seen.insert($0).inserted }
        let shown = distinct.prefix(Self.shownWarnings).map(\.description)
        return distinct.count > shown.count ? shown + ["and \(distinct.count - shown.count) more"] : shown
    }

    private static let shownWarnings = 100

    // MARK: In short

    var summary: [String] {
        var lines = [headline]
        if verdict.outcome == .passed {
            lines += verdict.layout.steps.map { "  \(Self.shortLine($0))" }
            lines += verdict.layout.attestations.map {
                "  attestation \($0.requirement): by \(Self.signers($0.counted))"
            }
        }
        lines += verdict.inspections.filter(\.hasRun).map { "  \(Self.title($0)): \(Self.state($0))" }
        return lines + conclusion
    }

    private var headline: String {
        let layout = verdict.layout
        let word =
            switch verdict.outcome {
            case .passed: "accepted"
            case .failed: "rejected"
            case .incomplete: "incomplete"
            }
        let signers =
            layout.signedBy.isEmpty
            ? "" : ", signed by \(layout.signedBy.map { "\($0.label.prefix8)" }.joined(separator: ", "))"
        let time = isTimeGiven ? ", judged at \(verdict.checkedAt)" : ""
        return "\(word): \(layout.path) (sha256:\(layout.sha256))\(signers)\(time)"
    }

    private static func shortLine(_ step: StepReport) -> String {
        "step '\(step.step.name)': by \(signers(step.counted)) (threshold \(step.step.threshold))"
    }

    private static func signers(_ findings: [EvidenceFinding]) -> String {
        findings.compactMap { finding in
            if case .counted(let functionary) = finding.standing { "\(functionary.label.prefix8)" } else { nil }
        }.joined(separator: ", ")
    }

    private static func title(_ report: InspectionReport) -> String {
        "inspection '\(report.inspection.name)'\(report.owner)"
    }

    private static func state(_ report: InspectionReport) -> String { report.problems.isEmpty ? "passed" : "failed" }

    /// What failed, and one line of what to do about the first of it.
    private var conclusion: [String] {
        if verdict.outcome == .incomplete {
            let names = verdict.inspections.map(Self.title).joined(separator: ", ")
            return ["  not run, so nobody can tell: \(names)", "what to do: \(Self.hint(forIncomplete: verdict))"]
        }
        var lines = verdict.problems.flatMap { Self.indented($0.description, by: "  ") }
        if let hint = verdict.problems.first?.hint { lines.append("what to do: \(hint)") }
        return lines
    }

    static func hint(forIncomplete verdict: Verdict) -> String {
        let others =
            verdict.inspections.contains { !$0.sublayoutPath.isEmpty } ? " and with --allow-sublayout-inspections" : ""
        return "verify without --no-inspections\(others), where the product is; read first what they run"
    }

    private static func indented(_ text: String, by indentation: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { "\(indentation)\($0)" }
    }

    // MARK: At length

    /// Layout, steps, rules, inspections; then what decided.
    var explanation: [String] {
        var lines = Self.tree(verdict.layout, checkedAt: verdict.checkedAt)
        for report in verdict.inspections {
            lines.append("  \(Self.title(report)): \(report.inspection.command.shellLine)")
            if !report.hasRun { lines.append("    not run") }
            lines += report.hidden.map {
                "    not looked at: \($0.paths == 1 ? "1 path" : "\($0.paths) paths"), as \($0.pattern)"
            }
            for trace in [report.materials, report.products].compactMap({ $0 }) { lines += Self.tree(trace) }
        }
        return lines + [headline] + conclusion
    }

    private static func tree(_ report: LayoutReport, checkedAt: UTCTime) -> [String] {
        var lines = ["layout \(report.path)", "  sha256: \(report.sha256)"]
        guard !report.signedBy.isEmpty, let layout = report.layout else { return lines + ["  not believed"] }
        lines.append("  signed by: \(report.signedBy.map { "\($0.label)" }.joined(separator: ", "))")
        lines.append("  expires: \(layout.expires) (checked at \(checkedAt))")
        for step in report.steps { lines += tree(step, checkedAt: checkedAt).map { "  \($0)" } }
        for attestation in report.attestations {
            lines.append("  attestation \(attestation.requirement): \(standing(of: attestation))")
            lines += attestation.evidence.flatMap { indented("\($0)", by: "    ") }
        }
        let others = report.otherStatements - Set(report.attestations.flatMap { $0.evidence.map(\.reference) }).count
        if others > 0 {
            lines.append("  passed over: \(others == 1 ? "1 statement" : "\(others) statements") of other types")
        }
        lines += report.otherEvidence.first.flatMap { indented("passed over: \($0)", by: "  ") }
        if report.otherEvidence.rest > 0 { lines.append("  passed over: \(report.otherEvidence.rest) more") }
        return lines
    }

    private static func standing(of attestation: AttestationReport) -> String {
        switch attestation.problem {
        case nil: "there"
        case .attestation(_, .contradicted): "contradicted"
        default: "missing"
        }
    }

    private static func tree(_ report: StepReport, checkedAt: UTCTime) -> [String] {
        let step = report.step
        let certificates = step.certificateConstraints.isEmpty ? "" : ", or certificates"
        var lines = ["step '\(step.name)': threshold \(step.threshold) of \(report.listed.count) keys\(certificates)"]
        lines += report.evidence.flatMap { indented("\($0)", by: "  ") }
        if report.evidence.isEmpty { lines.append("  no evidence was found") }
        for sublayout in report.sublayouts { lines += tree(sublayout, checkedAt: checkedAt).map { "  \($0)" } }
        if let command = report.command {
            let differs = !step.expectedCommand.isEmpty && command != step.expectedCommand
            if !command.isEmpty || differs { lines.append("  command: \(command.shellLine)") }
            if differs { lines.append("  expected command: \(step.expectedCommand.shellLine)") }
        }
        if report.isUndecided { lines.append("  \(rulesNotApplied)") }
        for trace in [report.materials, report.products].compactMap({ $0 }) {
            lines += tree(trace).map { $0.dropFirst(2) }.map(String.init)
        }
        return lines
    }

    /// Of a step with which nothing is wrong so far.
    static let rulesNotApplied = "rules not applied: the evidence of another step is missing or fails"

    /// Names shown of what one rule has consumed.
    private static let shownNames = 5

    private static func tree(_ trace: RuleTrace) -> [String] {
        var lines = ["    \(trace.kind.rawValue):"]
        for (index, entry) in trace.entries.enumerated() {
            lines.append("      \(index + 1). \(entry.rule): \(effect(of: entry))")
        }
        if let failure = trace.failure {
            lines += indented(failure.description, by: "      ")
        } else if !trace.rest.isEmpty {
            lines.append("      end of the rules: \(names(trace.rest)) allowed by none, and by the end")
        }
        return lines
    }

    private static func effect(of entry: RuleTrace.Entry) -> String {
        switch entry.rule {
        case .disallow: "nothing left that it forbids"
        case .require: "there"
        case .create, .delete, .modify, .allow, .match:
            switch entry.missingSource {
            case .unknown: "consumes nothing: no such step"
            case .notRunYet: "consumes nothing: it is from an inspection that has not run yet"
            case nil: entry.consumed.isEmpty ? "consumes nothing" : "consumes \(names(entry.consumed))"
            }
        }
    }

    private static func names(_ selection: ArtifactSelection) -> String {
        let shown = selection.prefix(shownNames).map { "'\($0)'" }.joined(separator: ", ")
        return selection.count > shownNames ? "\(selection.count): \(shown), …" : "\(selection.count): \(shown)"
    }

}
