extension KnownPredicate {
    /// What a predicate says against its subject, after "it "; nil where it says nothing against it, or says nothing of
    /// the kind.
    ///
    /// The proposal of human-review leaves open what a result may be: there, only what says yes is a yes.
    package func objection(in predicate: JSONObject) -> String? {
        switch self {
        case .testResult: Self.objection(to: predicate["result"], unless: ["PASSED", "WARNED"])
        case .humanReview: Self.objection(to: predicate["result"], unless: ["PASSED", "PASS", "APPROVED"])
        case .vsa: Self.objection(to: predicate["verificationResult"], unless: ["PASSED"])
        case .scai, .spdx, .cyclonedx, .provenance, .runtimeTrace, .vulns, .release, .svr, .reference: nil
        }
    }

    private static func objection(to result: JSONValue?, unless good: [String]) -> String? {
        guard case .string(let text)? = result else { return "says no result" }
        let isGood = good.contains { Text($0).asciiLowercased == text.asciiLowercased }
        return isGood ? nil : "says '\(text.escaped)'"
    }
}
