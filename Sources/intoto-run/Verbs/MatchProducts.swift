import ArgumentParser
import InTotoArtifacts
import InTotoCrypto
import InTotoMetadata

/// Answers whether local files equal the products of a link.
struct MatchProducts: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Compare local files with the products that evidence names.",
        discussion: """
            Example: intoto-run match-products -l build.1234abcd.link -p dist

            Exit status: 0 where they are equal, 1 where not, 2 where it could not be told.
            """)

    @Option(name: [.customShort("l"), .customLong("link")], help: "Evidence: a link, a DSSE link, a bundle.")
    var link: String

    @OptionGroup var trust: TrustOptions

    @Option(
        name: [.customShort("p"), .customLong("paths"), .customLong("path")], parsing: .upToNextOption,
        help: ArgumentHelp("Local files and directories (default: '.').", valueName: "ref"))
    var paths: [String] = []

    @OptionGroup var artifacts: ArtifactOptions
    @OptionGroup var repository: RepositoryTrustOption

    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var verbosity: VerbosityOptions

    func run(in context: CommandContext) throws -> Int32 {
        let keys = try trust.publicKeys(in: context)
        let recorded = try EvidenceFile(reading: link, in: context).link(signedBy: keys).products
        let local = try snapshot(comparableWith: recorded, in: context)
        let difference = ArtifactDifference(recorded, local)
        if json {
            try context.print(JSONText.indented(difference.json(signaturesChecked: !keys.isEmpty)))
        } else {
            if keys.isEmpty && !verbosity.quiet {
                context.note("intoto-run: warning: signatures were not checked; give --verification-keys")
            }
            if verbosity.verbose {
                verbosity.note("\(recorded.count) products recorded, \(local.count) files here", in: context)
            }
            for line in difference.lines { try context.print(line) }
            switch difference.verdict {
            case .same: try context.print(Self.agreement(recorded.count))
            case .differs: break
            case .unknown: try context.print("cannot tell: the rest matches")
            }
        }
        return difference.verdict.exitStatus
    }

    /// Nothing equals nothing, which nobody should take for a check of files.
    private static func agreement(_ count: Int) -> String {
        switch count {
        case 0: "nothing to compare: the evidence names no products, and there are no files"
        case 1: "1 product matches"
        default: "all \(count) products match"
        }
    }

    private func snapshot(comparableWith recorded: ArtifactSet, in context: CommandContext) throws -> ArtifactSet {
        var options = try artifacts.snapshotOptions()
        // As strict as the run that recorded them.
        options.hiddenBefore = HiddenFiles()
        options.git = repository.reading(in: context)
        let references = try ArtifactOptions.references(paths.isEmpty ? ["."] : paths)
        // Whole directories have their own.
        if references.contains(where: { $0.scheme == .file }) { options.digests = try recorded.comparableAlgorithms() }
        do {
            let result = try Snapshot.take(of: references, options: options)
            for entry in result.notRecorded { context.note("intoto-run: warning: not compared: \(entry)") }
            return result.artifacts
        } catch { throw Failure("\(error)", hint: error.hint) }
    }
}

extension ArtifactSet {
    /// The algorithms of these digests that local files can be hashed with.
    fileprivate func comparableAlgorithms() throws -> [DigestAlgorithm] {
        var found: Set<DigestAlgorithm> = []
        for artifact in self { found.formUnion(artifact.digests.entries.map(\.algorithm)) }
        let supported: [DigestAlgorithm] = [.sha256, .sha384, .sha512, .gitBlob].filter(found.contains)
        guard !supported.isEmpty || isEmpty else {
            throw Failure(
                "the products have no digest that files can be compared by",
                hint: "name directories as the evidence does, with -p dir:PATH or tree:PATH")
        }
        return supported.isEmpty ? [.sha256] : supported
    }
}

extension ArtifactDifference {
    /// One line for each difference.
    fileprivate var lines: [String] {
        onlyInFirst.map { "missing: \($0)" } + onlyInSecond.map { "not in the evidence: \($0)" }
            + different.map { "differs: \($0.name): recorded \($0.first.summary), here \($0.second.summary)" }
            + incomparable.map { "no common digest: \($0.name): recorded \($0.first.summary)" }
    }

    fileprivate func json(signaturesChecked: Bool) -> JSONObject {
        func names(_ names: [ArtifactName]) -> JSONValue { .array(names.map { .string($0.text) }) }
        func changes(_ changes: [Change]) -> JSONValue {
            .array(changes.map { ["name": .string($0.name.text), "recorded": $0.first.json, "here": $0.second.json] })
        }
        return [
            "different": changes(different), "incomparable": changes(incomparable), "match": .bool(isEmpty),
            "missing": names(onlyInFirst), "notInEvidence": names(onlyInSecond),
            "signaturesChecked": .bool(signaturesChecked), "verdict": .string(Text(verdict.rawValue)),
        ]
    }
}
