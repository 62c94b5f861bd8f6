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
            for metadata in evidence.metadata {
                let report: EvidenceReport
                do { report = try EvidenceReport(metadata, keys: keys) } catch {
                    throw Failure("\(Text(file).escaped): \(error)")
                }
                if json {
                    context.print(try JSONText.indented(report.json))
                } else {
                    for line in report.lines(showingAll: all) { context.print(line) }
                }
            }
            if evidence.ignoredLineCount > 0 {
                context.note(
                    "intoto-run: warning: \(Text(file).escaped): \(evidence.ignoredLineCount) lines are no envelopes")
            }
        }
        return ExitStatus.success
    }
}
