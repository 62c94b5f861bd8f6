import Foundation
import InTotoArtifacts
import InTotoMetadata
import SystemPackage
import TestSupport
import Testing

/// Python's recording of a tree with links, a pipe, twins in NFC and NFD, and a dangling link.
@Suite(.temporaryDirectory) struct RecordingVectorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let references: [String]
        let excludes: [String]?
        let strip: [String]
        let base: String
        let normalizesLineEndings: Bool
        /// Names and sha256, sorted; nil where Python fails.
        let recorded: [Recorded]?

        var testDescription: String { name }
    }

    struct Recorded: Sendable {
        let name: Text
        let sha256: String
    }

    /// Where we differ on purpose, and how.
    static let differences: [String: String] = [
        "absolute path": "the path is of the machine that made the vectors; tested with our own",
        "missing path is skipped": "an error with us, unless that is allowed",
        "broken symlink as argument": "an error with us",
        "fifo as argument": "an error with us",
        "lstrip without slash": "we strip whole components, so no slash stays in front",
        "lstrip overlapping prefixes": "the longest prefix wins with us",
        "lstrip exact name": "an error with us: nothing is left of the name",
        "file: scheme": "our names carry no 'file:'",
        "file: scheme with dir": "our names carry no 'file:'",
        "unknown scheme": "a plain path with us too, and missing is an error",
        "dir: scheme": "under dirHash with us; values compared in their own test",
        "dir: scheme no excludes": "under dirHash with us; values compared in their own test",
        "dir: empty": "under dirHash with us; values compared in their own test",
        "dir: trailing slash": "under dirHash with us, and our name has no trailing slash",
        "exclude .*": "Python lets '.*' exclude '.' itself; git, and we, only what is below",
        "exclude ?.txt": "a question mark is one byte in git, and with us, but one character in Python",
        "exclude *": "the same result with us, by excluding each entry",
        "exclude #hash": "an error with us: it hides nothing, being a comment",
        "exclude ": "an error with us: it hides nothing",
    ]

    /// With our own reader: Foundation's would make one name of the NFC and NFD twins.
    static func cases() throws -> [Case] {
        guard case .array(let all) = try JSONReader.read(try Vectors.bytes("recording/cases.json")) else { return [] }
        return all.compactMap { entry in
            guard let options = entry.member("options"), let python = entry.member("python") else { return nil }
            let recorded = python.member("ok")?.members.map { member in
                Recorded(name: member.name, sha256: member.value.member("sha256")?.string ?? "")
            }
            return Case(
                name: entry.member("name")?.string ?? "", references: entry.member("uris")?.strings ?? [],
                excludes: options.member("exclude_patterns")?.strings,
                strip: options.member("lstrip_paths")?.strings ?? [], base: options.member("base_path")?.string ?? "",
                normalizesLineEndings: options.member("normalize_line_endings") == .bool(true),
                recorded: recorded?.sorted { $0.name < $1.name }
            )
        }
    }

    private static func unpacked() throws -> Tree {
        let tree = try Tree()
        try tree.shell("tar xf '\(Vectors.url("recording/tree.tar").path)' --no-same-owner; [ -e fifo ] || mkfifo fifo")
        return tree
    }

    private static func take(_ vector: Case, in tree: Tree) throws -> SnapshotResult {
        var options = tree.options
        options.base = options.base.appending(vector.base)
        options.exclusions = vector.excludes == nil ? .python : .none
        for pattern in vector.excludes ?? [] { try options.exclusions.append(Array(pattern.utf8)) }
        options.stripPrefixes = vector.strip.map { Array($0.utf8) }
        options.lineEndings = vector.normalizesLineEndings ? .normalized : .verbatim
        return try Snapshot.take(
            of: vector.references.map { try ArtifactReference(parsing: $0.utf8) }, options: options)
    }

    @Test func `we record what Python records, apart from the listed differences`() throws {
        let tree = try Self.unpacked()
        var compared = 0
        for vector in try Self.cases() where Self.differences[vector.name] == nil {
            guard let recorded = vector.recorded else {
                #expect(throws: SnapshotError.self, "\(vector.name)") { try Self.take(vector, in: tree) }
                compared += 1
                continue
            }
            let result = try Self.take(vector, in: tree)
            #expect(result.artifacts.map(\.name.text) == recorded.map(\.name), "\(vector.name)")
            let digests = result.artifacts.map { $0.digests[.sha256]?.description ?? "" }
            #expect(digests == recorded.map(\.sha256), "\(vector.name)")
            compared += 1
        }
        print("compared \(compared) recordings with Python's")
        #expect(compared == 57 - Self.differences.count)
    }

    @Test func `where we differ, we differ as listed`() throws {
        let tree = try Self.unpacked()
        func names(_ name: String) throws -> [String]? {
            let vector = try #require(try Self.cases().first { $0.name == name })
            do { return try Self.take(vector, in: tree).names } catch is SnapshotError { return nil }
        }
        for name in ["missing path is skipped", "broken symlink as argument", "fifo as argument", "lstrip exact name"] {
            #expect(try names(name) == nil)
        }
        #expect(try names("lstrip without slash") == ["b.txt", "sub/d.py"] + ["up-link"])
        #expect(try names("file: scheme") == ["a.txt"])
        #expect(try names("exclude *") == [])
        #expect(try names("exclude ?.txt")?.contains("\u{E9}.txt") == true)
        #expect(try names("exclude .*")?.isEmpty == false)
        #expect(try names("unknown scheme") == nil)
    }

    @Test(arguments: ["dir: scheme", "dir: scheme no excludes", "dir: empty", "dir: trailing slash"])
    func `dirHash has the value that Python writes as sha256`(name: String) throws {
        let tree = try Self.unpacked()
        let vector = try #require(try Self.cases().first { $0.name == name })
        let value = try #require(vector.recorded?.first?.sha256)
        #expect(try Self.take(vector, in: tree).artifacts.map { $0.digests[.dirHash]?.description } == [value])
    }
}

extension JSONValue {
    fileprivate var members: [JSONObject.Member] {
        if case .object(let object) = self { object.members } else { [] }
    }

    fileprivate func member(_ name: Text) -> JSONValue? { members.first { $0.name == name }?.value }

    fileprivate var string: String? {
        if case .string(let text) = self { text.description } else { nil }
    }

    fileprivate var strings: [String] {
        if case .array(let elements) = self { elements.compactMap(\.string) } else { [] }
    }
}
