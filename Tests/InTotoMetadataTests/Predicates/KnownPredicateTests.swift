import Foundation
import InTotoMetadata
import TestSupport
import Testing

@Suite struct KnownPredicateTests {
    private static let files = [
        "cyclonedx", "human-review-v0.1-NOT-VETTED", "reference-v0.1", "release-v0.1",
        "release-v0.2", "runtime-trace-v0.1", "scai-attribute-report-v0.2", "scai-v0.3", "slsa-provenance-v0.2",
        "slsa-provenance-v1-minimal", "slsa-provenance-v1", "spdx-v2.3", "spdx-v3", "svr-v0.1", "svr-v0.2-no-policies",
        "svr-v0.2", "test-result-v0.1", "vsa-v1-minimal", "vsa-v1-source-track", "vsa-v1", "vulns-v0.2",
    ]

    private func statement(_ file: String) throws -> Statement {
        try Statement(json: JSONReader.read(Vectors.bytes("predicates/\(file).json")))
    }

    @Test func `every example is tried`() throws {
        #expect(
            try Vectors.list("predicates").filter { $0.hasSuffix(".json") } == Self.files.map { "\($0).json" }.sorted())
    }

    @Test(arguments: files)
    func `examples of the specifications are valid`(file: String) throws {
        let statement = try statement(file)
        let kind = try #require(KnownPredicate(type: statement.predicateType))
        try kind.check(statement.predicate, type: statement.predicateType)
    }

    @Test(arguments: files)
    func `no required member may be missing or of another kind`(file: String) throws {
        let statement = try statement(file)
        let kind = try #require(KnownPredicate(type: statement.predicateType))
        var refused = 0
        for member in statement.predicate.members {
            var without = statement.predicate
            without[member.name] = nil
            if (try? kind.check(without, type: statement.predicateType)) == nil { refused += 1 }
        }
        #expect(refused > 0)
        #expect(throws: MetadataError.self) { try kind.check(["x": 1], type: statement.predicateType) }
    }

    /// A path of member names, what is put there (nil: nothing), and a part of the message.
    private static let spoiled: [(String, [Text], JSONValue?, String)] = [
        (
            "test-result-v0.1", ["result"], "passed",
            "'result' of the predicate is 'passed', none of: PASSED, WARNED, FAILED"
        ),
        ("test-result-v0.1", ["configuration"], [["mediaType": "x"]], "'configuration[0]' of the predicate"),
        ("test-result-v0.1", ["passedTests"], ["a", 1], "'passedTests[1]' of the predicate must be a string"),
        ("test-result-v0.1", ["url"], "no uri", "'url' of the predicate is no URI"),
        ("scai-v0.3", ["attributes"], [], "'attributes' of the predicate is empty"),
        ("vsa-v1", ["timeVerified"], "2025-03-01T10:00:00+01:00", "'timeVerified' of the predicate is no time"),
        ("vsa-v1", ["timeVerified"], "2025-13-01T10:00:00Z", "'timeVerified' of the predicate is no time"),
        ("vsa-v1", ["verificationResult"], "OK", "none of: PASSED, FAILED"),
        ("vsa-v1", ["policy"], ["digest": ["sha256": "00"]], "'policy' of the predicate has no member 'uri'"),
        ("vsa-v1", ["verifier"], ["version": [:]], "'verifier' has no member 'id'"),
        ("slsa-provenance-v1", ["runDetails", "builder", "id"], "me", "'id' of 'builder' is no URI"),
        ("slsa-provenance-v1", ["buildDefinition", "externalParameters"], nil, "has no member 'externalParameters'"),
        ("vulns-v0.2", ["scanner", "db", "lastUpdate"], nil, "'db' has no member 'lastUpdate'"),
        ("vulns-v0.2", ["metadata"], nil, "the predicate has no member 'metadata'"),
        ("runtime-trace-v0.1", ["monitor"], "strace", "'monitor' of the predicate must be an object, not a string"),
        ("release-v0.2", ["purl"], 1, "'purl' of the predicate must be a string"),
        ("svr-v0.2", ["verifier"], ["id": "https://v.example"], "'verifier' has no member 'policies'"),
        (
            "reference-v0.1", ["references"], [["downloadLocation": "https://x.example", "uri": "https://x.example"]],
            "has no member 'mediaType'"
        ),
        ("spdx-v2.3", ["spdxVersion"], "SPDX-9", "none of: SPDX-2.3"),
        ("cyclonedx", ["bomFormat"], "SPDX", "none of: CycloneDX"),
        ("human-review-v0.1-NOT-VETTED", ["result"], nil, "the predicate has no member 'result'"),
    ]

    @Test(arguments: spoiled.indices)
    func `a mistake is named`(index: Int) throws {
        let (file, path, value, message) = Self.spoiled[index]
        let statement = try statement(file)
        let kind = try #require(KnownPredicate(type: statement.predicateType))
        let predicate = Self.replacing(path[...], in: statement.predicate, by: value)
        #expect {
            try kind.check(predicate, type: statement.predicateType)
        } throws: { error in
            "\(error)".contains(message)
        }
    }

    private static func replacing(_ path: ArraySlice<Text>, in object: JSONObject, by value: JSONValue?) -> JSONObject {
        var object = object
        guard let name = path.first else { return object }
        if path.count == 1 {
            object[name] = value
        } else if case .object(let inner)? = object[name] {
            object[name] = .object(replacing(path.dropFirst(), in: inner, by: value))
        }
        return object
    }

    @Test func `null is as good as nothing where something may be absent`() throws {
        var predicate = try statement("test-result-v0.1").predicate
        predicate["url"] = .null
        try KnownPredicate.testResult.check(predicate, type: "https://in-toto.io/attestation/test-result/v0.1")
        predicate["result"] = .null
        #expect(throws: MetadataError.self) {
            try KnownPredicate.testResult.check(predicate, type: "https://in-toto.io/attestation/test-result/v0.1")
        }
    }

    @Test func `short names lead to the newest type, and documents to their own`() throws {
        #expect(KnownPredicate(name: "review") == .humanReview && KnownPredicate(name: "link") == nil)
        #expect(KnownPredicate.release.type(of: [:]) == "https://in-toto.io/attestation/release/v0.2")
        #expect(KnownPredicate.spdx.type(of: ["spdxVersion": "SPDX-2.3"]) == "https://spdx.dev/Document/v2.3")
        #expect(KnownPredicate.spdx.type(of: ["spdxVersion": "SPDX-2.2"]) == "https://spdx.dev/Document")
        #expect(KnownPredicate.spdx.type(of: ["@context": "x"]) == "https://spdx.dev/Document/v3")
    }

    @Test(arguments: [
        ("https://a.example/x", true), ("urn:x", true), ("pkg:npm/%40a/b@1", true), ("x", false), (":x", false),
        ("https:", false), ("1a:b", false), ("a b:c", false), ("a:b c", false), ("a:é", false), ("", false),
    ])
    func `URIs are told from other texts`(text: String, isURI: Bool) { #expect(Text(text).isURI == isURI) }
}
