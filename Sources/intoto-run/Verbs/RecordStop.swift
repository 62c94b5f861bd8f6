import ArgumentParser
import FoundationEssentials
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
        try done.add(to: &record, at: context.now())
        let formats = try evidence.givenFormats() ?? record.formats.map(Self.format)
        let reserved = try evidence.reserve(formats, name, signers)

        let completed = try complete(record, reserved, in: context)
        verbosity.report(completed, in: context)
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

    private func complete(
        _ record: UnfinishedRecord, _ reserved: [ReservedEvidence], in context: CommandContext
    ) throws -> CompletedRecord {
        let references =
            products.isEmpty && !record.products.isEmpty
            ? try record.products.map { try ArtifactReference(parsing: $0) }
            : try ArtifactOptions.references(artifacts.orDefault(products))
        do {
            var options = try artifacts.snapshotOptions(over: record.snapshotOptions())
            options.git = RepositoryOptions.reading(in: context)
            options.ownFiles = reserved.map { OwnFile($0.file) }
            return try record.completed(
                with: references, options: options, report: progress.listener(isQuiet: verbosity.quiet))
        } catch let error as SnapshotError {
            throw Failure("\(error)", hint: error.hint ?? "the record is as it was: stop again when the cause is gone")
        } catch let error as MetadataError { throw Failure("\(error)") }
    }
}

/// What was done between the halves of a step, as far as its functionary says.
struct DoneByHand: ParsableArguments {
    @Option(help: ArgumentHelp("What was carried out, as a shell would take it apart.", valueName: "line"))
    var command: String?

    @Option(
        name: .customLong("return-value"),
        help: ArgumentHelp("How it ended: a status, or −N for signal N.", valueName: "n"))
    var returnValue: Int?

    @Option(
        name: .customLong("byproduct"), parsing: .upToNextOption,
        help: ArgumentHelp("Something else that came of it, as text.", valueName: "name=value"))
    var byproducts: [String] = []

    /// Throws where the record holds that already: what a run has seen is not to be talked over.
    func add(to record: inout UnfinishedRecord, at now: Date) throws {
        let isRun = record.link.byproducts["started"] != nil
        guard !isRun || (command == nil && returnValue == nil) else {
            throw Failure("the record is of a run, which knows its command and how that ended")
        }
        if let command { record.link.command = try Self.words(of: command) }
        if !isRun {
            record.link.byproducts["finished"] = .string(Text(now.formatted(.iso8601)))
            record.link.byproducts["started"] = .string(record.begun)
        }
        if let returnValue { record.link.byproducts["return-value"] = .integer(Int64(returnValue)) }
        for byproduct in byproducts {
            guard let equals = byproduct.utf8.firstIndex(of: UInt8(ascii: "=")), equals > byproduct.utf8.startIndex
            else {
                throw Failure("--byproduct '\(Text(byproduct).escaped)': is no NAME=VALUE")
            }
            let name = Text(String(byproduct[..<equals]))
            guard record.link.byproducts[name] == nil else {
                throw Failure("--byproduct '\(name.escaped)': is recorded already")
            }
            record.link.byproducts[name] = .string(Text(String(byproduct[byproduct.utf8.index(after: equals)...])))
        }
    }

    private static func words(of command: String) throws -> [Text] {
        do {
            let words = try ShellWords.split(command)
            guard !words.isEmpty else { throw Failure("--command: is empty") }
            return words
        } catch is ShellWords.Unbalanced {
            throw Failure("--command '\(Text(command).escaped)': a quote is not closed")
        }
    }
}
