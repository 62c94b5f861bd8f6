import Foundation
import TestSupport
import Testing

/// What a person, and a program, is shown of fixed evidence: Golden/inspect-*.
@Suite(.temporaryDirectory) struct InspectTests {
    struct Case: Sendable, CustomStringConvertible {
        var golden: String
        var vector: String
        var options: [String] = []
        /// Names of `keys`.
        var keys: [String] = []

        var description: String { golden }
    }

    private static let classic = "classic-links/python/build.23044263.link"
    private static let envelope = "dsse-links/python/build.23044263.link"

    private static let cases = [
        Case(golden: "inspect-link.txt", vector: classic),
        Case(golden: "inspect-link-good.txt", vector: classic, keys: ["ed25519-alice"]),
        Case(golden: "inspect-link-unknown.txt", vector: classic, keys: ["ed25519-bob"]),
        Case(golden: "inspect-link-bad.txt", vector: "dsse/envelopes/tampered-signature.json", keys: ["ed25519-alice"]),
        Case(golden: "inspect-link.json", vector: classic, options: ["--json"]),
        Case(golden: "inspect-link-good.json", vector: classic, options: ["--json"], keys: ["ed25519-alice"]),
        Case(golden: "inspect-link-unknown.json", vector: envelope, options: ["--json"], keys: ["ed25519-bob"]),
        Case(golden: "inspect-envelope.txt", vector: envelope, keys: ["ed25519-bob", "ed25519-alice"]),
        Case(
            golden: "inspect-two-signatures.txt", vector: "dsse/envelopes/two-signatures-one-bad.json",
            keys: ["ed25519-alice", "ed25519-bob"]),
        Case(golden: "inspect-no-keyid.txt", vector: "dsse/envelopes/no-keyid.json", keys: ["ed25519-alice"]),
        Case(golden: "inspect-no-signatures.txt", vector: "dsse/envelopes/no-signatures.json"),
        Case(
            golden: "inspect-attestation.txt", vector: "attestations/link-v0.3.23044263.json", keys: ["ed25519-alice"]),
        Case(golden: "inspect-provenance.txt", vector: "attestations/slsa-provenance-v1.4844e6b2.json"),
        Case(
            golden: "inspect-provenance.json", vector: "attestations/slsa-provenance-v1.4844e6b2.json",
            options: ["--json"]),
        Case(golden: "inspect-layout.txt", vector: "edge-cases/layout-step-minimal.json"),
        Case(
            golden: "inspect-bundle.txt", vector: "attestations/hello.intoto.jsonl",
            keys: ["ed25519-alice", "rsa-2048"]),
    ]

    @Test(arguments: cases)
    func `evidence is shown`(item: Case) throws {
        let run = IntotoRun(in: Vectors.directory)
        let keys = item.keys.isEmpty ? [] : ["--verification-keys"] + item.keys.map { "keys/\($0).spki.pem" }
        let result = try run.run(["inspect", item.vector] + item.options + keys)
        #expect(result.status == 0)
        #expect(!result.output.contains { $0 < 0x20 && $0 != 0x0A || $0 == 0x7F })
        try expectGolden(
            result.outputText + (result.errors == [] ? "" : "-- standard error --\n" + result.errorText), item.golden)
    }

    @Test func `the command line shown is one that a shell takes apart as it was`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let words = ["printf", "%s|", "plain", "two words", "it's", "a' 'b", "$(x) `y` \"z\" \\n", "", "naïve", "*"]
        _ = try run.run(["-q", "-k", "key.pem", "-n", "s", "--format", "link", "--"] + words)
        let shown = try run("inspect", run.file(endingIn: ".link")).outputText
        let line = try #require(shown.split(separator: "\n").first { $0.hasPrefix("command: ") }).dropFirst(
            "command: ".count)
        #expect(try run.shell(String(line)).outputText == words.dropFirst(2).map { "\($0)|" }.joined())
    }

    @Test func `what a terminal must not see is escaped in a command line, and cannot be imitated`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run(
            "-q", "-k", "key.pem", "-n", "s", "--format", "link", "--", "true", "\u{1B}[31m it's\n", "\\x1B",
            "\u{202E}x")
        let shown = try run("inspect", run.file(endingIn: ".link")).outputText
        #expect(shown.contains("command: true $'\\x1B[31m it\\'s\\n' '\\x1B' $'\\u{202E}x'\n"), "\(shown)")
    }

    @Test func `ten artifacts are shown, all with --all`() throws {
        let run = IntotoRun()
        try run.makeKey()
        for number in 10..<25 { try run.write("x", to: "dist/\(number)") }
        try run("-q", "-k", "key.pem", "-n", "s", "--format", "link", "-p", "dist", "--", "true")
        let link = try run.file(endingIn: ".link")
        let some = try run("inspect", link).outputText
        #expect(some.contains("products: 15\n") && some.contains("  dist/19  sha256:") && !some.contains("dist/20"))
        #expect(some.contains("  … 5 more (--all)\n"))
        let all = try run("inspect", "--all", link).outputText
        #expect(all.contains("  dist/24  sha256:") && !all.contains("more (--all)"))
    }

    @Test func `a link that cannot be signed again is shown, and is an error where it is to be checked`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run("-q", "-k", "key.pem", "-n", "s", "--format", "link", "--", "true")
        let link = try run.file(endingIn: ".link")
        _ = try run.shell("sed -i 's/\"return-value\": 0/\"return-value\": 1.5/' \(link)")
        let shown = try run("inspect", link)
        #expect(shown.status == 0 && shown.outputText.contains("  return-value: 1.5\n"), "\(shown.errorText)")
        #expect(try run("inspect", "--json", link).outputText.contains("1.5"))
        #expect(try run("inspect", link, "--verification-keys", "key.pem.pub").status == 2)
    }

    @Test func `several files are shown in their order, up to one that cannot be`() throws {
        let run = IntotoRun(in: Vectors.directory)
        let result = try run("inspect", Self.classic, "absent", Self.envelope)
        #expect(result.status == 2)
        #expect(result.errorText == "intoto-run: error: absent: cannot open: No such file or directory\n")
        #expect(result.outputText.hasPrefix("link of step 'build' in classic metadata\n"))
        #expect(!result.outputText.contains("DSSE"))
    }

    @Test(arguments: [
        (["inspect"], "Missing expected argument '<files> ...'"),
        (["inspect", "--what", "x"], "Unknown option '--what'"),
        (["inspect", classic, "--verification-keys", "absent"], "absent: cannot open: No such file or directory"),
        (
            ["inspect", classic, "--verification-keys", "keys/ed25519-alice.pkcs8.pem"],
            "keys/ed25519-alice.pkcs8.pem: a private key where"
        ),
    ])
    func `a mistake is one error`(arguments: [String], message: String) throws {
        let result = try IntotoRun(in: Vectors.directory).run(arguments)
        #expect(result.status == 2 && result.outputText == "")
        #expect(result.errorText.hasPrefix("intoto-run: error: \(message)"), "\(result.errorText)")
    }
}
