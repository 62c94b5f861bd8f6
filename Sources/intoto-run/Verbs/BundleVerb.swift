import ArgumentParser
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// Puts attestations into one file, and takes them out.
struct BundleVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract: "Put attestations into one file, one a line, and take them out.",
        discussion: "Example: intoto-run bundle create -o app.intoto.jsonl build.*.intoto.jsonl test.*.intoto.jsonl",
        subcommands: [BundleCreate.self, BundleAdd.self, BundleSplit.self, BundleList.self])

    /// The lines of several files; each envelope once, however often it is met.
    static func gather(
        _ files: [String], after known: [EnvelopeLine] = [], in context: CommandContext
    ) throws -> [EnvelopeLine] {
        var seen = Set(known.map(\.envelope))
        var gathered: [EnvelopeLine] = []
        for file in files {
            let (lines, ignored) = try EnvelopeLine.read(file)
            warn(ofUnknownLines: ignored, of: file, in: context)
            for line in lines where seen.insert(line.envelope).inserted { gathered.append(line) }
        }
        return gathered
    }

    static func unknownLines(_ count: Int) -> String {
        count == 1 ? "1 line is no envelope" : "\(count) lines are no envelopes"
    }

    /// Silent where there are none.
    static func warn(ofUnknownLines count: Int, of file: String, in context: CommandContext) {
        if count > 0 { context.note("intoto-run: warning: \(Text(file).escaped): \(unknownLines(count))") }
    }

    static func bytes(_ lines: [EnvelopeLine]) -> [UInt8] { lines.flatMap { $0.bytes + [UInt8(ascii: "\n")] } }

    /// Writes a whole file at once; `overwrite` replaces what is there.
    static func write(_ bytes: [UInt8], to path: FilePath, overwrite: Bool) throws {
        do { try EvidenceDirectory.reserve(path, overwrite: overwrite).commit(bytes) } catch {
            throw Failure(
                "\(error)",
                hint: { if case .alreadyExists = error { "give --overwrite to replace it" } else { nil } }())
        }
    }
}

struct BundleCreate: Verb {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a bundle of envelopes and bundles.",
        discussion: "Example: intoto-run bundle create -o app.intoto.jsonl build.1234abcd.intoto.jsonl sbom.json")

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the bundle goes.", valueName: "file"))
    var output: String

    @Flag(help: "Replace a file that is already there.")
    var overwrite = false

    @OptionGroup var result: ResultOptions

    @Argument(help: "Envelopes and bundles.")
    var files: [String]

    func run(in context: CommandContext) throws -> Int32 {
        let lines = try BundleVerb.gather(files, in: context)
        try BundleVerb.write(BundleVerb.bytes(lines), to: FilePath(output), overwrite: overwrite)
        try result.report(
            written: [FilePath(output)], ["envelopes": .integer(Int64(lines.count))],
            note: { context.note("intoto-run: \($0): \(lines.count) envelopes") }, in: context)
        return ExitStatus.success
    }
}

struct BundleAdd: Verb {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add envelopes to a bundle.",
        discussion: """
            Example: intoto-run bundle add app.intoto.jsonl test.1234abcd.intoto.jsonl

            What stands in the bundle stays as it is, whatever it is; an envelope that is there already is not added.
            """)

    @Argument(help: "The bundle.")
    var bundle: String

    @OptionGroup var result: ResultOptions

    @Argument(help: "Envelopes and bundles.")
    var files: [String]

    func run(in context: CommandContext) throws -> Int32 {
        let known = try EnvelopeLine.read(bundle).lines
        guard !known.contains(where: \.spansLines) else {
            throw Failure(
                "\(Text(bundle).escaped): is one envelope over several lines, and a bundle has each on one",
                hint: "make a bundle of it: intoto-run bundle create -o NEW \(Text(bundle).shellWord) FILE…")
        }
        let added = try BundleVerb.gather(files, after: known, in: context)
        if !added.isEmpty {
            do throws(StorageError) {
                try AppendedFile.append(BundleVerb.bytes(added), to: FilePath(bundle))
            } catch { throw Failure("\(error)") }
        }
        try result.report(
            written: added.isEmpty ? [] : [FilePath(bundle)],
            ["added": .integer(Int64(added.count)), "known": .integer(Int64(known.count))], note: { _ in }, in: context)
        if !result.json {
            context.note(
                "intoto-run: \(Text(bundle).escaped): \(added.count) envelopes added, \(known.count) were there")
        }
        return ExitStatus.success
    }
}

struct BundleSplit: Verb {
    static let configuration = CommandConfiguration(
        commandName: "split", abstract: "Write each envelope of a bundle into a file of its own.",
        discussion:
            "Example: intoto-run bundle split app.intoto.jsonl -d parts   (parts/app.1.json, parts/app.2.json, …)")

    @Option(
        name: [.customShort("d"), .customLong("directory")],
        help: ArgumentHelp("Where the files go; must exist.", valueName: "dir"))
    var directory = "."

    @Flag(help: "Replace files that are already there.")
    var overwrite = false

    @OptionGroup var result: ResultOptions

    @Argument(help: "The bundle.")
    var bundle: String

    func run(in context: CommandContext) throws -> Int32 {
        let (lines, ignored) = try EnvelopeLine.read(bundle)
        BundleVerb.warn(ofUnknownLines: ignored, of: bundle, in: context)
        var written: [FilePath] = []
        for (index, line) in lines.enumerated() {
            let path = FilePath(directory).appending("\(stem).\(index + 1).json")
            try BundleVerb.write(line.bytes + [UInt8(ascii: "\n")], to: path, overwrite: overwrite)
            written.append(path)
            if !result.json { try context.print("\(escapedForTerminal(path.string.utf8)): \(line.claim)") }
        }
        if result.json { try result.report(written: written, note: { _ in }, in: context) }
        return ExitStatus.success
    }

    private var stem: String {
        let name = FilePath(bundle).lastComponent?.string ?? "bundle"
        for suffix in [".intoto.jsonl", ".jsonl"] where name.hasSuffix(suffix) && name != suffix {
            return String(name.dropLast(suffix.count))
        }
        return name
    }
}

struct BundleList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Say what each envelope of a bundle claims; signatures are not checked.",
        discussion: "Example: intoto-run bundle list app.intoto.jsonl")

    @Flag(help: "As JSON.")
    var json = false

    @Argument(help: "The bundle.")
    var bundle: String

    func run(in context: CommandContext) throws -> Int32 {
        let (lines, ignored) = try EnvelopeLine.read(bundle)
        if json {
            try context.print(
                JSONText.indented([
                    "envelopes": .array(lines.map(\.json)), "ignoredLines": .integer(Int64(ignored)),
                ]))
        } else {
            for (index, line) in lines.enumerated() { try context.print("\(index + 1): \(line.claim)") }
            if ignored > 0 { try context.print(BundleVerb.unknownLines(ignored)) }
        }
        return ExitStatus.success
    }
}
