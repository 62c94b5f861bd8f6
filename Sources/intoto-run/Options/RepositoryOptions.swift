import ArgumentParser
import InTotoArtifacts
import InTotoFunctionary

/// What of the git repository around the base path is recorded and required.
struct RepositoryOptions: ParsableArguments {
    enum Mode: String, ExpressibleByArgument, CaseIterable {
        case auto, off, require
    }

    @Option(help: "The git repository around: auto (recorded where it can be read), off, or require.")
    var git = Mode.auto

    @Flag(name: .customLong("require-clean"), help: "Run nothing where files are not as the commit has them.")
    var requiresClean = false

    @OptionGroup var trust: RepositoryTrustOption

    func apply(to request: inout StepRequest, in context: CommandContext) throws {
        guard git != .off || !requiresClean else {
            throw Failure("--require-clean needs git, and --git is off", hint: "drop one of them")
        }
        request.git =
            switch git {
            case .off: .off
            case .auto: requiresClean ? .clean : .auto
            case .require: requiresClean ? .clean : .required
            }
        request.snapshot.git = trust.reading(in: context)
    }
}

/// Whose repositories are read.
struct RepositoryTrustOption: ParsableArguments {
    @Flag(name: .customLong("git-trust-owner"), help: "Read a repository that somebody else owns.")
    var trustsOwner = false

    /// As git would be told by our caller whom to trust.
    func reading(in context: CommandContext) -> GitOptions {
        var options = GitOptions()
        options.trustsOwner = trustsOwner
        options.home = context.variable("HOME")
        options.configurationHome = context.variable("XDG_CONFIG_HOME").flatMap { $0.isEmpty ? nil : $0 }
        options.callingUser = context.variable("SUDO_UID").flatMap { UInt32(String(decoding: $0, as: UTF8.self)) }
        return options
    }
}

extension Failure {
    /// The repository is not as demanded: nothing ran.
    init(_ refusal: RepositoryRefusal) {
        switch refusal {
        case .notRead(let error): self.init("nothing ran: git: \(error)", hint: error.hint)
        case .dirty(let what, let hasUntracked):
            self.init(
                "nothing ran: git: \(what)",
                hint: hasUntracked
                    ? "commit or remove them, have .gitignore or .git/info/exclude ignore them (your own "
                        + "core.excludesFile is not read), or drop --require-clean"
                    : "commit or undo that, or drop --require-clean")
        case .noStatus(let reasons, let borrowsObjects):
            self.init(
                "nothing ran: git: cannot tell whether the work tree is clean: "
                    + (reasons.isEmpty ? "there is none" : reasons.joined(separator: "; ")),
                hint: borrowsObjects ? "clone with --dissociate, or without --shared and --reference" : nil)
        }
    }
}
