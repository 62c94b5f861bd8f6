/// What is wrong with a layout that is well formed, or why it is none.
public struct LayoutFinding: Hashable, Sendable, CustomStringConvertible {
    /// What kind of fault it is: for programs, which need not read the words.
    public enum Code: String, CaseIterable, Sendable {
        /// No verifier of ours takes it.
        case notTaken = "not-taken"
        case expired
        case earlyExpiry = "early-expiry"
        case farExpiry = "far-expiry"
        case unusableKey = "unusable-key"
        case unusedKey = "unused-key"
        case unknownKey = "unknown-key"
        /// Fewer can sign a step than its threshold asks for.
        case unreachableThreshold = "unreachable-threshold"
        case unknownRoot = "unknown-root"
        case noSteps = "no-steps"
        /// The rules of a list end without a DISALLOW of everything.
        case openRules = "open-rules"
        case allowsEverything = "allows-everything"
        /// A rule that can decide nothing.
        case deadRule = "dead-rule"
        /// A MATCH from a step that is not there, or comes later.
        case unknownSource = "unknown-source"
        /// A rule that tools read differently.
        case readDifferently = "read-differently"
    }

    public let code: Code
    /// One line, without characters that a terminal would act on.
    public let description: String

    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
