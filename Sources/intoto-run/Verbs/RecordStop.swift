import ArgumentParser
import InTotoArtifacts
import InTotoCrypto
import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// Completes a step that was begun, and signs its evidence.
struct RecordStop: Verb {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Finish a step: record its products and sign the evidence.",
        discussion: """
            Example: intoto-run record stop -n edit -k me.pem -p src --command 'vi src/main.c'

            Also completes a run whose products could not be recorded. Options that are not given are those of the \
            beginning; --exclude and --exclude-from add to its patterns.
            """)

    @OptionGroup var step: StepNameOption

    @Option(
        name: [.customShort("p"), .customLong("products")], parsing: .upToNextOption,
        help: ArgumentHelp("What there is after the step (default: as the run was told, or '.').", valueName: "ref"))
    var products: [String] = []

    @OptionGroup var done: DoneByHand

    @Option(help: ArgumentHelp("The unfinished record (default: the one in the metadata directory, or here)."))
    var from: String?

    @OptionGroup var signing: SigningOptions
    @OptionGroup var evidence: EvidenceOptions
    @OptionGroup var artifacts: ArtifactOptions
    @OptionGroup var repository: RepositoryTrustOption
    @OptionGroup var redaction: RedactionOptions
    @OptionGroup var progress: ProgressOptions
    @OptionGroup var verbosity: VerbosityOptions
    @OptionGroup var result: ResultOptions

    func run(in context: CommandContext) throws -> Int32 {
        let name = try step.stepName()
        let signers = try signing.signers(in: context)
        let keys = try signers.publicKeys()
        let file =
            try from.map { try UnfinishedFile(at: $0) }
            ?? UnfinishedFile.find(name, keys, in: [FilePath(evidence.directory), "."])
        var record = try file.read(name, signedBy: keys, in: context.workingDirectory)
        let ignoreFiles = try artifacts.ignoreFiles()
        let completion = try EnvironmentOptions.completion(
            ignoring: ignoreFiles, redacting: try redaction.patterns() + Self.redacted(by: record), in: context)
        let redactions = try done.add(to: &record, at: context.now(), masks: completion.masks)
        let formats = try evidence.givenFormats() ?? record.formats.map(Self.format)
        if !evidence.overwrite,
            let finished = FinishedStep(
                record, of: file, EvidenceOptions.places(formats, name, signers), in: evidence.directory,
                signedBy: keys, in: context)
        {
            return try end(finished, file, in: context)
        }
        let reserved = try evidence.reserve(formats, name, signers)

        var completed = try complete(record, completion, ignoreFiles, reserved, in: context)
        // The record itself is there since the beginning.
        completed.newlyHidden.removeAll {
            $0.split(separator: UInt8(ascii: "/")).last?.elementsEqual(file.name.utf8) == true
        }
        verbosity.report(completed, in: context)
        verbosity.report(redactions: redactions, in: context)
        if completed.link.products.isEmpty && formats.contains(.attestation) {
            throw Failure(
                "an attestation needs a subject, and there are no products",
                hint: "name products with -p, or use --format link; the record is as it was")
        }
        let writer = EvidenceWriter(
            reserved: reserved, formats: formats, signers: signers, convention: signing.convention,
            overwrites: evidence.overwrite,
            ending: "the unfinished record is as it was")
        let written = try writer.write(completed.link)
        try file.remove()
        try result.report(written: written.map(\.path), note: { verbosity.note($0, in: context) }, in: context)
        return ExitStatus.success
    }

    private static func format(_ name: Text) throws -> EvidenceFormat {
        guard let format = EvidenceFormat(rawValue: name.description) else {
            throw Failure("the record asks for an unknown format '\(name.escaped)'", hint: "give --format")
        }
        return format
    }

    private static func redacted(by record: UnfinishedRecord) throws -> [VariablePattern] {
        do { return try record.redacted.map { try VariablePattern($0.utf8) } } catch {
            throw Failure("the unfinished record: \(error)")
        }
    }

    /// Takes away the record that was left when the evidence was in its place.
    private func end(_ finished: FinishedStep, _ file: UnfinishedFile, in context: CommandContext) throws -> Int32 {
        try file.remove()
        let paths = finished.evidence.map(\.string)
        let names = paths.map { escapedForTerminal($0.utf8) }.joined(separator: ", ")
        verbosity.note("the step is finished already: \(names); its record was removed", in: context)
        try result.report(
            written: [], ["finishedAlready": .array(paths.map { .string(Text($0)) })], note: { _ in }, in: context)
        return ExitStatus.success
    }

    private func complete(
        _ record: UnfinishedRecord, _ completion: CompletionRecord, _ ignoreFiles: [IgnoreFile],
        _ reserved: [ReservedEvidence], in context: CommandContext
    ) throws -> CompletedRecord {
        let references =
            products.isEmpty && !record.products.isEmpty
            ? try record.products.map { try ArtifactReference(parsing: $0) }
            : try ArtifactOptions.references(artifacts.orDefault(products))
        do {
            let beginning = try record.snapshotOptions()
            var options = try artifacts.snapshotOptions(ignoring: ignoreFiles, over: beginning)
            options.git = repository.reading(in: context)
            if beginning.git.trustsOwner { options.git.trustsOwner = true }
            options.ownFiles = reserved.map { OwnFile($0.file) }
            return try record.completed(
                with: references, options: options, completion, report: progress.listener(isQuiet: verbosity.quiet))
        } catch let error as SnapshotError {
            throw Failure("\(error)", hint: error.hint ?? "the record is as it was: stop again when the cause is gone")
        } catch let error as MetadataError { throw Failure("\(error)") }
    }
}
