internal import InTotoMetadata
internal import SystemPackage

/// What stands in bundles and named files and is no evidence of a step: the first of it, and how much there is.
public struct OtherEvidence: Sendable {
    public private(set) var first: [EvidenceFinding] = []
    public private(set) var count = 0

    /// How much is kept: a line of fifty bytes would otherwise cost ten times that, and nobody believes it.
    static let limit = 1000

    /// How many there are beyond the first.
    public var rest: Int { count - first.count }

    mutating func append(_ reference: EvidenceReference, _ reason: RejectionReason) {
        count += 1
        if first.count < Self.limit {
            first.append(EvidenceFinding(reference: reference, standing: .rejected(reason)))
        }
    }

    /// The same, what stands in files that are named after the step first.
    func named(after step: StepName) -> OtherEvidence {
        let prefix = "\(step)."
        func isNamed(_ finding: EvidenceFinding) -> Bool {
            FilePath(finding.reference.path).lastComponent?.string.hasPrefix(prefix) ?? false
        }
        var sorted = self
        sorted.first = first.filter(isNamed) + first.filter { !isNamed($0) }
        return sorted
    }
}
