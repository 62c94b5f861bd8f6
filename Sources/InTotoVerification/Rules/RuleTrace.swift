public import InTotoMetadata

/// What a list of rules did with the artifacts of one link: each rule and what it consumed, up to the one that failed.
public struct RuleTrace: Sendable {
    public struct Entry: Sendable {
        public let rule: ArtifactRule
        public let consumed: ArtifactSelection
        /// Of a MATCH from something that has no link, so that it can consume nothing.
        public let missingSource: MissingSource?
    }

    /// Why nothing can be matched with a source. A raw value is what programs are told; does not change.
    public enum MissingSource: String, Sendable {
        /// No step or inspection is called so.
        case unknown
        /// An inspection: those are run one after another, once all steps hold.
        case notRunYet = "not-run-yet"
    }

    public let kind: ArtifactKind
    public internal(set) var entries: [Entry] = []
    /// What no rule has consumed: allowed by the end of the list, or what was there when a rule failed.
    public internal(set) var rest: ArtifactSelection
    /// What failed is the rule behind the last entry.
    public internal(set) var failure: RuleFailure?
}

/// Some of a link's artifacts, in byte order of their names.
public struct ArtifactSelection: Sendable {
    let artifacts: NormalizedArtifacts
    let positions: [Int]

    public var count: Int { positions.count }
}

extension ArtifactSelection: RandomAccessCollection {
    public var startIndex: Int { positions.startIndex }
    public var endIndex: Int { positions.endIndex }
    public subscript(index: Int) -> ArtifactName { artifacts.set[positions[index]].name }

    /// The name as its link has it, where rules see another spelling: the first, where links write several.
    public func original(at index: Int) -> ArtifactName? { artifacts.originals[positions[index]]?.first }
}

/// A rule that was not kept.
public struct RuleFailure: Sendable {
    /// Counted from 1, in its list.
    public let number: Int
    public let rule: ArtifactRule
    /// The first artifacts that broke it, or the one that REQUIRE did not find.
    public let artifacts: [ExplainedArtifact]
    public let count: Int

    /// How many artifacts are named and explained.
    static let shownArtifacts = 10
}

/// An artifact that broke a rule, and what nearly consumed it before.
public struct ExplainedArtifact: Sendable {
    public let name: ArtifactName
    /// As the link has it, where that is another spelling.
    public let original: ArtifactName?
    public let nearMisses: [NearMiss]
}

/// Why a rule did not consume an artifact that it is about.
public enum NearMiss: Hashable, Sendable {
    case otherDigest(ArtifactName, of: Source, here: DigestSet, there: DigestSet)
    case noCommonDigest(ArtifactName, of: Source, here: DigestSet, there: DigestSet)
    case otherName(ArtifactName, of: Source)
    /// It is there, the same in name and digest, and the pattern does not match the name.
    case uncovered(by: Source)
    case noSuchStep(Text)
    /// An inspection has no artifacts before it was run.
    case notRunYet(Text)
    /// CREATE: it is a material, too.
    case alreadyThere
    /// DELETE: it is a product, too, or no material at all.
    case stillThere
    /// MODIFY: its digests are the same before and after.
    case unchanged
    /// MODIFY: it is only there before, or only after.
    case notOnBothSides
    /// MODIFY: no digest algorithm can tell.
    case cannotTell
    /// REQUIRE: an earlier rule has consumed it.
    case consumed(by: Int)
    case absent

    /// Where another link has it.
    public struct Source: Hashable, Sendable {
        public let step: Text
        public let kind: ArtifactKind
    }
}

extension NearMiss: CustomStringConvertible {
    public var description: String {
        switch self {
        case .otherDigest(let name, let source, let here, let there):
            "same path, other digest: here \(here), '\(name)' in \(source) \(there)"
        case .noCommonDigest(let name, let source, let here, let there):
            "same path, no strong digest in common: here \(here), '\(name)' in \(source) \(there)"
        case .otherName(let name, let source): "same digest under another name: '\(name)' in \(source)"
        case .uncovered(let source): "the same is in \(source), and the rule is not about that name there"
        case .noSuchStep(let step): "there is no step or inspection '\(step.escaped)'"
        case .notRunYet(let name): "'\(name.escaped)' is an inspection that has not run yet"
        case .alreadyThere: "CREATE does not cover it: it is among the materials, too"
        case .stillThere: "DELETE does not cover it: it is not a material that is gone afterwards"
        case .unchanged: "MODIFY does not cover it: it has the same digest before and after"
        case .notOnBothSides: "MODIFY does not cover it: it is not there both before and after"
        case .cannotTell: "MODIFY does not cover it: no strong digest is recorded both before and after"
        case .consumed(let number): "rule \(number) has consumed it already"
        case .absent: "it is not there"
        }
    }
}

extension NearMiss.Source: CustomStringConvertible {
    public var description: String { "the \(kind.rawValue) of '\(step.escaped)'" }
}

extension RuleFailure: CustomStringConvertible {
    /// One line, then one indented line for each artifact and each near miss.
    public var description: String {
        var lines: [String]
        switch rule {
        case .require: lines = ["rule \(number), \(rule), is not met"]
        default: lines = ["rule \(number), \(rule), forbids \(count == 1 ? "1 artifact" : "\(count) artifacts")"]
        }
        for artifact in artifacts {
            lines.append("  '\(artifact.name)'" + (artifact.original.map { ", written '\($0)'" } ?? ""))
            lines += artifact.nearMisses.map { "    \($0)" }
        }
        if count > artifacts.count { lines.append("  and \(count - artifacts.count) more") }
        return lines.joined(separator: "\n")
    }
}
