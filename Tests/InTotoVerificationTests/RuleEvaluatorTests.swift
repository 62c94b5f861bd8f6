import InTotoMetadata
import InTotoVerification
import Testing

@Suite struct RuleEvaluatorTests {
    private static func digest(_ digit: Character) -> DigestSet {
        DigestSet(.sha256, Text(String(repeating: digit, count: 64)))
    }

    private static func set(_ artifacts: KeyValuePairs<ArtifactName, Character>) throws -> NormalizedArtifacts {
        try NormalizedArtifacts(try ArtifactSet(artifacts.map { Artifact(name: $0.key, digests: digest($0.value)) }))
    }

    private static func trace(
        _ rules: [[String]], products: NormalizedArtifacts, materials: KeyValuePairs<ArtifactName, Character> = [:],
        other: KeyValuePairs<ArtifactName, Character> = [:]
    ) throws -> RuleTrace {
        let own = ArtifactRecord(materials: try set(materials), products: products)
        let before = ArtifactRecord(materials: try set([:]), products: try set(other))
        let evaluator = RuleEvaluator(["self": own, "before": before])
        return evaluator.evaluate(try RuleVectorTests.rules(rules, .products), on: own, .products)
    }

    private static func misses(_ trace: RuleTrace) throws -> [String] {
        let failure = try #require(trace.failure)
        return failure.artifacts.flatMap(\.nearMisses).map(\.description)
    }

    // MARK: Names

    @Test(arguments: [
        "./f", "a/../f", "./a/./../f", "f/", "/../f/../f", "dir:x/../f", "1a://../f", "://../f", "a b://../f",
        "a//../f", ".//f",
    ])
    func `no spelling of a name dodges a rule`(name: String) throws {
        let odd = try Self.set([ArtifactName(Text(name)): "a"])
        let trace = try Self.trace([["DISALLOW", name.hasPrefix("/") ? "/f" : "f"]], products: odd)
        #expect(trace.failure != nil)
        #expect(try Self.trace([["DISALLOW", name]], products: odd).failure != nil)
        #expect(try Self.trace([["DISALLOW", "g"]], products: odd).failure == nil)
        #expect(trace.failure?.artifacts.first?.original == ArtifactName(Text(name)))
    }

    @Test func `either spelling is forbidden by plain names, beginnings and other patterns`() throws {
        let names = ["./f1", "./f1x", "./f2", "g/../f3", "f4", "./f\u{10FFFF}"]
        let artifacts = try NormalizedArtifacts(
            try ArtifactSet(names.map { Artifact(name: ArtifactName(Text($0)), digests: Self.digest("a")) }))
        for (pattern, count) in [
            ("./f1", 1), ("./f", 0), ("./f1*", 2), ("./*", 4), ("*", 6), ("*3", 1), ("g/../f3", 1), ("./f2*", 1),
            ("./f3*", 0), ("h*", 0), ("", 0), ("f1", 1), ("f*", 6), ("./f?", 3), ("[.g]/*", 5),
        ] {
            let trace = try Self.trace([["DISALLOW", pattern]], products: artifacts)
            #expect(trace.failure?.count ?? 0 == count, "\(pattern)")
        }
        // What is consumed is forbidden no longer.
        let consumed = try Self.trace([["ALLOW", "f1*"], ["DISALLOW", "./f1*"]], products: artifacts)
        #expect(consumed.failure == nil)
    }

    @Test func `many rules about many odd names cost little`() throws {
        let count = 20_000
        let artifacts = try NormalizedArtifacts(
            try ArtifactSet(
                (0..<count).map { Artifact(name: ArtifactName(Text("./f\($0)")), digests: Self.digest("a")) }))
        let rules = (0..<5000).map { ["DISALLOW", $0.isMultiple(of: 2) ? "./e\($0)" : "./e\($0)*"] }
        // A hundred million comparisons of patterns with names take far longer.
        let start = ContinuousClock.now
        let trace = try Self.trace(rules, products: artifacts)
        let elapsed = start.duration(to: .now)
        #expect(trace.failure == nil && elapsed < .seconds(60))
        #expect(try Self.trace(rules + [["DISALLOW", "./f\(count - 1)"]], products: artifacts).failure?.count == 1)
    }

    @Test func `two spellings of one name, empty names and NUL are refused`() throws {
        for names in [["f", "./f"], ["a/b", "a//b"], ["x/../f", "./f"], [""], ["a\0b"]] {
            let artifacts = try ArtifactSet(
                names.map { Artifact(name: ArtifactName(Text($0)), digests: Self.digest("a")) })
            #expect(throws: ArtifactProblem.self, "\(names)") { try NormalizedArtifacts(artifacts) }
        }
    }

    @Test func `a name that no path could have is refused, and cut where it is shown`() throws {
        func problem(_ length: Int, _ spelling: NameSpelling) throws -> ArtifactProblem? {
            let artifacts = try Self.artifactSet([ArtifactName(Text(String(repeating: "é", count: length / 2)))])
            do { _ = try NormalizedArtifacts(artifacts, spelling) } catch { return error }
            return nil
        }
        for spelling: NameSpelling in [.normalized, .asWritten] {
            #expect(try problem(65_536, spelling) == nil)
            let text = try #require(try problem(65_538, spelling)).description
            #expect(text.contains("…' is no name of an artifact: it has 65538 bytes, more than 65536"), "\(text)")
            #expect(text.utf8.count < 200)
        }
        let nul = try Self.artifactSet([ArtifactName(Text("\0" + String(repeating: "a", count: 60_000)))])
        #expect(throws: ArtifactProblem.self) { try NormalizedArtifacts(nul) }
        do { _ = try NormalizedArtifacts(nul) } catch { #expect(error.description.utf8.count < 5000) }
    }

    private static func artifactSet(_ names: [ArtifactName]) throws -> ArtifactSet {
        try ArtifactSet(names.map { Artifact(name: $0, digests: digest("a")) })
    }

    @Test func `URIs are left as they are`() throws {
        for name in ["https://a/b", "https://a/b/", "https://a/", "git+ssh://a", "file:///f", "a://f", "https://a/..b"]
        {
            let uri = try Self.set([ArtifactName(Text(name)): "a"])
            #expect(try Self.trace([["ALLOW", name], ["DISALLOW", "*"]], products: uri).failure == nil, "\(name)")
        }
    }

    @Test(arguments: [
        "a://../f", "a://./../f", "a://.//../f", "https://a//../../f", "a://b/../../f", "a:///../f",
    ])
    func `a path that looks like a URI dodges no rule`(name: String) throws {
        let odd = try Self.set([ArtifactName(Text(name)): "a"])
        #expect(try Self.trace([["DISALLOW", "f"], ["ALLOW", "*"]], products: odd).failure != nil)
        #expect(try Self.trace([["DISALLOW", "g"], ["ALLOW", "*"]], products: odd).failure == nil)
    }

    @Test func `of a MATCH it is said that its source is not there only where it is not`() throws {
        let match = { ["MATCH", "*", "WITH", "PRODUCTS", "FROM", $0] }
        let trace = try Self.trace(
            [match("before"), match("nowhere"), ["ALLOW", "*"]], products: Self.set(["f": "a"]))
        #expect(trace.entries.map(\.missingSource) == [nil, .unknown, nil])
    }

    @Test(arguments: [
        ("https://a//b/../c", "https:/a/c"), ("https://a/./b", "https:/a/b"), ("a://..", "."), ("a://./f", "a:/f"),
        ("a:b//c", "a:b/c"), ("1a://f", "1a:/f"), ("a b://f", "a b:/f"),
    ])
    func `a URI with parts that a path would lose is a path`(name: String, path: String) throws {
        let odd = try Self.set([ArtifactName(Text(name)): "a"])
        #expect(try Self.trace([["ALLOW", path], ["DISALLOW", "*"]], products: odd).failure == nil)
        #expect(throws: ArtifactProblem.self) {
            try NormalizedArtifacts(
                try ArtifactSet([name, path].map { Artifact(name: ArtifactName(Text($0)), digests: Self.digest("a")) }))
        }
    }

    // MARK: Near misses

    @Test func `the same path with another digest is told`() throws {
        let trace = try Self.trace(
            [["MATCH", "*", "WITH", "PRODUCTS", "FROM", "before"], ["DISALLOW", "*"]], products: Self.set(["f": "a"]),
            other: ["f": "b"])
        let miss = try #require(try Self.misses(trace).first)
        #expect(miss.hasPrefix("same path, other digest: here sha256:aaaa"))
        #expect(miss.contains("in the products of 'before' sha256:bbbb"))
    }

    @Test func `the same digest under another name is told`() throws {
        let trace = try Self.trace(
            [["MATCH", "*", "WITH", "PRODUCTS", "FROM", "before"], ["DISALLOW", "*"]],
            products: Self.set(["dist/f": "a"]), other: ["f": "a"])
        #expect(try Self.misses(trace) == ["same digest under another name: 'f' in the products of 'before'"])
    }

    @Test func `of several with one digest, the one of the same name is told`() throws {
        let trace = try Self.trace(
            [["MATCH", "x*", "WITH", "PRODUCTS", "FROM", "before"], ["DISALLOW", "*"]], products: Self.set(["b": "a"]),
            other: ["a": "a", "b": "a"])
        #expect(
            try Self.misses(trace)
                == ["the same is in the products of 'before', and the rule is not about that name there"])
        let changed = try Self.trace(
            [["MATCH", "x*", "WITH", "PRODUCTS", "FROM", "before"], ["DISALLOW", "*"]], products: Self.set(["b": "a"]),
            other: ["a": "a", "b": "b"])
        #expect(try Self.misses(changed) == ["same digest under another name: 'a' in the products of 'before'"])
    }

    @Test func `what CREATE, MODIFY and DELETE do not cover is told`() throws {
        func misses(_ rule: String, _ materials: KeyValuePairs<ArtifactName, Character>) throws -> [String] {
            try Self.misses(
                try Self.trace(
                    [[rule, "f"], ["DISALLOW", "*"]], products: Self.set(["f": "a"]), materials: materials))
        }
        #expect(try misses("CREATE", ["f": "b"])[0].contains("among the materials, too"))
        #expect(try misses("MODIFY", ["f": "a"])[0].contains("same digest before and after"))
        #expect(try misses("MODIFY", [:])[0].contains("not there both before and after"))
        #expect(try misses("DELETE", ["f": "a"])[0].contains("not a material that is gone"))
    }

    @Test func `a rule that is about other names is no near miss`() throws {
        for rule in [
            ["CREATE", "g"], ["MODIFY", "g"], ["DELETE", "g"], ["MATCH", "g", "WITH", "PRODUCTS", "FROM", "x"],
        ] {
            let trace = try Self.trace(
                [rule, ["DISALLOW", "*"]], products: Self.set(["f": "a"]), materials: ["f": "a"])
            #expect(try Self.misses(trace) == [], "\(rule)")
        }
    }

    @Test func `equal digits of different algorithms are no equal digests`() throws {
        let digits = Text(String(repeating: "a", count: 64))
        func trace(_ algorithm: DigestAlgorithm, _ value: Text = digits) throws -> RuleTrace {
            let product = Artifact(name: "f", digests: DigestSet(algorithm, value))
            return try Self.trace(
                [["MATCH", "*", "WITH", "PRODUCTS", "FROM", "before"], ["DISALLOW", "*"]],
                products: try NormalizedArtifacts(try ArtifactSet([product])), other: ["f": "a"])
        }
        #expect(try trace(.sha256).failure == nil)
        #expect(try trace(.sha256, Text(String(repeating: "A", count: 64))).failure == nil)
        #expect(try trace(DigestAlgorithm("sha3_256")).failure != nil)
        #expect(try trace(DigestAlgorithm("blake2s")).failure != nil)
        #expect(try trace(.sha256, Text(String(repeating: "a", count: 63))).failure != nil)
    }

    @Test(arguments: [
        ("sha256", "aaaa", false), ("sha256", String(repeating: "g", count: 64), false), ("sha256", "", false),
        ("md5", String(repeating: "a", count: 64), false), ("sha1", String(repeating: "a", count: 40), false),
        ("gitBlob", String(repeating: "a", count: 40), true), ("gitBlob", String(repeating: "a", count: 38), false),
        ("sha512", String(repeating: "a", count: 128), true), ("sha256", String(repeating: "a", count: 41), false),
    ])
    func `only strong digests make content equal`(algorithm: String, value: String, isStrong: Bool) throws {
        let set = DigestSet(DigestAlgorithm(Text(algorithm)), Text(value))
        #expect(set.compare(with: set) == (isStrong ? .same : .incomparable))
    }

    @Test func `a REQUIRE after the rule that consumed its artifact says which`() throws {
        let trace = try Self.trace(
            [["ALLOW", "x"], ["ALLOW", "f"], ["REQUIRE", "f"]], products: Self.set(["f": "a"]))
        #expect(try Self.misses(trace) == ["rule 2 has consumed it already"])
        #expect(trace.entries.map(\.consumed.count) == [0, 1])
        let absent = try Self.trace([["REQUIRE", "g"]], products: Self.set(["f": "a"]))
        #expect(try Self.misses(absent) == ["it is not there"])
    }

    /// Python joins "src" and "/f" to "/f".
    @Test(arguments: [
        (["IN", "src"], "/f"), (["IN", "src"], "src/f"), ([], "/f"), (["IN", "https:"], "https://f"),
    ])
    func `a rest that begins with a slash replaces no prefix`(destination: [String], name: String) throws {
        let rule = ["MATCH", "*", "IN", "https:", "WITH", "PRODUCTS"] + destination + ["FROM", "before"]
        let trace = try Self.trace(
            [rule, ["DISALLOW", "*"]], products: Self.set(["https://f": "a"]), other: [ArtifactName(Text(name)): "a"])
        #expect(trace.failure != nil)
    }

    @Test func `what a rule has consumed, no other sees`() throws {
        for rules in [
            [["ALLOW", "f"], ["DISALLOW", "f"]], [["ALLOW", "*"], ["DISALLOW", "f"]],
            [["ALLOW", "f"], ["DISALLOW", "*"]],
        ] {
            #expect(try Self.trace(rules, products: Self.set(["f": "a"])).failure == nil)
            #expect(try Self.trace(rules, products: Self.set(["./f": "a"])).failure == nil)
        }
        let trace = try Self.trace([["ALLOW", "f"], ["ALLOW", "f"], ["ALLOW", "*"]], products: Self.set(["f": "a"]))
        #expect(trace.entries.map(\.consumed.count) == [1, 0, 0])
    }

    @Test func `only the first failures are explained, and all are counted`() throws {
        let many = try NormalizedArtifacts(
            try ArtifactSet((0..<5000).map { Artifact(name: ArtifactName(Text("f\($0)")), digests: Self.digest("a")) }))
        let failure = try #require(try Self.trace([["DISALLOW", "f*"]], products: many).failure)
        #expect(failure.count == 5000 && failure.artifacts.count == 10)
        #expect(failure.description.hasSuffix("and 4990 more"))
    }

    /// 50,000 artifacts, 2,000 rules, ten failures each of which every rule nearly covers.
    @Test(.timeLimit(.minutes(20))) func `near misses cost no more than one look at each link`() throws {
        let count = 50_000
        func digests(_ number: Int) -> DigestSet {
            let digits = String(number, radix: 16)
            return DigestSet(.sha256, Text(String(repeating: "0", count: 64 - digits.utf8.count) + digits))
        }
        let before = try NormalizedArtifacts(
            try ArtifactSet((0..<count).map { Artifact(name: ArtifactName(Text("p/\($0)")), digests: digests($0)) }))
        let products = try NormalizedArtifacts(
            try ArtifactSet(
                (0..<10).map { Artifact(name: ArtifactName(Text("z\($0)")), digests: digests(count - 1 - $0)) }))
        let none = try Self.set([:])
        let own = ArtifactRecord(materials: none, products: products)
        let evaluator = RuleEvaluator([
            "self": own, "before": ArtifactRecord(materials: none, products: before),
        ])
        let rules =
            (0..<2000).map { ["MATCH", "q\($0)*", "WITH", "PRODUCTS", "FROM", "before"] } + [["DISALLOW", "*"]]
        let trace = evaluator.evaluate(try RuleVectorTests.rules(rules, .products), on: own, .products)
        let failure = try #require(trace.failure)
        #expect(failure.artifacts.count == 10)
        for artifact in failure.artifacts { #expect(artifact.nearMisses.count == 1) }
        #expect(try Self.misses(trace)[0] == "same digest under another name: 'p/49999' in the products of 'before'")
    }

    /// Names have 24 characters here; a matcher that tries every way would need 10^9 steps for one.
    @Test(.timeLimit(.minutes(20))) func `hostile patterns cost no more than their length`() throws {
        let artifacts = try NormalizedArtifacts(
            try ArtifactSet(
                (0..<200).map { number in
                    let name = Text(String(repeating: "a", count: 2000) + "\(number)")
                    return Artifact(name: ArtifactName(name), digests: Self.digest("a"))
                }))
        let rules = [
            ["ALLOW", String(repeating: "*a", count: 30) + "b"],
            ["ALLOW", String(repeating: "*[a-z]?", count: 20) + "b"],
        ]
        let trace = try Self.trace(rules, products: artifacts)
        #expect(trace.rest.count == 200)
    }
}
