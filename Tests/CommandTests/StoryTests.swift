import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// One product from its checkout to the summary of its verification, with every kind of attestation in one bundle; and
/// what becomes of it when somebody lays hands on one of them.
@Suite(.temporaryDirectory) struct StoryTests {
    /// The envelopes of the bundle: four steps' links and what stands beside them.
    enum Piece: String, CaseIterable, CustomStringConvertible {
        case checkout, review, test, build
        case humanReview = "human-review"
        case testResult = "test-result"
        case provenance
        case runtimeTrace = "runtime-trace"
        case scai

        var description: String { rawValue }

        /// The step that it is of, or stands beside.
        var step: String {
            switch self {
            case .checkout: "checkout"
            case .review, .humanReview: "review"
            case .test, .testResult: "test"
            case .build, .provenance, .runtimeTrace, .scai: "build"
            }
        }

        /// Whose key signs it.
        var functionary: String {
            switch step {
            case "checkout": "alice"
            case "review": "rita"
            case "test": "tess"
            default: "bob"
            }
        }

        /// A functionary of the layout, but not of this step.
        var otherFunctionary: String { functionary == "bob" ? "tess" : "bob" }

        var isLink: Bool { rawValue == step }
    }

    @Test func `seven kinds of attestation in one bundle end in a signed summary`() throws {
        let story = try Story()
        let inspected = try story.run.run(["inspect", "story.intoto.jsonl", "--verification-keys"] + story.publicKeys)
        #expect(inspected.status == 0, "\(inspected.errorText)")
        #expect(inspected.outputText.split(separator: "\n").count { $0.contains("good, by ed25519 key") } == 9)
        for type in [
            "link/v0.3", "human-review/v0.1", "test-result/v0.1", "provenance/v1", "runtime-trace/v0.1", "scai/v0.3",
        ] {
            #expect(inspected.outputText.contains(type), "\(type)")
        }
        let commit = try GitCommands(in: story.run.directory.appending(path: "work/foo")).line("git rev-parse HEAD")
        #expect(inspected.outputText.contains("statement about foo (gitCommit:\(commit))"))

        let verified = try story.verify()
        #expect(verified.status == 0, "\(verified.outputText)\(verified.errorText)")
        #expect(
            verified.errorText.hasPrefix("intoto-run: the layout's inspections run here now:\n  untouched: true\n"))
        for line in ["attestation review=human-review: by ", "attestation build=scai: by "] {
            #expect(verified.outputText.contains(line), "\(verified.outputText)")
        }

        let metadata = try SignedMetadata(story.run.read("vsa.intoto.jsonl"))
        guard case .statement(let statement) = try metadata.payload() else { throw MetadataError.emptySubject }
        let summary = try VerificationSummary(statement)
        #expect(summary.result == .passed && summary.inputAttestations.count == 9)
        let layout = try MessageDigest.digest(.sha256, of: story.run.read("root.layout"))
        #expect(summary.policy.digest[.sha256] == Hex.encode(layout))
        let app = try MessageDigest.digest(.sha256, of: story.run.read("product/app"))
        #expect(statement.subject.map(\.name) == ["app"] && statement.subject[0].digest[.sha256] == Hex.encode(app))
        #expect(try story.checkSummary().status == 0)
        let shown = try story.run("inspect", "vsa.intoto.jsonl", "--verification-keys", "verifier.pem.pub")
        #expect(shown.status == 0 && shown.outputText.contains("good, by"))
        // Another product than the one that was verified.
        try story.run.write("other", to: "product/app")
        #expect(try story.checkSummary().status == 1)
    }

    enum Tampering: String, CaseIterable {
        case changedByte, swappedSubject, anotherStepsEnvelope, anotherStepsFunctionary, strangersKey, earlierRun
        case dropped
    }

    @Test(arguments: Piece.allCases)
    func `a bundle with one attestation tampered with is refused, and so is its summary`(piece: Piece) throws {
        let story = try Story()
        for tampering in Tampering.allCases {
            try story.tamper(with: piece, tampering)
            try expectRefusal(of: story, piece, tampering)
        }
    }

    private func expectRefusal(of story: Story, _ piece: Piece, _ tampering: Tampering) throws {
        let verified = try story.verify()
        #expect(verified.status == 1, "\(tampering): \(verified.outputText)\(verified.errorText)")
        let wanted = piece.isLink ? "step '\(piece.step)'" : "\(piece.step)=\(piece)"
        switch tampering {
        // The signature is the right one: what the link says is noticed by a rule, its own or that of the next
        // step, or no longer fits what stands beside it.
        case .swappedSubject where piece == .build:
            #expect(
                verified.outputText.contains("it is about 'app', whose digest no material or product of the step has"))
        case .swappedSubject where piece.isLink, .earlierRun where piece.isLink:
            #expect(verified.outputText.contains("same path, other digest"), "\(tampering): \(verified.outputText)")
        default: #expect(verified.outputText.contains(wanted), "\(tampering): \(verified.outputText)")
        }
        let metadata = try SignedMetadata(story.run.read("vsa.intoto.jsonl"))
        guard case .statement(let statement) = try metadata.payload() else { throw MetadataError.emptySubject }
        #expect(try VerificationSummary(statement).result == .failed)
        #expect(try story.checkSummary().status == 1)
        // Those that a look at the signatures finds.
        let checked = try story.run.run(["inspect", "story.intoto.jsonl", "--verification-keys"] + story.publicKeys)
        switch tampering {
        case .changedByte: #expect(checked.outputText.contains("BAD: the signature does not fit"))
        case .strangersKey: #expect(checked.outputText.contains("by none of the given keys"))
        case .swappedSubject, .anotherStepsEnvelope, .anotherStepsFunctionary, .earlierRun, .dropped:
            #expect(!checked.outputText.contains("BAD:") && !checked.outputText.contains("none of the given"))
        }
    }

    /// What a predicate says against its subject counts, too.
    @Test(arguments: [
        (Piece.testResult, #"{"result": "FAILED", "configuration": []}"#, "it says 'FAILED'"),
        (Piece.humanReview, #"{"result": "needs work"}"#, "it says 'needs work'"),
    ])
    func `an attestation that says no is no`(piece: Piece, predicate: String, reason: String) throws {
        let story = try Story()
        try story.run.write(predicate, to: "work/no.json")
        let made = try story.run.shell(
            """
            cd work && "$R" attest --type \(piece) --predicate no.json --subject git:foo -k ../\(piece.functionary).pem \
            -n \(piece) -d ../evidence --overwrite
            """)
        #expect(made.status == 0, "\(made.errorText)")
        try story.bundle()
        let verified = try story.verify()
        #expect(verified.status == 1 && verified.outputText.contains(reason), "\(verified.outputText)")
        // A good one beside it changes nothing.
        _ = try story.run.shell("cat good.intoto.jsonl >>story.intoto.jsonl")
        let both = try story.verify()
        #expect(both.status == 1 && both.outputText.contains(reason), "\(both.outputText)")
        #expect(both.outputText.contains("one by a functionary of the step speaks against it"), "\(both.outputText)")
        let explained = try story.verify("--explain").outputText
        #expect(explained.split(separator: "\n").contains { $0.hasSuffix("=\(piece): contradicted") }, "\(explained)")
        // All that stands there is of a type that is required, and listed.
        #expect(!explained.contains("of other types"), "\(explained)")
    }

    @Test func `a no of somebody else, or about something else, does no harm`() throws {
        let story = try Story()
        try story.run.write(#"{"result": "FAILED", "configuration": []}"#, to: "work/no.json")
        func verify(_ subject: String, by person: String) throws -> Subprocess {
            let made = try story.run.shell(
                """
                set -e; mkdir no; cd work
                "$R" attest --type test-result --predicate no.json --subject \(subject) -k ../\(person).pem -d ../no
                cd ..; cat good.intoto.jsonl no/* >story.intoto.jsonl; rm -r no
                """)
            #expect(made.status == 0, "\(made.errorText)")
            return try story.verify()
        }
        #expect(try verify("git:foo", by: "tess").status == 1)
        #expect(try verify("git:foo", by: "alice").status == 0)
        #expect(try verify("git:foo", by: "mallory").status == 0)
        #expect(try verify("no.json", by: "tess").status == 0)
        // Not only about something else.
        #expect(try verify("git:foo no.json", by: "tess").status == 1)
    }

    /// It would be as true of an earlier run, and so that of an earlier run could be given for it.
    @Test func `an attestation about nothing that the step made does not count`() throws {
        let story = try Story()
        func verify(_ subjects: String) throws -> Subprocess {
            let made = try story.run.shell(
                """
                cd work && "$R" attest --type provenance --predicate ../predicates/provenance.json \
                --subject \(subjects) -k ../bob.pem -d ../evidence --overwrite -n provenance
                """)
            #expect(made.status == 0, "\(made.errorText)")
            try story.bundle()
            return try story.verify()
        }
        let material = try verify("compiler")
        #expect(material.status == 1, "\(material.outputText)")
        #expect(material.outputText.contains("it is about nothing that the step made"), "\(material.outputText)")
        let both = try verify("compiler app")
        #expect(both.status == 0, "\(both.outputText)")
        // What the sources were is known by their commit.
        #expect(try verify("git:foo").status == 0)
    }

    @Test func `what may be required is said`() throws {
        let story = try Story()
        func verify(_ word: String) throws -> Subprocess { try story.verify(require: [word]) }
        #expect(try verify("build").status == 2)
        #expect(try verify("build=nothing").errorText.contains("neither a known type nor a URI"))
        let unknown = try verify("deploy=provenance")
        #expect(unknown.status == 1 && unknown.outputText.contains("the layout has no such step"))
        #expect(try verify("build=https://slsa.dev/provenance/v1").status == 0)
        #expect(try verify("build=https://slsa.dev/provenance/v0.2").status == 1)
        // Of the right type, and of another step.
        let other = try verify("build=test-result")
        #expect(other.status == 1 && other.outputText.contains("which the layout lists, but not for this step"))
        let json = try story.verify(require: ["build=scai"], "--json")
        #expect(json.outputText.contains(#""requirement": "build=scai""#), "\(json.outputText)")
        let explained = try story.verify(require: ["build=scai"], "--explain")
        #expect(explained.outputText.contains("attestation build=scai: there"))
        #expect(explained.outputText.contains("passed over: 4 statements of other types"))
    }
}

/// The directory of a story: `upstream` and `work` of the steps, `evidence`, `product`, keys, layout and bundle.
struct Story {
    let run: IntotoRun

    static let people = ["owner", "alice", "rita", "tess", "bob", "mallory", "verifier"]
    static let uri = "https://example.org/app"

    init() throws {
        run = IntotoRun()
        let directory = run.directory
        for name in Self.people { try run.makeKey("\(name).pem") }
        let upstream = try GitCommands(in: directory.appending(path: "upstream"))
        try upstream("git init -q . && echo 'say hello' >app.src && git add . && git commit -qm first")
        // An earlier run of the same people, whose evidence is genuine and of another product.
        try tell(compiler: "1")
        try shell("mv evidence earlier && rm -r work product")
        try upstream("echo 'say goodbye' >>app.src && git commit -qam second")
        try tell(compiler: "2")
        try run.write(layout(), to: "layout.yaml")
        try shell(#""$R" layout sign layout.yaml -k owner.pem -o root.layout"#)
        try bundle()
        try shell("cp story.intoto.jsonl good.intoto.jsonl; cp -r evidence genuine")
    }

    private func shell(_ script: String) throws {
        let result = try run.shell("set -e; \(script)")
        guard result.status == 0 else { throw IntotoRun.SetupFailure(reason: result.errorText + result.outputText) }
    }

    /// Four steps by four people, with `run` and `attest` alone.
    private func tell(compiler version: String) throws {
        let predicates = [
            "review": #"{"result": "PASSED", "reviewLink": "https://review.example.com/42"}"#,
            "result": #"{"result": "PASSED", "configuration": [{"uri": "https://ci.example.com/7"}]}"#,
            "provenance": """
            {"buildDefinition": {"buildType": "https://example.com/builds/sh", "externalParameters": {"target": "app"}},
             "runDetails": {"builder": {"id": "https://ci.example.com/builder"}}}
            """,
            "trace": """
            {"monitor": {"type": "https://example.com/monitors/strace"},
             "monitoredProcess": {"hostID": "https://ci.example.com/runner/3", "type": "https://example.com/sh",
             "event": "build 7"}, "monitorLog": {"process": [{"argv": ["sh", "../compiler", "foo/app.src"]}]}}
            """,
            "attributes": """
            {"attributes": [{"attribute": "REPRODUCIBLE_OUTPUT", "evidence": {"uri": "https://example.com/proof"}}],
             "producer": {"uri": "https://example.com/compilers"}}
            """,
        ]
        for (name, predicate) in predicates { try run.write(predicate, to: "predicates/\(name).json") }
        try run.write("#!/bin/sh\n# \(version)\ntr a-z A-Z <\"$1\" >\"$2\"\n", to: "work/compiler")
        try shell(
            """
            mkdir evidence product; cd work; p=../predicates
            "$R" -q -n checkout -k ../alice.pem -d ../evidence -p git:foo -- git clone -q ../upstream foo
            "$R" -q -n review -x -k ../rita.pem -d ../evidence -m git:foo -p git:foo
            "$R" attest --type human-review --predicate $p/review.json --subject git:foo -k ../rita.pem -d ../evidence
            "$R" -q -n test -k ../tess.pem -d ../evidence -m git:foo -p git:foo -- grep -q say foo/app.src
            "$R" attest --type test-result --predicate $p/result.json --subject git:foo -k ../tess.pem -d ../evidence
            "$R" -q -n build -k ../bob.pem -d ../evidence -m git:foo compiler -p app -- sh compiler foo/app.src app
            "$R" attest --type provenance --predicate $p/provenance.json --subject app -k ../bob.pem -d ../evidence
            "$R" attest --type runtime-trace --predicate $p/trace.json --subject app -k ../bob.pem -d ../evidence
            "$R" attest --type scai --predicate $p/attributes.json --subject app compiler -k ../bob.pem -d ../evidence
            cp app ../product
            """)
    }

    /// Everything in `evidence`, in one file.
    func bundle() throws {
        try shell(#""$R" bundle create --overwrite -o story.intoto.jsonl evidence/*.intoto.jsonl"#)
    }

    private func layout() throws -> String {
        func key(_ name: String) throws -> PublicKey { try PublicKey(file: run.read("\(name).pem.pub")) }
        func step(_ name: String, _ functionary: String, materials: String, products: String) throws -> String {
            """
              - name: \(name)
                threshold: 1
                pubkeys: [\(try key(functionary).keyID(.python))]
                expected_materials: [\(materials)[DISALLOW, "*"]]
                expected_products: [\(products)[DISALLOW, "*"]]

            """
        }
        let keys = try ["alice", "rita", "tess", "bob"].map { name in
            let key = try key(name)
            let object = String(
                decoding: try JSONWriter.bytes(.compact) { $0.object(key.keyObject) }, as: UTF8.self)
            return "  \(key.keyID(.python)): \(object)\n"
        }
        let source = "[MATCH, foo, WITH, PRODUCTS, FROM, checkout], "
        return """
            # Who does what to whose sources.
            expires: 2099-01-01T00:00:00Z
            keys:
            \(keys.joined())steps:
            \(try step("checkout", "alice", materials: "", products: "[CREATE, foo], "))\
            \(try step("review", "rita", materials: source, products: source))\
            \(try step("test", "tess", materials: source, products: source))\
            \(try step("build", "bob", materials: source + "[ALLOW, compiler], ", products: "[CREATE, app], "))\
            inspect:
              - name: untouched
                run: ["true"]
                expected_materials: [[MATCH, app, WITH, PRODUCTS, FROM, build], [DISALLOW, "*"]]
                expected_products: [[MATCH, app, WITH, PRODUCTS, FROM, build], [DISALLOW, "*"]]

            """
    }

    var publicKeys: [String] { ["alice", "rita", "tess", "bob"].map { "\($0).pem.pub" } }

    static let required = [
        "review=human-review", "test=test-result", "build=provenance", "build=runtime-trace", "build=scai",
    ]

    func verify(require required: [String] = required, _ options: String...) throws -> Subprocess {
        _ = try run.shell("rm -f vsa.intoto.jsonl")
        return try IntotoRun(in: run.directory.appending(path: "product")).run(
            ["verify", "-l", "../root.layout", "--verification-keys", "../owner.pem.pub"]
                + ["--link-dir", "../story.intoto.jsonl", "--require-attestation"] + required
                + ["--vsa", "../vsa.intoto.jsonl", "--vsa-key", "../verifier.pem", "--resource-uri", Self.uri]
                + ["--vsa-subject", "app", "--vsa-level", "SLSA_BUILD_LEVEL_1"] + options)
    }

    func checkSummary() throws -> Subprocess {
        try run.run(
            ["sign", "--check", "vsa.intoto.jsonl", "--verification-keys", "verifier.pem.pub"]
                + ["--expect-subject", "product/app", "--expect-resource", Self.uri]
                + ["--expect-verifier", "https://in-toto.io/verifiers/intoto-run"]
                + ["--expect-level", "SLSA_BUILD_LEVEL_1"])
    }
}

// MARK: Tampering

extension Story {
    typealias Piece = StoryTests.Piece

    private func file(_ piece: Piece, in folder: String = "evidence") throws -> String {
        let names = try run.list(folder).filter { $0.hasPrefix("\(piece).") }
        guard names.count == 1 else { throw IntotoRun.SetupFailure(reason: "\(piece): \(names)") }
        return "\(folder)/\(names[0])"
    }

    func tamper(with piece: Piece, _ tampering: StoryTests.Tampering) throws {
        try shell("rm -r evidence; cp -r genuine evidence")
        let file = try file(piece)
        switch tampering {
        case .changedByte: try rewrite(file) { $0.replacing("\"_type\":", with: "\"_type\" :") }
        case .swappedSubject:
            try rewrite(file, signedBy: piece.functionary) { payload in
                try Self.withOtherSubject(payload)
            }
        case .anotherStepsEnvelope:
            // The next one of another step: the bundle has it twice, and this one not at all.
            let others = Piece.allCases.filter { $0.step != piece.step && $0.isLink == piece.isLink }
            try shell("cp \(try self.file(others[0])) \(file)")
        case .anotherStepsFunctionary: try rewrite(file, signedBy: piece.otherFunctionary) { $0 }
        case .strangersKey: try rewrite(file, signedBy: "mallory") { $0 }
        case .earlierRun: try shell("cp \(try self.file(piece, in: "earlier")) \(file)")
        case .dropped: try shell("rm \(file)")
        }
        try bundle()
    }

    /// Changes the payload of the envelope; without somebody who signs it, the old signatures stay.
    private func rewrite(_ file: String, signedBy signer: String? = nil, _ change: (String) throws -> String) throws {
        let json = try JSONSerialization.jsonObject(with: Data(try run.read(file)))
        guard var envelope = json as? [String: Any], let payload = envelope["payload"] as? String,
            let bytes = Data(base64Encoded: payload)
        else { throw IntotoRun.SetupFailure(reason: "\(file) is no envelope") }
        let changed = try change(String(decoding: bytes, as: UTF8.self))
        envelope["payload"] = Data(changed.utf8).base64EncodedString()
        if signer != nil { envelope["signatures"] = [Any]() }
        try JSONSerialization.data(withJSONObject: envelope).write(to: run.directory.appending(path: file))
        if let signer { try shell(#""$R" sign \#(file) -k \#(signer).pem -o \#(file) --overwrite"#) }
    }

    /// The same claim about something else, well formed.
    private static func withOtherSubject(_ payload: String) throws -> String {
        let json = try JSONSerialization.jsonObject(with: Data(payload.utf8))
        guard var statement = json as? [String: Any], var subjects = statement["subject"] as? [[String: Any]],
            let digests = subjects[0]["digest"] as? [String: String]
        else { throw IntotoRun.SetupFailure(reason: payload) }
        subjects[0]["digest"] = digests.mapValues { String($0.reversed()) }
        statement["subject"] = subjects
        return String(decoding: try JSONSerialization.data(withJSONObject: statement), as: UTF8.self)
    }
}
