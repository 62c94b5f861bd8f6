import ArgumentParser
import CSupport
import InTotoMetadata

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@main
struct IntotoRun: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "intoto-run",
        abstract: "Run a command and sign what went in, what came out and how it ended.",
        usage: """
            intoto-run --name NAME --key KEY [-m PATH…] [-p PATH…] [options] -- COMMAND…
            intoto-run VERB [options]
            """,
        discussion: """
            Example: intoto-run -n build -k ci.pem -m src -p dist -- make   (without a verb, 'run' is meant)
            """,
        version: version,
        subcommands: [
            Run.self, Record.self, Key.self, Inspect.self, Diff.self, Sign.self, Attest.self, MatchProducts.self,
            BundleVerb.self, Verify.self, LayoutVerb.self, Completions.self,
        ],
        defaultSubcommand: Run.self
    )

    static func main() {
        cs_prepare_runner()
        endProcess(CommandLineRun(arguments: Array(CallerState.arguments.dropFirst())).status())
    }
}

/// A verb: parsed options, and what they do.
protocol Verb: ParsableCommand {
    /// The exit status of a failure that brings none of its own.
    static var failureStatus: Int32 { get }
    /// Returns the exit status; throws `Failure` or an error that `ErrorMessage` knows.
    func run(in context: CommandContext) throws -> Int32
}

extension Verb {
    static var failureStatus: Int32 { ExitStatus.couldNotTell }
}

/// One run of the program: from bytes to an exit status.
struct CommandLineRun {
    private let options: [[UInt8]]
    /// What stands behind the first `--`, for verbs other than `run`.
    private let operands: [[UInt8]]?
    private let command: [[UInt8]]?
    private let isRun: Bool

    /// The first `--` parts the options from the command, whose own `--` are its own; verbs that have no command take
    /// what follows as files, whatever it begins with.
    init(arguments: [[UInt8]]) {
        let separator = arguments.firstIndex { $0 == Array("--".utf8) }
        options = Array(arguments[..<(separator ?? arguments.endIndex)])
        let rest = separator.map { Array(arguments[($0 + 1)...]) }
        isRun = options.first.map { $0.starts(with: "-".utf8) || $0 == Array("run".utf8) } ?? true
        command = isRun ? rest : nil
        operands = isRun ? nil : rest
    }

    func status() -> Int32 {
        var context = CommandContext.live(
            command: command, process: HeadStart(options: options, command: command).process)
        var failureStatus = Run.failureStatus
        var words: [String] = []
        var configuration: ConfigurationFile?
        do {
            words = try texts()
            failureStatus = try statusForFailures(of: words, in: context)
            if isRun {
                configuration = try ConfigurationFile(namedIn: words)
                context.invocation = Invocation(of: words, configuration)
                words = context.invocation.words
            } else if words.starts(with: ["record", "start"]) {
                context.invocation = Invocation(of: Array(words.dropFirst(2)))
            } else if words.starts(with: ["record", "stop"]) {
                context.invocation = Invocation(of: Array(words.dropFirst(2)), nil, .recordStop)
            }
            // The whole tree of verbs takes twice as long to read; it is left for what is no run, help and mistakes.
            if let run = Self.run(words) { return try run.run(in: context) }
            var parsed = try IntotoRun.parseAsRoot(words)
            if let verb = parsed as? any Verb { return try verb.run(in: context) }
            // What is no verb of ours is a request for help, which the parser answers by throwing it.
            try parsed.run()
            return ExitStatus.success
        } catch let failure as Failure {
            report(failure, in: context)
            return failure.status ?? failureStatus
        } catch {
            guard IntotoRun.exitCode(for: error) == .success else {
                report(configuration?.failure(of: Run.self) ?? Failure(parsing: error, of: words), in: context)
                return failureStatus
            }
            return printHelp(IntotoRun.message(for: error), in: context)
        }
    }

    private func report(_ failure: Failure, in context: CommandContext) {
        ErrorMessage(failure).print(in: context)
        // The other verbs have no option that turns this off.
        guard isRun else { return }
        CIMessages(context.invocation.systemForMessages(in: context), in: context).annotate(failure)
    }

    private static func run(_ words: [String]) -> Run? {
        guard let first = words.first, first.hasPrefix("-") || first == Run._commandName else { return nil }
        return try? Run.parseAsRoot(first == Run._commandName ? Array(words.dropFirst()) : words) as? Run
    }

    private func printHelp(_ text: String, in context: CommandContext) -> Int32 {
        do { try context.print(text) } catch {
            ErrorMessage(error).print(in: context)
            return ExitStatus.couldNotTell
        }
        return ExitStatus.success
    }

    private func texts() throws -> [String] {
        let words = OptionSpelling.normalized(try options.map(Self.text))
        return try operands.map { words + ["--"] + (try $0.map(Self.text)) } ?? words
    }

    private static func text(_ bytes: [UInt8]) throws -> String {
        guard let text = Text(validating: bytes) else {
            throw Failure(
                "option '\(escapedForTerminal(bytes))' is not UTF-8",
                hint: "name a directory above it instead; only the command of run may hold any bytes")
        }
        return text.description
    }

    /// A word before `--` is a verb, a mistyped one, or a command that lacks its `--`.
    private func statusForFailures(of words: [String], in context: CommandContext) throws -> Int32 {
        guard let first = words.first, !first.hasPrefix("-") else { return Run.failureStatus }
        if first == "help" { return ExitStatus.couldNotTell }
        guard let verb = IntotoRun.configuration.subcommands.first(where: { $0._commandName == first }) else {
            throw Failure(
                "'\(Text(first).escaped)' is no verb of intoto-run",
                hint: VerbSpelling.likely(for: first, in: context).map { "did you mean '\($0)'?" }
                    ?? "put the command behind --, as in: intoto-run -n NAME -k KEY -- \(Text(first).escaped)")
        }
        return (verb as? any Verb.Type)?.failureStatus ?? ExitStatus.couldNotTell
    }
}

/// Ends without the cleaning up of libraries (`atexit`): a thread that still reads a repository would crash on it, and the
/// status would not be the command's. Nothing of ours waits to be written.
private func endProcess(_ status: Int32) -> Never { _exit(status) }
