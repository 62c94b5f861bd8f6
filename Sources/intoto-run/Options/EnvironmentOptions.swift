import ArgumentParser
import InTotoCrypto
import InTotoFunctionary
import InTotoMetadata

/// What is recorded of where a step took place.
struct EnvironmentOptions: ParsableArguments {
    enum Detection: String, ExpressibleByArgument, CaseIterable {
        case auto, off
    }

    @Option(
        name: .customLong("env"), parsing: .upToNextOption,
        help: ArgumentHelp(
            "Environment variables to record (NAME or PREFIX_*); what looks secret needs its exact name.",
            valueName: "name"))
    var variables: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Recorded as an annotation of the environment.", valueName: "name=value"))
    var annotate: [String] = []

    @Option(help: "What a known CI system says of the job, and messages in its form: auto or off.")
    var ci = Detection.auto

    @Flag(name: .customLong("record-user"), help: "Record who runs this.")
    var recordsUser = false

    /// The CI system whose job we are in, where its messages are wanted.
    func system(in context: CommandContext) -> CISystem? {
        ci == .auto ? CISystem.detect(in: context.environment) : nil
    }

    /// Checks the options, and gathers what is known before the command starts; what is left out of it is said.
    func record(
        ignoring files: [IgnoreFile], redacting patterns: [VariablePattern], withholding keys: [String],
        in context: CommandContext
    ) throws -> EnvironmentRecord {
        let masks = Self.masks(redacting: patterns, in: context)
        var record = EnvironmentRecord(
            system: HostSystem(environment: context.environment), masks: masks, redacted: patterns)
        record.options = Self.options(in: context)
        record.configuration = context.invocation.configuration
        record.ignoreFiles = try files.map { try $0.record() }
        record.annotations = try annotations()
        record.ci = system(in: context)?.record(from: context.environment, masks: masks)
        if recordsUser { record.user = .current() }
        if !variables.isEmpty { record.variables = try recordedVariables(withholding: keys, in: context) }
        return record
    }

    /// Says that a name holds what is replaced elsewhere: it cannot be, as verifiers find the evidence by it.
    static func warn(of name: StepName, _ record: EnvironmentRecord, in context: CommandContext) {
        guard record.masks.masked(name.text.utf8) != name.text.utf8 else { return }
        context.note(
            "intoto-run: warning: the step's name holds a secret, which is not replaced: it stands in the evidence and in "
                + "its file's name; give another one with --name")
    }

    /// What is recorded of the second half of a step, which takes place where the first did.
    static func completion(
        ignoring files: [IgnoreFile], redacting patterns: [VariablePattern], in context: CommandContext
    ) throws -> CompletionRecord {
        CompletionRecord(
            options: options(in: context), ignoreFiles: try files.map { try $0.record() },
            masks: masks(redacting: patterns, in: context))
    }

    /// INTOTO_KEY is a path, whose parts may well be in other names.
    private static func masks(redacting patterns: [VariablePattern], in context: CommandContext) -> MaskList {
        MaskList(SecretValues(environment: context.entriesToMask, redacting: patterns))
    }

    /// Variables of ours count where the option is not given.
    private static func options(in context: CommandContext) -> [OptionInForce] {
        let names: [(option: Text, variable: Text)] = [
            ("key", "INTOTO_KEY"), ("passphrase-file", "INTOTO_KEY_PASSPHRASE"),
        ]
        return context.invocation.options
            + names.filter { name in
                (context.variable(name.variable.description) != nil
                    || context.secrets[name.variable.description] != nil)
                    && !context.invocation.options.contains { $0.name == name.option }
            }.map { OptionInForce(name: $0.option, values: [], source: .variable($0.variable)) }
    }

    /// Longest name of an annotation in bytes.
    private static let longestName = 200

    private func annotations() throws -> [(name: Text, value: Text)] {
        var annotations: [(name: Text, value: Text)] = []
        for word in annotate {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = Text(String(parts[0]))
            guard parts.count == 2, !name.isEmpty, name.utf8.count <= Self.longestName, name.escaped == "\(name)" else {
                throw Failure(
                    "--annotate '\(Text(word).escaped)': is not NAME=VALUE",
                    hint: "a name is 1 to \(Self.longestName) bytes without control characters and backslashes")
            }
            guard !annotations.contains(where: { $0.name == name }) else {
                throw Failure("--annotate '\(name.escaped)': given twice", hint: "give each name once")
            }
            annotations.append((name, Text(String(parts[1]))))
        }
        return annotations
    }

    /// Variables of ours are never recorded, nor are `keys`, which hold keys.
    private func recordedVariables(
        withholding keys: [String], in context: CommandContext
    ) throws -> RecordedVariables {
        if let name = variables.first(where: { CommandContext.ownVariables.contains($0) || keys.contains($0) }) {
            throw Failure("--env \(name): is never recorded", hint: "the signature says which key signed")
        }
        let patterns: [VariablePattern]
        do { patterns = try variables.map { try VariablePattern($0.utf8) } } catch { throw Failure("--env: \(error)") }
        let recorded = RecordedVariables(
            environment: context.environmentForPrograms(without: keys), patterns: patterns)
        for name in recorded.recordedSecrets {
            context.note("intoto-run: warning: --env \(name.escaped): looks secret, and is recorded as it is")
        }
        if !recorded.withheld.isEmpty {
            let names = recorded.withheld.prefix(5).map(\.escaped).joined(separator: ", ")
            let rest = recorded.withheld.count > 5 ? " and \(recorded.withheld.count - 5) more" : ""
            context.note("intoto-run: warning: --env: not recorded, as they look secret: \(names)\(rest)")
        }
        for name in recorded.missing {
            context.note("intoto-run: warning: --env \(name.escaped): is not set")
        }
        return recorded
    }
}

extension IgnoreFile {
    fileprivate func record() throws -> EnvironmentRecord.File {
        EnvironmentRecord.File(path: Text(path), sha256: Hex.encode(try MessageDigest.digest(.sha256, of: content)))
    }
}
