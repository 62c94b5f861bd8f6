import ArgumentParser
import InTotoArtifacts
import InTotoCrypto
import InTotoMetadata

/// Says what differs between two pieces of evidence.
struct Diff: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Compare two pieces of evidence: materials, products, command, environment.",
        discussion: """
            Example: intoto-run diff here/build.*.link there/build.*.link --only products

            Exit status: 0 where they are the same, 1 where they differ, 2 where it could not be told. With --only \
            products, that is the verdict on a reproducible build.
            """)

    @OptionGroup var trust: TrustOptions

    @Option(
        name: .customLong("only"), parsing: .upToNextOption,
        help: ArgumentHelp(
            "What is compared: materials, products, command, environment (default: all).", valueName: "part"))
    var parts: [LinkDifference.Part] = []

    @Flag(help: "As JSON.")
    var json = false

    @Argument(help: "Evidence: a link, a DSSE link, a bundle.")
    var first: String

    @Argument(help: "The other one.")
    var second: String

    func run(in context: CommandContext) throws -> Int32 {
        let keys = try trust.publicKeys(in: context)
        let links = try [first, second].map {
            try EvidenceFile(reading: $0, in: context).link(signedBy: keys, threshold: keys.isEmpty ? 0 : 1)
        }
        let difference = LinkDifference(links[0], links[1], parts: parts.isEmpty ? LinkDifference.Part.allCases : parts)
        if json {
            try context.print(JSONText.indented(difference.json(signaturesChecked: !keys.isEmpty)))
        } else {
            if keys.isEmpty {
                context.note("intoto-run: warning: signatures were not checked; give --verification-keys")
            }
            for line in difference.lines { try context.print(line) }
        }
        return difference.verdict.exitStatus
    }
}

extension LinkDifference.Part: ExpressibleByArgument {}
