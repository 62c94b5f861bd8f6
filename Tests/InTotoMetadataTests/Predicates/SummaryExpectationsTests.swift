import InTotoMetadata
import Testing

/// What a consumer demands of a verification summary: each demand met, and not met. Spec: SLSA VSA v1.
@Suite struct SummaryExpectationsTests {
    static let digest = DigestSet(.sha256, Text(String(repeating: "a", count: 64)))

    static func statement(
        _ levels: [Text] = ["SLSA_BUILD_LEVEL_2"], result: VerificationSummary.Result = .passed,
        type: Text = VerificationSummary.type
    ) -> Statement {
        let policy = ResourceDescriptor(uri: "https://example.org/policy")
        var statement = VerificationSummary(
            verifierID: "https://example.org/verifier", resourceURI: "https://example.org/out", policy: policy,
            result: result, verifiedLevels: levels
        ).statement(about: [ResourceDescriptor(digest: digest)])
        statement.predicateType = type
        return statement
    }

    static func refusals(
        _ statement: Statement = statement(), _ change: (inout SummaryExpectations) -> Void = { _ in }
    ) throws -> Int {
        var expectations = SummaryExpectations()
        expectations.subject = digest
        expectations.verifierID = "https://example.org/verifier"
        expectations.resourceURI = "https://example.org/out"
        expectations.levels = ["SLSA_BUILD_LEVEL_2"]
        change(&expectations)
        return try expectations.refusals(of: [statement]).count
    }

    @Test func `every demand has to be met`() throws {
        #expect(try Self.refusals() == 0)
        #expect(try Self.refusals { $0.subject = DigestSet(.sha256, Text(String(repeating: "b", count: 64))) } == 1)
        #expect(try Self.refusals { $0.subject = DigestSet() } == 1)
        #expect(try Self.refusals { $0.verifierID = "https://example.org/Verifier" } == 1)
        #expect(try Self.refusals { $0.resourceURI = "https://example.org/out/" } == 1)
        #expect(try Self.refusals { $0.levels = ["SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_1"] } == 1)
        #expect(try Self.refusals(Self.statement(result: .failed)) == 1)
    }

    @Test func `whichever digest names the subject, it is the subject`() throws {
        let other = Text(String(repeating: "c", count: 128))
        func about(_ digests: DigestSet, _ result: VerificationSummary.Result = .passed) -> Statement {
            var statement = Self.statement(result == .failed ? ["FAILED"] : ["SLSA_BUILD_LEVEL_2"], result: result)
            statement.subject = [ResourceDescriptor(digest: digests)]
            return statement
        }
        var expectations = SummaryExpectations()
        expectations.subject = Self.digest
        expectations.subject?[.sha512] = other
        func refusals(_ statements: Statement...) throws -> [String] { try expectations.refusals(of: statements) }
        let long = DigestSet(.sha512, other)
        let unknown = DigestSet(DigestAlgorithm("sha3_256"), Text(String(repeating: "d", count: 64)))
        let different = DigestSet(.sha512, Text(String(repeating: "e", count: 128)))
        #expect(try refusals(about(long)) == [])
        #expect(try refusals(Self.statement(), about(long, .failed)) == ["the result is FAILED, not PASSED"])
        #expect(try refusals(Self.statement(), about(different, .failed)) == [])
        // A wrong digest beside a right one: no pass, and a failure all the same.
        for algorithm: DigestAlgorithm in [.sha256, .sha512] {
            var mixed = different
            mixed[.sha256] = Text(String(repeating: "f", count: 64))
            mixed[algorithm] = expectations.subject?[algorithm]
            #expect(try refusals(about(mixed)).map { $0.hasPrefix("it is not about this artifact") } == [true])
            #expect(try refusals(Self.statement(), about(mixed, .failed)) == ["the result is FAILED, not PASSED"])
            #expect(try refusals(about(mixed, .failed), Self.statement()) == ["the result is FAILED, not PASSED"])
        }
        #expect(try refusals(about(different)).map { $0.hasPrefix("it is not about this artifact") } == [true])
        // Nobody can tell: no pass, and no reason to pass over a failure.
        let untold = "whether it is about this artifact cannot be told"
        #expect(try refusals(about(unknown)).map { $0.hasPrefix(untold) } == [true])
        #expect(try refusals(about(unknown), Self.statement()) == [])
        #expect(try refusals(Self.statement(), about(unknown, .failed)).map { $0.hasPrefix(untold) } == [true, false])
    }

    @Test func `what is no summary is refused`() {
        #expect(throws: MetadataError.self) { try Self.refusals(Self.statement(type: "https://example.org/x")) }
        var other = Self.statement()
        other.predicate["verificationResult"] = "passed"
        #expect(throws: MetadataError.self) { try Self.refusals(other) }
        for member: Text in ["verifier", "resourceUri", "policy", "verifiedLevels", "verificationResult"] {
            var less = Self.statement()
            less.predicate[member] = nil
            #expect(throws: MetadataError.self, "\(member)") { try Self.refusals(less) }
        }
    }

    @Test(arguments: [
        ("SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_1", true), ("SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_2", true),
        ("SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_3", false), ("SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_1", false),
        ("OTHER_BUILD_LEVEL_2", "OTHER_BUILD_LEVEL_1", false), ("SLSA_BUILD_STEP_2", "SLSA_BUILD_STEP_1", false),
        ("SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_", false), ("anything", "anything", true),
        ("anything", "other", false),
        ("SLSA_BUILD_LEVEL_+3", "SLSA_BUILD_LEVEL_2", false), ("SLSA_BUILD_LEVEL_003", "SLSA_BUILD_LEVEL_2", false),
        ("SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_+2", false), ("SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_-1", false),
        ("SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_0", true), ("SLSA_BUILD_LEVEL_10", "SLSA_BUILD_LEVEL_9", true),
        ("SLSA_BUILD_LEVEL_UNEVALUATED", "SLSA_BUILD_LEVEL_0", false),
    ])
    func `a level covers the lower ones of its track`(level: String, wanted: String, isCovered: Bool) throws {
        let refusals = try Self.refusals(Self.statement([Text(level)])) { $0.levels = [Text(wanted)] }
        #expect((refusals == 0) == isCovered)
    }
}
