import ArgumentParser
import InTotoArtifacts
import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// Records the materials of a step that begins now.
struct RecordStart: Verb {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Begin a step: record its materials, signed.",
        discussion: """
            Example: intoto-run record start -n edit -k me.pem -m src

            The record, .NAME.KEYID8.link-unfinished, is no evidence yet: 'record stop' with the same key, in the same \
            directory, makes it so.
            """)

    @OptionGroup var step: StepNameOption

    @Option(
        name: [.customShort("m"), .customLong("materials")], parsing: .upToNextOption,
        help: ArgumentHelp("What there is before the step (default: '.').", valueName: "ref"))
    var materials: [String] = []

    @OptionGroup var signing: SigningOptions
    @OptionGroup var evidence: EvidenceOptions
    @OptionGroup var artifacts: ArtifactOptions
    @OptionGroup var progress: ProgressOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var redaction: RedactionOptions
    @OptionGroup var environment: EnvironmentOptions
    @OptionGroup var verbosity: VerbosityOptions
    @OptionGroup var result: ResultOptions

    func run(in context: CommandContext) throws -> Int32 {
        let name = try step.stepName()
        let formats = try evidence.formats()
        let ignoreFiles = try artifacts.ignoreFiles()
        let environment = try environment.record(
            ignoring: ignoreFiles, redacting: try redaction.patterns(),
            withholding: try signing.keyVariables(in: context), in: context)
        EnvironmentOptions.warn(of: name, environment, in: context)
        var request = StepRequest(
            name: name, command: nil,
            materials: try ArtifactOptions.references(artifacts.orDefault(materials)), products: [],
            snapshot: try artifacts.snapshotOptions(ignoring: ignoreFiles))
        try repository.apply(to: &request, in: context)
        let signers = try signing.signers(in: context)
        _ = try signers.publicKeys()
        let place = try reserve(name, signers)
        request.snapshot.ownFiles = [OwnFile(place)]
        let begun = context.now()
        let recorded: RecordedStep
        do {
            recorded = try StepRunner(request, report: progress.listener(isQuiet: verbosity.quiet)).recordMaterials(
                workDirectory: context.workingDirectory)
        } catch {
            switch error {
            case .materials(let problem): throw Failure("\(problem)", hint: problem.hint)
            case .repository(let refusal): throw Failure(refusal)
            case .launch, .products, .recording, .internal: throw error
            }
        }
        verbosity.report(recorded, in: context)
        let record = UnfinishedRecord(
            recorded, of: request, formats: formats, directory: context.workingDirectory, begun: begun,
            builder: .current(environment))
        do { try place.commit(record.signed(by: signers)) } catch let error as StorageError {
            throw Failure("\(error)", hint: EvidenceOptions.hint(for: error))
        }
        try result.report(written: [place.path], note: { verbosity.note($0, in: context) }, in: context)
        return ExitStatus.success
    }

    private func reserve(_ name: StepName, _ signers: [any Signer]) throws -> PendingFile {
        guard let keyID = signers.first?.keyID else { throw Failure("no key to sign with") }
        do throws(StorageError) {
            let directory = try EvidenceDirectory(FilePath(evidence.directory))
            directory.removeAbandonedFiles()
            return try directory.reserve(
                EvidenceName.unfinished(step: name, keyID: keyID), overwrite: evidence.overwrite)
        } catch {
            guard case .alreadyExists = error else {
                throw Failure("\(error)", hint: EvidenceOptions.hint(for: error))
            }
            throw Failure(
                "step '\(name)' was begun already: \(error)",
                hint: "finish it with record stop, or give --overwrite to begin anew")
        }
    }
}
