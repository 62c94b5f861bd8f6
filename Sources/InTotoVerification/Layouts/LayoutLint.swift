internal import InTotoCrypto
public import InTotoMetadata

/// What is wrong with a layout that is well formed, in words, each a line.
public struct LayoutLint: Sendable {
    private let layout: Layout
    private let now: UTCTime

    public init(_ layout: Layout, now: UTCTime) {
        self.layout = layout
        self.now = now
    }

    public var findings: [String] { expiry + keys + steps + rules }

    private static let day: Int64 = 86_400
    /// In seconds: layouts that are good for longer are hardly ever meant to be.
    static let longestExpiry = 3 * 366 * day

    private var expiry: [String] {
        let left = layout.expires.secondsSinceEpoch - now.secondsSinceEpoch
        if left <= 0 { return ["it has expired, at \(layout.expires)"] }
        if left < 7 * Self.day { return ["it expires within a week, at \(layout.expires)"] }
        if left > Self.longestExpiry {
            return ["it expires only at \(layout.expires): until then nobody can take it back"]
        }
        return []
    }

    private var keys: [String] {
        let functionaries = Functionaries(layout)
        let used = Set(layout.steps.flatMap(\.keyIDs))
        var findings = functionaries.unusable.map { "key '\($0.label)' cannot be used: \($0.reason)" }
        findings += layout.keys.filter { !used.contains($0.keyID) }.map { "key '\($0.keyID)' is listed for no step" }
        let known = Set(layout.keys.map(\.keyID))
        for step in layout.steps {
            findings += step.keyIDs.filter { !known.contains($0) }
                .map { "step '\(step.name)' lists the key '\($0)', which the layout does not have" }
            findings += certificates(of: step)
            let count = functionaries.listed(for: step).count
            if count < step.threshold && !step.certificateConstraints.contains(where: canBeMet) {
                findings.append(
                    "step '\(step.name)' can never be met: threshold \(step.threshold), \(count) distinct usable keys")
            }
        }
        return findings
    }

    private var steps: [String] {
        layout.steps.isEmpty ? ["there are no steps: it says nothing about how the product was made"] : []
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

    private var rules: [String] {
        let inspections = Set(layout.inspections.map(\.name.text))
        var findings: [String] = []
        for list in lists {
            let (kind, rules) = (list.kind, list.rules)
            let place = "\(kind.rawValue) of '\(list.name)'"
            if !rules.contains(where: Self.endsTheQueue) {
                findings.append("\(place): no DISALLOW * at the end: whatever no rule names is allowed")
            }
            if let end = rules.firstIndex(where: Self.endsTheQueue), end + 1 < rules.count {
                findings.append("\(place): rules behind number \(end + 1), \(rules[end]), have nothing left to decide")
            }
            findings += Self.allowances(rules).map { place + $0 }
            for (index, rule) in rules.enumerated() {
                // Whether parameters come is the verifier's affair.
                for reason in rule.peculiarities(isSubstituted: true) {
                    findings.append("\(place), rule \(index + 1), \(rule): \(reason)")
                }
                if case .match(let match) = rule, !list.sources.contains(match.step) {
                    let name = match.step.escaped
                    let reason =
                        inspections.contains(match.step)
                        ? "the inspection '\(name)' is run only later" : "there is no step '\(name)'"
                    findings.append("\(place), rule \(index + 1), \(rule): \(reason)")
                }
                switch (rule, kind) {
                case (.create, .materials), (.delete, .products):
                    findings.append("\(place), rule \(index + 1), \(rule): it can never consume anything here")
                default: break
                }
            }
        }
        return findings
    }

    /// An `ALLOW *`, and rules to which an earlier one leaves nothing.
    private static func allowances(_ rules: [ArtifactRule]) -> [String] {
        var findings: [String] = []
        var earlier: [(number: Int, rule: ArtifactRule)] = []
        for (number, rule) in zip(1..., rules) {
            if let cover = earlier.first(where: { $0.rule.leavesNothing(for: rule) }) {
                let effect = if case .require = rule { "it can never be met" } else { "nothing is left for it" }
                findings.append(
                    ", rule \(number), \(rule): \(effect), for rule \(cover.number), \(cover.rule), covers it")
            }
            if endsTheQueue(rule) {
                if case .allow = rule {
                    findings.append(", rule \(number), \(rule): whatever no rule before it consumes is allowed")
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
    private func certificates(of step: Step) -> [String] {
        var findings: [String] = []
        let known = Set(layout.roots.map(\.keyID.text))
        for constraint in step.certificateConstraints {
            switch constraint.roots {
            case .anything where known.isEmpty:
                findings.append("step '\(step.name)' takes certificates, and the layout has no roots: none counts")
            case .anything: break
            case .exactly([]): findings.append("step '\(step.name)' takes certificates of no root: none counts")
            case .exactly(let labels):
                findings += labels.subtracting(known).sorted().map {
                    "step '\(step.name)' takes certificates of the root '\($0.escaped)', which the layout does not have"
                }
            }
        }
        return findings
    }

    private func canBeMet(_ constraint: CertificateConstraint) -> Bool {
        switch constraint.roots {
        case .anything: !layout.roots.isEmpty
        case .exactly(let labels): layout.roots.contains { labels.contains($0.keyID.text) }
        }
    }
}

extension ArtifactRule {
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
