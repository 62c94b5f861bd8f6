import InTotoArtifacts
import InTotoMetadata
import Testing

@Suite struct ArtifactDifferenceTests {
    private static func set(_ artifacts: [(ArtifactName, DigestSet)]) throws -> ArtifactSet {
        try ArtifactSet(artifacts.map { Artifact(name: $0.0, digests: $0.1) })
    }

    /// A digest of full length: shorter ones vouch for nothing.
    private func sha256(_ pair: String) -> DigestSet { DigestSet(.sha256, Text(String(repeating: pair, count: 32))) }

    @Test func `sets are compared by name and digest`() throws {
        let first = try Self.set([
            ("a", sha256("aa")), ("b", sha256("bb")), ("c", sha256("cc")),
            ("e", DigestSet(DigestAlgorithm("md5"), "ee")), ("z", sha256("00")),
        ])
        let second = try Self.set([
            ("b", sha256("BB")), ("c", sha256("cd")), ("d", sha256("dd")),
            ("e", DigestSet(DigestAlgorithm("md5"), "ee")), ("y", sha256("00")),
        ])
        let difference = ArtifactDifference(first, second)
        #expect(difference.onlyInFirst == ["a", "z"])
        #expect(difference.onlyInSecond == ["d", "y"])
        #expect(difference.different.map(\.name) == ["c"])
        #expect(difference.incomparable.map(\.name) == ["e"])
        #expect(!difference.isEmpty)
    }

    @Test func `a set does not differ from itself, and everything is missing from an empty one`() throws {
        let set = try Self.set([("a", sha256("aa"))])
        #expect(ArtifactDifference(set, set).isEmpty)
        #expect(ArtifactDifference(set, ArtifactSet()).onlyInFirst == ["a"])
        #expect(ArtifactDifference(ArtifactSet(), set).onlyInSecond == ["a"])
    }
}
