import ArgumentParser
import InTotoMetadata

/// Records a step that is done by hand, in two halves.
struct Record: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Record a step that is done by hand: 'start' before it, 'stop' after it.",
        discussion: """
            Example: intoto-run record start -n edit -k me.pem -m src
                     …
                     intoto-run record stop -n edit -k me.pem -p src
            """,
        subcommands: [RecordStart.self, RecordStop.self])
}

/// Which step is meant.
struct StepNameOption: ParsableArguments {
    @Option(
        name: [.customShort("n"), .customLong("name"), .customLong("step-name")], help: "Name of the step.")
    var name: String?

    func stepName() throws -> StepName {
        // Not the parser's to say: it would say so before it names a mistyped option.
        guard let name else { throw Failure("no name for the step", hint: "give --name NAME") }
        do { return try StepName(Text(name)) } catch {
            throw Failure("\(error)", hint: "give a name of letters, digits, dots and dashes with --name")
        }
    }
}
