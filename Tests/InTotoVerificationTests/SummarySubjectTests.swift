import InTotoMetadata
import InTotoVerification
import TestSupport
import Testing

/// Files that a summary is to be about: what was verified, and nothing else.
@Suite(.temporaryDirectory) struct SummarySubjectTests {
    private static func subject(_ name: Text, _ digit: Character) -> SummarySubject {
        SummarySubject(
            name: ArtifactName(name), digests: DigestSet(.sha256, Text(String(repeating: digit, count: 64))))
    }

    /// Every inspection finds `extra`.
    private static var runner: InspectionRunner {
        let announce: ([InspectionReport]) -> Void = { _ in }
        let run: InspectionRunner.Run = { inspection, _, _ in
            let found = Artifact(name: "extra", digests: DigestSet(.sha256, Text(String(repeating: "b", count: 64))))
            return InspectionRecord(
                link: Link(name: inspection.name, products: try ArtifactSet([found]), byproducts: ["return-value": 0]))
        }
        return InspectionRunner(announce: announce, run: run)
    }

    private static func match(_ place: Text, _ from: Text) -> [[Text]] {
        [["MATCH", "*", "WITH", place, "FROM", from]]
    }

    /// A step that sees `extra` and makes `out`.
    private static func chain(_ inspections: [JSONValue] = []) throws -> TestChain {
        var chain = try TestChain(steps: [TestChain.step("build", [.alice])], inspections: inspections)
        try chain.add(TestChain.link("build", materials: ["extra": "b"], products: ["out": "a"]), by: .alice)
        return chain
    }

    @Test func `what one of the layout's inspections matched with a step's artifacts was verified`() throws {
        for (rules, isVerified) in [
            (Self.match("MATERIALS", "build"), true), (Self.match("PRODUCTS", "build"), false), ([], false),
            // Both inspections looked at what is here.
            (Self.match("PRODUCTS", "look"), false),
        ] {
            let chain = try Self.chain([TestChain.inspection("look"), TestChain.inspection("again", products: rules)])
            var verdict = try chain.verify(Self.runner)
            #expect(verdict.outcome == .passed, "\(verdict.text)")
            verdict.require([Self.subject("out", "a"), Self.subject("copy of out", "a")])
            #expect(verdict.outcome == .passed, "\(verdict.text)")
            verdict.require([Self.subject("extra", "b")])
            #expect(verdict.problems.map(\.code) == (isVerified ? [] : ["subject"]), "\(rules)")
            #expect(verdict.outcome == (isVerified ? .passed : .failed))
        }
    }

    @Test func `what a sublayout's inspection matched was verified by its owner, and not by the layout's`() throws {
        let inner = try Self.chain([TestChain.inspection("look", products: Self.match("MATERIALS", "build"))])
        var chain = try TestChain()
        try chain.add(.object(inner.layout), by: .alice)
        for (name, bytes) in inner.files {
            chain.files["build.\(try TestChain.Person.alice.keyID.prefix8)/\(name)"] = bytes
        }
        chain.policy.sublayoutInspections = .run
        var verdict = try chain.verify(Self.runner)
        #expect(verdict.outcome == .passed, "\(verdict.text)")
        verdict.require([Self.subject("out", "a")])
        #expect(verdict.outcome == .passed, "\(verdict.text)")
        verdict.require([Self.subject("extra", "b")])
        #expect(verdict.problems.map(\.code) == ["subject"])
    }

    @Test func `of what is not passed no file is asked about`() throws {
        var failed = try TestChain().verify()
        failed.require([Self.subject("out", "b")])
        #expect(failed.outcome == .failed && failed.problems.map(\.code) == ["threshold"])
        var incomplete = try Self.chain([TestChain.inspection("look")]).verify()
        incomplete.require([Self.subject("out", "b")])
        #expect(incomplete.outcome == .incomplete && incomplete.problems.isEmpty)
    }
}
