import ArgumentParser
import CSupport
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
            --no-inspections and a layout that has some, or where what was asked for beside the verdict cannot be written.
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

    @Option(help: ArgumentHelp("The whole verdict as JSON, on standard output ('-') or to a file.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("The checks as JUnit XML, for CI.", valueName: "file"))
    var junit: String?

    @OptionGroup var summary: VerificationSummaryOptions

    /// A summary says when verification took place, and a layout may have expired between that time and now.
    func validate() throws {
        guard verification.now == nil || summary.file == nil else {
            throw ValidationError("--now and --vsa do not go together: a summary is of what holds now")
        }
    }

    func run(in context: CommandContext) throws -> Int32 {
        // Half a verification has no verdict, whatever its inspections make of a signal.
        cs_end_when_asked()
        let outputs = try VerdictOutputs(
            json: json, junit: junit, inspections: saveDirectory, summary: summary.writer(in: context),
            explain: explain, isTimeGiven: verification.now != nil)
        var request = try verification.request(in: context)
        request.policy.inspections = withoutInspections ? .skip : .run
        request.policy.sublayoutInspections = allowsSublayoutInspections ? .run : .skip
        var verifier = Verifier(request, inspections: runner(in: context))
        var verdict = verifier.verify()
        let subjects = outputs.subjects(of: verdict)
        verdict.require(subjects)
        let failures = outputs.write(verdict, about: subjects, in: context)
        if let first = failures.first {
            // What is refused is refused, whether or not that can be written down.
            guard verdict.outcome == .failed else { throw first }
            for failure in failures { ErrorMessage(failure).print(in: context) }
        }
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
                let words = report.inspection.command.shellLine
                context.note("  \(report.inspection.name)\(report.owner): \(words)")
            }
        } run: { inspection, digests, evidence in
            try command.run(inspection, digests, evidence)
        }
    }
}
