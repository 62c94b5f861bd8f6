import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// What the page `Predicates` says of each type, tried on `attest`.
@Suite(.temporaryDirectory) struct PredicatePageTests {
    private static let page = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Sources/intoto-run/Documentation.docc/Predicates.md").standardized

    /// The text below each heading that is a type's name.
    private static func sections() throws -> [String: Substring] {
        let text = try String(contentsOf: page, encoding: .utf8)
        var sections: [String: Substring] = [:]
        for part in text.split(separator: "\n## `").dropFirst() {
            let name = part.prefix { $0 != "`" }
            sections[String(name)] = part.dropFirst(name.count + 1)
        }
        return sections
    }

    private static func section(of kind: KnownPredicate) throws -> Substring {
        try #require(try sections()[kind.rawValue], "\(kind.rawValue) has no section")
    }

    private static func example(of kind: KnownPredicate) throws -> JSONObject {
        let block = try #require(try section(of: kind).firstMatch(of: /(?s)\n```json\n(.*?)\n```\n/))
        guard case .object(let object) = try JSONReader.read(Array(block.1.utf8)) else {
            throw IntotoRun.SetupFailure(reason: "the example of \(kind.rawValue) is no object")
        }
        return object
    }

    /// What the line that begins so has in backticks.
    private static func words(_ section: Substring, _ beginning: Regex<Substring>) -> [String] {
        guard let line = section.firstMatch(of: beginning) else { return [] }
        return line.0.matches(of: /`([^`]+)`/).map { String($0.1) }
    }

    private static func attest(_ predicate: JSONObject, as kind: KnownPredicate) throws -> Subprocess {
        let run = IntotoRun()
        let bytes = try JSONWriter.bytes(.indented) { $0.object(predicate) }
        try run.write(String(decoding: bytes, as: UTF8.self), to: "predicate.json")
        return try run(
            "attest", "--overwrite", "--type", kind.rawValue, "--predicate", "predicate.json", "--subject", "app",
            "-k", "key.pem")
    }

    @Test func `every type has its section, and no section is of another`() throws {
        #expect(try Set(Self.sections().keys) == Set(KnownPredicate.allCases.map(\.rawValue)))
    }

    @Test(arguments: KnownPredicate.allCases)
    func `the example is signed, and not without a member that it needs`(kind: KnownPredicate) throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("binary\n", to: "app")
        let example = try Self.example(of: kind)
        let signed = try Self.attest(example, as: kind)
        #expect(signed.status == 0 && !signed.errorText.contains("warning"), "\(signed.errorText)")
        guard case .statement(let statement) = try SignedMetadata(run.read(run.file(endingIn: ".jsonl"))).payload()
        else { throw IntotoRun.SetupFailure(reason: "no statement was written") }
        #expect(statement.predicate == example)
        #expect(try Self.words(Self.section(of: kind), /- Type: .*/).first == "\(statement.predicateType)")

        // Of documents with a specification of their own, only the version is checked.
        let needed: [Text] =
            switch kind {
            case .spdx: ["spdxVersion"]
            case .cyclonedx: ["bomFormat", "specVersion"]
            case .testResult, .scai, .vsa, .provenance, .humanReview, .runtimeTrace, .vulns, .release, .svr,
                .reference:
                example.members.map(\.name)
            }
        for name in needed {
            var lacking = example
            lacking[name] = nil
            // Something that nobody asks for, so that it is not refused for being empty.
            lacking["x"] = 1
            let refused = try Self.attest(lacking, as: kind)
            #expect(refused.status == 2, "\(name)")
            #expect(refused.errorText.contains("the predicate has no member '\(name)'\n"), "\(refused.errorText)")
        }
    }

    @Test(arguments: KnownPredicate.allCases)
    func `the versions, and what is a yes, are those of the code`(kind: KnownPredicate) throws {
        let section = try Self.section(of: kind)
        let types = Self.words(section, /- Type: (?:.|\n )*/) + Self.words(section, /- Older: .*/)
        #expect(Set(types.filter { $0.contains("://") }) == Set(kind.types.map(\.description)))
        let parts = Self.words(section, /- Yes: [^;]*;/)
        #expect(parts == kind.result?.yes ?? [])
        #expect(Self.words(section, /; no: .*/) == kind.result?.no ?? [])
    }

    @Test func `the help's example is signed`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("binary\n", to: "app")
        let help = try run("attest", "--help").outputText
        #expect(help.contains("Predicates.md"))
        let line = try #require(help.split(separator: "\n").first { $0.hasPrefix("{") }, "\(help)")
        guard case .object(let example) = try JSONReader.read(Array(line.utf8)) else {
            throw IntotoRun.SetupFailure(reason: "the help's example is no object")
        }
        #expect(try Self.attest(example, as: .testResult).status == 0)
    }
}
