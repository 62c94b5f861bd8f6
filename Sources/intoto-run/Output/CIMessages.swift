import FoundationEssentials
import InTotoFunctionary
import InTotoMetadata
import SystemPackage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a run says in the form that the CI system shows best: on GitHub an annotation of each error and a part of the
/// job's summary, on GitLab a section around our own lines. Elsewhere nothing.
struct CIMessages {
    private let system: Text?
    private let isQuiet: Bool
    private let context: CommandContext

    init(_ system: CISystem?, isQuiet: Bool = false, in context: CommandContext) {
        self.system = system?.name
        self.isQuiet = isQuiet
        self.context = context
    }

    // MARK: GitHub

    /// An error as a workflow command, on standard error, where the runner reads these, too.
    func annotate(_ failure: Failure) {
        guard system == "github" else { return }
        let text = ([failure.message] + [failure.hint].compactMap { $0 }).joined(separator: "\n")
        context.note("::error title=intoto-run::\(Self.escaped(text))")
    }

    /// As the runner undoes it in the message of a command.
    static func escaped(_ message: String) -> String {
        var result = ""
        for scalar in message.unicodeScalars {
            switch scalar {
            case "%": result += "%25"
            case "\r": result += "%0D"
            case "\n": result += "%0A"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Appends to the file that the runner shows as the job's summary; where that fails, a warning says so.
    func addToJobSummary(_ summary: RunSummary, status: Int32, failure: Failure?) {
        guard system == "github", let path = context.variable("GITHUB_STEP_SUMMARY"), !path.isEmpty else { return }
        do {
            let text = try Self.markdown(summary, status: status, failure: failure)
            let error = Self.append(Array(text.utf8), to: path)
            if error != 0 { throw Failure(systemErrorText(error)) }
        } catch {
            let reason = (error as? Failure)?.message ?? "\(error)"
            context.note("intoto-run: warning: GITHUB_STEP_SUMMARY: cannot add to it: \(reason)")
        }
    }

    private static func markdown(_ summary: RunSummary, status: Int32, failure: Failure?) throws -> String {
        var rows = [("exit status", "\(status)")]
        if let recorded = summary.recorded {
            rows += [("materials", "\(recorded.materials.count)"), ("products", "\(recorded.products.count)")]
        }
        for evidence in summary.evidence {
            let digest = "sha256:\(try evidence.sha256())"
            rows.append(("evidence", "\(code(evidence.path.string))<br>\(code(digest))"))
        }
        rows += summary.warnings.map { ("warning", plain($0)) }
        if let failure { rows.append(("error", plain(failure.message))) }
        let name = summary.step.map { code($0.text.description) } ?? "without a name"
        return "### intoto-run: step \(name)\n\n| | |\n|---|---|\n"
            + rows.map { "| \($0.0) | \($0.1) |\n" }.joined() + "\n"
    }

    private static func code(_ text: String) -> String { "<code>\(plain(text))</code>" }

    /// Text that Markdown and HTML leave as it is: whatever could be a mark of theirs is a character reference.
    static func plain(_ text: String) -> String {
        escapedForTerminal(text.utf8).unicodeScalars.map { scalar in
            let isPlain = !scalar.isASCII || scalar.properties.isAlphabetic || (0x30...0x39).contains(scalar.value)
            return isPlain || " -/".unicodeScalars.contains(scalar) ? String(scalar) : "&#\(scalar.value);"
        }.joined()
    }

    /// An errno, or 0. Follows no link, and waits for nobody: the command may have put anything there.
    private static func append(_ bytes: [UInt8], to path: [UInt8]) -> Int32 {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY
        let descriptor = open(path.map { CChar(bitPattern: $0) } + [0], flags, 0o644)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return EINVAL }
        return CommandContext.write(bytes, to: descriptor)
    }

    // MARK: GitLab

    /// What `body` says stands in a section of the job's log.
    func inSection(of step: StepName, _ body: () throws -> Void) rethrows {
        guard system == "gitlab", !isQuiet else { return try body() }
        let name = "intoto_run_" + step.text.utf8.map(Self.sectionCharacter).joined()
        let title = "intoto-run: step \(step.text.escaped)"
        context.note("\u{1B}[0Ksection_start:\(seconds):\(name)\r\u{1B}[0K\(title)")
        defer { context.note("\u{1B}[0Ksection_end:\(seconds):\(name)\r\u{1B}[0K") }
        try body()
    }

    private var seconds: Int64 { Int64(context.now().timeIntervalSince1970) }

    private static func sectionCharacter(_ byte: UInt8) -> String {
        let isPlain = UnicodeScalar(byte).properties.isAlphabetic && byte < 0x80 || (0x30...0x39).contains(byte)
        return isPlain || byte == UInt8(ascii: "-") ? String(UnicodeScalar(byte)) : "_"
    }
}
