public import ArgumentParser
import InTotoCrypto
import InTotoFunctionary
import InTotoMetadata
public import InTotoVerification
import SystemPackage

/// Layouts: draft one, look for what is wrong in one, sign one, show one.
struct LayoutVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layout", abstract: "Draft, check, sign and show layouts.",
        discussion: """
            Example: intoto-run layout init links/*.link --verification-keys alice.pem.pub -o draft.yaml
                     intoto-run layout sign draft.yaml -k owner.pem -o root.layout
            """,
        subcommands: [Draft.self, Lint.self, SignLayout.self, Show.self])
}

extension LayoutVerb {
    /// Drafts a layout from recorded links.
    struct Draft: Verb {
        static let configuration = CommandConfiguration(
            commandName: "init", abstract: "Draft a layout from recorded links, which those links keep.",
            discussion: """
                Example: intoto-run layout init links/*.link --verification-keys alice.pem.pub -o draft.yaml

                Steps are in the order in which artifacts flow; read it, change it, and sign it.
                """)

        @OptionGroup var trust: TrustOptions

        @Option(help: ArgumentHelp("For how many days it is good.", valueName: "days"))
        var days = 365

        @Option(
            name: .shortAndLong,
            help: ArgumentHelp(
                "Where the unsigned layout goes; as YAML where it is called .yaml or .yml.", valueName: "file"))
        var output: String

        @Flag(help: "Replace a file that is already there.")
        var overwrite = false

        @OptionGroup var result: ResultOptions

        @Argument(help: "Links, envelopes or bundles.")
        var files: [String]

        func validate() throws {
            guard !trust.keys.isEmpty else {
                throw ValidationError("no --verification-keys: who are the functionaries?")
            }
            guard (1...3650).contains(days) else { throw ValidationError("--days is a number from 1 to 3650") }
        }

        func run(in context: CommandContext) throws -> Int32 {
            let keys = try trust.publicKeys(in: context)
            var recordings: [LayoutDraft.Recording] = []
            for file in files {
                for metadata in try EvidenceFile(reading: file, in: context).metadata {
                    let authenticated: Authenticated<Payload>
                    do { authenticated = try metadata.authenticated(by: keys) } catch {
                        throw Failure("\(Text(file).escaped): \(error)", hint: "give the functionaries' public keys")
                    }
                    guard let link = try authenticated.payload.link() else { continue }
                    recordings.append(LayoutDraft.Recording(link: link, signers: authenticated.signedBy))
                }
            }
            guard !recordings.isEmpty else { throw Failure("no link is among the files") }
            let expires = UTCTime(secondsSinceEpoch: context.utcNow.secondsSinceEpoch + Int64(days) * 86_400)
            let layout: Layout
            do throws(LayoutDraftError) { layout = try LayoutDraft(recordings).layout(expires: expires) } catch {
                throw Failure("\(error)", hint: "give recordings of one and the same delivery")
            }
            try BundleVerb.write(
                LayoutFile.bytes(ofDraft: layout, at: output), to: FilePath(output), overwrite: overwrite)
            try result.report(
                written: [FilePath(output)], ["steps": .integer(Int64(layout.steps.count))],
                note: {
                    context.note("intoto-run: \($0), unsigned: \(layout.steps.count) steps")
                    context.note("intoto-run: \(Self.withoutInspections)")
                }, in: context)
            return ExitStatus.success
        }

        private static let withoutInspections =
            "no inspection: `verify` looks at evidence only; add one that matches the delivery (see Verification)"
    }

    /// Looks for what is well formed and wrong.
    struct Lint: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Look for what is wrong in a layout.",
            discussion: """
                Example: intoto-run layout lint root.layout

                Exit status: 0 where nothing is, 1 where something is, 2 where it could not be told.
                """)

        @Flag(help: "As JSON: a list of findings, each with a code and a message.")
        var json = false

        @Argument(help: "A layout, signed or not; as YAML where it is called .yaml or .yml.")
        var file: String

        func run(in context: CommandContext) throws -> Int32 {
            let findings: [LayoutFinding]
            do { findings = LayoutLint(try LayoutFile.read(file), now: context.utcNow).findings } catch let error
                as MetadataError
            {
                let hint = error.hint.map { "; \($0)" } ?? ""
                findings = [LayoutFinding(.notTaken, "no verifier of ours takes it: \(error)\(hint)")]
            }
            if json {
                let list = findings.map { finding -> JSONValue in
                    .object([
                        "code": .string(Text(finding.code.rawValue)), "message": .string(Text(finding.description)),
                    ])
                }
                try context.print(JSONText.indented(value: .array(list)))
            } else {
                for finding in findings { try context.print(finding.description) }
                if findings.isEmpty { try context.print("nothing is wrong with it") }
            }
            return findings.isEmpty ? ExitStatus.success : ExitStatus.no
        }
    }

    /// Signs a layout that is well formed and good for a while.
    struct SignLayout: Verb {
        static let configuration = CommandConfiguration(
            commandName: "sign", abstract: "Sign a layout that is well formed and has not expired.",
            discussion: """
                Example: intoto-run layout sign draft.yaml -k owner.pem -o root.layout

                Whatever else `layout lint` finds is a warning.
                """)

        @OptionGroup var signing: SigningOptions

        @Flag(help: "In a DSSE envelope instead of classic metadata.")
        var dsse = false

        @Option(name: .shortAndLong, help: ArgumentHelp("Where the signed layout goes.", valueName: "file"))
        var output: String

        @Flag(help: "Replace a file that is already there.")
        var overwrite = false

        @OptionGroup var result: ResultOptions

        @Argument(help: "A layout, as YAML where it is called .yaml or .yml; signatures that it has are left out.")
        var file: String

        func run(in context: CommandContext) throws -> Int32 {
            let layout = try readLayout(file)
            let findings = LayoutLint(layout, now: context.utcNow).findings
            if let expired = findings.first(where: { $0.code == .expired }) {
                throw Failure("\(Text(file).escaped): \(expired)", hint: "give it a later 'expires'")
            }
            let signers = try signing.signers(in: context)
            let signed: SignedMetadata
            if dsse {
                var envelope = Envelope(payload: try JSONWriter.bytes(.compact) { layout.write(to: &$0) })
                do { try envelope.sign(with: signers) } catch let error as SignerError { throw Failure("\(error)") }
                signed = .envelope(envelope)
            } else {
                let message = try JSONWriter.bytes(.canonical) { layout.write(to: &$0) }
                signed = .metablock(
                    Metablock(
                        signed: .object(try layout.json()),
                        signatures: try signers.map { try $0.signature(over: message) }))
            }
            for finding in findings { context.note("intoto-run: warning: \(finding)") }
            try BundleVerb.write(
                JSONWriter.lines(.indented) { signed.write(to: &$0) }, to: FilePath(output), overwrite: overwrite)
            try result.report(
                written: [FilePath(output)], note: { context.note("intoto-run: \($0)") }, in: context)
            return ExitStatus.success
        }
    }

    /// Shows the steps and how artifacts flow.
    struct Show: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Show a layout; signatures are not checked.",
            discussion: "Example: intoto-run layout show --graph mermaid root.layout")

        @Option(help: "As a graph: dot or mermaid.")
        var graph: LayoutGraph.Language?

        @Flag(help: "As JSON: the layout itself, as it was understood.")
        var json = false

        @Argument(help: "A layout, signed or not; as YAML where it is called .yaml or .yml.")
        var file: String

        func validate() throws {
            guard !json || graph == nil else { throw ValidationError("--json and --graph contradict each other") }
        }

        func run(in context: CommandContext) throws -> Int32 {
            let layout = try readLayout(file)
            guard !json else {
                try context.print(JSONText.indented(layout.json()))
                return ExitStatus.success
            }
            for line in graph.map({ LayoutGraph(layout).lines(in: $0) }) ?? LayoutReading(layout).lines {
                try context.print(line)
            }
            return ExitStatus.success
        }
    }
}

extension LayoutGraph.Language: ExpressibleByArgument {}

private func readLayout(_ path: String) throws -> Layout {
    do { return try LayoutFile.read(path) } catch let error as MetadataError {
        throw Failure("\(Text(path).escaped): \(error)", hint: error.hint)
    }
}
