import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// Verification summaries: made by `verify`, checked by `sign --check`.
@Suite(.temporaryDirectory) struct VerificationSummaryTests {
    private static let uri = "https://example.org/out"

    private func summary(_ chain: VerifyTests.Chain, _ options: String...) throws -> Subprocess {
        if try !chain.run.list().contains("verifier.pem") { try chain.run.makeKey("verifier.pem") }
        return try chain.verify(
            ["--vsa", "../vsa.intoto.jsonl", "--vsa-key", "../verifier.pem", "--resource-uri", Self.uri] + options)
    }

    private func check(_ chain: VerifyTests.Chain, _ options: String...) throws -> Subprocess {
        try chain.run.run(
            ["sign", "--check", "vsa.intoto.jsonl", "--verification-keys", "verifier.pem.pub"] + options)
    }

    private func statement(_ chain: VerifyTests.Chain) throws -> Statement {
        let bundle = Bundle(try chain.run.read("vsa.intoto.jsonl"))
        #expect(bundle.envelopes.count == 1)
        guard case .statement(let statement) = try SignedMetadata.envelope(bundle.envelopes[0]).payload() else {
            throw MetadataError.emptySubject
        }
        return statement
    }

    @Test func `a pass ends in a signed summary, which fits what it is about and nothing else`() throws {
        let chain = try VerifyTests.Chain()
        let result = try summary(
            chain, "--verifier-id", "https://example.org/verifier", "--vsa-level", "SLSA_BUILD_LEVEL_2")
        #expect(result.status == 0, "\(result.outputText)\(result.errorText)")
        let made = try VerificationSummary(statement(chain))
        #expect(made.result == .passed && made.inputAttestations.count == 1)
        #expect(try statement(chain).subject.map(\.name) == ["out"])

        let all = [
            "--expect-subject", "product/out", "--expect-resource", Self.uri, "--expect-verifier",
            "https://example.org/verifier", "--expect-level", "SLSA_BUILD_LEVEL_2",
        ]
        func check(_ options: [String]) throws -> Subprocess {
            try chain.run.run(
                ["sign", "--check", "vsa.intoto.jsonl", "--verification-keys", "verifier.pem.pub"] + options)
        }
        func status(_ option: String, _ value: String) throws -> Int32 {
            var options = all
            if let index = options.firstIndex(of: option) { options[index + 1] = value }
            return try check(options).status
        }
        let met = try check(all)
        #expect(met.status == 0)
        let keyID = try chain.run("key", "id", "verifier.pem").outputText.dropLast()
        #expect(
            met.outputText == """
                signature good: signed by \(keyID)
                summary good: PASSED, about product/out, resource \(Self.uri), verifier https://example.org/verifier, \
                level SLSA_BUILD_LEVEL_2

                """)
        // A lower level of the same track is covered, a higher one is not.
        #expect(try status("--expect-level", "SLSA_BUILD_LEVEL_1") == 0)
        // The digest of `in` is that of `out`, its copy: another content is needed.
        try chain.run.write("other", to: "product/in")
        for (option, wrong) in [
            ("--expect-level", "SLSA_BUILD_LEVEL_3"), ("--expect-level", "SLSA_SOURCE_LEVEL_1"),
            ("--expect-subject", "product/in"), ("--expect-resource", "https://example.org/"),
            ("--expect-verifier", "https://example.org/other"),
        ] {
            #expect(try status(option, wrong) == 1, "\(option) \(wrong)")
            var options = all
            if let index = options.firstIndex(of: option) { options[index + 1] = wrong }
            let refused = try check(options).outputText
            #expect(refused.hasPrefix("signature good: signed by \(keyID)\nnot good: "), "\(refused)")
            #expect(!refused.contains("summary good"))
        }
        // A part of it is no check.
        for index in [0, 2, 4, 6] {
            var part = all
            part.removeSubrange(index...index + 1)
            let result = try check(part)
            #expect(result.status == 2 && result.errorText.contains("give \(all[index])"), "\(result.errorText)")
        }
        let stranger = try chain.run.run(
            ["sign", "--check", "vsa.intoto.jsonl", "--verification-keys", "owner.pem.pub"] + all)
        #expect(stranger.status == 1)
        #expect(
            stranger.outputText.hasSuffix("\nnot good: no verification summary is signed by the given keys\n")
                && !stranger.outputText.contains("there is no verification summary"), "\(stranger.outputText)")
        let link = try chain.run.file(endingIn: ".jsonl", in: "links")
        let other = try chain.run.run(["sign", "--check", link, "--verification-keys", "alice.pem.pub"] + all)
        #expect(other.status == 1)
        #expect(other.outputText.hasSuffix("\nnot good: there is no verification summary\n"), "\(other.outputText)")
        let alone = try check([])
        #expect(alone.status == 0)
        #expect(alone.outputText.contains("; result PASSED; nothing else was checked"))
    }

    /// Two summaries in one file, about the same or about something else.
    @Test func `a pass hides no failure, and a level no result`() throws {
        let run = IntotoRun()
        try run.makeKey("verifier.pem")
        try run.write("x", to: "app")
        let key = try PrivateKey(file: SecretBytes(copying: run.read("verifier.pem")), passphrase: nil)
        let digest = DigestSet(.sha256, Hex.encode(try MessageDigest.digest(.sha256, of: Array("x".utf8))))
        func envelope(
            _ result: VerificationSummary.Result, _ levels: [Text], resource: Text = "https://r/app",
            about other: DigestSet? = nil
        ) throws -> Envelope {
            let summary = VerificationSummary(
                verifierID: "https://v/1", resourceURI: resource, policy: ResourceDescriptor(uri: "p"), result: result,
                verifiedLevels: levels)
            let statement = summary.statement(about: [ResourceDescriptor(name: "app", digest: other ?? digest)])
            var envelope = Envelope(payload: try JSONWriter.bytes(.compact) { statement.write(to: &$0) })
            envelope.signatures = [
                try KeyFileSigner(key).signature(
                    over: Envelope.preAuthenticationEncoding(
                        payloadType: envelope.payloadType, payload: envelope.payload))
            ]
            return envelope
        }
        func check(_ envelopes: [Envelope], _ options: [String]) throws -> Subprocess {
            try Data(try Bundle(envelopes).bytes()).write(to: run.directory.appending(path: "x.intoto.jsonl"))
            return try run.run(
                ["sign", "--check", "x.intoto.jsonl", "--verification-keys", "verifier.pem.pub"] + options)
        }
        let expected = [
            "--expect-subject", "app", "--expect-resource", "https://r/app", "--expect-verifier", "https://v/1",
            "--expect-level", "L",
        ]
        let good = try envelope(.passed, ["L"])
        let failed = try envelope(.failed, ["FAILED"])
        let elsewhere = try envelope(.failed, ["FAILED"], resource: "https://r/other")
        #expect(try check([good], expected).status == 0)
        #expect(try check([good, elsewhere], expected).status == 0)
        // By another digest it is about the same.
        let longer = DigestSet(.sha512, Hex.encode(try MessageDigest.digest(.sha512, of: Array("x".utf8))))
        #expect(try check([envelope(.passed, ["L"], about: longer)], expected).status == 0)
        #expect(try check([good, envelope(.failed, ["FAILED"], about: longer)], expected).status == 1)
        let other = DigestSet(.sha512, Text(String(repeating: "a", count: 128)))
        #expect(try check([good, envelope(.failed, ["FAILED"], about: other)], expected).status == 0)
        #expect(try check([envelope(.passed, ["L"], about: other)], expected).status == 1)
        let unknown = DigestSet(DigestAlgorithm("sha3_256"), Text(String(repeating: "a", count: 64)))
        let untold = try check([envelope(.passed, ["L"], about: unknown)], expected)
        #expect(untold.status == 1 && untold.outputText.contains("cannot be told"), "\(untold.outputText)")
        for bundle in [
            [good, failed], [failed, good], [failed], [elsewhere], [try envelope(.passed, ["L", "FAILED"])],
        ] {
            #expect(try check(bundle, expected).status == 1)
        }
        #expect(try check([good], []).status == 0)
        let alone = try check([failed], [])
        #expect(alone.status == 1)
        #expect(alone.outputText.hasPrefix("signature good: ") && alone.outputText.contains("result FAILED"))
        #expect(try check([failed], ["--json"]).status == 1)
    }

    @Test func `a refusal ends in a summary that says so, and that nobody takes`() throws {
        var chain = try VerifyTests.Chain()
        try chain.change("expected_products", to: [["DISALLOW", "*"]])
        #expect(try summary(chain, "--vsa-subject", "out").status == 1)
        let made = try VerificationSummary(statement(chain))
        #expect(made.result == .failed && made.verifiedLevels == ["FAILED"])
        // Its signature is good, and that is all.
        let result = try check(chain)
        #expect(result.status == 1)
        #expect(result.outputText.contains("signature good: ") && result.outputText.contains("result FAILED"))
        #expect(try summary(chain, "--vsa-level", "FAILED").status == 2)
        for word in ["not a uri", "out", "https://example.org/a b", "1:x"] {
            let result = try chain.verify(["--vsa", "../vsa", "--vsa-key", "../verifier.pem", "--resource-uri", word])
            #expect(result.status == 2 && result.errorText.contains("--resource-uri is a URI"), "\(word)")
        }
    }

    @Test func `a file that is not what was verified is no subject of a pass`() throws {
        let chain = try VerifyTests.Chain()
        try chain.run.write("tampered", to: "product/out")
        let tampered = try summary(chain)
        #expect(tampered.status == 1, "\(tampered.outputText)\(tampered.errorText)")
        #expect(tampered.outputText.contains("rejected: ") && tampered.outputText.contains("here sha256:"))
        #expect(try VerificationSummary(statement(chain)).result == .failed)

        try chain.run.write("other", to: "product/unrelated")
        let unrelated = try summary(chain, "--vsa-subject", "unrelated")
        #expect(unrelated.status == 1)
        #expect(unrelated.outputText.contains("the subject 'unrelated'"))
        #expect(try summary(chain, "--vsa-subject", "none").status == 2)
        // The product under another name is the product.
        #expect(try chain.run.shell("cp product/in product/renamed").status == 0)
        let renamed = try summary(chain, "--vsa-subject", "./renamed")
        #expect(renamed.status == 0, "\(renamed.outputText)\(renamed.errorText)")
        #expect(try statement(chain).subject.map(\.name) == ["renamed"])
        #expect(try VerificationSummary(statement(chain)).result == .passed)
    }

    @Test func `a link or a directory in a product's place is no subject of a pass`() throws {
        for (index, script) in ["ln -s in out", "mkdir out", "mkfifo out"].enumerated() {
            let chain = try VerifyTests.Chain(in: "\(index)")
            #expect(try chain.run.shell("cd product && rm out && \(script)").status == 0)
            let result = try summary(chain)
            #expect(result.status == 1, "\(script): \(result.outputText)\(result.errorText)")
            #expect(result.outputText.contains("the subject 'out' is "))
        }
    }

    @Test func `a product's name is no pattern`() throws {
        var chain = try VerifyTests.Chain()
        try chain.run.write("a", to: "product/a")
        let made = try chain.run.shell(
            #"rm links/* && cd product && cp in '*' && "$R" -q -n build -k ../alice.pem -d ../links -m in -p './[*]' -- true"#
        )
        #expect(made.status == 0, "\(made.errorText)")
        try chain.change("expected_command", to: [Any]())
        try chain.change("expected_products", to: [["ALLOW", "*"]])
        let result = try summary(chain)
        #expect(result.status == 0, "\(result.outputText)\(result.errorText)")
        #expect(try statement(chain).subject.map(\.name) == ["*"])
    }

    @Test func `what an inspection matched with a step's artifacts may be a subject`() throws {
        let rules = [["MATCH", "in", "WITH", "MATERIALS", "FROM", "build"], ["ALLOW", "*"]]
        let chain = try VerifyTests.Chain(inspections: [VerifyTests.Chain.inspection("look", ["true"], rules)])
        // The digest of `out`, the only product, is that of `in`: another content is needed.
        let made = try chain.run.shell(
            #"rm links/* && cd product && "$R" -q -n build -k ../alice.pem -d ../links -m in -p out -- sh -c 'echo more >>out'"#
        )
        #expect(made.status == 0, "\(made.errorText)")
        try chain.run.write("x", to: "product/more")
        var changed = chain
        try changed.change("expected_command", to: [Any]())
        try changed.change("expected_products", to: [["ALLOW", "*"]])
        #expect(try summary(changed, "--vsa-subject", "in").status == 0)
        #expect(try summary(changed, "--vsa-subject", "more").status == 1)
    }

    @Test func `a refusal stays one where there is nothing that a summary could be about`() throws {
        let chain = try VerifyTests.Chain()
        #expect(try chain.run.shell("rm links/* product/out").status == 0)
        let refused = try summary(chain)
        #expect(refused.status == 1 && refused.outputText.hasPrefix("rejected: "), "\(refused.errorText)")
        #expect(refused.errorText.contains("nothing is here that a summary could be about"))
        #expect(!(try chain.run.list().contains("vsa.intoto.jsonl")))
        // Where the last step's evidence is good, what it names can be said to have failed.
        var other = try VerifyTests.Chain(in: "other")
        try other.change("expected_products", to: [["DISALLOW", "*"]])
        #expect(try summary(other).status == 1)
        #expect(try VerificationSummary(statement(other)).result == .failed)
    }

    @Test func `an accepted chain whose product is not here has a verdict and no summary`() throws {
        let chain = try VerifyTests.Chain()
        #expect(try chain.run.shell("rm product/out").status == 0)
        let result = try summary(chain)
        #expect(result.status == 2 && result.outputText.hasPrefix("accepted: "), "\(result.errorText)")
        #expect(!(try chain.run.list().contains("vsa.intoto.jsonl")))
        #expect(result.errorText.contains("a summary could be about (looked for 'out')\n"), "\(result.errorText)")
        #expect(result.errorText.contains("--vsa-subject FILE"), "\(result.errorText)")
        #expect(!result.errorText.contains("was there before"), "\(result.errorText)")
    }

    @Test func `an earlier summary that stays is told from one of this verification`() throws {
        var chain = try VerifyTests.Chain()
        let first = try summary(chain)
        #expect(first.status == 0 && !first.errorText.contains("earlier"), "\(first.errorText)")
        #expect(!(try summary(chain).errorText.contains("earlier")))
        let warning = "warning: ../vsa.intoto.jsonl was not written: what stands there was there before\n"
        chain.layout["inspect"] = [VerifyTests.Chain.inspection("look", ["true"])]
        let incomplete = try summary(chain, "--no-inspections")
        #expect(incomplete.status == 2 && incomplete.errorText.contains(warning), "\(incomplete.errorText)")
        #expect(try chain.run.shell("mv links/* product").status == 0)
        let refused = try summary(chain)
        #expect(refused.status == 1 && refused.errorText.contains(warning), "\(refused.errorText)")
        #expect(try VerificationSummary(statement(chain)).result == .passed)
    }

    /// A chain with the products `out` and `more`, which stand in one another's place where it is swapped.
    private func twoProducts(isSwapped: Bool) throws -> VerifyTests.Chain {
        var chain = try VerifyTests.Chain(in: isSwapped ? "swapped" : "sound")
        let made = try chain.run.shell(
            """
            rm links/* && cd product && "$R" -q -n build -k ../alice.pem -d ../links -m in -p out more -- \
                sh -c 'echo more >more' && mkdir x ../other && ln -s ../other/x far && mkdir ../other/x && ln -s product ../sym
            cp more ../other/out; \(isSwapped ? "cp more out" : ":")
            """)
        guard made.status == 0 else { throw IntotoRun.SetupFailure(reason: made.errorText) }
        try chain.change("expected_command", to: [Any]())
        try chain.change("expected_products", to: [["ALLOW", "*"]])
        return chain
    }

    @Test(arguments: ["out", "./out", "././out", ".///out", "x/../out", "../product/out", "HERE/product/out"])
    func `a product's name is one however it is spelled`(spelling: String) throws {
        for isSwapped in [false, true] {
            let chain = try twoProducts(isSwapped: isSwapped)
            let file = spelling.replacing("HERE", with: chain.run.directory.path)
            let result = try summary(chain, "--vsa-subject", file, "out")
            #expect(result.status == (isSwapped ? 1 : 0), "\(result.outputText)\(result.errorText)")
            #expect(result.outputText.contains("the subject 'out' is not what") == isSwapped, "\(result.outputText)")
            #expect(try statement(chain).subject.map(\.name) == ["out"])
            let alone = try summary(chain, "--vsa-subject", file)
            #expect(alone.status == (isSwapped ? 1 : 0), "\(alone.outputText)")
        }
    }

    @Test func `what a subject's name stands for is what is read`() throws {
        let chain = try twoProducts(isSwapped: false)
        let here = chain.run.directory.path
        // Behind the link, `..` is another directory, and what is there is no `out`.
        for subjects in [["far/../out"], ["out", "far/../out"]] {
            let result = try chain.verify(
                ["--vsa", "../vsa", "--vsa-key", "../owner.pem", "--resource-uri", Self.uri, "--vsa-subject"] + subjects
            )
            #expect(result.status == 1 && result.outputText.contains("the subject 'out' is not what"), "\(subjects)")
        }
        // `./` in front makes a name relative.
        #expect(try summary(chain, "--vsa-subject", "\(here)/other/out").status == 0)
        #expect(try statement(chain).subject.map(\.name) == [Text("\(here)/other/out")])
        #expect(try summary(chain, "--vsa-subject", ".\(here)/other/out").status == 2)
    }

    /// As shells say it, a directory has the name by which the user came there.
    @Test(arguments: [("sym", "sym/out", Int32(1)), ("other", "other/out", 0), ("sym", "other/out", 0)])
    func `a product is below the current directory as the shell calls it, if it is that`(
        current: String, file: String, status: Int32
    ) throws {
        let chain = try twoProducts(isSwapped: true)
        let here = chain.run.directory.path
        let result = try chain.verify(
            [
                "--vsa", "../vsa", "--vsa-key", "../owner.pem", "--resource-uri", Self.uri, "--vsa-subject",
                "\(here)/\(file)",
            ], environment: ["PATH": "/usr/bin:/bin", "PWD": "\(here)/\(current)"])
        #expect(result.status == status, "\(result.outputText)\(result.errorText)")
    }

    @Test func `an incomplete verdict has no summary`() throws {
        let chain = try VerifyTests.Chain(inspections: [VerifyTests.Chain.inspection("look", ["true"])])
        let result = try summary(chain, "--no-inspections")
        #expect(result.status == 2)
        let warning = "warning: no verification summary was written: the verdict is incomplete\n"
        #expect(result.errorText.hasSuffix(warning), "\(result.errorText)")
        #expect(!(try chain.run.list().contains("vsa.intoto.jsonl")))
    }

    /// Source: attestations/README.md.
    @Test func `another implementation's summary is read`() throws {
        let metadata = try SignedMetadata(Vectors.bytes("attestations/vsa-v1.e4c1e4f5.json"))
        guard case .statement(let statement) = try metadata.payload() else { throw MetadataError.emptySubject }
        let summary = try VerificationSummary(statement)
        #expect(
            summary.verifierID == "https://verifier.example.com/v1" && summary.verifiedLevels == ["SLSA_BUILD_LEVEL_2"])
        #expect(try VerificationSummary(summary.statement(about: statement.subject)) == summary)
    }
}
