import InTotoFunctionary
import InTotoMetadata

/// The words of a command line that records a step, with those of its configuration, and where each option came from.
struct Invocation: Sendable {
    /// What the parser gets.
    var words: [String] = []
    var options: [OptionInForce] = []
    var configuration: EnvironmentRecord.File?

    init() {}

    /// Where the command line gives an option, the configuration's lines of that name do not count.
    init(of given: [String], _ file: ConfigurationFile? = nil, _ table: OptionTable = .run) {
        let arguments = table.options(in: given)
        let overridden = Set(arguments.map(\.row.name))
        let lines = (file?.lines ?? []).filter { !overridden.contains($0.option.name) }
        // Behind what was given: a word there that belongs to no option shall not become one's value.
        words = given + OptionSpelling.normalized(lines.map(\.word))
        configuration = file.map { EnvironmentRecord.File(path: Text($0.path), sha256: $0.sha256) }
        for line in lines { add(line.option, spelling: "--\(line.option.name)", line.value, .configuration) }
        for option in arguments {
            if option.values.isEmpty { add(option.row, spelling: option.spelling, nil, .argument) }
            for value in option.values { add(option.row, spelling: option.spelling, value, .argument) }
        }
    }

    /// The CI system whose job we are in, unless its messages are turned off; also where the options cannot be parsed.
    func systemForMessages(in context: CommandContext) -> CISystem? {
        let isOff = options.contains { $0.name == "ci" && $0.values.last == "off" }
        return isOff ? nil : CISystem.detect(in: context.environment)
    }

    private mutating func add(
        _ row: OptionTable.Row, spelling: String, _ value: String?, _ source: OptionInForce.Source
    ) {
        let meant = ["--use-dsse": "dsse-link", "-s": "full", "--record-streams": "full"]
        let value = value ?? meant[spelling]
        let name = Text(row.name)
        let place = options.firstIndex { $0.name == name }
        if place == nil { options.append(OptionInForce(name: name, values: [], source: source)) }
        guard let value, !row.isPrivate else { return }
        options[place ?? options.count - 1].values.append(Text(value))
    }
}
