import ArgumentParser
import InTotoMetadata
import SystemPackage

/// How a verb that writes files says which.
struct ResultOptions: ParsableArguments {
    @Flag(help: "Say what was written as JSON, on standard output.")
    var json = false

    /// `more` stands in the JSON only.
    func report(
        written paths: [FilePath], _ more: JSONObject = [:], note: (String) -> Void, in context: CommandContext
    ) throws {
        guard json else {
            for path in paths { note("wrote \(escapedForTerminal(path.string.utf8))") }
            return
        }
        var object: JSONObject = ["written": .array(paths.map { .string(Text($0.string)) })]
        for member in more.members { object[member.name] = member.value }
        try context.print(JSONText.indented(object))
    }
}
