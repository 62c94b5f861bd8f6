import InTotoMetadata
import InTotoStorage
import InTotoVerification
import SystemPackage

/// Everything that is made of a verdict, and where it goes: made sure of before anything is verified.
struct VerdictOutputs {
    private let json: OutputFile?
    private let junit: OutputFile?
    private let inspections: EvidenceDirectory?
    private let summary: VerificationSummaryWriter?
    private let explains: Bool

    init(
        json: String?, junit: String?, inspections: String?, summary: VerificationSummaryWriter?, explain: Bool
    ) throws {
        self.json = try json.map(OutputFile.init)
        self.junit = try junit.map(OutputFile.init)
        do { self.inspections = try inspections.map { try EvidenceDirectory(FilePath($0)) } } catch {
            throw Failure.reading(inspections ?? "", error)
        }
        self.summary = summary
        explains = explain
    }

    /// What a summary of the verdict would be about; nothing where none is wanted.
    func subjects(of verdict: Verdict) -> [SummarySubject] {
        verdict.outcome == .incomplete ? [] : summary?.subjects(of: verdict) ?? []
    }

    /// Prints the verdict and writes the rest; returns what could not be written.
    func write(_ verdict: Verdict, about subjects: [SummarySubject], in context: CommandContext) -> [Failure] {
        let parts: [() throws -> Void] = [
            { try report(verdict, in: context) },
            { try junit?.write(VerdictJUnit(verdict).text, in: context) },
            { try saveInspections(of: verdict) },
            { try writeSummary(of: verdict, about: subjects, in: context) },
        ]
        return parts.compactMap { part -> Failure? in
            do { try part() } catch { return error as? Failure ?? Failure("\(error)") }
            return nil
        }
    }

    private func report(_ verdict: Verdict, in context: CommandContext) throws {
        let report = VerdictReport(verdict)
        for warning in report.warnings { context.note("intoto-run: warning: \(warning)") }
        if json?.isStandardOutput != true {
            for line in explains ? report.explanation : report.summary { try context.print(line) }
        }
        try json?.write(try JSONText.indented(VerdictJSON(verdict).object) + "\n", in: context)
    }

    private func saveInspections(of verdict: Verdict) throws {
        guard let inspections else { return }
        var taken: Set<String> = []
        for report in verdict.inspections {
            guard let link = report.link else { continue }
            // Sublayouts name theirs as they like.
            let stem = (report.sublayoutStep.map { "\($0.text)." } ?? "") + link.name.text.description
            var name = "\(stem).link"
            while !taken.insert(name).inserted { name = "\(stem).\(taken.count).link" }
            let bytes = try JSONWriter.lines(.indented) { Metablock.write(link, signatures: [], to: &$0) }
            do { try inspections.reserve(name, overwrite: true).commit(bytes) } catch { throw Failure("\(error)") }
        }
    }

    private func writeSummary(
        of verdict: Verdict, about subjects: [SummarySubject], in context: CommandContext
    ) throws {
        guard let summary else { return }
        guard verdict.outcome != .incomplete else {
            return context.note("intoto-run: warning: no verification summary was written: the verdict is incomplete")
        }
        guard let bytes = try summary.bytes(of: verdict, about: subjects) else {
            throw Failure(
                "\(Text(summary.file.path).escaped): nothing is here that a summary could be about",
                hint: "run it where the product is, or name it with --vsa-subject")
        }
        try summary.file.write(bytes, in: context)
    }
}
