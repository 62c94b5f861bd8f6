import ArgumentParser
import InTotoFunctionary

/// Which variables hold secrets although nothing shows it.
struct RedactionOptions: ParsableArguments {
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Variables (NAME or PREFIX_*) whose values are replaced in what is recorded, beside those that look secret.",
            valueName: "name"))
    var redact: [String] = []

    func patterns() throws -> [VariablePattern] {
        do { return try redact.map { try VariablePattern($0.utf8) } } catch { throw Failure("--redact: \(error)") }
    }
}
