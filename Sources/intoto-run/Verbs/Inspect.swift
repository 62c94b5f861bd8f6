import ArgumentParser
import InTotoCrypto
import InTotoMetadata

/// Shows evidence to a person, or as JSON to a program.
struct Inspect: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Show what evidence says.",
        discussion: "Example: intoto-run inspect build.1234abcd.intoto.jsonl --verification-keys ci.pem.pub")

    @OptionGroup var trust: TrustOptions

    @Flag(help: "As JSON: an object, or a list of them where there are several files or envelopes.")
    var json = false

    @Flag(help: "Every artifact, not only the first ones.")
    var all = false

    @Option(help: ArgumentHelp("How many artifacts of each kind are named.", valueName: "n"))
    var first: UInt16 = 10

    @Argument(help: "Links, layouts, envelopes or bundles.")
    var files: [String]

    func run(in context: CommandContext) throws -> Int32 {
        let keys = try trust.publicKeys(in: context)
        var documents: [JSONValue] = []
        var pieces = 0
        for file in files {
            let evidence = try EvidenceFile(reading: file, in: context)
            pieces += evidence.metadata.count
            for index in evidence.metadata.indices {
                guard let report = try report(on: index, of: evidence, keys, in: context) else { continue }
                if json {
                    documents.append(.object(try report.json()))
                } else {
                    try show(report, index, of: evidence, in: context)
                }
            }
        }
        // What is a list stays one, whatever was left out of it.
        if json { try context.print(JSONText.indented(value: pieces == 1 ? documents[0] : .array(documents))) }
        return ExitStatus.success
    }

    /// Nil, with a warning, for kinds that we do not know and that others may put into a bundle; alone, there is nothing
    /// to show.
    private func report(
        on index: Int, of evidence: EvidenceFile, _ keys: [PublicKey], in context: CommandContext
    ) throws -> EvidenceReport? {
        do { return try EvidenceReport(evidence.metadata[index], keys: keys) } catch {
            let message = "\(evidence.name(ofPiece: index)): \(error)"
            guard evidence.metadata.count > 1, error.isOfAnotherKind else { throw Failure(message) }
            context.note("intoto-run: warning: \(message)")
            return nil
        }
    }

    private func show(
        _ report: EvidenceReport, _ index: Int, of evidence: EvidenceFile, in context: CommandContext
    ) throws {
        if evidence.metadata.count > 1 { try context.print("envelope \(index + 1) of \(evidence.metadata.count):") }
        for line in report.lines(limit: all ? nil : Int(first)) { try context.print(line) }
    }
}
