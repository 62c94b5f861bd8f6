import InTotoArtifacts
import InTotoFunctionary
import InTotoMetadata

/// Shows what a step would record, and which pattern leaves out what; runs and signs nothing.
struct DryRun {
    private let request: StepRequest

    init(_ request: StepRequest) { self.request = request }

    func run(in context: CommandContext) throws -> Int32 {
        context.print("step: \(request.name)")
        let command = request.command?.arguments.map { escapedForTerminal($0) }.joined(separator: " ")
        context.print("command: \(command ?? "none")")
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
        do {
            for entry in try Snapshot.plan(of: references, options: options) { context.print("\(kind) \(entry)") }
        } catch { throw Failure("\(error)", hint: error.hint) }
    }
}
