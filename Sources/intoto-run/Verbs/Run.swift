public import ArgumentParser
import FoundationEssentials
import InTotoArtifacts
public import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// Carries out a step and signs what happened.
struct Run: Verb {
    static let failureStatus = ExitStatus.runnerFailed

    static let configuration = CommandConfiguration(
        abstract: "Run a command and sign what happened (the default verb).",
        usage: "intoto-run [run] --name NAME --key KEY [-m PATH…] [-p PATH…] [options] -- COMMAND…",
        discussion: """
            Example: intoto-run -n build -k ci.pem -m src -p dist -- make dist

            Exit status: the command's own; 128+N where signal N ended it; 124 where --timeout was over; 125 where intoto-run \
            itself failed; 126 where the command cannot be executed; 127 where it was not found.
            """)

    @Option(
        name: [.customShort("n"), .customLong("name"), .customLong("step-name")],
        help: "Name of the step (default: base name of the command).")
    var name: String?

    @Option(
        name: [.customShort("m"), .customLong("materials")], parsing: .upToNextOption,
        help: ArgumentHelp(
            """
            Recorded before the command: paths, globs, file:PATH, dir:PATH, tree:PATH, git:PATH[@REV] (default: '.' \
            without -m and -p).
            """,
            valueName: "ref"))
    var materials: [String] = []

    @Option(
        name: [.customShort("p"), .customLong("products")], parsing: .upToNextOption,
        help: ArgumentHelp("Recorded after the command (default as for -m).", valueName: "ref"))
    var products: [String] = []

    @OptionGroup var signing: SigningOptions
    @OptionGroup var evidence: EvidenceOptions
    @OptionGroup var artifacts: ArtifactOptions
    @OptionGroup var productOptions: ProductOptions
    @OptionGroup var progress: ProgressOptions
    @OptionGroup var repository: RepositoryOptions

    @Flag(name: .customShort("s"), help: "The same as --record-streams=full.")
    var recordsStreams = false

    @Option(
        name: .customLong("record-streams"),
        help: ArgumentHelp("Record standard output and error, shown live as well; alone: full.", valueName: "mode"))
    var streamMode: StreamPolicy?

    @Flag(help: "Give the command a terminal of its own; with -s, its output is recorded as that shows it.")
    var pty = false

    @OptionGroup var redaction: RedactionOptions

    @OptionGroup var limits: LimitOptions
    @OptionGroup var acceptance: AcceptanceOptions

    @Flag(name: [.customShort("x"), .customLong("no-command")], help: "Evidence without a command.")
    var withoutCommand = false

    @Option(
        name: [.customShort("C"), .customShort("r"), .customLong("run-dir")],
        help: ArgumentHelp("Working directory of the command only.", valueName: "dir"))
    var runDirectory: String?

    @Flag(
        name: [.customLong("dry-run"), .customLong("list")],
        help: "Print what would be recorded, and what includes or excludes it; run nothing, sign nothing.")
    var isDryRun = false

    @OptionGroup var environment: EnvironmentOptions

    @Option(
        name: .customLong("tool-digest"),
        help: "Record intoto-run's own SHA-256: auto (beside a command that takes long enough), always or never.")
    var toolDigest: ToolDigestPolicy = .auto

    @Option(help: ArgumentHelp("Options from a file, one a line, without dashes.", valueName: "file"))
    var config: String?

    @OptionGroup var summary: SummaryOptions
    @OptionGroup var verbosity: VerbosityOptions

    func run(in context: CommandContext) throws -> Int32 {
        let place = try summary.place()
        let listener = WarningListener()
        let listened = listener.listening(to: context)
        let messages = CIMessages(environment.system(in: context), isQuiet: verbosity.quiet, in: listened)
        var summary = RunSummary()
        var status: Int32
        var failure: Failure?
        do { status = try carryOut(&summary, excluding: place?.ownFile, messages, in: listened) } catch {
            failure = error as? Failure ?? Failure("\(error)")
            status = failure?.status ?? Self.failureStatus
        }
        summary.warnings = listener.warnings
        if !isDryRun { messages.addToJobSummary(summary, status: status, failure: failure) }
        do { try place?.write(summary.json(status: status, failure: failure)) } catch {
            let reason = (error as? Failure)?.message ?? "\(error)"
            failure = failure ?? Failure("--summary-file: \(reason)", hint: Self.hint(for: summary))
        }
        if let failure { throw failure }
        return status
    }

    private static func hint(for summary: RunSummary) -> String {
        let evidence = summary.evidence.isEmpty ? "there is no evidence" : "the evidence was written"
        return evidence + (summary.recorded.map { "; " + RecordKeeper.ending($0.execution?.result.termination) } ?? "")
    }

    /// Carries out the step; what is known of it stands in `summary`, also where this throws.
    private func carryOut(
        _ summary: inout RunSummary, excluding summaryFile: OwnFile?, _ messages: CIMessages,
        in context: CommandContext
    ) throws -> Int32 {
        let ignoreFiles = try artifacts.ignoreFiles()
        var request = try stepRequest(ignoring: ignoreFiles, in: context)
        summary.step = request.name
        if isDryRun { return try DryRun(request).run(in: context) }
        let record = try environment.record(
            ignoring: ignoreFiles, redacting: try redaction.patterns(),
            withholding: try signing.keyVariables(in: context), in: context)
        request.command?.masks = record.masks
        EnvironmentOptions.warn(of: request.name, record, in: context)
        let formats = try evidence.formats()
        try checkFormats(formats, request)
        let signers = try signing.signers(in: context)
        try checkSigners(signers, formats)
        let reserved = try evidence.reserve(formats, request.name, signers)
        request.snapshot.ownFiles = reserved.map { OwnFile($0.file) }
        if let summaryFile { request.snapshot.ownFiles.append(summaryFile) }

        let builder = LinkBuilder.current(record)
        let keeper = RecordKeeper(
            request: request, formats: formats, signers: signers, directory: reserved.first?.file.directory,
            finishing: finishingOptions, builder: builder, began: context.now())
        let recorded = try self.record(request, keeper, in: context)
        summary.recorded = recorded
        try messages.inSection(of: request.name) {
            verbosity.report(recorded, in: context)
            guard acceptance.signs(recorded.execution?.result) else {
                return verbosity.note("not signed: --require-success does not accept this end", in: context)
            }
            if recorded.products.isEmpty && formats.contains(.attestation) {
                throw keeper.failure(
                    "an attestation needs a subject, and there are no products", cause: "make or name products",
                    recorded, in: context)
            }
            let writer = EvidenceWriter(
                reserved: reserved, formats: formats, signers: signers, convention: signing.convention,
                overwrites: evidence.overwrite,
                ending: RecordKeeper.ending(recorded.execution?.result.termination))
            summary.evidence = try writer.write(builder.link(of: recorded))
            for evidence in summary.evidence {
                verbosity.note("wrote \(escapedForTerminal(evidence.path.string.utf8))", in: context)
            }
        }
        let result = recorded.execution?.result
        let status = Self.exitStatus(of: result)
        if status == ExitStatus.success, result?.lostOutput == true {
            throw Failure("the command's output was not passed on to its end", hint: Self.hint(for: summary))
        }
        return status
    }

    private static func exitStatus(of result: ExecutedCommand?) -> Int32 {
        guard let result else { return ExitStatus.success }
        return result.hasTimedOut ? ExitStatus.timedOut : result.termination.exitStatus
    }

    private func stepRequest(ignoring files: [IgnoreFile], in context: CommandContext) throws -> StepRequest {
        let command = try wrappedCommand(in: context)
        let defaults = materials.isEmpty && products.isEmpty ? artifacts.orDefault([]) : []
        var request = StepRequest(
            name: try stepName(of: command),
            command: command,
            materials: try ArtifactOptions.references(materials.isEmpty ? defaults : materials),
            products: try ArtifactOptions.references(products.isEmpty ? defaults : products),
            snapshot: try artifacts.snapshotOptions(ignoring: files),
            streams: streamMode ?? (recordsStreams ? .full : .off)
        )
        request.usesTerminal = pty
        request.limits = limits.limits
        request.toolDigest = toolDigest
        productOptions.apply(to: &request)
        try repository.apply(to: &request, in: context)
        return request
    }

    private func wrappedCommand(in context: CommandContext) throws -> Command? {
        switch (context.command, withoutCommand) {
        case (nil, true), ([]?, true):
            guard runDirectory == nil else {
                throw Failure(
                    "-C is the command's directory, and with -x there is no command", hint: "drop one of them")
            }
            return nil
        case (_?, true):
            throw Failure("-x is for evidence without a command, but there is one behind --", hint: "drop one of them")
        case (nil, false):
            throw Failure(
                "no command: there is no --", hint: "put the command behind --, or give -x for evidence without one")
        case ([]?, false): throw Failure(LaunchError.emptyCommand)
        case (let arguments?, false):
            var command = Command(
                arguments: arguments,
                environment: context.environmentForPrograms(without: try signing.keyVariables(in: context)),
                directory: runDirectory.map { Array($0.utf8) })
            command.redactedVariables = try redaction.patterns()
            return command
        }
    }

    private func stepName(of command: Command?) throws -> StepName {
        let text: Text
        if let name {
            text = Text(name)
        } else if let program = command?.arguments.first, let base = program.split(separator: UInt8(ascii: "/")).last {
            text = Text(repairing: base)
        } else {
            throw Failure("no name for the step", hint: "give --name NAME")
        }
        do { return try StepName(text) } catch {
            throw Failure("\(error)", hint: "give a name of letters, digits, dots and dashes with --name")
        }
    }

    private func checkFormats(_ formats: [EvidenceFormat], _ request: StepRequest) throws {
        if formats.contains(.attestation) && request.products.isEmpty {
            throw Failure(
                "an attestation needs a subject, and no products are named",
                hint: "name products with -p, or use --format link")
        }
    }

    /// What `record stop` needs to be told again.
    private var finishingOptions: [String] {
        signing.words + (evidence.directory == "." ? [] : ["-d", evidence.directory])
            + (evidence.overwrite ? ["--overwrite"] : [])
    }

    private func checkSigners(_ signers: [any Signer], _ formats: [EvidenceFormat]) throws {
        guard signers.contains(where: \.isOpenPGP), formats != [.link] else { return }
        throw Failure("\(SignerError.openPGPInEnvelope)", hint: "give --format link with gpg: keys")
    }

    private func record(
        _ request: StepRequest, _ keeper: RecordKeeper, in context: CommandContext
    ) throws -> RecordedStep {
        do {
            return try StepRunner(request, in: context.process, report: progress.listener(isQuiet: verbosity.quiet))
                .run(
                    workDirectory: context.workingDirectory, now: context.now)
        } catch {
            switch error {
            case .launch(let error): throw Failure(error)
            case .materials(let error): throw Failure("nothing ran: \(error)", hint: error.hint)
            case .repository(let refusal): throw Failure(refusal)
            case .products(let error, let step):
                verbosity.report(step, in: context)
                throw interruption("\(error)", cause: error.hint, step, keeper, in: context)
            case .recording(let reason, let step):
                verbosity.report(step, in: context)
                throw interruption(reason, cause: nil, step, keeper, in: context)
            case .internal(let reason): throw Failure(reason)
            }
        }
    }

    /// What ended in a way that nobody wants signed is not kept either.
    private func interruption(
        _ reason: String, cause: String?, _ step: RecordedStep, _ keeper: RecordKeeper, in context: CommandContext
    ) -> Failure {
        guard acceptance.signs(step.execution?.result) else {
            return Failure(
                "no evidence was written: \(reason)",
                hint: RecordKeeper.ending(step.execution?.result.termination)
                    + ", which --require-success does not accept")
        }
        return keeper.failure(reason, cause: cause, step, in: context)
    }
}

extension LinkBuilder {
    static let current = LinkBuilder(
        toolVersion: Text(IntotoRun.version), operatingSystem: Text(Platform.operatingSystem),
        architecture: Text(Platform.architecture))

    static func current(_ record: EnvironmentRecord) -> LinkBuilder {
        var builder = current
        builder.record = record
        return builder
    }
}

extension ToolDigestPolicy: ExpressibleByArgument {}
