import Foundation
import InTotoMetadata
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct AttestTests {
    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("binary\n", to: "dist/app")
        try run.write("other\n", to: "dist/tool")
        try run.write(#"{"result": "PASSED", "configuration": [{"uri": "https://ci.example/7"}]}"#, to: "result.json")
        return run
    }

    private func statement(_ name: String, of run: IntotoRun) throws -> Statement {
        guard case .statement(let statement) = try SignedMetadata(run.read(name)).payload() else {
            throw IntotoRun.SetupFailure(reason: "\(name) is no statement")
        }
        return statement
    }

    private static let attest = ["attest", "--type", "test-result", "--predicate", "result.json", "-k", "key.pem"]

    @Test func `files become subjects, the predicate stays as it is`() throws {
        let run = try project()
        let result = try run.run(Self.attest + ["--subject", "dist"])
        #expect(result.status == 0, "\(result.errorText)")
        let name = try run.file(endingIn: ".jsonl")
        #expect(name.hasPrefix("test-result.") && result.errorText == "intoto-run: wrote ./\(name)\n")
        let statement = try statement(name, of: run)
        #expect(statement.predicateType == "https://in-toto.io/attestation/test-result/v0.1")
        #expect(statement.subject.map(\.name) == ["dist/app", "dist/tool"])
        let sum = try run.shell("sha256sum <dist/app | cut -c1-64").outputText.dropLast()
        #expect(statement.subject[0].digest[.sha256] == Text(String(sum)))
        #expect(statement.predicate == ["result": "PASSED", "configuration": [["uri": "https://ci.example/7"]]])
        #expect(try run("sign", "--check", name, "--verification-keys", "key.pem.pub").status == 0)
    }

    @Test(arguments: ["sha256sum dist/*", "sha256sum -b dist/*", "sha256sum --tag dist/*", "sha512sum dist/*"])
    func `checksums become subjects, as they are written`(command: String) throws {
        let run = try project()
        _ = try run.shell("printf x >\"dist/$(printf 'a\\\\b\\nc')\"; \(command) >SUMS")
        #expect(try run.run(Self.attest + ["--checksums", "SUMS"]).status == 0)
        let subject = try statement(run.file(endingIn: ".jsonl"), of: run).subject
        let algorithm: DigestAlgorithm = command.hasPrefix("sha512") ? .sha512 : .sha256
        #expect(subject.map(\.name) == ["dist/a\\b\nc", "dist/app", "dist/tool"])
        #expect(subject.allSatisfy { $0.digest.entries.map(\.algorithm) == [algorithm] })
    }

    @Test(arguments: [
        ("d41d8cd98f00b204e9800998ecf8427e  x\n", "SUMS:1: is no line of checksums"), ("\nabc\n", "SUMS:2: is no line"),
        ("", "there is nothing that the statement is about"),
        ("SHA256 (x) = 00\n", "SUMS:1: is no line of checksums"),
    ])
    func `what is no checksum is refused`(content: String, message: String) throws {
        let run = try project()
        try run.write(content, to: "SUMS")
        let result = try run.run(Self.attest + ["--checksums", "SUMS"])
        #expect(
            result.status == 2 && result.errorText.hasPrefix("intoto-run: error: \(message)"), "\(result.errorText)")
        try run.write("\(String(repeating: "0", count: 64))  x\n\(String(repeating: "1", count: 64))  x\n", to: "SUMS")
        #expect(try run.run(Self.attest + ["--checksums", "SUMS"]).errorText.contains("two artifacts are named 'x'"))
    }

    @Test func `a URI of nobody's is taken unchecked, a known one is checked`() throws {
        let run = try project()
        try run.write(#"{"anything": 1.5}"#, to: "result.json")
        let attest = ["attest", "--predicate", "result.json", "-k", "key.pem", "--subject", "dist", "--type"]
        #expect(try run.run(attest + ["https://example.com/mine/v1"]).status == 0)
        #expect(try run.file(endingIn: ".jsonl").hasPrefix("attestation."))
        let known = try run.run(attest + ["https://slsa.dev/provenance/v1"])
        #expect(known.status == 2)
        #expect(
            known.errorText.hasPrefix("intoto-run: error: result.json: the predicate has no member 'buildDefinition'\n")
        )
    }

    @Test(arguments: [
        (["--type", "test-results", "--subject", "dist"], "--type 'test-results': neither a known type nor a URI"),
        (["--type", "test-result"], "give one of --subject, --checksums and --subject-git"),
        (["--type", "test-result", "--subject", "dist", "--checksums", "S"], "give one of --subject"),
        (["--type", "test-result", "--subject", "absent"], "'absent': does not exist"),
        (["--type", "vsa", "--subject", "dist"], "result.json: the predicate has no member 'verifier'"),
    ])
    func `a mistake is one error, and nothing is written`(options: [String], message: String) throws {
        let run = try project()
        let result = try run.run(["attest", "--predicate", "result.json", "-k", "key.pem"] + options)
        #expect(
            result.status == 2 && result.errorText.hasPrefix("intoto-run: error: \(message)"), "\(result.errorText)")
        #expect(try !run.list().contains { $0.hasSuffix(".jsonl") })
    }

    @Test(arguments: ["[]", "{}", "1", "{\"a\":1,\"a\":2}", ""])
    func `a predicate is one object that says something`(content: String) throws {
        let run = try project()
        try run.write(content, to: "result.json")
        #expect(try run.run(Self.attest + ["--subject", "dist"]).status == 2)
    }

    @Test func `an empty predicate is said to be one`() throws {
        let run = try project()
        for (content, message) in [
            ("{}", "the predicate is empty: it claims nothing"),
            ("[]", "a predicate is an object with members, not an array"),
        ] {
            try run.write(content, to: "result.json")
            let refused = try run.run(Self.attest + ["--subject", "dist"])
            #expect(refused.errorText.hasPrefix("intoto-run: error: result.json: \(message)\n"), "\(refused.errorText)")
        }
    }

    /// Whoever means no knows it; whoever writes another word may mean anything.
    @Test(arguments: [
        ("human-review", #"{"result": "ok"}"#, "'result' is 'ok'"),
        ("https://in-toto.io/attestation/human-review/v0.1", #"{"result": ""}"#, "'result' is ''"),
        ("human-review", #"{"result": "approved"}"#, nil), ("human-review", #"{"result": "Rejected"}"#, nil),
        ("test-result", #"{"result": "FAILED", "configuration": []}"#, nil),
        ("scai", #"{"attributes": [{"attribute": "x"}], "result": "ok"}"#, nil), ("urn:x", #"{"result": "ok"}"#, nil),
    ])
    func `a result that is neither yes nor no is signed with a warning`(
        type: String, predicate: String, warning: String?
    ) throws {
        let run = try project()
        try run.write(predicate, to: "result.json")
        let attest = ["attest", "-q", "--predicate", "result.json", "-k", "key.pem", "--subject", "dist"]
        let result = try run.run(attest + ["--type", type])
        #expect(result.status == 0)
        let line = warning.map {
            "intoto-run: warning: result.json: \($0), which verify takes for a no; a yes would be PASSED, PASS or APPROVED\n"
        }
        #expect(result.errorText == line ?? "")
        #expect(try run.list().contains { $0.hasSuffix(".jsonl") })
    }

    @Test func `it is quiet where it is asked to be, and says more where it is asked for that`() throws {
        let run = try project()
        let quiet = try run.run(Self.attest + ["--subject", "dist", "-q"])
        #expect(quiet.status == 0 && quiet.errorText == "" && quiet.outputText == "")
        let name = try run.file(endingIn: ".jsonl")
        let verbose = try run.run(Self.attest + ["--subject", "dist", "--overwrite", "--verbose"])
        #expect(
            verbose.errorText == """
                intoto-run: wrote ./\(name)
                intoto-run: https://in-toto.io/attestation/test-result/v0.1: 2 subjects

                """)
        // What went wrong is no news that one may do without.
        #expect(try run.run(Self.attest + ["--subject", "dist", "--quiet"]).errorText.contains("is there already"))
    }

    @Test func `what is there is replaced on demand only`() throws {
        let run = try project()
        #expect(try run.run(Self.attest + ["--subject", "dist"]).status == 0)
        #expect(try run.run(Self.attest + ["--subject", "dist"]).status == 2)
        #expect(try run.run(Self.attest + ["--subject", "dist", "--overwrite"]).status == 0)
    }

    @Test func `a commit is the subject, by whatever names it`() throws {
        let git = try GitCommands.repository()
        try git("git tag -a -m x v1; echo more >a; git commit -qam second")
        var run = IntotoRun(in: git.directory)
        run.environment["HOME"] = "/nonexistent"
        try run.makeKey("../key.pem")
        try run.write(
            #"{"result": "PASSED", "configuration": [{"uri": "https://ci.example/7"}]}"#, to: "../result.json")
        let attest = [
            "attest", "--type", "test-result", "--predicate", "../result.json", "-k", "../key.pem", "-d", "..",
        ]
        let first = try git.line("git rev-parse 'v1^{commit}'")
        let second = try git.line("git rev-parse HEAD")
        for (revision, commit) in [("HEAD", second), ("main", second), ("v1", first), (first, first)] {
            let result = try run.run(attest + ["--subject-git", revision, "--overwrite"])
            #expect(result.status == 0, "\(result.errorText)")
            let name = try IntotoRun().file(endingIn: ".jsonl")
            let subject = try statement(name, of: IntotoRun()).subject
            #expect(subject.count == 1)
            #expect(subject[0].digest[.gitCommit] == Text(commit), "\(revision)")
            let tree = try git.line("git rev-parse '\(commit)^{tree}'")
            #expect(subject[0].digest[.gitTree] == Text(tree))
            let tag = revision == "v1" ? Text(try git.line("git rev-parse v1")) : nil
            #expect(subject[0].digest[.gitTag] == tag)
        }
        for revision in ["absent", "HEAD~1", ""] {
            let refused = try run.run(attest + ["--subject-git", revision, "--overwrite"])
            #expect(refused.status == 2 && refused.errorText.hasPrefix("intoto-run: error: "), "\(refused.errorText)")
        }
        let outside = try IntotoRun()(
            "attest", "--type", "test-result", "--predicate", "result.json", "-k", "key.pem", "--subject-git", "HEAD")
        #expect(outside.status == 2, "\(outside.errorText)")
        #expect(outside.errorText == "intoto-run: error: --subject-git 'HEAD': not in a git repository\n")
        let unknown = try run.run(attest + ["--subject-git", "no\u{1B}ne", "--overwrite"])
        #expect(
            unknown.errorText.hasPrefix(
                "intoto-run: error: --subject-git 'no\\x1Bne': there is no branch, tag, reference or object 'no\\x1Bne'\n"
            ),
            "\(unknown.errorText)")
    }

    /// The table of references and names in the page `Repository`.
    private static func documentedNames() throws -> [(references: [String], name: String)] {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/intoto-run/Documentation.docc/Repository.md").standardized
        let text = try String(contentsOf: page, encoding: .utf8)
        let section = try #require(text.split(separator: "\n## A commit as an artifact\n").dropFirst().first)
        return section.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { row in
            let cells = row.split(separator: "|").map { $0.matches(of: /`([^`]+)`/).map { String($0.1) } }
            return (cells[0], cells[1].first ?? "")
        }
    }

    @Test func `a commit is named as the documentation says`() throws {
        let git = try GitCommands.repository("app")
        try git("git tag v1")
        let outside = IntotoRun()
        try outside.makeKey()
        try outside.write(#"{"x": 1}"#, to: "p.json")
        let rows = try Self.documentedNames()
        #expect(rows.count > 3)
        for (references, name) in rows {
            for reference in references {
                let isInside = reference.hasPrefix("git:.@") || reference == "git:." || reference.hasPrefix("--")
                let about =
                    reference.hasPrefix("--")
                    ? reference.split(separator: " ").map(String.init) : ["--subject", reference]
                let attest = isInside ? "cd app && K=.." : "K=."
                let result = try outside.shell(
                    "\(attest); \"$R\" attest --type urn:x --predicate $K/p.json -k $K/key.pem -d $K --overwrite "
                        + about.joined(separator: " "))
                #expect(result.status == 0, "\(reference): \(result.errorText)")
                let subject = try statement(outside.file(endingIn: ".jsonl"), of: outside).subject
                #expect(subject.map(\.name) == [Text(name)], "\(reference)")
            }
        }
    }
}
