import Foundation
import InTotoMetadata
import InTotoVerification
import TestSupport
import Testing

/// Rules as two other implementations apply them. Source: artifact-rules/README.md.
@Suite struct RuleVectorTests {
    /// Digests, by the artifact's name and the algorithm's.
    typealias Artifacts = [String: [String: String]]

    struct Vector: Sendable, CustomStringConvertible {
        var name: String
        var kind: ArtifactKind
        var rules: [[String]]
        var materials: Artifacts
        var products: Artifacts
        var others: [String: [String: Artifacts]]
        /// Python's verdict.
        var passes: Bool

        var description: String { name }
    }

    private static let all = Result {
        let file = try Vectors.json("artifact-rules/rules.json")
        return try #require(file as? [[String: Any]]).map { vector in
            let kind = try #require(vector["type"] as? String)
            return Vector(
                name: try #require(vector["name"] as? String),
                kind: try #require(ArtifactKind(rawValue: kind)),
                rules: try #require(vector["rules"] as? [[String]]),
                materials: try #require(vector["materials"] as? Artifacts),
                products: try #require(vector["products"] as? Artifacts),
                others: try #require(vector["other_links"] as? [String: [String: Artifacts]]),
                passes: (vector["python"] as? String) == "pass")
        }
    }

    /// Where we decide otherwise than Python, and why: lines of the table of strictness.
    private static let decidedOtherwise = [
        // Equal content is not modified, whatever else was recorded of it.
        "modify by added hash algorithm": false,
        // One strong digest in common, and all common ones equal, is equal content.
        "match subset of algorithms": true,
        "match hex case": true,
        // Names are normalised; in-toto-golang does the same.
        "match unclean artifact name": true,
    ]

    /// An artifact without a digest says nothing: the link is not taken.
    private static let notTaken: Set<String> = ["empty hash objects match"]

    private static func artifacts(_ object: Artifacts) throws -> ArtifactSet {
        try ArtifactSet(
            object.map { name, digests in
                var set = DigestSet()
                for (algorithm, value) in digests { set[DigestAlgorithm(Text(algorithm))] = Text(value) }
                return Artifact(name: ArtifactName(Text(name)), digests: set)
            })
    }

    private static func record(_ materials: Artifacts, _ products: Artifacts) throws -> ArtifactRecord {
        ArtifactRecord(
            materials: try NormalizedArtifacts(try artifacts(materials)),
            products: try NormalizedArtifacts(try artifacts(products)))
    }

    /// A list of rules goes the way that it goes in a file.
    static func rules(_ rules: [[String]], _ kind: ArtifactKind) throws -> [ArtifactRule] {
        let words = JSONValue.array(rules.map { .array($0.map { .string(Text($0)) }) })
        let layout = try Layout(json: LayoutFixture.layout(rules: words, kind))
        return kind == .materials ? layout.steps[0].expectedMaterials : layout.steps[0].expectedProducts
    }

    @Test(arguments: (try? all.get()) ?? [])
    func `a list of rules is decided as Python decides it, or as the table says`(vector: Vector) throws {
        let rules = try Self.rules(vector.rules, vector.kind)
        guard !Self.notTaken.contains(vector.name) else {
            #expect(throws: ArtifactProblem.self) { try Self.record(vector.materials, vector.products) }
            return
        }
        var records: [Text: ArtifactRecord] = [:]
        for (name, link) in vector.others {
            records[Text(name)] = try Self.record(link["materials"] ?? [:], link["products"] ?? [:])
        }
        let own = try Self.record(vector.materials, vector.products)
        records["self"] = own
        let trace = RuleEvaluator(records).evaluate(rules, on: own, vector.kind)
        #expect((trace.failure == nil) == Self.decidedOtherwise[vector.name] ?? vector.passes, "\(vector.rules)")
    }

    @Test func `every list of rules was decided`() throws {
        let vectors = try Self.all.get()
        let names = Set(vectors.map(\.name))
        #expect(Set(Self.decidedOtherwise.keys).union(Self.notTaken).isSubset(of: names))
        #expect(vectors.count == 56)
        print("vectors: rules \(vectors.count), \(Self.decidedOtherwise.count + Self.notTaken.count) as the table says")
    }

    @Test func `rules are read as Python reads them`() throws {
        let file = try Vectors.json("artifact-rules/unpack.json")
        let vectors = try #require(file as? [[String: Any]])
        for vector in vectors {
            let words = try #require(vector["rule"] as? [String])
            let isTaken = vector["python"] is [String: Any]
            #expect(((try? Self.rules([words], .products)) != nil) == isTaken, "\(words)")
        }
        print("vectors: rule syntax \(vectors.count) as Python")
        #expect(vectors.count == 20)
    }

    @Test func `patterns match as Python's do`() throws {
        let file = try Vectors.json("artifact-rules/patterns.json") as? [String: Any]
        let vectors = try #require(file?["rows"] as? [[String: Any]])
        var peculiar = 0
        for vector in vectors {
            let text = try #require(vector["pattern"] as? String)
            let pattern = GlobPattern(Text(text))
            let name = try #require(vector["name"] as? String)
            #expect(pattern.matches(Text(name)) == (vector["python_fnmatch"] as? Bool), "\(pattern) against \(name)")
            if pattern.peculiarity != nil { peculiar += 1 }
            // What in-toto-golang decides otherwise, it is said of.
            let isSame = (vector["go_match_raw"] as? Bool) == (vector["python_fnmatch"] as? Bool)
            #expect(isSame || pattern.peculiarity != nil, "\(pattern)")
        }
        print(
            "vectors: patterns \(vectors.count) as Python, \(peculiar) with a warning that others read them differently"
        )
        #expect(vectors.count == 79)
    }

    @Test func `parameters are replaced, or refused where implementations differ`() throws {
        let file = try Vectors.json("parameters/substitution.json")
        let vectors = try #require(file as? [[String: Any]])
        // Where Python fails and we leave braces alone, as Go does, and where Python evaluates and we refuse.
        let differences: [String: String?] = [
            "{NAME": "{NAME", "NAME}": "NAME}", "{}": "{}", "{{NAME}}": nil, "{NAME!r}": nil, "{NAME:>5}": nil,
            "{NAME.__class__}": nil, "{NAME[0]}": nil,
        ]
        for vector in vectors {
            let text = try #require(vector["text"] as? String)
            let expected = (vector["python"] as? [String: Any])?["ok"] as? String
            var found: String?
            if let values = vector["params"] as? [String: String] {
                let texts = Dictionary(uniqueKeysWithValues: values.map { (Text($0.key), Text($0.value)) })
                found = try? ParameterSubstitution(texts).applied(to: Text(text)).description
            }
            #expect(found == differences[text] ?? expected, "\(text)")
        }
        print("vectors: parameters \(vectors.count), \(differences.count) as the table says")
        #expect(vectors.count >= 19)
    }
}

/// Layouts as JSON values.
enum LayoutFixture {
    static func layout(rules: JSONValue, _ kind: ArtifactKind) -> JSONObject {
        var step: JSONObject = [
            "_type": "step", "name": "self", "threshold": 1, "pubkeys": ["00"], "expected_command": [],
            "expected_materials": [], "expected_products": [],
        ]
        step[kind == .materials ? "expected_materials" : "expected_products"] = rules
        return [
            "_type": "layout", "expires": "2099-01-01T00:00:00Z", "readme": "", "keys": [:],
            "steps": .array([.object(step)]), "inspect": [],
        ]
    }
}
