internal import InTotoCrypto
internal import InTotoMetadata

extension VerificationRequest {
    /// Most bytes of a layout.
    package static let layoutLimit = 64 << 20
}

extension ArtifactRecord {
    static var empty: ArtifactRecord {
        // No artifacts have no problem.
        guard let none = try? NormalizedArtifacts(ArtifactSet()) else { preconditionFailure("nothing has a bad name") }
        return ArtifactRecord(materials: none, products: none)
    }

    /// The first way in which two records of one step differ; nil where they say the same.
    func difference(from other: ArtifactRecord) -> String? {
        for kind in ArtifactKind.allCases {
            let (a, b) = (self[kind].set, other[kind].set)
            for position in 0..<min(a.count, b.count) {
                guard a.nameBytes(at: position).elementsEqual(b.nameBytes(at: position)) else {
                    let name = min(a[position].name, b[position].name)
                    return "only one has '\(name)' among its \(kind.rawValue)"
                }
                let comparison = a.compareDigests(at: position, with: b, at: position)
                guard comparison == .same else {
                    let reason = comparison == .different ? "different digests" : "no strong digest in common"
                    return "'\(a[position].name)' among the \(kind.rawValue) has \(reason): "
                        + "one says \(a[position].digests), the other \(b[position].digests)"
                }
            }
            if a.count != b.count {
                let longer = a.count > b.count ? a : b
                return "only one has '\(longer[min(a.count, b.count)].name)' among its \(kind.rawValue)"
            }
        }
        return nil
    }
}

extension RuleTrace {
    func problems(of name: StepName) -> [VerificationProblem] { failure.map { [.rules(of: name, kind, $0)] } ?? [] }

    func warnings(of name: StepName) -> [VerificationWarning] {
        var warnings: [VerificationWarning] = []
        for entry in entries where entry.missingSource != nil {
            if case .match(let match) = entry.rule { warnings.append(.unknownStep(name, match.step)) }
        }
        if failure == nil, !rest.isEmpty { warnings.append(.openEnd(name, kind, allowed: rest.count)) }
        return warnings
    }
}

extension Verifier {
    /// What is odd about a layout and does not decide.
    func warnings(of layout: Layout, _ functionaries: Functionaries, isRoot: Bool) -> [VerificationWarning] {
        var warnings = functionaries.unusable.map { VerificationWarning.unusableKey($0.label, $0.reason.description) }
        let left = layout.expires.secondsSinceEpoch - request.now.secondsSinceEpoch
        if left > LayoutLint.longestExpiry { warnings.append(.farExpiry(layout.expires)) }
        warnings += functionaries.weak.map { .weakKey($0.label, $0.reason.description) }
        let lists =
            layout.steps.map { ($0.name, $0.expectedMaterials + $0.expectedProducts) }
            + layout.inspections.map { ($0.name, $0.expectedMaterials + $0.expectedProducts) }
        for (name, rules) in lists {
            for rule in rules {
                // Parameters are those of the layout itself; a sublayout gets none.
                let isSubstituted = isRoot && request.parameters != nil
                for reason in rule.peculiarities(isSubstituted: isSubstituted, request.policy.names) {
                    warnings.append(.peculiarRule(name, rule, reason))
                }
            }
        }
        for inspection in layout.inspections {
            guard let program = inspection.command.first, program.utf8.contains(UInt8(ascii: "/")),
                program.utf8.first != UInt8(ascii: "/")
            else { continue }
            warnings.append(.relativeProgram(inspection.name, program))
        }
        return warnings
    }
}
