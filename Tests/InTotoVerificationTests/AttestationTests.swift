import InTotoCrypto
import InTotoMetadata
import InTotoVerification
import TestSupport
import Testing

/// Statements that the verifier's user requires beside a step's link.
@Suite(.temporaryDirectory) struct AttestationTests {
    private static func digest(_ algorithm: Text, _ digit: Character, _ length: Int) -> JSONValue {
        .object([algorithm: .string(Text(String(repeating: digit, count: length)))])
    }

    private static let same = digest("sha256", "a", 64)
    private static let another = digest("sha256", "b", 64)
    private static let incomparable = digest("sha512", "a", 128)

    private static func statement(_ result: Text, about name: Text, _ digest: JSONValue) -> JSONValue {
        [
            "_type": .string(Statement.type), "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
            "predicate": [
                "result": .string(result), "configuration": [["name": "x", "digest": digest]],
            ],
            "subject": [["name": .string(name), "digest": digest]],
        ]
    }

    /// A step that makes `out` and leaves `kept` as it was, and statements beside its link.
    private static func verdict(
        _ statements: [JSONValue], by person: TestChain.Person = .alice, products: [Text: Character] = ["out": "a"]
    ) throws -> Verdict {
        var chain = try TestChain()
        let kept = products.merging(["kept": "c"]) { product, _ in product }
        try chain.add(TestChain.link("build", materials: ["kept": "c"], products: kept), by: .alice)
        let lines = try statements.map { try TestChain.signed($0, by: [person]) }
        chain.files["x.intoto.jsonl"] = Array(lines.joined(separator: [0x0A]))
        chain.policy.attestations = [RequiredAttestation(.known(.testResult), of: try StepName("build"))]
        return try chain.verify()
    }

    private static let passed = statement("PASSED", about: "out", same)

    @Test func `an objection to what cannot be compared counts, whatever stands beside it`() throws {
        #expect(try Self.verdict([Self.passed]).outcome == .passed)
        for name: Text in ["out", "./out"] {
            let verdict = try Self.verdict([Self.passed, Self.statement("FAILED", about: name, Self.incomparable)])
            #expect(verdict.problems.map(\.code) == ["attestation"])
            #expect(verdict.text.contains("speaks against it"), "\(verdict.text)")
            #expect(
                verdict.text.contains("whether of the step's '\(name)' cannot be told: no digest in common"),
                "\(verdict.text)")
        }
        // Of a step that makes nothing, anything that is named counts.
        let objection = Self.statement("FAILED", about: "kept", Self.incomparable)
        let idle = try Self.verdict(
            [Self.statement("PASSED", about: "kept", Self.digest("sha256", "c", 64)), objection], products: [:])
        #expect(idle.problems.map(\.code) == ["attestation"])
    }

    @Test func `who says no yes is told what one would be`() throws {
        func statement(_ result: Text?) -> JSONValue {
            var predicate: JSONObject = ["x": 1]
            predicate["result"] = result.map(JSONValue.string)
            return [
                "_type": .string(Statement.type),
                "predicateType": "https://in-toto.io/attestation/human-review/v0.1", "predicate": .object(predicate),
                "subject": [["name": "out", "digest": Self.same]],
            ]
        }
        for (result, message): (Text?, String?) in [
            ("ok", "it says 'ok', where a yes would be PASSED, PASS or APPROVED"),
            ("REJECTED", "it says 'REJECTED', where a yes would be PASSED, PASS or APPROVED"),
            (nil, "the predicate has no member 'result'"), ("approved", nil),
        ] {
            var chain = try TestChain()
            try chain.add(TestChain.link("build", products: ["out": "a"]), by: .alice)
            chain.files["x.intoto.jsonl"] = try TestChain.signed(statement(result), by: [.alice])
            chain.policy.attestations = [RequiredAttestation(.known(.humanReview), of: try StepName("build"))]
            let verdict = try chain.verify()
            #expect(verdict.problems.map(\.code) == (message == nil ? [] : ["attestation"]))
            if let message { #expect(verdict.text.contains(message), "\(verdict.text)") }
        }
        let failed = try Self.verdict([Self.statement("FAILED", about: "out", Self.same)])
        #expect(failed.text.contains("it says 'FAILED', where a yes would be PASSED or WARNED"), "\(failed.text)")
    }

    @Test func `an objection to something else does no harm`() throws {
        for (name, digest): (Text, JSONValue) in [
            ("out", Self.another), ("elsewhere", Self.incomparable), ("kept", Self.incomparable),
        ] {
            let verdict = try Self.verdict([Self.passed, Self.statement("FAILED", about: name, digest)])
            #expect(verdict.outcome == .passed, "\(name): \(verdict.text)")
        }
        // Nor does one by somebody who may not do the step.
        let objection = Self.statement("FAILED", about: "out", Self.incomparable)
        #expect(try Self.verdict([objection], by: .bob).text.contains("not for this step"))
    }

    @Test func `why a subject is not the step's is said as it is`() throws {
        let incomparable = try Self.verdict([Self.statement("PASSED", about: "out", Self.incomparable)])
        #expect(incomparable.problems.map(\.code) == ["attestation"])
        #expect(
            incomparable.text.contains("it is about 'out', and has no digest in common with what the step calls so"))
        let foreign = try Self.verdict([Self.statement("PASSED", about: "out", Self.another)])
        #expect(foreign.text.contains("whose digest no material or product of the step has"))
    }

    @Test func `a statement under another's key id is a functionary's all the same`() throws {
        var chain = try TestChain()
        try chain.add(TestChain.link("build", products: ["out": "a"]), by: .alice)
        chain.policy.attestations = [RequiredAttestation(.known(.testResult), of: try StepName("build"))]
        for (result, problems): (Text, [String]) in [("PASSED", []), ("FAILED", ["attestation"])] {
            var envelope = try TestChain.envelope(Self.statement(result, about: "out", Self.same), by: [.alice])
            envelope.signatures[0] = Signature(
                keyID: try TestChain.Person.bob.keyID, bytes: envelope.signatures[0].bytes)
            chain.files["x.intoto.jsonl"] = try JSONWriter.bytes(.compact) { envelope.write(to: &$0) }
            #expect(try chain.problems() == problems)
        }
    }

    @Test func `no attestation is looked for where a rule fails, and no inspection listed where one is missing`() throws
    {
        var chain = try TestChain(
            steps: [TestChain.step("build", [.alice], products: [["DISALLOW", "bad"]])],
            inspections: [TestChain.inspection("look")])
        chain.policy.attestations = [RequiredAttestation(.known(.testResult), of: try StepName("build"))]
        try chain.add(TestChain.link("build", products: ["bad": "a"]), by: .alice)
        let forbidden = try chain.verify()
        #expect(forbidden.problems.map(\.code) == ["rule"] && forbidden.attestationsNotReached.count == 1)
        #expect(forbidden.inspectionsNotReached.count == 1)

        try chain.add(TestChain.link("build", products: ["out": "a"]), by: .alice)
        let missing = try chain.verify()
        #expect(missing.problems.map(\.code) == ["attestation"] && missing.attestationsNotReached.isEmpty)
        #expect(missing.inspectionsNotReached.count == 1)

        chain.files["x.intoto.jsonl"] = try TestChain.signed(Self.passed, by: [.alice])
        let found = try chain.verify()
        #expect(found.outcome == .incomplete && found.inspectionsNotReached.isEmpty, "\(found.text)")
    }
}
