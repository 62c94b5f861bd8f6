/// Where a predicate says whether it is for or against its subject.
package struct PredicateResult: Sendable {
    package let member: Text
    /// Compared without regard to case.
    package let yes: [String]
    package let no: [String]

    /// The values that are a yes, as a sentence has them.
    package var shownYes: String {
        guard let last = yes.last, yes.count > 1 else { return yes.joined() }
        return "\(yes.dropLast().joined(separator: ", ")) or \(last)"
    }

    fileprivate func isYes(_ text: Text) -> Bool { Self.isAmong(yes, text) }

    fileprivate func isKnown(_ text: Text) -> Bool { Self.isAmong(yes + no, text) }

    private static func isAmong(_ values: [String], _ text: Text) -> Bool {
        values.contains { Text($0).asciiLowercased == text.asciiLowercased }
    }
}

extension KnownPredicate {
    /// Nil for predicates that say nothing of the kind: that they are there, and well formed, is all.
    ///
    /// The proposal of human-review leaves open what a result may be: there, only what says yes is a yes.
    package var result: PredicateResult? {
        switch self {
        case .testResult: PredicateResult(member: "result", yes: ["PASSED", "WARNED"], no: ["FAILED"])
        case .humanReview:
            PredicateResult(
                member: "result", yes: ["PASSED", "PASS", "APPROVED"], no: ["FAILED", "FAIL", "REJECTED"])
        case .vsa: PredicateResult(member: "verificationResult", yes: ["PASSED"], no: ["FAILED"])
        case .scai, .spdx, .cyclonedx, .provenance, .runtimeTrace, .vulns, .release, .svr, .reference: nil
        }
    }

    /// What a predicate says against its subject, after "it "; nil where it says nothing against it, or says nothing of
    /// the kind.
    package func objection(in predicate: JSONObject) -> String? {
        guard let result else { return nil }
        guard case .string(let text)? = predicate[result.member] else {
            return "says no result, where a yes would be \(result.shownYes)"
        }
        return result.isYes(text) ? nil : "says '\(text.escaped)', where a yes would be \(result.shownYes)"
    }

    /// The result that is neither a yes nor a plain no: whoever signs that may have meant another word.
    package func unknownResult(in predicate: JSONObject) -> Text? {
        guard let result, case .string(let text)? = predicate[result.member], !result.isKnown(text) else { return nil }
        return text
    }
}
