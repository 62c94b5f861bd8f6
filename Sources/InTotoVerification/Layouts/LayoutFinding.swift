/// What is wrong with a layout that is well formed, or why it is none.
public struct LayoutFinding: Hashable, Sendable, CustomStringConvertible {
    /// What kind of fault it is: for programs, which need not read the words. What `verify` fails for, too, has the code
    /// that it has there.
    public enum Code: String, CaseIterable, Sendable {
        /// No verifier of ours takes it.
        case notTaken = "not-taken"
        case expired = "layout-expired"
        case earlyExpiry = "early-expiry"
        case farExpiry = "far-expiry"
        case unusableKey = "unusable-key"
        case unusedKey = "unused-key"
        case unknownKey = "unknown-key"
        /// Fewer can sign a step than its threshold asks for.
        case impossibleThreshold = "threshold-impossible"
        case unknownRoot = "unknown-root"
        case noSteps = "layout-empty"
        /// The rules of a list end without a DISALLOW of everything.
        case openRules = "open-rules"
        case allowsEverything = "allows-everything"
        /// A rule that can decide nothing.
        case deadRule = "dead-rule"
        /// A REQUIRE that can never be met.
        case impossibleRule = "impossible-rule"
        /// A MATCH from a step that is not there, or comes later.
        case unknownSource = "unknown-source"
        /// A rule that tools read differently.
        case readDifferently = "read-differently"
    }

    public let code: Code
    /// One line, without characters that a terminal would act on.
    public let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
