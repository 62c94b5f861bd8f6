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
