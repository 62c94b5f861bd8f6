import InTotoCrypto
import InTotoMetadata
import InTotoVerification
import TestSupport
import Testing

/// Several good links of one step: they have to agree, and say together what each of them says.
@Suite(.temporaryDirectory) struct AgreementTests {
    private static let everybody: [TestChain.Person] = [.alice, .bob, .carl]

    private static func chain(_ people: [TestChain.Person], threshold: Int64) throws -> TestChain {
        try TestChain(steps: [TestChain.step("build", people, threshold: threshold)])
    }

    private static let a = ("sha256" as Text, Text(String(repeating: "a", count: 64)))
    private static let b = ("sha512" as Text, Text(String(repeating: "b", count: 128)))
    private static let c = ("sha512" as Text, Text(String(repeating: "c", count: 128)))

    /// With one product that has these digests.
    private static func link(_ digests: [(Text, Text)], of step: Text = "build", name: Text = "out") -> JSONValue {
        guard case .object(var link) = TestChain.link(step) else { return [:] }
        var digest = JSONObject()
        for (algorithm, value) in digests { digest[algorithm] = .string(value) }
        link["products"] = .object([name: .object(digest)])
        return .object(link)
    }

    /// Each order of three links, given to the three functionaries, whose files are read in one and the same order.
    private static func problems(_ links: [JSONValue], threshold: Int64) throws -> Set<[String]> {
        var found: Set<[String]> = []
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            var chain = try chain(everybody, threshold: threshold)
            for (person, index) in zip(everybody, order) { try chain.add(links[index], by: person) }
            found.insert(try chain.problems())
        }
        return found
    }

    @Test(arguments: [1, 3] as [Int64])
    func `each link has to agree with each other one, in whatever order they are found`(threshold: Int64) throws {
        let (a, b, c) = (Self.a, Self.b, Self.c)
        for (digests, problems) in [
            ([[a, b], [a, b], [a, b]], []), ([[a], [a, b], [a, b]], []), ([[a], [a], [a, b]], []),
            // Each of two agrees with a third one.
            ([[a], [a, b], [a, c]], ["disagreement"]), ([[a], [b], [a, b]], ["disagreement"]),
        ] {
            let links = digests.map { Self.link($0) }
            #expect(try Self.problems(links, threshold: threshold) == [problems], "\(digests)")
        }
    }

    @Test func `a MATCH sees the digests of all links`() throws {
        for (digest, problems) in [(Self.b, []), (Self.c, ["rule"])] {
            var chain = try TestChain(steps: [
                TestChain.step("build", [.alice, .bob]),
                TestChain.step(
                    "pack", [.carl],
                    products: [["MATCH", "*", "WITH", "PRODUCTS", "FROM", "build"], ["DISALLOW", "*"]]),
            ])
            try chain.add(Self.link([digest], of: "pack"), of: "pack", by: .carl)
            for digests in [[[Self.a], [Self.a, Self.b]], [[Self.a, Self.b], [Self.a]]] {
                try chain.add(Self.link(digests[0]), by: .alice)
                try chain.add(Self.link(digests[1]), by: .bob)
                #expect(try chain.problems() == problems)
            }
        }
    }

    @Test func `what is forbidden is so in whichever spelling one of the links has`() throws {
        let spellings: [[Text]] = [
            ["./out", "a/../out"], ["a/../out", "./out"], ["out", "a/../out"], ["a/../out", "out"],
        ]
        for (rule, problems): ([Text], [String]) in [(["DISALLOW", "a/*"], ["rule"]), (["DISALLOW", "b/*"], [])] {
            for names in spellings {
                var chain = try TestChain(steps: [TestChain.step("build", [.alice, .bob], products: [rule])])
                try chain.add(Self.link([Self.a], name: names[0]), by: .alice)
                try chain.add(Self.link([Self.a], name: names[1]), by: .bob)
                let verdict = try chain.verify()
                #expect(verdict.problems.map(\.code) == problems, "\(names)")
                #expect(problems.isEmpty || verdict.text.contains("'out', written 'a/../out'"), "\(verdict.text)")
            }
        }
    }

    @Test func `good links of one step have to agree, at any threshold`() throws {
        let base = TestChain.link("build", materials: ["in": "a"], products: ["out": "b"])
        let others = [
            TestChain.link("build", materials: ["in": "c"], products: ["out": "b"]),
            TestChain.link("build", materials: ["in": "a"], products: ["out": "c"]),
            TestChain.link("build", materials: ["in": "a"], products: ["out": "b", "zzz": "c"]),
            TestChain.link("build", materials: ["in": "a"], products: ["aaa": "c", "out": "b"]),
            TestChain.link("build", materials: ["in": "a", "zzz": "a"], products: ["out": "b"]),
            TestChain.link("build", materials: ["in": "a"], products: [:]),
            // The same digests under other names.
            TestChain.link("build", materials: ["on": "a"], products: ["out": "b"]),
            TestChain.link("build", materials: ["in": "a"], products: ["tuo": "b"]),
        ]
        for threshold in [Int64(1), 2] {
            var chain = try Self.chain([.alice, .bob], threshold: threshold)
            try chain.add(base, by: .alice)
            try chain.add(base, by: .bob)
            #expect(try chain.problems() == [])
            for other in others {
                try chain.add(other, by: .bob)
                #expect(try chain.problems() == ["disagreement"], "\(other)")
            }
        }
    }

    @Test func `a link with other digests of the same artifacts agrees with nobody`() throws {
        var chain = try Self.chain([.alice, .bob], threshold: 1)
        try chain.add(TestChain.link("build", products: ["out": "b"]), by: .alice)
        guard case .object(var other) = TestChain.link("build") else { return }
        other["products"] = ["out": ["sha512": .string(Text(String(repeating: "b", count: 128)))]]
        try chain.add(.object(other), by: .bob)
        let text = try chain.verify().text
        #expect(text.contains("'out' among the products has no strong digest in common: one says "), "\(text)")
        for digest in ["sha256:bbbb", "sha512:bbbb"] { #expect(text.contains(digest), "\(text)") }
        // A link by nobody who counts does not disturb.
        try chain.add(.object(other), by: .carl)
        chain.files[try TestChain.fileName("build", TestChain.Person.bob.keyID)] = nil
        #expect(try chain.problems() == [])
    }
}
