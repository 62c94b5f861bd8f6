import ArgumentParser
import InTotoArtifacts
import InTotoFunctionary
import InTotoMetadata

/// How much is said on standard error.
struct VerbosityOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Say nothing but errors and warnings.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Say what was recorded.")
    var verbose = false

    func note(_ message: String, in context: CommandContext) {
        if !quiet { context.note("intoto-run: \(message)") }
    }

    func report(_ record: CompletedRecord, in context: CommandContext) {
        report(record.notRecorded, in: context)
        report(newlyHidden: record.newlyHidden, in: context)
        if let error = record.repositoryFailure { report(error, in: context) }
        guard verbose else { return }
        let link = record.link
        note("step '\(link.name)': \(link.materials.count) materials, \(link.products.count) products", in: context)
        report(record.excluded, of: "products", in: context)
    }

    private func report(_ excluded: [ExcludedPaths], of kind: String, in context: CommandContext) {
        for paths in excluded {
            let names =
                paths.first.map { "'\(escapedForTerminal($0))'" } + (paths.count > paths.first.count ? ["…"] : [])
            note(
                "\(kind): '\(paths.pattern)' hides \(paths.count) \(paths.count == 1 ? "path" : "paths"): "
                    + names.joined(separator: ", "), in: context)
        }
    }

    private func report(_ notRecorded: [NotRecorded], in context: CommandContext) {
        var seen: Set<NotRecorded> = []
        for entry in notRecorded where seen.insert(entry).inserted {
            context.note("intoto-run: warning: not recorded: \(entry)")
        }
    }

    /// What the command made and no record has, since it is evidence, too.
    private func report(newlyHidden paths: [[UInt8]], in context: CommandContext) {
        guard !paths.isEmpty else { return }
        let first = paths.prefix(ExcludedPaths.namedPaths)
        let names = first.map { "'\(escapedForTerminal($0))'" } + (paths.count > first.count ? ["…"] : [])
        let files = paths.count == 1 ? "file is" : "files are"
        context.note(
            "intoto-run: warning: products: \(paths.count) new or changed \(files) not recorded, being evidence: "
                + names.joined(separator: ", "))
        context.note("intoto-run: hint: --no-default-excludes records \(paths.count == 1 ? "it" : "them")")
    }

    /// What a step's record leaves out is always said; counts only on demand.
    func report(_ step: RecordedStep, in context: CommandContext) {
        for problem in step.execution?.result.warnings ?? [] {
            context.note("intoto-run: warning: \(problem)")
        }
        report(redactions: step.execution?.argumentRedactions ?? 0, in: context)
        if step.execution?.result.hasTimedOut == true {
            context.note("intoto-run: warning: the command took too long and was ended")
        }
        for process in step.execution?.result.background ?? [] {
            context.note(
                "intoto-run: warning: process \(process.processID) (\(escapedForTerminal(process.name))) outlives the "
                    + "command; what it writes from now on is "
                    + (step.execution?.result.passedOutputOn == true
                        ? "neither shown nor recorded, and writing may end it; --background-wait waits for it"
                        : "not recorded"))
        }
        report(step.notRecorded, in: context)
        report(newlyHidden: step.newlyHidden, in: context)
        if let error = step.git?.failure { report(error, in: context) }
        if verbose {
            note("step '\(step.name)': \(step.materials.count) materials, \(step.products.count) products", in: context)
            report(step.excludedMaterials, of: "materials", in: context)
            report(step.excludedProducts, of: "products", in: context)
        }
    }

    /// How many secrets were replaced in the command.
    func report(redactions count: Int, in context: CommandContext) {
        guard count > 0 else { return }
        let secrets = count == 1 ? "a secret, which is" : "\(count) secrets, which are"
        context.note(
            "intoto-run: warning: the command line holds \(secrets) replaced in the evidence; rules that name the command "
                + "will see the replacement")
    }

    /// Why the repository was not read.
    private func report(_ error: GitError, in context: CommandContext) {
        if case .noRepository = error {
            if verbose { note("git: \(error)", in: context) }
        } else {
            context.note("intoto-run: warning: git: not recorded: \(error)")
            if let hint = error.hint { context.note("intoto-run: hint: \(hint)") }
        }
    }
}
