import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// What the verdict as JSON has of evidence, names and rules: all that the text for people has.
@Suite(.temporaryDirectory) struct VerifyJSONTests {
    typealias Chain = VerifyTests.Chain

    /// The only step, as the JSON has it.
    private static func step(_ chain: Chain) throws -> [String: Any] {
        let result = try chain.verify("--json")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
        let layout = try #require(object["layout"] as? [String: Any])
        return try #require((layout["steps"] as? [[String: Any]])?.first)
    }

    private static func digests(_ digit: Character) -> [String: String] {
        ["sha256": String(repeating: digit, count: 64)]
    }

    @Test func `who else signed a piece of evidence is there, and that it is a copy`() throws {
        let chain = try Chain.handmade(threshold: 2)
        try chain.add(by: "alice.pem", "bob.pem")
        try chain.add(by: "bob.pem", "alice.pem")
        try chain.add(by: "carl.pem")
        let evidence = try #require(try Self.step(chain)["evidence"] as? [[String: Any]])
        func shown(_ finding: [String: Any]) throws -> [String] {
            let cosigners = try #require(finding["cosigners"] as? [[String: Any]])
            #expect(finding["identity"] == nil && cosigners.allSatisfy { $0["identity"] == nil })
            let people = [finding["functionary"] as? String] + cosigners.map { $0["functionary"] as? String }
            return people.compactMap(\.self).sorted()
        }
        let pair = try ["alice.pem", "bob.pem"].map { try chain.key($0).keyID(.python).description }.sorted()
        let carl = try chain.key("carl.pem").keyID(.python).description
        let counted = try evidence.filter { $0["standing"] as? String == "counted" }.map(shown)
        #expect(counted.count == 2 && counted.contains(pair) && counted.contains([carl]), "\(evidence)")
        let copies = evidence.filter { $0["isCopy"] as? Bool == true }
        #expect(try copies.map(shown) == [pair] && copies[0]["standing"] as? String == "additional", "\(evidence)")
    }

    @Test func `whose key it is that a certificate vouches for is there`() throws {
        let folder = Vectors.url("x509/accepted-exact").path
        let result = try IntotoRun().run(
            ["verify", "-l", "\(folder)/root.layout", "--link-dir", folder, "--json"]
                + ["--verification-keys", Vectors.url("keys/rsa-2048.spki.pem").path])
        #expect(result.status == 0, "\(result.outputText)\(result.errorText)")
        let identity = #""identity": "bob@example.invalid, spiffe://example.invalid/builder""#
        #expect(result.outputText.contains(identity), "\(result.outputText)")
    }

    @Test func `names that a link spells otherwise, and why a MATCH is empty, are there`() throws {
        var chain = try Chain.handmade(threshold: 1)
        chain.layout["inspect"] = [Chain.inspection("look", ["true"])]
        func match(_ source: String) -> [String] { ["MATCH", "*", "WITH", "PRODUCTS", "FROM", source] }
        try chain.change(
            "expected_products", to: [match("none"), match("look"), ["ALLOW", "out"], ["ALLOW", "plain"]])
        try chain.add(
            by: "alice.pem",
            products: ["a/../out": Self.digests("a"), "./rest": Self.digests("b"), "plain": Self.digests("c")])
        let products = try #require(try Self.step(chain)["products"] as? [String: Any])
        let rules = try #require(products["rules"] as? [[String: Any]])
        #expect(rules.map { $0["missingSource"] as? String } == ["unknown", "not-run-yet", nil, nil])
        #expect(rules.map { $0["written"] == nil } == [true, true, false, true])
        #expect(rules[2]["written"] as? [[String: String]] == [["name": "out", "written": "a/../out"]])
        #expect(products["unconsumed"] as? [String] == ["rest"])
        #expect(products["written"] as? [[String: String]] == [["name": "rest", "written": "./rest"]])
    }

    @Test func `links that disagree are told apart by their digests, and the command is not lost`() throws {
        let chain = try Chain.handmade(threshold: 1, command: ["make"])
        try chain.add(by: "alice.pem", products: ["out": Self.digests("a")], command: ["make"])
        try chain.add(by: "bob.pem", products: ["out": Self.digests("b")], command: ["make"])
        let step = try Self.step(chain)
        #expect(step["command"] as? [String] == ["make"])
        let message = try #require((step["problems"] as? [[String: Any]])?.first?["message"] as? String)
        #expect(message.contains("'out' among the products has different digests: one says sha256:"), "\(message)")
        for digit: Character in ["a", "b"] {
            #expect(message.contains("sha256:\(String(repeating: digit, count: 64))"), "\(message)")
        }
        let explained = try chain.verify("--explain").outputText
        #expect(explained.contains("    command: make\n") && !explained.contains("expected command"), "\(explained)")

        // No command is one that is not expected.
        _ = try chain.run.shell("rm links/*")
        try chain.add(by: "alice.pem")
        let none = try chain.verify("--explain").outputText
        #expect(none.contains("    command: none\n    expected command: make\n"), "\(none)")
    }
}
