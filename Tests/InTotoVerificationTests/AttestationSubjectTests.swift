import InTotoMetadata
import InTotoVerification
import TestSupport
import Testing

/// Which subjects a required statement may be about, where a step's artifacts have several digests each.
@Suite(.temporaryDirectory) struct AttestationSubjectTests {
    private typealias Digests = [(algorithm: Text, digit: Character)]

    private static func digests(_ digests: Digests) -> JSONValue {
        var object = JSONObject()
        for (algorithm, digit) in digests {
            let length = ["sha512": 128, "gitCommit": 40][algorithm] ?? 64
            object[algorithm] = .string(Text(String(repeating: digit, count: length)))
        }
        return .object(object)
    }

    private static func artifacts(_ artifacts: [(name: Text, digests: Digests)]) -> JSONValue {
        var object = JSONObject()
        for (name, digests) in artifacts { object[name] = Self.digests(digests) }
        return .object(object)
    }

    /// Alice's link of a step that Bob may do, too, and what the two say of it.
    private static func verdict(
        materials: [(name: Text, digests: Digests)] = [], products: [(name: Text, digests: Digests)],
        _ statements: (result: Text, name: Text, digests: Digests, by: TestChain.Person)...
    ) throws -> Verdict {
        var chain = try TestChain(steps: [TestChain.step("build", [.alice, .bob])])
        guard case .object(var link) = TestChain.link("build") else { return try chain.verify() }
        link["materials"] = artifacts(materials)
        link["products"] = artifacts(products)
        try chain.add(.object(link), by: .alice)
        let lines = try statements.map { statement in
            let digests = Self.digests(statement.digests)
            return try TestChain.signed(
                [
                    "_type": .string(Statement.type),
                    "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
                    "predicate": [
                        "result": .string(statement.result), "configuration": [["name": "x", "digest": digests]],
                    ],
                    "subject": [["name": .string(statement.name), "digest": digests]],
                ], by: [statement.by])
        }
        chain.files["x.intoto.jsonl"] = Array(lines.joined(separator: [0x0A]))
        chain.policy.attestations = [RequiredAttestation(.known(.testResult), of: try StepName("build"))]
        return try chain.verify()
    }

    @Test(
        arguments: [
            ([("sha512_256", "a")], [("sha512_256", "a")]), ([("sha256", "b"), ("x", "a")], [("sha256", "b")]),
            ([("gitTag", "a")], [("gitTag", "a")]), ([("sha256", "b")], [("sha256", "b")]),
        ] as [([(algorithm: Text, digit: Character)], [(algorithm: Text, digit: Character)])])
    func `no other artifact hides the one that an objection is about`(
        other: [(algorithm: Text, digit: Character)], passed: [(algorithm: Text, digit: Character)]
    ) throws {
        let products: [(name: Text, digests: Digests)] = [("app", [("sha256", "a")]), ("zzz", other)]
        let alone = try Self.verdict(products: products, ("PASSED", "zzz", passed, .alice))
        #expect(alone.outcome == .passed, "\(alone.text)")
        let verdict = try Self.verdict(
            products: products, ("FAILED", "app", [("sha256", "a")], .bob), ("PASSED", "zzz", passed, .alice))
        #expect(verdict.problems.map(\.code) == ["attestation"])
        #expect(verdict.text.contains("speaks against it"), "\(verdict.text)")
    }

    @Test func `a wrong digest beside the right one answers no objection, and passes nothing`() throws {
        let products: [(name: Text, digests: Digests)] = [
            ("app", [("sha256", "a"), ("sha512", "b")]), ("zzz", [("sha256", "c")]),
        ]
        let both: Digests = [("sha256", "a"), ("sha512", "a")]
        let verdict = try Self.verdict(
            products: products, ("FAILED", "app", both, .bob), ("PASSED", "zzz", [("sha256", "c")], .alice))
        #expect(verdict.text.contains("speaks against it"), "\(verdict.text)")
        #expect(
            try Self.verdict(products: products, ("PASSED", "app", both, .alice)).problems.map(\.code)
                == ["attestation"])
    }

    /// Alice gives the product a digest that Bob did not use, and his to a file that the step leaves as it was.
    @Test func `an artifact that has not changed takes no objection away from one that has`() throws {
        let kept: (name: Text, digests: Digests) = ("zzz", [("sha256", "a")])
        let verdict = try Self.verdict(
            materials: [kept], products: [("app", [("sha512", "b")]), kept],
            ("FAILED", "app", [("sha256", "a")], .bob), ("PASSED", "app", [("sha512", "b")], .alice))
        #expect(verdict.text.contains("speaks against it"), "\(verdict.text)")
        let elsewhere = try Self.verdict(
            materials: [kept], products: [("app", [("sha512", "b")]), kept],
            ("FAILED", "zzz", [("sha256", "a")], .bob), ("PASSED", "app", [("sha512", "b")], .alice))
        #expect(elsewhere.outcome == .passed, "\(elsewhere.text)")
    }

    @Test func `a good statement is found whatever else has its digest's text`() throws {
        for other: Digests in [[("x", "a")], [("sha512_256", "a")], [("sha256", "a"), ("sha512", "c")]] {
            let verdict = try Self.verdict(
                products: [("app", [("sha256", "a"), ("sha512", "b")]), ("zzz", other)],
                ("PASSED", "app", [("sha256", "a"), ("sha512", "b")], .alice))
            #expect(verdict.outcome == .passed, "\(verdict.text)")
        }
    }

    @Test func `a commit makes a statement one of this run only where the step has that commit`() throws {
        let kept: (name: Text, digests: Digests) = ("src", [("sha256", "a")])
        let repository: (name: Text, digests: Digests) = ("git", [("gitCommit", "b")])
        func problems(_ digests: Digests, _ materials: [(name: Text, digests: Digests)]) throws -> [String] {
            try Self.verdict(
                materials: materials, products: [kept, ("app", [("sha256", "c")])], ("PASSED", "src", digests, .alice)
            ).problems.map(\.code)
        }
        #expect(try problems([("sha256", "a")], [kept]) == ["attestation"])
        #expect(try problems([("sha256", "a"), ("gitCommit", "0")], [kept]) == ["attestation"])
        #expect(try problems([("sha256", "a"), ("gitCommit", "0")], [kept, repository]) == ["attestation"])
        #expect(try problems([("gitCommit", "0")], [kept, repository]) == ["attestation"])
        #expect(try problems([("gitCommit", "b")], [kept, repository]) == [])
    }
}
