public import InTotoCrypto
public import InTotoMetadata

/// A first layout, drafted from what was recorded: it demands what happened, and no more. Whoever signs it reads it first.
public struct LayoutDraft: Sendable {
    /// A link, and those who signed it.
    public struct Recording: Sendable {
        public let link: Link
        public let signers: [PublicKey]

        public init(link: Link, signers: [PublicKey]) {
            self.link = link
            self.signers = signers
        }
    }

    /// One step as it was recorded.
    fileprivate struct RecordedStep {
        let name: StepName
        let record: ArtifactRecord
        let command: [Text]
        let signers: [PublicKey]
        /// As many functionaries as have done it separately.
        let threshold: Int
    }

    /// In an order in which what one step makes comes before who uses it.
    private let steps: [RecordedStep]

    /// Throws where the recordings do not agree, or hold what no layout would accept.
    public init(_ recordings: [Recording]) throws(LayoutDraftError) {
        var groups: [StepName: [Recording]] = [:]
        for recording in recordings { groups[recording.link.name, default: []].append(recording) }
        var steps: [RecordedStep] = []
        for name in groups.keys.sorted() { steps.append(try RecordedStep(name, groups[name] ?? [])) }
        self.steps = Self.ordered(steps)
        try check()
    }

    /// The rules hold for what was recorded: otherwise whoever signs the draft would refuse his own product.
    private func check() throws(LayoutDraftError) {
        let layout = layout(expires: UTCTime(secondsSinceEpoch: 0))
        let records = Dictionary(steps.map { ($0.name.text, $0.record) }) { first, _ in first }
        let evaluator = RuleEvaluator(records)
        for (step, recorded) in zip(layout.steps, steps) {
            for (kind, rules) in [(ArtifactKind.materials, step.expectedMaterials), (.products, step.expectedProducts)]
            {
                guard let failure = evaluator.evaluate(rules, on: recorded.record, kind).failure else { continue }
                throw .rules(step.name, kind, failure)
            }
        }
    }

    public func layout(expires: UTCTime) -> Layout {
        var keys: [PublicKey] = []
        for step in steps { keys += step.signers.filter { !keys.contains($0) } }
        return Layout(
            expires: expires, readme: "Drafted from recorded links; read it before you sign it.",
            keys: keys.map { LayoutKey(keyID: $0.keyID(.python), object: $0.keyObject) },
            steps: steps.indices.map(step))
    }

    private func step(_ index: Int) -> Step {
        let step = steps[index]
        return Step(
            name: step.name, threshold: step.threshold, keyIDs: step.signers.map { $0.keyID(.python) },
            expectedCommand: step.command, expectedMaterials: materialRules(index),
            expectedProducts: productRules(step))
    }

    /// What earlier steps made is matched with them, the nearest first; the rest is allowed by name.
    private func materialRules(_ index: Int) -> [ArtifactRule] {
        var rules: [ArtifactRule] = []
        var left = Array(steps[index].record.materials.set)
        for earlier in steps[..<index].reversed() {
            let rest = left.filter { earlier.record.products.set[$0.name]?.compare(with: $0.digests) != .same }
            guard rest.count < left.count else { continue }
            rules.append(.match(ArtifactMatch(GlobPattern("*"), with: .products, from: earlier.name.text)))
            left = rest
        }
        return rules + Self.patterns(left.map(\.name)).map { .allow($0) } + [.disallow(GlobPattern("*"))]
    }

    private func productRules(_ step: RecordedStep) -> [ArtifactRule] {
        let materials = step.record.materials.set
        var created: [ArtifactName] = []
        var modified: [ArtifactName] = []
        var unchanged = false
        for product in step.record.products.set {
            switch materials[product.name]?.compare(with: product.digests) {
            case nil: created.append(product.name)
            case .same?: unchanged = true
            case .different?, .incomparable?: modified.append(product.name)
            }
        }
        var rules: [ArtifactRule] = Self.patterns(created).map { .create($0) }
        rules += Self.patterns(modified).map { .modify($0) }
        if unchanged { rules.append(.match(ArtifactMatch(GlobPattern("*"), with: .materials, from: step.name.text))) }
        return rules + [.disallow(GlobPattern("*"))]
    }

    /// Most names of one directory that are listed one by one.
    private static let listedNames = 5

    /// The names themselves, or their directories where these hold many.
    private static func patterns(_ names: [ArtifactName]) -> [GlobPattern] {
        var directories: [[UInt8]: [ArtifactName]] = [:]
        for name in names {
            let slash = name.text.utf8.firstIndex(of: UInt8(ascii: "/"))
            directories[slash.map { Array(name.text.utf8[...$0]) } ?? [], default: []].append(name)
        }
        var patterns: [GlobPattern] = []
        for (directory, names) in directories.sorted(by: { $0.key.precedesBytewise($1.key) }) {
            if !directory.isEmpty && names.count > listedNames {
                patterns.append(GlobPattern(Text(repairing: escaped(directory) + [UInt8(ascii: "*")])))
            } else {
                patterns += names.map { GlobPattern(Text(repairing: escaped($0.text.utf8))) }
            }
        }
        return patterns
    }

    /// What matches this text only.
    private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { "*?[".utf8.contains($0) ? [UInt8(ascii: "["), $0, UInt8(ascii: "]")] : [$0] }
    }

    /// Those whose materials others make come after them; where that decides nothing, by name.
    private static func ordered(_ steps: [RecordedStep]) -> [RecordedStep] {
        let sources = sources(of: steps)
        var waitsFor = steps.indices.map { index in
            // Two that use each other's are in no order.
            Set(sources[index].filter { $0 != index && !sources[$0].contains(index) })
        }
        var left = Array(steps.indices)
        var ordered: [RecordedStep] = []
        while !left.isEmpty {
            let next = left.remove(at: left.firstIndex { waitsFor[$0].isEmpty } ?? 0)
            for index in left { waitsFor[index].remove(next) }
            ordered.append(steps[next])
        }
        return ordered
    }

    /// For each step those that made one of its materials.
    private static func sources(of steps: [RecordedStep]) -> [Set<Int>] {
        var makers: [ArtifactName: [(step: Int, digests: DigestSet)]] = [:]
        for (index, step) in steps.enumerated() {
            let materials = step.record.materials.set
            for product in step.record.products.set
            where materials[product.name]?.compare(with: product.digests) != .same {
                makers[product.name, default: []].append((index, product.digests))
            }
        }
        return steps.map { step in
            var sources: Set<Int> = []
            for material in step.record.materials.set {
                for maker in makers[material.name] ?? [] where maker.digests.compare(with: material.digests) == .same {
                    sources.insert(maker.step)
                }
            }
            return sources
        }
    }
}

extension LayoutDraft.RecordedStep {
    /// All recordings of one step, which agree.
    fileprivate init(_ name: StepName, _ recordings: [LayoutDraft.Recording]) throws(LayoutDraftError) {
        self.name = name
        command = recordings.first?.link.command ?? []
        var agreed: AgreedRecord?
        var accepted: [AcceptedEvidence] = []
        var signers: [PublicKey] = []
        for (index, recording) in recordings.enumerated() {
            do {
                let read = try ArtifactRecord(recording.link)
                if let (_, difference) = agreed?.add(read) { throw LayoutDraftError.disagreement(name, difference) }
                agreed = agreed ?? AgreedRecord(read)
                let text = try JSONWriter.bytes(.compact) { recording.link.write(to: &$0) }
                accepted.append(
                    AcceptedEvidence(
                        reference: EvidenceReference(path: "", envelope: index, sha256: ""),
                        content: .link(read, command: recording.link.command),
                        signers: recording.signers.map { Functionary(label: $0.keyID(.python), key: $0) },
                        sublayoutFolder: nil, signedDigest: try EvidencePool.sha256(text),
                        isOfOneRun: recording.link.saysWhenItBegan))
            } catch let problem as ArtifactProblem {
                throw .artifacts(name, problem)
            } catch let error as LayoutDraftError {
                throw error
            } catch { throw .unreadable(name, "\(error)") }
            signers += recording.signers.filter { !signers.contains($0) }
        }
        record = agreed?.merged ?? .empty
        self.signers = signers
        threshold = max(1, EvidenceCount(accepted).total)
    }
}

/// Why no layout can be drafted from what was recorded.
public enum LayoutDraftError: Error, CustomStringConvertible {
    case artifacts(StepName, ArtifactProblem)
    case disagreement(StepName, String)
    case rules(StepName, ArtifactKind, RuleFailure)
    case unreadable(StepName, String)

    public var description: String {
        switch self {
        case .artifacts(let step, let problem): "step '\(step)': \(problem)"
        case .disagreement(let step, let difference): "the links of step '\(step)' disagree: \(difference)"
        case .rules(let step, let kind, let failure):
            "no rules that the recordings keep were found for the \(kind.rawValue) of '\(step)': \(failure)"
        case .unreadable(let step, let reason): "step '\(step)': \(reason)"
        }
    }
}
