import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Content that escaping and canonical forms may treat differently: Python verifies it all the same.
@Suite(.temporaryDirectory) struct PythonOddContentTests {
    private static let names = [
        "plain", "with space", "quote\"d", "apostrophe's", "line\nbreak", "tab\there", "carriage\rreturn",
        "bell\u{7}", "escape\u{1B}[31m", "delete\u{7F}", "cafe\u{301}", "caf\u{E9}", "emoji 👩‍👩‍👧‍👦.txt",
        "right-to-left \u{202E}txt", "zero\u{200B}width", "line separator \u{2028}", "noncharacter \u{FFFF}", "#hash",
        "-dash",
        "{\"json\":[]}", "semi;colon", "percent%41", "\u{10FFFF}", "&amp;<html>",
    ]

    /// As printf(1) has it; quotes, escapes, every control character, UTF-8 of each length, and bytes that are none.
    private static let streams = [
        "quotes \" and \\' and \\\\ backslash", "lines\\nof\\r\\ntext\\n",
        "caf\\303\\251 \\342\\202\\254 \\360\\237\\230\\200",
        (1...31).map { "\\" + String(format: "%03o", $0) }.joined() + "\\177",
        "\\302\\205\\342\\200\\250 \\357\\273\\277",
        "invalid \\377\\376 \\303( \\355\\240\\200 end", "a\\000b", "",
    ]

    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        try run.makeKey("owner.pem")
        for (index, name) in Self.names.enumerated() { try run.write("\(index)", to: "odd/\(name)") }
        #expect(try run.list("odd").count == Self.names.count)
        return run
    }

    private func layout(steps: [String]) -> LayoutSpecification {
        LayoutSpecification(
            owner: "owner.pem",
            steps: steps.map {
                .init(
                    name: $0, key: "key.pem.pub", expectedMaterials: [["DISALLOW", "*"]],
                    expectedProducts: [["REQUIRE", "odd/line\nbreak"], ["CREATE", "odd/*"], ["DISALLOW", "*"]])
            },
            inspections: [
                .init(
                    name: "same", run: ["true"],
                    expectedMaterials: [["MATCH", "odd/*", "WITH", "PRODUCTS", "FROM", steps[0]], ["DISALLOW", "*"]],
                    expectedProducts: [])
            ])
    }

    @Test(arguments: ["link", "dsse-link"])
    func `odd file names and streams verify`(format: String) throws {
        let run = try project()
        try run.write("", to: "links/keep")
        try FileManager.default.createDirectory(
            at: run.directory.appending(path: "product"), withIntermediateDirectories: false)
        var steps: [String] = []
        for (index, stream) in Self.streams.enumerated() {
            let step = "step-\(index)"
            let result = try run(
                "-q", "-s", "-n", step, "-k", "key.pem", "--format", format, "-d", "links", "-p", "odd", "--",
                "sh", "-c", "printf '\(stream)'; printf '\(stream)' >&2".replacingOccurrences(of: "\\'", with: "\\047"))
            #expect(result.status == 0, "\(result.errorText)")
            steps.append(step)
        }
        _ = try run.shell("cp -R odd product/odd && cp -R links good && cp -R links bad && rm */keep")
        try tamper(format, in: "bad", of: run)
        func verify(_ links: String) -> PythonPeer.Call {
            PythonPeer.Call(
                "verify",
                ["--layout", "../layout", "--verification-keys", "../owner.pem.pub", "--link-dir", "../\(links)"],
                in: run.directory.appending(path: "product"))
        }
        let outcomes = try PythonPeer.run([
            layout(steps: steps).call(writing: "layout", in: run.directory), verify("good"), verify("bad"),
        ])
        #expect(outcomes[0].status == 0 && outcomes[1].status == 0, "\(outcomes[0].log) \(outcomes[1].log)")
        #expect(outcomes[2].status == 1 && outcomes[2].log.contains("ThresholdVerificationError"), "\(outcomes[2].log)")
        print("in-toto-verify, \(format): \(Self.names.count) odd names, \(Self.streams.count) odd streams")
    }

    /// One digit of a digest, in the link whose stream has control characters.
    private func tamper(_ format: String, in folder: String, of run: IntotoRun) throws {
        let name = try #require(try run.list(folder).first { $0.hasPrefix("step-3.") })
        try edit(run.directory.appending(path: "\(folder)/\(name)")) { $0.replacingFirstDigit(after: "\"sha256\":") }
    }

    @Test func `odd file names match where nothing changed, and only there`() throws {
        let run = try project()
        try run("-q", "-n", "s", "-k", "key.pem", "--format", "link", "-p", "odd", "--", "true")
        let link = try run.file(endingIn: ".link")
        let match = PythonPeer.Call("match-products", ["-v", "-l", link, "-p", "odd"], in: run.directory)
        let good = try PythonPeer.run([match])[0]
        #expect(good.status == 0, "\(good.log)")
        #expect(try run("match-products", "-l", link, "-p", "odd").status == 0)
        // The twins are canonically equivalent and two files.
        _ = try run.shell("rm \"$(printf 'odd/cafe\\314\\201')\"")
        let bad = try PythonPeer.run([match])[0]
        #expect(bad.status == 1)
        #expect(bad.log.contains("Only in products: odd/cafe\u{301}"), "\(bad.log)")
        #expect(try run("match-products", "-l", link, "-p", "odd").status == 1)
    }

    /// Python turns backslashes of local names into slashes, on Linux too; ours are the bytes of the name.
    @Test func `a backslash in a file name is where the implementations differ`() throws {
        let run = try project()
        try run.write("text", to: "odd/back\\slash")
        try run("-q", "-n", "s", "-k", "key.pem", "--format", "link", "-p", "odd", "--", "true")
        let link = try run.file(endingIn: ".link")
        #expect(try run("match-products", "-l", link, "-p", "odd").status == 0)
        let outcomes = try PythonPeer.run([
            .init("sign", ["--verify", "-f", link, "-k", "key.pem.pub"], in: run.directory),
            .init("match-products", ["-v", "-l", link, "-p", "odd"], in: run.directory),
        ])
        #expect(outcomes.map(\.status) == [0, 1])
        #expect(outcomes[1].log.contains("Not in products: odd/back/slash"), "\(outcomes[1].log)")
    }
}
