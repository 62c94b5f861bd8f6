import InTotoMetadata
import Testing

@Suite struct ArtifactSetTests {
    static func digest(_ number: Int) -> DigestSet { DigestSet(.sha256, Text(String(number, radix: 16))) }

    @Test func `artifacts stand in byte order of their names, whatever order they came in`() throws {
        let names: [ArtifactName] = ["", "A", "a", "a/b", "a0", "e\u{301}", "\u{E9}", "\u{FFEE}", "\u{1F600}"]
        let numbered = names.enumerated().map { Artifact(name: $1, digests: Self.digest($0)) }
        var generator = SeededGenerator(seed: 8)
        for _ in 0..<20 {
            let set = try ArtifactSet(numbered.shuffled(using: &generator))
            #expect(Array(set) == numbered)
            #expect(set.map(\.name) == names)
        }
    }

    @Test func `a name that stands twice is refused`() throws {
        let twice = [Artifact(name: "b", digests: Self.digest(1)), Artifact(name: "a", digests: Self.digest(1))]
        _ = try ArtifactSet(twice)
        #expect(throws: ArtifactSetError.self) {
            try ArtifactSet(twice + [Artifact(name: "b", digests: Self.digest(1))])
        }
        #expect {
            try ArtifactSet(twice + [Artifact(name: "a", digests: Self.digest(2))])
        } throws: { error in
            "\(error)" == "two artifacts are named 'a'"
        }
    }

    @Test func `spellings of one character are two artifacts`() throws {
        let set = try ArtifactSet([
            Artifact(name: "\u{E9}", digests: Self.digest(1)), Artifact(name: "e\u{301}", digests: Self.digest(2)),
        ])
        #expect(set["\u{E9}"] == Self.digest(1))
        #expect(set["e\u{301}"] == Self.digest(2))
    }

    @Test func `digests are found by name`() throws {
        let empty = ArtifactSet()
        #expect(empty.isEmpty && empty["a"] == nil)
        let names = (0..<100).map { "f\($0 * 2)" }
        let set = try ArtifactSet(
            names.enumerated().map { Artifact(name: ArtifactName(Text($1)), digests: Self.digest($0)) })
        for (number, name) in names.enumerated() { #expect(set[ArtifactName(Text(name))] == Self.digest(number)) }
        for absent: ArtifactName in ["", "f", "f1", "f00", "f0/", "zzz"] { #expect(set[absent] == nil) }
    }

    @Test func `equality does not depend on how a set was made`() throws {
        var both = Self.digest(1)
        both[.sha512] = "b"
        let a = Artifact(name: "a", digests: both)
        let b = Artifact(name: "b", digests: DigestSet(.sha512, "c"))
        let set = try ArtifactSet([a, b])
        #expect(set == (try ArtifactSet([b, a])))
        #expect(set.hashValue == (try ArtifactSet([b, a])).hashValue)
        #expect(set != (try ArtifactSet([a])))
        #expect(set != (try ArtifactSet([a, Artifact(name: "b", digests: DigestSet(.sha384, "c"))])))
        #expect(set != (try ArtifactSet([a, Artifact(name: "b", digests: DigestSet(.sha512, "d"))])))
        #expect(set != (try ArtifactSet([a, Artifact(name: "c", digests: DigestSet(.sha512, "c"))])))
    }

    @Test func `a hundred thousand artifacts`() throws {
        let count = 100_000
        var generator = SeededGenerator(seed: 9)
        var builder = ArtifactSet.Builder()
        for number in (0..<count).shuffled(using: &generator) {
            builder.append(ArtifactName(Text("dir/\(number)")), Self.digest(number))
        }
        let set = try builder.finish()
        #expect(set.count == count)
        for number in stride(from: 0, to: count, by: 997) {
            #expect(set[ArtifactName(Text("dir/\(number)"))] == Self.digest(number))
        }
        #expect(zip(set, set.dropFirst()).allSatisfy { $0.name < $1.name })
    }

    @Test func `a thousand different algorithms, in one artifact or in many`() throws {
        var digests = DigestSet()
        for number in 0..<1_000 { digests[DigestAlgorithm(Text("algorithm\(number)"))] = Text("\(number)") }
        let one = try ArtifactSet([Artifact(name: "a", digests: digests)])
        #expect(one["a"] == digests)
        #expect(digests.entries.count == 1_000)

        let many = try ArtifactSet(
            (0..<1_000).map { number in
                let digests = DigestSet(DigestAlgorithm(Text("algorithm\(number)")), Text("\(number)"))
                return Artifact(name: ArtifactName(Text("\(number)")), digests: digests)
            })
        #expect(many["777"]?[DigestAlgorithm("algorithm777")] == "777")
    }

    @Test func `random sets give back what they were made of`() throws {
        var generator = SeededGenerator(seed: 10)
        let names = try naughtyStrings()
        for _ in 0..<50 {
            let set = try generator.artifacts(count: 40, names: names)
            #expect(try ArtifactSet(Array(set).reversed()) == set)
            for artifact in set { #expect(set[artifact.name] == artifact.digests) }
        }
    }
}
