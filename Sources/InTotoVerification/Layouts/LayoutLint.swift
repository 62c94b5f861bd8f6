internal import InTotoCrypto
public import InTotoMetadata

/// What is wrong with a layout that is well formed.
public struct LayoutLint: Sendable {
    private let layout: Layout
    private let now: UTCTime

    public init(_ layout: Layout, now: UTCTime) {
        self.layout = layout
        self.now = now
    }

    public var findings: [LayoutFinding] { expiry + keys + steps + rules }

    private static let day: Int64 = 86_400
    /// In seconds: layouts that are good for longer are hardly ever meant to be.
    static let longestExpiry = 3 * 366 * day

    private var expiry: [LayoutFinding] {
        let left = layout.expires.secondsSinceEpoch - now.secondsSinceEpoch
        if left <= 0 { return [.init(.expired, "it has expired, at \(layout.expires)")] }
        if left < 7 * Self.day { return [.init(.earlyExpiry, "it expires within a week, at \(layout.expires)")] }
        guard left > Self.longestExpiry else { return [] }
        return [.init(.farExpiry, "it expires only at \(layout.expires): until then nobody can take it back")]
    }

    private var keys: [LayoutFinding] {
        let functionaries = Functionaries(layout)
        let used = Set(layout.steps.flatMap(\.keyIDs))
        var findings = functionaries.unusable.map {
            LayoutFinding(.unusableKey, "key '\($0.label)' cannot be used: \($0.reason)")
        }
        findings += layout.keys.filter { !used.contains($0.keyID) }
            .map { LayoutFinding(.unusedKey, "key '\($0.keyID)' is listed for no step") }
        let known = Set(layout.keys.map(\.keyID))
        for step in layout.steps {
            findings += step.keyIDs.filter { !known.contains($0) }
                .map {
                    LayoutFinding(
                        .unknownKey, "step '\(step.name)' lists the key '\($0)', which the layout does not have")
                }
            findings += certificates(of: step)
            let count = functionaries.listed(for: step).count
            if count < step.threshold && !step.certificateConstraints.contains(where: canBeMet) {
                let reason = "threshold \(step.threshold), \(count) distinct usable keys"
                findings.append(.init(.impossibleThreshold, "step '\(step.name)' can never be met: \(reason)"))
            }
        }
        return findings
    }

    private var steps: [LayoutFinding] {
        guard layout.steps.isEmpty else { return [] }
        return [.init(.noSteps, "there are no steps: it says nothing about how the product was made")]
    }

    private struct RuleList {
        let name: StepName
        let kind: ArtifactKind
        let rules: [ArtifactRule]
        /// Whose artifacts MATCH may be from: steps, for an inspection itself and those before it, too.
        let sources: Set<Text>
    }

    private var lists: [RuleList] {
        var lists: [RuleList] = []
        var sources = Set(layout.steps.map(\.name.text))
        func add(_ name: StepName, materials: [ArtifactRule], products: [ArtifactRule]) {
            lists.append(RuleList(name: name, kind: .materials, rules: materials, sources: sources))
            lists.append(RuleList(name: name, kind: .products, rules: products, sources: sources))
        }
        for step in layout.steps {
            add(step.name, materials: step.expectedMaterials, products: step.expectedProducts)
        }
        for inspection in layout.inspections {
            sources.insert(inspection.name.text)
            add(inspection.name, materials: inspection.expectedMaterials, products: inspection.expectedProducts)
        }
        return lists
    }

    private var rules: [LayoutFinding] {
        let inspections = Set(layout.inspections.map(\.name.text))
        var findings: [LayoutFinding] = []
        for list in lists {
            let (kind, rules) = (list.kind, list.rules)
            let place = "\(kind.rawValue) of '\(list.name)'"
            if !rules.contains(where: Self.endsTheQueue) {
                let reason = "no DISALLOW * at the end: whatever no rule names is allowed"
                findings.append(.init(.openRules, "\(place): \(reason)"))
            }
            if let end = rules.firstIndex(where: Self.endsTheQueue), end + 1 < rules.count {
                let reason = "rules behind number \(end + 1), \(rules[end]), have nothing left to decide"
                findings.append(.init(.deadRule, "\(place): \(reason)"))
                findings += zip((end + 2)..., rules[(end + 1)...]).filter { $1.isRequirement }.map {
                    .init(.impossibleRule, "\(place), rule \($0), \($1): it can never be met, behind \(rules[end])")
                }
            }
            findings += Self.allowances(rules, place)
            for (number, rule) in zip(1..., rules) {
                let rulePlace = "\(place), rule \(number), \(rule)"
                // Whether parameters come is the verifier's affair.
                for reason in rule.peculiarities(isSubstituted: true) {
                    findings.append(.init(.readDifferently, "\(rulePlace): \(reason)"))
                }
                if case .match(let match) = rule, !list.sources.contains(match.step) {
                    let name = match.step.escaped
                    let reason =
                        inspections.contains(match.step)
                        ? "the inspection '\(name)' is run only later" : "there is no step '\(name)'"
                    findings.append(.init(.unknownSource, "\(rulePlace): \(reason)"))
                }
                switch (rule, kind) {
                case (.create, .materials), (.delete, .products):
                    findings.append(.init(.deadRule, "\(rulePlace): it can never consume anything here"))
                default: break
                }
            }
        }
        return findings
    }

    /// An `ALLOW *`, and rules to which an earlier one leaves nothing.
    private static func allowances(_ rules: [ArtifactRule], _ place: String) -> [LayoutFinding] {
        var findings: [LayoutFinding] = []
        var earlier: [(number: Int, rule: ArtifactRule)] = []
        for (number, rule) in zip(1..., rules) {
            if let cover = earlier.first(where: { $0.rule.leavesNothing(for: rule) }) {
                let effect = rule.isRequirement ? "it can never be met" : "nothing is left for it"
                let reason = "\(effect), for rule \(cover.number), \(cover.rule), covers it"
                let code: LayoutFinding.Code = rule.isRequirement ? .impossibleRule : .deadRule
                findings.append(.init(code, "\(place), rule \(number), \(rule): \(reason)"))
            }
            if endsTheQueue(rule) {
                if case .allow = rule {
                    let reason = "whatever no rule before it consumes is allowed"
                    findings.append(.init(.allowsEverything, "\(place), rule \(number), \(rule): \(reason)"))
                }
                break
            }
            if earlier.count < heldRules { earlier.append((number, rule)) }
        }
        return findings
    }

    /// How many rules of one list the later ones are held against: time grows with the product.
    private static let heldRules = 1000

    private static func endsTheQueue(_ rule: ArtifactRule) -> Bool {
        switch rule {
        case .allow(let pattern), .disallow(let pattern): pattern.matchesEverything
        case .create, .delete, .modify, .require, .match: false
        }
    }
}

// MARK: Certificates. Spec: ITE-7

extension LayoutLint {
    /// Roots that the step's constraints name and the layout does not have.
    private func certificates(of step: Step) -> [LayoutFinding] {
        var problems: [String] = []
        let known = Set(layout.roots.map(\.keyID.text))
        for constraint in step.certificateConstraints {
            switch constraint.roots {
            case .anything where known.isEmpty:
                problems.append(", and the layout has no roots: none counts")
            case .anything: break
            case .exactly([]): problems.append(" of no root: none counts")
            case .exactly(let labels):
                problems += labels.subtracting(known).sorted().map {
                    " of the root '\($0.escaped)', which the layout does not have"
                }
            }
        }
        return problems.map { LayoutFinding(.unknownRoot, "step '\(step.name)' takes certificates\($0)") }
    }

    private func canBeMet(_ constraint: CertificateConstraint) -> Bool {
        switch constraint.roots {
        case .anything: !layout.roots.isEmpty
        case .exactly(let labels): layout.roots.contains { labels.contains($0.keyID.text) }
        }
    }
}

extension ArtifactRule {
    fileprivate var isRequirement: Bool { if case .require = self { true } else { false } }

    /// Whether this plainly takes, or forbids, all that a later rule could be about.
    ///
    /// CREATE, DELETE, MODIFY and MATCH pass over some of what they are about, so that only what passes over the same is
    /// left with nothing: rules of their own kind, MATCH with the same source and destination.
    fileprivate func leavesNothing(for later: ArtifactRule) -> Bool {
        switch (self, later) {
        case (.allow(let pattern), _), (.disallow(let pattern), _): pattern.covers(later)
        case (.create(let pattern), .create(let other)), (.delete(let pattern), .delete(let other)),
            (.modify(let pattern), .modify(let other)):
            pattern.covers(other)
        case (.match(let match), .match(let other)):
            match.pattern.covers(other.pattern) && match == other.with(match.pattern)
        case (.create, _), (.delete, _), (.modify, _), (.match, _), (.require, _): false
        }
    }
}

extension GlobPattern {
    /// Whether this plainly matches all that the rule is about.
    fileprivate func covers(_ rule: ArtifactRule) -> Bool {
        switch rule {
        case .create(let pattern), .delete(let pattern), .modify(let pattern), .allow(let pattern),
            .disallow(let pattern):
            covers(pattern)
        case .match(let match): covers(match.pattern, below: match.sourcePrefix.asDirectory)
        case .require(let name): matches(name.text)
        }
    }
}

extension ArtifactMatch {
    fileprivate func with(_ pattern: GlobPattern) -> ArtifactMatch {
        var match = self
        match.pattern = pattern
        return match
    }
}
