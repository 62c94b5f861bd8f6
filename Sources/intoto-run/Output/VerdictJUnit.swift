import InTotoMetadata
import InTotoVerification

/// A verdict as JUnit XML: one test case for the layout, and for each step, required attestation and inspection.
/// Its time is the one that everything was judged at.
///
/// As Jenkins' schema (junit-10.xsd) has it: a case has one result at most.
struct VerdictJUnit {
    private struct Case {
        let name: String
        let result: Result

        init(_ name: String, _ problems: [VerificationProblem], otherwise: Result = .passed) {
            self.name = name
            result = problems.isEmpty ? otherwise : .failed(problems)
        }
    }

    private enum Result {
        case passed
        case failed([VerificationProblem])
        /// Why nothing can be said of it, where something else has failed.
        case skipped(String)
        /// Nothing has failed, and this was not looked at: what to do.
        case incomplete(hint: String)
    }

    private let cases: [Case]
    private let checkedAt: UTCTime

    init(_ verdict: Verdict) {
        checkedAt = verdict.checkedAt
        cases =
            [Case("layout", verdict.layout.problems)] + Self.steps(verdict)
            + Self.attestations(verdict) + Self.inspections(verdict)
            + (verdict.subjectProblems.isEmpty ? [] : [Case("subject", verdict.subjectProblems)])
    }

    private static let notReached = Result.skipped("not looked at: something failed before")

    private static func steps(_ verdict: Verdict) -> [Case] {
        verdict.layout.steps.map {
            Case(
                "step \($0.step.name)", $0.everyProblem,
                otherwise: $0.isUndecided ? .skipped(VerdictReport.rulesNotApplied) : .passed)
        } + verdict.stepsNotReached.map { Case("step \($0.name)", [], otherwise: notReached) }
    }

    private static func attestations(_ verdict: Verdict) -> [Case] {
        verdict.layout.attestations.map {
            Case("attestation \($0.requirement)", [$0.problem].compactMap(\.self))
        } + verdict.attestationsNotReached.map { Case("attestation \($0)", [], otherwise: notReached) }
    }

    private static func inspections(_ verdict: Verdict) -> [Case] {
        let notRun: Result =
            verdict.outcome == .incomplete
            ? .incomplete(hint: VerdictReport.hint(forIncomplete: verdict)) : .skipped("not run")
        return verdict.inspections.map {
            Case(
                "inspection \($0.inspection.name)\($0.owner)", $0.everyProblem, otherwise: $0.hasRun ? .passed : notRun)
        } + verdict.inspectionsNotReached.map { Case("inspection \($0.name)", [], otherwise: notReached) }
    }

    var text: String {
        let results = cases.map(\.result)
        let failures = results.count { if case .failed = $0 { true } else { false } }
        let errors = results.count { if case .incomplete = $0 { true } else { false } }
        let skipped = results.count { if case .skipped = $0 { true } else { false } }
        var lines = [
            #"<?xml version="1.0" encoding="UTF-8"?>"#,
            #"<testsuite name="intoto-run verify" timestamp="\#(checkedAt)" tests="\#(cases.count)" "#
                + #"failures="\#(failures)" errors="\#(errors)" skipped="\#(skipped)">"#,
        ]
        for item in cases {
            lines.append(#"  <testcase classname="in-toto" name="\#(Self.escaped(item.name))">"#)
            if let element = Self.element(item.result) { lines.append("    \(element)") }
            lines.append("  </testcase>")
        }
        return (lines + ["</testsuite>", ""]).joined(separator: "\n")
    }

    private static func element(_ result: Result) -> String? {
        switch result {
        case .passed: return nil
        case .skipped(let reason): return #"<skipped message="\#(escaped(reason))"/>"#
        case .incomplete(let hint):
            let message = "not run, so nobody can tell"
            return #"<error type="incomplete" message="\#(message)">what to do: \#(escaped(hint))</error>"#
        case .failed(let problems):
            let bodies = problems.map { "\($0)" + ($0.hint.map { "\nwhat to do: \($0)" } ?? "") }
            let first = problems.first.map { "\($0)" }?.split(separator: "\n").first.map(String.init) ?? ""
            let message = first + (problems.count > 1 ? " (and \(problems.count - 1) more)" : "")
            let start = #"<failure type="\#(problems.first?.code ?? "")" message="\#(escaped(message))">"#
            return "\(start)\(escaped(bodies.joined(separator: "\n")))</failure>"
        }
    }

    /// What comes here is escaped for terminals already, so that no character is left that XML cannot hold.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "&#10;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
