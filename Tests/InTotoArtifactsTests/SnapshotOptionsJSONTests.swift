import InTotoMetadata
import SystemPackage
import Testing

@testable import InTotoArtifacts

@Suite struct SnapshotOptionsJSONTests {
    private static func options() throws -> SnapshotOptions {
        var options = SnapshotOptions()
        options.base = "sub"
        options.exclusions = .standard
        try options.exclusions.append(Array("!x ".utf8) + [0xFF])
        options.symlinks = .record
        options.digests = [.sha512, .gitBlob]
        options.stripPrefixes = [Array("a/".utf8)]
        options.allowsMissing = true
        options.lineEndings = .normalized
        options.git.trustsOwner = true
        return options
    }

    @Test func `what is written is read`() throws {
        let options = try Self.options()
        let read = try #require(SnapshotOptions(json: options.json))
        #expect(read.base == options.base && read.exclusions == options.exclusions && read.symlinks == .record)
        #expect(read.digests == options.digests && read.stripPrefixes == options.stripPrefixes)
        #expect(read.allowsMissing && read.lineEndings == .normalized && read.git.trustsOwner)
        #expect(read.json == options.json && SnapshotOptions().json != options.json)
    }

    private static let wrong: [(Text, JSONValue)] = [
        ("allow-missing", 1), ("base", 1), ("digests", [1]), ("exclusions", ["x"]), ("git-trust-owner", "yes"),
        ("line-endings", "mixed"), ("strip-prefixes", "a"), ("symlinks", "never"), ("more", true),
    ]

    @Test(arguments: ["never", "Held"])
    func `a pattern with an unknown condition is not`(word: Text) throws {
        for (only, isKnown) in [("held", true), (word, false)] {
            var json = try Self.options().json
            json["exclusions"] = [["line": "x", "only": .string(only)]]
            #expect((SnapshotOptions(json: json) != nil) == isKnown)
        }
    }

    @Test(arguments: wrong)
    func `anything else is not`(name: Text, value: JSONValue) throws {
        var json = try Self.options().json
        json[name] = value
        #expect(SnapshotOptions(json: json) == nil)
    }
}
