import Foundation
import InTotoFunctionary
import InTotoMetadata
import TestSupport
import Testing

/// For each CI system the variables that it documents, with values as they are there, and what is recorded of them.
@Suite(.temporaryDirectory) struct CIRecordTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/ci")

    static let fixtures: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".env") }.map { String($0.dropLast(4)) }.sorted()
    }()

    private static func variables(of fixture: String) throws -> [String: String] {
        let text = try String(contentsOf: folder.appending(path: "\(fixture).env"), encoding: .utf8)
        return Dictionary(
            uniqueKeysWithValues: text.split(separator: "\n").map { line in
                let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (String(parts[0]), String(parts[1]))
            })
    }

    private func run(with variables: [String: String], _ options: [String] = []) throws -> Link {
        var run = IntotoRun()
        try run.makeKey()
        run.environment.merge(variables) { $1 }
        let result = try run.run(
            ["-q", "-k", "key.pem", "-n", "s", "--format", "link", "-m", "key.pem.pub"] + options + ["--", "true"])
        #expect(result.status == 0, "\(result.errorText)")
        return try Evidence.link(of: run)
    }

    @Test(arguments: fixtures) func `what a system says is recorded`(fixture: String) throws {
        let link = try run(with: Self.variables(of: fixture))
        guard case .object(let record)? = link.environment["ci"] else {
            throw IntotoRun.SetupFailure(reason: "no system was recognised")
        }
        #expect(record["system"] == .string(Text(String(fixture.prefix { $0 != "-" }))))
        let text = String(decoding: try JSONWriter.bytes(.indented) { $0.object(record) }, as: UTF8.self)
        try expectGolden(text + "\n", "ci/\(fixture).json")
        for secret in ["hunter2-in-the-url", "planted-tekton-secret", "glcbt-", "fabrikam@"] {
            #expect(!text.contains(secret))
        }
    }

    @Test func `every variable that is read has its fixture`() throws {
        for system in CISystem.all {
            let own = try Self.fixtures.filter { $0.prefix { $0 != "-" } == "\(system.name)" }
                .flatMap { try Self.variables(of: $0).keys }
            #expect(system.variables.subtracting(own) == [], "\(system.name)")
        }
        #expect(CISystem.all.count == 10)
    }

    @Test func `the documentation lists every variable that is read, and no other`() throws {
        let page = Self.folder.appending(path: "../../../../Sources/intoto-run/Documentation.docc/Environment.md")
        let text = try String(contentsOf: page.standardized, encoding: .utf8)
        for system in CISystem.all {
            let row = try #require(text.split(separator: "\n").first { $0.hasPrefix("| `\(system.name)` |") })
            let words = row.split(separator: "|").last?.split(separator: " ") ?? []
            #expect(Set(words.map { $0.filter { $0 != "`" } }) == system.variables, "\(system.name)")
        }
    }

    @Test(arguments: fixtures) func `--ci off records nothing of it`(fixture: String) throws {
        #expect(try run(with: Self.variables(of: fixture), ["--ci", "off"]).environment["ci"] == nil)
    }

    @Test(arguments: [
        [:], ["CI": "true"], ["GITHUB_ACTIONS": ""], ["GITHUB_ACTIONS": "false"], ["TF_BUILD": "0"],
        ["JENKINS_URL": "https://ci.example.com/"], ["GITHUB_SHA": "x", "CI_COMMIT_SHA": "y"],
    ]) func `elsewhere nothing is recorded`(variables: [String: String]) throws {
        #expect(try run(with: variables).environment["ci"] == nil)
    }

    @Test func `values that look secret, are too long or are no text are left out`() throws {
        let link = try run(with: [
            "GITHUB_ACTIONS": "true", "GITHUB_SHA": "ghp_0123456789abcdefghijABCDEFGHIJ012345",
            "GITHUB_JOB": String(repeating: "x", count: 1025), "GITHUB_REF": "refs/heads/main",
            "DEPLOY_TOKEN": "s3cr3t-value", "RUNNER_NAME": "on s3cr3t-value",
        ])
        #expect(
            link.environment["ci"] == ["system": "github", "ref": "refs/heads/main", "runner": "on ***"])
    }
}
