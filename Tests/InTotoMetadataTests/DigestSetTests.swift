import InTotoMetadata
import Testing

@Suite struct DigestSetTests {
    static let a = Text(String(repeating: "a1", count: 32))
    static let b = Text(String(repeating: "b2", count: 32))
    static let twice = Text("\(a)\(a)")
    static let notHex = Text(String(repeating: "x", count: 64))

    static func set(_ entries: (DigestAlgorithm, Text)...) -> DigestSet {
        var set = DigestSet()
        for (algorithm, value) in entries { set[algorithm] = value }
        return set
    }

    static let table: [(DigestSet, DigestSet, DigestSet.Comparison)] = [
        (set((.sha256, a)), set((.sha256, a)), .same),
        (set((.sha256, a)), set((.sha256, Text(a.description.uppercased()))), .same),
        (set((.sha256, a)), set((.sha256, b)), .different),
        (set((.sha256, a)), set((.sha512, a)), .incomparable),
        (set(), set(), .incomparable),
        (set((.sha256, a)), set(), .incomparable),
        // Weak and unknown algorithms cannot vouch, but they can contradict.
        (set((DigestAlgorithm("sha1"), a)), set((DigestAlgorithm("sha1"), a)), .incomparable),
        (set((DigestAlgorithm("sha1"), a)), set((DigestAlgorithm("sha1"), b)), .different),
        (set((DigestAlgorithm("x"), "é")), set((DigestAlgorithm("x"), "é")), .incomparable),
        (set((.sha256, a), (DigestAlgorithm("md5"), a)), set((.sha256, a), (DigestAlgorithm("md5"), b)), .different),
        (set((.sha256, a), (.sha512, a)), set((.sha256, a), (.sha512, b)), .different),
        (set((.sha256, a), (.sha512, b)), set((.sha256, a)), .same),
        (set((.sha256, a), (.sha384, b)), set((.sha256, a), (.sha512, b)), .same),
        (set((.gitCommit, a)), set((.gitCommit, a)), .same),
        (set((DigestAlgorithm("SHA256"), a)), set((.sha256, a)), .incomparable),
        // Equal texts that are no digest say nothing.
        (set((.sha256, "")), set((.sha256, "")), .incomparable),
        (set((.sha256, "unknown")), set((.sha256, "unknown")), .incomparable),
        (set((.sha256, "abcd")), set((.sha256, "abcd")), .incomparable),
        (set((.sha256, notHex)), set((.sha256, notHex)), .incomparable),
        (set((.sha256, twice)), set((.sha256, twice)), .incomparable),
        (set((.sha256, twice)), set((.sha256, Text("\(a)\(b)"))), .different),
        (set((DigestAlgorithm("x"), a)), set((DigestAlgorithm("x"), a)), .incomparable),
        (set((.sha256, "")), set((.sha256, a)), .different),
    ]

    @Test(arguments: table.indices)
    func `sets are the same where a strong digest is shared and nothing contradicts`(row: Int) throws {
        let (a, b, expected) = Self.table[row]
        #expect(a.compare(with: b) == expected)
        #expect(b.compare(with: a) == expected)
        // Among artifacts, too, where they are compared without being taken out.
        let (first, second) = try (
            ArtifactSet([Artifact(name: "a", digests: a)]), ArtifactSet([Artifact(name: "a", digests: b)])
        )
        #expect(first.compareDigests(at: 0, with: second, at: 0) == expected)
    }

    @Test func `an algorithm stands once, in order of names`() {
        var set = Self.set((.sha512, "5"), (.sha256, "2"), (.gitBlob, "b"))
        #expect(set.entries.map(\.algorithm) == [.gitBlob, .sha256, .sha512])
        set[.sha256] = "3"
        #expect(set[.sha256] == "3")
        #expect(set.entries.count == 3)
        set[.sha256] = nil
        #expect(set[.sha256] == nil)
        #expect(set == Self.set((.gitBlob, "b"), (.sha512, "5")))
    }

    @Test func `more digests than anybody has are refused when read`() throws {
        func read(_ count: Int) throws(MetadataError) -> DigestSet {
            var object = JSONObject()
            for number in 0..<count { object[Text("x\(number)")] = "00" }
            return try DigestSet(json: .object(object), place: "a test")
        }
        #expect(try read(32).entries.count == 32)
        #expect(throws: MetadataError.self) { try read(33) }
        #expect(throws: MetadataError.self) { try DigestSet(json: ["sha256": 1], place: "a test") }
        #expect(throws: MetadataError.self) { try DigestSet(json: "sha256", place: "a test") }
    }

    @Test(arguments: [
        ("sha256", 64, true), ("sha256", 40, false), ("sha256", 63, false), ("sha256", 128, false),
        ("sha384", 96, true), ("sha384", 64, false), ("sha512", 128, true), ("sha512", 64, false),
        ("gitBlob", 40, true), ("gitBlob", 64, true), ("gitBlob", 48, false), ("blake2b", 128, true),
        ("sha1", 40, false), ("md5", 32, false),
    ])
    func `a digest is strong at its algorithm's own length`(name: String, digits: Int, isStrong: Bool) {
        let set = DigestSet(DigestAlgorithm(Text(name)), Text(String(repeating: "a", count: digits)))
        #expect(set.compare(with: set) == (isStrong ? .same : .incomparable))
    }
}
