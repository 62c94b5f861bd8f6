import ArgumentParser
import FoundationEssentials
import InTotoFunctionary
import InTotoMetadata

/// What was done between the halves of a step, as far as its functionary says.
struct DoneByHand: ParsableArguments {
    @Option(help: ArgumentHelp("What was carried out, as a shell would take it apart.", valueName: "line"))
    var command: String?

    @Option(
        name: .customLong("return-value"),
        help: ArgumentHelp("How it ended: a status, or −N for signal N.", valueName: "n"))
    var returnValue: Int?

    @Option(
        name: .customLong("byproduct"), parsing: .upToNextOption,
        help: ArgumentHelp("Something else that came of it, as text.", valueName: "name=value"))
    var byproducts: [String] = []

    /// Throws where the record holds that already: what a run has seen is not to be talked over.
    ///
    /// Returns how many secrets were replaced in the command.
    func add(to record: inout UnfinishedRecord, at now: Date, masks: MaskList) throws -> Int {
        let isRun = record.link.byproducts["started"] != nil
        guard !isRun || (command == nil && returnValue == nil) else {
            throw Failure("the record is of a run, which knows its command and how that ended")
        }
        let redactions = try command.map { try record.link.add(command: Self.words(of: $0), masks: masks) } ?? 0
        if !isRun {
            record.link.byproducts["finished"] = .string(Text(now.formatted(.iso8601)))
            record.link.byproducts["started"] = .string(record.begun)
        }
        if let returnValue { record.link.byproducts["return-value"] = .integer(Int64(returnValue)) }
        for byproduct in byproducts {
            guard let equals = byproduct.utf8.firstIndex(of: UInt8(ascii: "=")), equals > byproduct.utf8.startIndex
            else {
                throw Failure("--byproduct '\(Text(byproduct).escaped)': is no NAME=VALUE")
            }
            try record.link.add(
                byproduct: byproduct[..<equals], byproduct[byproduct.utf8.index(after: equals)...], masks: masks)
        }
        return redactions
    }

    private static func words(of command: String) throws -> [Text] {
        do {
            let words = try ShellWords.split(command)
            guard !words.isEmpty else { throw Failure("--command: is empty") }
            return words
        } catch is ShellWords.Unbalanced {
            throw Failure("--command '\(Text(command).escaped)': a quote is not closed")
        }
    }
}

extension Link {
    /// Masks the words as `run` does; returns how many secrets were in them.
    fileprivate mutating func add(command words: [Text], masks: MaskList) -> Int {
        let masked = words.map { StreamRedactor.redacted($0.utf8, masks: masks) }
        let count = masked.reduce(0) { $0 + $1.count }
        command = masked.map { Text(repairing: $0.bytes) }
        if count > 0 { environment["command-redacted"] = .integer(Int64(count)) }
        return count
    }

    fileprivate mutating func add(byproduct name: Substring, _ value: Substring, masks: MaskList) throws {
        let name = Text(repairing: masks.masked(Array(name.utf8)))
        guard byproducts[name] == nil else { throw Failure("--byproduct '\(name.escaped)': is recorded already") }
        try Self.checkName(ofByproduct: name)
        let masked = StreamRedactor.redacted(Array(value.utf8), masks: masks)
        byproducts[name] = .string(Text(repairing: masked.bytes))
        if masked.count > 0 { byproducts[Text("\(name)-redacted")] = .integer(Int64(masked.count)) }
    }

    /// Throws for names that mean something else than a text: what a run records of its command, and what stands beside
    /// texts.
    private static func checkName(ofByproduct name: Text) throws {
        if name == "return-value" {
            throw Failure("--byproduct 'return-value': is a number", hint: "give it with --return-value")
        }
        let ofCommands: [Text] = [
            "background-processes", "finished", "resources", "started", "stderr", "stdout", "timed-out",
        ]
        let text = name.description
        let isTaken =
            ofCommands.contains(name) || ["stdout-", "stderr-"].contains { text.hasPrefix($0) }
            || ["-base64", "-redacted"].contains { text.hasSuffix($0) }
        guard !isTaken else {
            throw Failure(
                "--byproduct '\(name.escaped)': is what a run records of its command", hint: "give it another name")
        }
    }
}
