import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// What a person should look at twice, and links too large to be read whole: Golden/inspect-odd*, inspect-large*.
@Suite(.temporaryDirectory) struct InspectOddTests {
    private func write(_ link: Link, to name: String, of run: IntotoRun) throws {
        let bytes = try JSONWriter.bytes(.indented) { Metablock.write(link, signatures: [], to: &$0) }
        try run.write(String(decoding: bytes, as: UTF8.self), to: name)
    }

    private static let digest = Text(String(repeating: "0a", count: 32))

    private static func artifacts(_ entries: [(Text, [DigestAlgorithm: Text])]) throws -> ArtifactSet {
        try ArtifactSet(
            entries.map { name, values in
                var digests = DigestSet()
                for (algorithm, value) in values { digests[algorithm] = value }
                return Artifact(name: ArtifactName(name), digests: digests)
            })
    }

    private static func odd() throws -> Link {
        let good: [DigestAlgorithm: Text] = [.sha256: digest]
        return Link(
            name: try StepName("odd"), command: ["make"],
            materials: try artifacts([
                ("../up", good), ("/etc/passwd", good), ("a//b", good), ("a/b", good), ("a/x/../b", good), ("", good),
                ("x\u{202E}fdp", good),
            ]),
            products: try artifacts([
                ("empty", [:]), ("short", [.sha256: "0a"]),
                ("text", [.sha256: Text(String(repeating: "zz", count: 32))]),
                ("weak", [DigestAlgorithm("md5"): Text(String(repeating: "0a", count: 16))]), ("fine", good),
            ]),
            byproducts: ["return-value": "0", "timed-out": true],
            environment: [
                "workdir": "build", "variables": ["LD_PRELOAD=/tmp/x.so", "HOME=/root"],
                "not-recorded": [["path": "x", "reason": "a socket"]],
            ])
    }

    @Test func `what is odd is named, each with its reason`() throws {
        let run = IntotoRun()
        try write(Self.odd(), to: "odd.link", of: run)
        try expectGolden(run("inspect", "--all", "odd.link").outputText, "inspect-odd.txt")
        try expectGolden(run("inspect", "--json", "odd.link").outputText, "inspect-odd.json")
        #expect(try run("inspect", "--first", "2", "odd.link").outputText.contains("odd: … 15 more (--all)\n"))
    }

    @Test func `nothing is odd in what a run writes`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("x", to: "src/naïve \\ file")
        try run("-q", "-n", "s", "-k", "key.pem", "--format", "link", "-p", "src", "--", "true")
        let link = try run.file(endingIn: ".link")
        #expect(try !run("inspect", link).outputText.contains("odd:"))
        #expect(try run("inspect", "--json", link).outputText.contains("\"oddities\": []"))
    }

    private static func large() throws -> Link {
        func names(_ range: Range<Int>, _ digit: String) -> [(Text, [DigestAlgorithm: Text])] {
            range.map { number in
                let directory = ["src", "lib", "doc", "test", "data", "tools", "x"][number % 7 == 6 ? 6 : number % 3]
                return (Text("\(directory)/\(number)"), [.sha256: Text(String(repeating: digit, count: 64))])
            }
        }
        return Link(
            name: try StepName("large"), materials: try artifacts(names(1000..<1090, "a")),
            products: try artifacts(names(1000..<1080, "a") + names(1080..<1090, "b") + names(1090..<1100, "c")))
    }

    @Test func `a large link is summed up, and shown whole on demand`() throws {
        let run = IntotoRun()
        try write(Self.large(), to: "large.link", of: run)
        try expectGolden(run("inspect", "--first", "3", "large.link").outputText, "inspect-large.txt")
        let all = try run("inspect", "--all", "large.link").outputText
        #expect(all.split(separator: "\n").count { $0.hasPrefix("  ") } == 190)
    }

    @Test func `a link of 300,000 artifacts is summed up`() throws {
        let run = IntotoRun()
        let entries = (0..<300_000).lazy.map {
            Artifact(name: ArtifactName(Text("d\($0 % 9)/f\($0)")), digests: DigestSet(.sha256, Self.digest))
        }
        try write(Link(name: StepName("s"), products: ArtifactSet(entries)), to: "s.link", of: run)
        let result = try run("inspect", "s.link")
        #expect(result.status == 0)
        #expect(result.outputText.contains("products: 300000\n") && result.outputText.contains("  33334 in d0/\n"))
        #expect(result.outputText.contains("  and 4 more directories\n  d0/f0  sha256:"))
    }
}
