import ArgumentParser
import InTotoCrypto
import InTotoMetadata

/// Shows evidence to a person, or as JSON to a program.
struct Inspect: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Show what evidence says.",
        discussion: "Example: intoto-run inspect build.1234abcd.intoto.jsonl --verification-keys ci.pem.pub")

    @OptionGroup var trust: TrustOptions

    @Flag(help: "As JSON.")
    var json = false

    @Flag(help: "Every artifact, not only the first ones.")
    var all = false

    @Argument(help: "Links, layouts, envelopes or bundles.")
    var files: [String]

    func run(in context: CommandContext) throws -> Int32 {
        let keys = try trust.publicKeys()
        for file in files {
            let evidence = try EvidenceFile(reading: file)
            for index in evidence.metadata.indices { try show(index, of: evidence, keys, in: context) }
            if evidence.ignoredLineCount > 0 {
                let lines =
                    evidence.ignoredLineCount == 1
                    ? "1 line is no envelope" : "\(evidence.ignoredLineCount) lines are no envelopes"
                context.note("intoto-run: warning: \(Text(file).escaped): \(lines)")
            }
        }
        return ExitStatus.success
    }

    private func show(
        _ index: Int, of evidence: EvidenceFile, _ keys: [PublicKey], in context: CommandContext
    ) throws {
        let report: EvidenceReport
        do { report = try EvidenceReport(evidence.metadata[index], keys: keys) } catch {
            let message = "\(evidence.name(ofPiece: index)): \(error)"
            // Others may put kinds into a bundle that we do not know; alone, there is nothing to show.
            guard evidence.metadata.count > 1, error.isOfAnotherKind else { throw Failure(message) }
            return context.note("intoto-run: warning: \(message)")
        }
        if json { return context.print(try JSONText.indented(report.json)) }
        if evidence.metadata.count > 1 { context.print("envelope \(index + 1) of \(evidence.metadata.count):") }
        for line in report.lines(showingAll: all) { context.print(line) }
    }
}
