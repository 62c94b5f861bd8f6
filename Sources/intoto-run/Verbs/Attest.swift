import ArgumentParser
import InTotoArtifacts
import InTotoCrypto
import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// Signs a predicate that the user has.
struct Attest: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Sign a statement: a predicate that you have, about files, checksums or a commit.",
        discussion: """
            Example: intoto-run attest --type test-result --predicate result.json --subject dist/app -k ci.pem

            result.json, for instance:
            {"result": "PASSED", "configuration": [{"uri": "https://ci.example/7"}]}

            Types: \(KnownPredicate.allCases.map(\.rawValue).joined(separator: ", ")), which are checked, or any URI. \
            Predicates.md, in the project's documentation, has a predicate of each.
            """)

    @Option(help: "A known type, or a URI.")
    var type: String?

    @Option(help: ArgumentHelp("The predicate: a JSON object.", valueName: "file"))
    var predicate: String?

    @Option(
        name: .customLong("subject"), parsing: .upToNextOption,
        help: ArgumentHelp("What it is about: files, as for -p of run.", valueName: "ref"))
    var subjects: [String] = []

    @Option(help: ArgumentHelp("What it is about, as sha256sum has it.", valueName: "file"))
    var checksums: String?

    @Option(
        name: .customLong("subject-git"),
        help: ArgumentHelp("What it is about: a commit of the repository here.", valueName: "rev"))
    var commit: String?

    @OptionGroup var signing: SigningOptions
    @OptionGroup var artifacts: ArtifactOptions
    @OptionGroup var repository: RepositoryTrustOption

    @Option(
        name: [.customShort("n"), .customLong("name")],
        help: "First part of the file's name (default: the known type, or 'attestation').")
    var name: String?

    @Option(
        name: [.customShort("d"), .customLong("metadata-directory")],
        help: ArgumentHelp("Where the bundle goes; must exist.", valueName: "dir"))
    var directory = "."

    @Flag(help: "Replace a file that is already there.")
    var overwrite = false

    @OptionGroup var result: ResultOptions
    @OptionGroup var verbosity: VerbosityOptions

    /// What was given, which the parser would miss before it named a mistyped option.
    private func required() throws -> (type: String, predicate: String) {
        guard let type else { throw Failure("no --type of the predicate", hint: "known: \(Self.knownTypes), or a URI") }
        guard let predicate else { throw Failure("no predicate", hint: "give --predicate FILE, a JSON object") }
        guard [!subjects.isEmpty, checksums != nil, commit != nil].count(where: \.self) == 1 else {
            throw Failure("give one of --subject, --checksums and --subject-git: what it is about")
        }
        return (type, predicate)
    }

    private static let knownTypes = KnownPredicate.allCases.map(\.rawValue).joined(separator: ", ")

    func run(in context: CommandContext) throws -> Int32 {
        let (type, predicate) = try required()
        let known = KnownPredicate(name: Text(type)) ?? KnownPredicate(type: Text(type))
        let statement = try statement(of: Text(type), known, predicate, in: context)
        if let known { Self.warn(ofUnknownResult: known, statement.predicate, from: predicate, in: context) }
        let signers = try signing.signers(in: context)
        guard let keyID = signers.first?.keyID else { throw Failure("no key to sign with") }
        do {
            let file = try EvidenceDirectory(FilePath(directory))
                .reserve(EvidenceName.bundle(step: fileName(known), keyID: keyID), overwrite: overwrite)
            try file.commit(statement.bundle(signedBy: signers))
            try result.report(
                written: [file.path],
                [
                    "predicateType": .string(statement.predicateType),
                    "subjects": .integer(Int64(statement.subject.count)),
                ],
                note: { verbosity.note($0, in: context) }, in: context)
            if verbosity.verbose {
                verbosity.note(
                    "\(statement.predicateType.escaped): \(statement.subject.count) subjects", in: context)
            }
        } catch let error as StorageError {
            throw Failure("\(error)", hint: EvidenceOptions.hint(for: error))
        }
        return ExitStatus.success
    }

    private func fileName(_ known: KnownPredicate?) throws -> StepName {
        do { return try StepName(Text(name ?? known?.rawValue ?? "attestation")) } catch { throw Failure("\(error)") }
    }

    private func statement(
        of type: Text, _ known: KnownPredicate?, _ path: String, in context: CommandContext
    ) throws -> Statement {
        let predicate = try Self.readPredicate(path)
        var predicateType = type
        if let known {
            if KnownPredicate(type: predicateType) == nil { predicateType = known.type(of: predicate) }
            do { try known.check(predicate, type: predicateType) } catch {
                throw Failure(
                    "\(Text(path).escaped): \(error)",
                    hint: "\(predicateType) has a specification of its form")
            }
        } else if !predicateType.isURI {
            throw Failure(
                "--type '\(predicateType.escaped)': neither a known type nor a URI",
                hint: "known: \(Self.knownTypes)")
        }
        let subject = try subject(in: context).map { ResourceDescriptor(name: $0.name.text, digest: $0.digests) }
        guard !subject.isEmpty else { throw Failure("there is nothing that the statement is about") }
        return Statement(subject: subject, predicateType: predicateType, predicate: predicate)
    }

    /// Of a word that is no known one, such as `ok`, `verify --require-attestation` takes no yes; of a plain no, whoever
    /// signs it knows that.
    private static func warn(
        ofUnknownResult known: KnownPredicate, _ predicate: JSONObject, from path: String, in context: CommandContext
    ) {
        guard let result = known.result, let text = known.unknownResult(in: predicate) else { return }
        context.note(
            "intoto-run: warning: \(Text(path).escaped): '\(result.member)' is '\(text.escaped)', which verify takes for a "
                + "no; a yes would be \(result.shownYes)")
    }

    private static func readPredicate(_ path: String) throws -> JSONObject {
        let json: JSONValue
        do { json = try JSONReader.read(BoundedReader.contents(of: FilePath(path))) } catch {
            throw Failure.reading(path, error)
        }
        guard case .object(let object) = json else {
            throw Failure(
                "\(Text(path).escaped): a predicate is an object with members, not \(json.kind)",
                hint: "give the predicate alone, without the statement around it")
        }
        guard !object.isEmpty else {
            throw Failure(
                "\(Text(path).escaped): the predicate is empty: it claims nothing",
                hint: "intoto-run attest --help has an example")
        }
        return object
    }

    private func subject(in context: CommandContext) throws -> ArtifactSet {
        if let checksums { return try ChecksumFile.artifacts(checksums) }
        let references = try ArtifactOptions.references(commit.map { ["git:.@\($0)"] } ?? subjects)
        do {
            var options = try artifacts.snapshotOptions()
            options.git = repository.reading(in: context)
            let result = try Snapshot.take(of: references, options: options)
            for entry in result.notRecorded { context.note("intoto-run: warning: not a subject: \(entry)") }
            return result.artifacts
        } catch let error as SnapshotError { throw Failure(shown(error), hint: error.hint) }
    }

    /// A commit under the option that was typed, not under the reference that is made of it.
    private func shown(_ error: SnapshotError) -> String {
        guard let commit, let problem = error.problems.first else { return "\(error)" }
        return "--subject-git '\(Text(commit).escaped)': \(problem.reason)"
    }
}
