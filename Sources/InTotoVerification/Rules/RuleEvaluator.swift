public import InTotoMetadata

/// What a link says of artifacts, as rules see it.
public struct ArtifactRecord: Sendable {
    public let materials: NormalizedArtifacts
    public let products: NormalizedArtifacts

    public init(materials: NormalizedArtifacts, products: NormalizedArtifacts) {
        self.materials = materials
        self.products = products
    }

    public init(_ link: Link, _ spelling: NameSpelling = .normalized) throws(ArtifactProblem) {
        self.init(
            materials: try NormalizedArtifacts(link.materials, spelling),
            products: try NormalizedArtifacts(link.products, spelling))
    }

    public subscript(kind: ArtifactKind) -> NormalizedArtifacts {
        switch kind {
        case .materials: materials
        case .products: products
        }
    }
}

/// Applies artifact rules. Pure: rules and links in, a trace out. Spec: in-toto v1.0, 4.3.3 and 5.2.
public struct RuleEvaluator {
    /// The links that MATCH can refer to, by the names of their steps and inspections.
    private let records: [Text: ArtifactRecord]
    private let inspections: Set<Text>
    private let twins = Twins()

    /// `inspections` are all that the layout has, whether or not they have a link yet.
    public init(_ records: [Text: ArtifactRecord], inspections: Set<Text> = []) {
        self.records = records
        self.inspections = inspections
    }

    /// Applies the rules in order to the record's artifacts of one kind; stops at the first that fails.
    public func evaluate(_ rules: [ArtifactRule], on record: ArtifactRecord, _ kind: ArtifactKind) -> RuleTrace {
        var queue = ArtifactQueue(record[kind])
        var trace = RuleTrace(kind: kind, rest: queue.rest)
        for (index, rule) in rules.enumerated() {
            if let broken = broken(rule, &queue) {
                trace.failure = failure(of: rule, index, broken, record, trace)
                break
            }
            let consumed = consumed(by: rule, record, &queue)
            for position in consumed { queue.consume(position) }
            trace.entries.append(
                RuleTrace.Entry(
                    rule: rule, consumed: ArtifactSelection(artifacts: record[kind], positions: consumed),
                    missingSource: rule.matchedStep.flatMap(missingSource)))
        }
        trace.rest = queue.rest
        return trace
    }

    /// The positions of the artifacts that a DISALLOW forbids; empty for a REQUIRE that finds nothing; nil where the rule
    /// holds.
    private func broken(_ rule: ArtifactRule, _ queue: inout ArtifactQueue) -> [Int]? {
        switch rule {
        case .disallow(let pattern):
            let positions = queue.positions(matchingEitherSpelling: pattern)
            return positions.isEmpty ? nil : positions
        case .require(let name): return queue.contains(name) ? nil : []
        case .create, .delete, .modify, .allow, .match: return nil
        }
    }

    private func missingSource(_ name: Text) -> RuleTrace.MissingSource? {
        guard records[name] == nil else { return nil }
        return inspections.contains(name) ? .notRunYet : .unknown
    }

    private func consumed(by rule: ArtifactRule, _ record: ArtifactRecord, _ queue: inout ArtifactQueue) -> [Int] {
        let own = queue.artifacts.set
        let (materials, products) = (record.materials.set, record.products.set)
        switch rule {
        case .allow(let pattern): return queue.positions(matching: pattern)
        case .create(let pattern):
            return queue.positions(matching: pattern).filter {
                let name = own.nameBytes(at: $0)
                return products.position(of: name) != nil && materials.position(of: name) == nil
            }
        case .delete(let pattern):
            return queue.positions(matching: pattern).filter {
                let name = own.nameBytes(at: $0)
                return materials.position(of: name) != nil && products.position(of: name) == nil
            }
        case .modify(let pattern):
            return queue.positions(matching: pattern).filter {
                let name = own.nameBytes(at: $0)
                guard let before = materials.position(of: name), let after = products.position(of: name) else {
                    return false
                }
                return materials.compareDigests(at: before, with: products, at: after) == .different
            }
        case .match(let match):
            guard let destination = records[match.step]?[match.kind].set else { return [] }
            return queue.positions(matching: match.pattern, below: match.sourcePrefix.asDirectory).filter {
                guard let name = match.destinationName(of: own.nameBytes(at: $0)),
                    let position = destination.position(of: name)
                else { return false }
                return own.compareDigests(at: $0, with: destination, at: position) == .same
            }
        case .disallow, .require: return []
        }
    }
}

extension ArtifactRule {
    fileprivate var matchedStep: Text? {
        if case .match(let match) = self { match.step } else { nil }
    }
}

extension Text {
    /// The prefix that names below this directory have; nothing for no directory.
    var asDirectory: [UInt8] { isEmpty || utf8.last == slash ? utf8 : utf8 + [slash] }
}

extension ArtifactMatch {
    /// The name that the destination must have; nil where the artifact is not below the source prefix.
    fileprivate func destinationName(of name: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let source = sourcePrefix.asDirectory
        guard name.starts(with: source) else { return nil }
        let rest = name.dropFirst(source.count)
        // Python lets such a rest replace the prefix.
        guard rest.first != slash || sourcePrefix.isEmpty && destinationPrefix.isEmpty else { return nil }
        return destinationPrefix.isEmpty ? rest : (destinationPrefix.asDirectory + rest)[...]
    }
}

private let slash = UInt8(ascii: "/")

// MARK: Why

extension RuleEvaluator {
    private func failure(
        of rule: ArtifactRule, _ index: Int, _ broken: [Int], _ record: ArtifactRecord, _ trace: RuleTrace
    ) -> RuleFailure {
        let artifacts = record[trace.kind]
        if case .require(let name) = rule {
            let consumer = trace.entries.firstIndex { entry in entry.consumed.contains(name) }
            let reason = consumer.map { NearMiss.consumed(by: $0 + 1) } ?? .absent
            let explained = ExplainedArtifact(name: name, original: nil, nearMisses: [reason])
            return RuleFailure(number: index + 1, rule: rule, artifacts: [explained], count: 1)
        }
        let shown = broken.prefix(RuleFailure.shownArtifacts).map { position in
            let originals = artifacts.originals[position] ?? []
            return ExplainedArtifact(
                name: artifacts.set[position].name,
                original: originals.first { rule.pattern?.matches($0.text) == true } ?? originals.first,
                nearMisses: nearMisses(of: position, in: artifacts.set, record, trace))
        }
        return RuleFailure(number: index + 1, rule: rule, artifacts: shown, count: broken.count)
    }

    private func nearMisses(
        of position: Int, in own: ArtifactSet, _ record: ArtifactRecord, _ trace: RuleTrace
    ) -> [NearMiss] {
        var found: [NearMiss] = []
        var seen: Set<NearMiss> = []
        for entry in trace.entries {
            for miss in nearMisses(of: entry.rule, position, own, record) where seen.insert(miss).inserted {
                found.append(miss)
                // Nobody reads more; a layout may have thousands of rules that nearly fit.
                if found.count == Self.shownNearMisses { return found }
            }
        }
        return found
    }

    private static let shownNearMisses = 100

    private func nearMisses(
        of rule: ArtifactRule, _ position: Int, _ own: ArtifactSet, _ record: ArtifactRecord
    ) -> [NearMiss] {
        let name = own.nameBytes(at: position)
        if case .match(let match) = rule { return nearMisses(of: match, position, own) }
        guard let pattern = rule.pattern, pattern.matches(name) else { return [] }
        let before = record.materials.set.position(of: name)
        let after = record.products.set.position(of: name)
        switch rule {
        case .create: return [.alreadyThere]
        case .delete: return [.stillThere]
        case .modify:
            guard let before, let after else { return [.notOnBothSides] }
            return record.materials.set.compareDigests(at: before, with: record.products.set, at: after) == .same
                ? [.unchanged] : [.cannotTell]
        case .allow, .disallow, .require, .match: return []
        }
    }

    private func nearMisses(of match: ArtifactMatch, _ position: Int, _ own: ArtifactSet) -> [NearMiss] {
        let name = own.nameBytes(at: position)
        let isMeant =
            name.starts(with: match.sourcePrefix.asDirectory)
            && match.pattern.matches(name.dropFirst(match.sourcePrefix.asDirectory.count))
        guard let destination = records[match.step]?[match.kind].set else {
            guard isMeant else { return [] }
            return [missingSource(match.step) == .notRunYet ? .notRunYet(match.step) : .noSuchStep(match.step)]
        }
        let source = NearMiss.Source(step: match.step, kind: match.kind)
        var found: [NearMiss] = []
        if isMeant, let wanted = match.destinationName(of: name), let there = destination.position(of: wanted) {
            let (here, other) = (own[position].digests, destination[there])
            found.append(
                here.compare(with: other.digests) == .different
                    ? .otherDigest(other.name, of: source, here: here, there: other.digests)
                    : .noCommonDigest(other.name, of: source, here: here, there: other.digests))
        }
        // Under its own name before any other: several may have the same digest.
        let namesake = destination.position(of: name).flatMap { there in
            own.compareDigests(at: position, with: destination, at: there) == .same ? there : nil
        }
        if let twin = namesake ?? twins.first(with: own[position].digests, in: destination, of: source) {
            found.append(
                destination.nameBytes(at: twin).elementsEqual(name)
                    ? .uncovered(by: source) : .otherName(destination[twin].name, of: source))
        }
        return found
    }
}

/// Where in a link each digest stands first; each link is read once, however many artifacts are looked for in it.
private final class Twins {
    private var positions: [NearMiss.Source: [Text: Int]] = [:]

    func first(with digests: DigestSet, in set: ArtifactSet, of source: NearMiss.Source) -> Int? {
        let known = positions[source] ?? Self.positions(in: set)
        positions[source] = known
        return digests.entries.lazy.compactMap { known[$0.value.asciiLowercased] }
            .first { set[$0].digests.compare(with: digests) == .same }
    }

    private static func positions(in set: ArtifactSet) -> [Text: Int] {
        var positions: [Text: Int] = [:]
        for position in set.indices {
            for entry in set[position].digests.entries where positions[entry.value.asciiLowercased] == nil {
                positions[entry.value.asciiLowercased] = position
            }
        }
        return positions
    }
}
