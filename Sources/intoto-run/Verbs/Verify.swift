import ArgumentParser
import InTotoMetadata
import InTotoStorage
import InTotoVerification
import SystemPackage

/// Decides whether a product was made as its layout says.
struct Verify: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Check a product and its evidence against the layout of its supply chain.",
        discussion: """
            Example: intoto-run verify -l root.layout --verification-keys owner.pub --link-dir links

            Works in the directory where the final product is; the layout's inspections run there, after everything else \
            has passed, and are listed first.

            Exit status: 0 where it is accepted; 1 where it is not; 2 where nobody can tell, which is also so with \
            --no-inspections and a layout that has some.
            """)

    @OptionGroup var verification: VerificationOptions

    @Flag(name: .customLong("no-inspections"), help: "Run no inspections; a verdict without them is incomplete.")
    var withoutInspections = false

    @Flag(name: .customLong("allow-sublayout-inspections"), help: "Also run the inspections that sublayouts want.")
    var allowsSublayoutInspections = false

    @Option(
        name: .customLong("inspection-timeout"),
        help: ArgumentHelp("Most time for each inspection: 90, 90s, 30m.", valueName: "time"))
    var timeout = TimeSpan(.seconds(600))

    @Option(
        name: .customLong("save-inspections"),
        help: ArgumentHelp("Write the inspections' unsigned links there.", valueName: "dir"))
    var saveDirectory: String?

    @Flag(help: "Show each step, each rule and what it consumed, and near misses.")
    var explain = false

    @Option(help: ArgumentHelp("The whole verdict as JSON, on standard output or to a file.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("The checks as JUnit XML, for CI.", valueName: "file"))
    var junit: String?

    @OptionGroup var summary: VerificationSummaryOptions

    func run(in context: CommandContext) throws -> Int32 {
        let summaryWriter = try summary.writer(in: context)
        var request = try verification.request(in: context)
        request.policy.inspections = withoutInspections ? .skip : .run
        request.policy.sublayoutInspections = allowsSublayoutInspections ? .run : .skip
        var verifier = Verifier(request, inspections: runner(in: context))
        var verdict = verifier.verify()
        let subjects = verdict.outcome == .incomplete ? [] : summaryWriter?.subjects(of: verdict) ?? []
        verdict.require(subjects)
        try report(verdict, in: context)
        try saveInspections(verdict)
        if let summaryWriter { try writeSummary(of: verdict, about: subjects, summaryWriter, in: context) }
        return switch verdict.outcome {
        case .passed: ExitStatus.success
        case .failed: ExitStatus.no
        case .incomplete: ExitStatus.couldNotTell
        }
    }

    private func runner(in context: CommandContext) -> InspectionRunner {
        let command = InspectionCommand(timeout: timeout.duration, context: context)
        return InspectionRunner { reports in
            context.note("intoto-run: the layout's inspections run here now:")
            for report in reports {
                let words = report.inspection.command.map(\.shellWord).joined(separator: " ")
                context.note("  \(report.inspection.name): \(words)")
            }
        } run: { inspection, digests in
            try command.run(inspection, digests)
        }
    }

    private func report(_ verdict: Verdict, in context: CommandContext) throws {
        let report = VerdictReport(verdict)
        for warning in report.warnings { context.note("intoto-run: warning: \(warning)") }
        if let json {
            let text = try JSONText.indented(VerdictJSON(verdict).object)
            if json == "-" { try context.print(text) } else { try write(text + "\n", to: json) }
        }
        if json != "-" {
            for line in explain ? report.explanation : report.summary { try context.print(line) }
        }
        if let junit { try write(VerdictJUnit(verdict).text, to: junit) }
    }

    private func saveInspections(_ verdict: Verdict) throws {
        guard let saveDirectory else { return }
        for report in verdict.inspections {
            guard let link = report.link else { continue }
            var bytes = try JSONWriter.bytes(.indented) { Metablock.write(link, signatures: [], to: &$0) }
            bytes.append(UInt8(ascii: "\n"))
            try write(bytes, to: "\(saveDirectory)/\(link.name.text).link")
        }
    }

    private func writeSummary(
        of verdict: Verdict, about subjects: [SummarySubject], _ writer: VerificationSummaryWriter,
        in context: CommandContext
    ) throws {
        guard verdict.outcome != .incomplete else {
            return context.note("intoto-run: warning: no verification summary was written: the verdict is incomplete")
        }
        guard let bytes = try writer.bytes(of: verdict, about: subjects) else {
            throw Failure(
                "\(Text(writer.path).escaped): nothing is here that a summary could be about",
                hint: "run it where the product is, or name it with --vsa-subject")
        }
        try write(bytes, to: writer.path)
    }

    private func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let target = FilePath(path)
        let directory = target.removingLastComponent()
        do {
            let place = try EvidenceDirectory(directory.isEmpty ? "." : directory)
                .reserve(target.lastComponent?.string ?? "", overwrite: true)
            try place.commit(bytes)
        } catch { throw Failure.reading(path, error) }
    }
}
