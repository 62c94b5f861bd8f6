import InTotoMetadata
import InTotoVerification

/// A verdict as JUnit XML: one test case for the layout, and for each step, required attestation and inspection.
/// Its time is the one that everything was judged at.
struct VerdictJUnit {
    private struct Case {
        let name: String
        let problems: [VerificationProblem]
        /// Why nothing can be said of it; nil where something can.
        var skipped: String?
    }

    private let cases: [Case]
    private let checkedAt: UTCTime

    init(_ verdict: Verdict) {
        checkedAt = verdict.checkedAt
        cases =
            [Case(name: "layout", problems: verdict.layout.problems)] + Self.steps(verdict)
            + Self.attestations(verdict) + Self.inspections(verdict)
            + (verdict.subjectProblems.isEmpty ? [] : [Case(name: "subject", problems: verdict.subjectProblems)])
    }

    private static let notReached = "not looked at: something failed before"
    private static let notRun = "not run"

    private static func steps(_ verdict: Verdict) -> [Case] {
        verdict.layout.steps.map {
            Case(
                name: "step \($0.step.name)", problems: $0.everyProblem,
                skipped: $0.isUndecided ? VerdictReport.rulesNotApplied : nil)
        } + verdict.stepsNotReached.map { Case(name: "step \($0.name)", problems: [], skipped: notReached) }
    }

    private static func attestations(_ verdict: Verdict) -> [Case] {
        verdict.layout.attestations.map {
            Case(name: "attestation \($0.requirement)", problems: [$0.problem].compactMap(\.self))
        } + verdict.attestationsNotReached.map { Case(name: "attestation \($0)", problems: [], skipped: notReached) }
    }

    private static func inspections(_ verdict: Verdict) -> [Case] {
        verdict.inspections.map {
            Case(
                name: "inspection \($0.inspection.name)\($0.owner)", problems: $0.everyProblem,
                skipped: $0.hasRun || !$0.problems.isEmpty ? nil : notRun)
        } + verdict.inspectionsNotReached.map { Case(name: "inspection \($0.name)", problems: [], skipped: notReached) }
    }

    var text: String {
        let failures = cases.count { !$0.problems.isEmpty }
        let skipped = cases.count { $0.skipped != nil }
        var lines = [
            #"<?xml version="1.0" encoding="UTF-8"?>"#,
            #"<testsuite name="intoto-run verify" timestamp="\#(checkedAt)" tests="\#(cases.count)" "#
                + #"failures="\#(failures)" skipped="\#(skipped)">"#,
        ]
        for item in cases {
            lines.append(#"  <testcase classname="in-toto" name="\#(Self.escaped(item.name))">"#)
            for problem in item.problems {
                let text = Self.escaped(problem.description)
                lines.append(#"    <failure type="\#(problem.code)" message="\#(text)">\#(text)</failure>"#)
            }
            if let reason = item.skipped { lines.append(#"    <skipped message="\#(Self.escaped(reason))"/>"#) }
            lines.append("  </testcase>")
        }
        return (lines + ["</testsuite>", ""]).joined(separator: "\n")
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
