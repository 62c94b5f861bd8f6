import ArgumentParser
import InTotoArtifacts
import InTotoCrypto
import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What is printed of an error: what and why in one line, then the next step where there is one.
struct ErrorMessage {
    private let message: String
    private let hint: String?

    init(_ failure: Failure) {
        message = failure.message
        hint = failure.hint
    }

    func print(in context: CommandContext) {
        context.note("intoto-run: error: \(indented)")
        if let hint { context.note("intoto-run: hint: \(hint)") }
    }
}

extension ErrorMessage {
    /// What stands on further lines belongs to the first.
    private var indented: String {
        let lines = message.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated()
            .map { $0.offset == 0 || $0.element.hasPrefix("  ") ? String($0.element) : "  \($0.element)" }
            .joined(separator: "\n")
    }
}

extension Failure {
    /// The parser's own message, without its usage lines; it repeats what the user typed, whatever that is.
    init(parsing error: any Error, of words: [String]) {
        let path = (["intoto-run"] + Self.verbs(of: words)).joined(separator: " ")
        self.init(
            escapedForTerminal(IntotoRun.message(for: error).utf8),
            hint: OptionSpelling.hint(forForeign: words) ?? "see \(path) --help")
    }

    /// The verb that is meant, and the one inside it where there is one.
    private static func verbs(of words: [String]) -> [String] {
        var path: [String] = []
        var known = IntotoRun.configuration.subcommands
        for word in words {
            guard let verb = known.first(where: { $0._commandName == word }) else { break }
            path.append(word)
            known = verb.configuration.subcommands
        }
        return path
    }

    /// Names the file that an error is about.
    static func reading(_ path: String, _ error: any Error) -> Failure {
        switch error {
        case let error as StorageError: Failure(error.description, hint: hint(for: error))
        case let error as KeyError: Failure("\(Text(path).escaped): \(error)", hint: error.hint)
        default: Failure("\(Text(path).escaped): \(error)")
        }
    }

    private static func hint(for error: StorageError) -> String? {
        switch error {
        case .unsafeKeyFile(let path, .writableByOthers): "chmod go-w \(Text(path.string).shellWord)"
        case .unsafeKeyFile(_, .foreignOwner): "copy it to a file of your own, once you know that it is the right one"
        case .system, .tooLarge, .notRegularFile, .tooManyEntries, .alreadyExists, .replaced: nil
        }
    }

    static let descriptorHint = "raise the limit on open files (ulimit -n)"

    private static func hint(for errno: Int32) -> String? {
        switch errno {
        case EMFILE, ENFILE: descriptorHint
        case EAGAIN, ENOMEM: "raise the limits on processes (ulimit -u) and memory (ulimit -v)"
        default: nil
        }
    }

    /// A launch that failed: nothing ran.
    init(_ error: LaunchError) {
        switch error {
        case .notFound(let program):
            self.init(
                "\(escapedForTerminal(program)): command not found", hint: "nothing ran, and no evidence was written",
                status: ExitStatus.notFound)
        case .notExecutable(let path, let errno):
            self.init(
                "\(escapedForTerminal(path)): cannot be executed: \(systemErrorText(errno))",
                hint: "nothing ran, and no evidence was written", status: ExitStatus.notExecutable)
        case .badDirectory(let path, let errno):
            self.init("\(escapedForTerminal(path)): cannot run the command there: \(systemErrorText(errno))")
        case .tooManyDescriptors(let limit):
            self.init(
                "more than \(limit) open descriptors were handed down to intoto-run",
                hint: "close those that the command does not need")
        case .descriptorAboveLimit(let descriptor, let limit):
            self.init(
                "descriptor \(descriptor) was handed down to intoto-run, but only those below \(limit) can be handed on",
                hint: "close it, or raise the hard limit (ulimit -n)")
        case .tooFewDescriptors(let needed):
            self.init("fewer than \(needed) more files can be open at a time", hint: Self.descriptorHint)
        case .runner(let operation, 0): self.init("could not \(operation): its process ended at once")
        case .runner(let operation, let errno):
            self.init("could not \(operation): \(systemErrorText(errno))", hint: Self.hint(for: errno))
        case .emptyCommand:
            self.init("no command behind --", hint: "give a command, or -x for evidence without one")
        case .containsNUL: self.init("an argument of the command holds a NUL byte")
        }
    }
}

extension SnapshotError {
    /// What to do about the first problem.
    var hint: String? {
        problems.first?.reason.hint
    }
}

extension SnapshotProblem.Reason {
    fileprivate var hint: String? {
        switch self {
        case .doesNotExist, .notRegular(.danglingLink): "name what is there, or give --allow-missing"
        case .notUTF8: "rename the file, exclude it, or record its directory as dir:PATH"
        case .matchesNothing: "name what is there, put quotes around the pattern, or give --allow-missing"
        case .tooManyLinkedEntries: "exclude some of the links, or record them as such with --symlinks record"
        case .givenUp: "leave it the time that it needs"
        case .permissionDenied: "let the file be read, or exclude it with --exclude"
        // Its own hint has a way out that only the record of the repository has.
        case .repository(.library): "install it (Debian: libgit2-1.5)"
        case .repository(let error): error.hint
        case .basePath: "name a directory that is there, and can be read, with --base-path"
        case .tooManyOpenFiles: Failure.descriptorHint
        case .linkRefused: "name what the link leads to, exclude it, or choose --symlinks follow or record"
        case .beyondLink: "name what the link leads to, or choose --symlinks follow"
        case .sameName: "exclude one of the two, or strip less of their names (--lstrip-paths)"
        case .notRegular(.linkOutsideBase):
            "name what the link leads to by its absolute path, or choose a base path that holds it (--base-path)"
        case .notRegular, .vanished, .changedWhileRead, .nameTooLong, .nothingLeftOfName, .leavesBase, .notDirectory,
            .tooManyEntries, .lineFeedInName, .notSupported, .failed:
            nil
        }
    }
}
