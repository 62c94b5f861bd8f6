import ArgumentParser
import InTotoFunctionary

/// Which verb a mistyped one is likely to be.
enum VerbSpelling {
    /// Letters that are wrong, missing or too many at most.
    private static let tolerance = 2

    /// The verb that is nearest to `word`; nil where none is near, or `word` is a program, whose `--` is missing.
    static func likely(for word: String, in context: CommandContext) -> String? {
        let verbs = IntotoRun.configuration.subcommands.map { verb in verb._commandName }
        let nearest = verbs.map { (verb: $0, distance: distance(Array($0.utf8), Array(word.utf8))) }
            .min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= tolerance, !isProgram(word, in: context) else { return nil }
        return nearest.verb
    }

    private static func isProgram(_ word: String, in context: CommandContext) -> Bool {
        let command = Command(arguments: [Array(word.utf8)], environment: context.environment)
        return (try? ProgramLookup.resolve(command)) != nil
    }

    /// How many letters have to be replaced, added or removed (Levenshtein); beyond `tolerance`, any number that is too.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard abs(a.count - b.count) <= tolerance else { return tolerance + 1 }
        var row = Array(0...b.count)
        for (index, letter) in a.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in b.indices {
                let replaced = diagonal + (letter == b[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
            }
        }
        return row[b.count]
    }
}
