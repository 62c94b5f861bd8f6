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
    /// Whether the user has said at which time to judge.
    private let isTimeGiven: Bool

    init(
        json: String?, junit: String?, inspections: String?, summary: VerificationSummaryWriter?, explain: Bool,
        isTimeGiven: Bool
    ) throws {
        self.json = try json.map(OutputFile.init)
        self.junit = try junit.map(OutputFile.init)
        try Self.refuseEqual([("--json", self.json), ("--junit", self.junit), ("--vsa", summary?.file)])
        do { self.inspections = try inspections.map { try EvidenceDirectory(FilePath($0)) } } catch {
            throw Failure.reading(inspections ?? "", error)
        }
        self.summary = summary
        explains = explain
        self.isTimeGiven = isTimeGiven
    }

    /// The one that is written last would be all that is left.
    private static func refuseEqual(_ outputs: [(option: String, file: OutputFile?)]) throws {
        var seen: [(option: String, file: OutputFile)] = []
        for (option, file) in outputs {
            guard let file else { continue }
            if let other = seen.first(where: { $0.file.isSame(as: file) }) {
                throw Failure(
                    "\(other.option) and \(option) both go to \(Text(file.path).escaped)",
                    hint: "give each a file of its own")
            }
            seen.append((option, file))
        }
    }

    /// What a summary of the verdict would be about; nothing where none is wanted.
    func subjects(of verdict: Verdict) -> [SummarySubject] {
        verdict.outcome == .incomplete ? [] : summary?.subjects(of: verdict) ?? []
    }

    /// Prints the verdict and writes the rest; returns what could not be written.
    func write(_ verdict: Verdict, about subjects: [SummarySubject], in context: CommandContext) -> [Failure] {
        let parts: [(file: OutputFile?, write: () throws -> Void)] = [
            (nil, { try report(verdict, in: context) }),
            (json, { try writeJSON(of: verdict, in: context) }),
            (junit, { try junit?.write(VerdictJUnit(verdict).text, in: context) }),
            (nil, { try saveInspections(of: verdict) }),
            (summary?.file, { try writeSummary(of: verdict, about: subjects, in: context) }),
        ]
        return parts.compactMap { part -> Failure? in
            do { try part.write() } catch {
                part.file?.warnIfThere(in: context)
                return error as? Failure ?? Failure("\(error)")
            }
            return nil
        }
    }

    private func report(_ verdict: Verdict, in context: CommandContext) throws {
        let report = VerdictReport(verdict, isTimeGiven: isTimeGiven)
        for warning in report.warnings { context.note("intoto-run: warning: \(warning)") }
        if json?.isStandardOutput != true {
            for line in explains ? report.explanation : report.summary { try context.print(line) }
        }
    }

    private func writeJSON(of verdict: Verdict, in context: CommandContext) throws {
        try json?.write(
            try JSONText.indented(VerdictJSON(verdict, isTimeGiven: isTimeGiven).object) + "\n", in: context)
    }

    private func saveInspections(of verdict: Verdict) throws {
        guard let inspections else { return }
        var names = InspectionFileNames()
        names.taken = Set([json, junit, summary?.file].compactMap { $0?.name(in: inspections) })
        for report in verdict.inspections {
            guard let link = report.link else { continue }
            let name = names.next(report.sublayoutPath.map { "\($0.text)." }.joined() + link.name.text.description)
            let bytes = try JSONWriter.lines(.indented) { Metablock.write(link, signatures: [], to: &$0) }
            do { try inspections.reserve(name, overwrite: true).commit(bytes) } catch { throw Failure("\(error)") }
        }
    }

    private func writeSummary(
        of verdict: Verdict, about subjects: [SummarySubject], in context: CommandContext
    ) throws {
        guard let summary else { return }
        guard verdict.outcome != .incomplete else {
            context.note("intoto-run: warning: no verification summary was written: the verdict is incomplete")
            return summary.file.warnIfThere(in: context)
        }
        guard let bytes = try summary.bytes(of: verdict, about: subjects) else { throw summary.lack(in: verdict) }
        try summary.file.write(bytes, in: context)
    }
}

/// Names of files for inspections' links, each once: sublayouts name their inspections as they like.
struct InspectionFileNames {
    var taken: Set<String> = []

    /// `STEM.link`, or `STEM.N.link` with the first number from 2 that nobody has; the stem cut where a name would become
    /// longer than a file's may be.
    mutating func next(_ stem: String) -> String {
        var name = Self.name(stem, ".link")
        var number = 1
        while !taken.insert(name).inserted {
            number += 1
            name = Self.name(stem, ".\(number).link")
        }
        return name
    }

    /// In bytes, on every file system in use.
    private static let longest = 255

    private static func name(_ stem: String, _ suffix: String) -> String {
        var stem = stem
        while stem.utf8.count + suffix.utf8.count > longest { stem.unicodeScalars.removeLast() }
        return stem + suffix
    }
}
