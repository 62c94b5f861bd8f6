import ArgumentParser

/// Prints what makes a shell complete our options.
struct Completions: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Print completions for bash, zsh or fish.",
        discussion: """
            Examples: intoto-run completions bash >/etc/bash_completion.d/intoto-run
                      intoto-run completions zsh >/usr/local/share/zsh/site-functions/_intoto-run
                      intoto-run completions fish >~/.config/fish/completions/intoto-run.fish
            """)

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish
    }

    func run(in context: CommandContext) throws -> Int32 {
        let shell: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        try context.print(IntotoRun.completionScript(for: shell))
        return ExitStatus.success
    }
}
