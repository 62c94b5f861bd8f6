import ArgumentParser
import InTotoFunctionary
import InTotoMetadata

/// Which verb a mistyped one is likely to be.
enum VerbSpelling {
    /// The verb that is nearest to `word`; nil where none is near, or `word` is a program, whose `--` is missing. So it is
    /// of what has fewer than four letters, as many programs have that are not installed here.
    static func likely(for word: String, in context: CommandContext) -> String? {
        let verbs = IntotoRun.configuration.subcommands.map { Text($0._commandName) }
        guard word.utf8.count > 3, let verb = verbs.nearest(to: Text(word)), !isProgram(word, in: context) else {
            return nil
        }
        return verb.description
    }

    private static func isProgram(_ word: String, in context: CommandContext) -> Bool {
        let command = Command(arguments: [Array(word.utf8)], environment: context.environment)
        return (try? ProgramLookup.resolve(command)) != nil
    }
}
