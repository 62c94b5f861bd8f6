import InTotoArtifacts
import InTotoFunctionary
import InTotoMetadata

/// Shows what a step would record, which reference includes it, and which pattern leaves out what; runs and signs
/// nothing.
struct DryRun {
    private let request: StepRequest

    init(_ request: StepRequest) { self.request = request }

    func run(in context: CommandContext) throws -> Int32 {
        try context.print("step: \(request.name)")
        let command = request.command?.arguments.map { escapedForTerminal($0) }.joined(separator: " ")
        try context.print("command: \(command ?? "none")")
        try list("material", request.materials, request.snapshot, in: context)
        var options = request.snapshot
        // The command has not made them yet.
        options.allowsMissing = true
        try list("product", request.products, options, in: context)
        return ExitStatus.success
    }

    private func list(
        _ kind: String, _ references: [ArtifactReference], _ options: SnapshotOptions, in context: CommandContext
    ) throws {
        let plan: SnapshotPlan
        do { plan = try Snapshot.plan(references, options: options) } catch {
            throw Failure("\(error)", hint: error.hint)
        }
        for entry in plan.entries { try context.print(Self.describe(entry, as: kind)) }
        for entry in plan.notRecorded { try context.print("not recorded: \(entry)") }
        for reference in plan.missing { try context.print("not there: \(kind) \(escapedForTerminal(reference))") }
    }

    private static func describe(_ entry: SnapshotPlan.Entry, as kind: String) -> String {
        let path = escapedForTerminal(entry.path) + (entry.isDirectory ? "/" : "")
        let pattern = entry.pattern?.description ?? ""
        if entry.isExcluded { return "excluded: \(path) (by \(pattern))" }
        let source = entry.name == entry.path ? "" : "\(path), "
        let exception = pattern.isEmpty ? "" : ", taken back by \(pattern)"
        return
            "\(kind): \(escapedForTerminal(entry.name)) (\(source)by \(escapedForTerminal(entry.reference))\(exception))"
    }
}
