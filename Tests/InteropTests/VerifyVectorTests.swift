import Foundation
import TestSupport
import Testing

/// Whole supply chains made by other implementations, through the built `verify`. Source: the folders' READMEs.
@Suite(.temporaryDirectory) struct VerifyVectorTests {
    struct Chain: Sendable, CustomStringConvertible {
        /// The folder in the vectors.
        var path: String
        var keys = ["ecdsa-p256.spki.pem"]
        /// A part of what the refusal has to say; nil: it is accepted.
        var refusal: String?

        var description: String { path }
    }

    /// Runs `verify` in a copy, as inspections write where they run.
    static func verify(_ chain: Chain, _ options: [String] = []) throws -> Subprocess {
        let run = IntotoRun()
        let copy = run.directory.appending(path: "copy-\(UUID().uuidString)")
        try FileManager.default.copyItem(at: Vectors.url(chain.path), to: copy)
        let before = try IntotoRun(in: copy).list()
        let keys = chain.keys.map { Vectors.url("keys/\($0)").path }
        let result = try IntotoRun(in: copy).run(
            ["verify", "-l", "root.layout", "--verification-keys"] + keys + options)
        // Nothing of ours is left behind; the inspection of the accepted chains unpacks an archive.
        let after = try IntotoRun(in: copy).list().filter { $0 != "demo-project" }
        #expect(after == before.filter { $0 != "demo-project" })
        return result
    }

    static func expectVerdict(_ chain: Chain, _ options: [String] = []) throws {
        let result = try verify(chain, options)
        guard let refusal = chain.refusal else {
            #expect(result.status == 0, "\(chain): \(result.outputText)\(result.errorText)")
            #expect(result.outputText.hasPrefix("accepted: root.layout"))
            return
        }
        #expect(result.status == 1, "\(chain): \(result.outputText)\(result.errorText)")
        #expect(result.outputText.contains(refusal), "\(chain): \(result.outputText)")
    }

    // MARK: Layouts in both containers

    static let accepted = [
        "layout-classic/accepted", "layout-dsse/accepted", "layout-classic-portable/accepted",
        "layout-dsse-portable/accepted",
    ].map { Chain(path: $0) }

    @Test(arguments: accepted)
    func `a chain that another implementation made is accepted`(chain: Chain) throws {
        try Self.expectVerdict(chain)
    }

    /// What each refusal says; the names are those of the folders.
    static let refusals = [
        "layout-expired": "the layout expired at 2020-01-01T00:00:00Z",
        "layout-edited-after-signing": "the layout is not believed",
        "layout-signed-by-stranger": "the layout is not believed",
        "layout-unsigned": "there are no signatures",
        "layout-one-of-two-owner-signatures": "valid signatures by 2 of the given keys are needed, 1 found",
        "link-missing": "step 'package' needs links from 1 functionary, found 0",
        "link-edited-after-signing": "step 'package' needs links from 1 functionary, found 0",
        "link-signed-by-unauthorized-key": "which the layout lists, but not for this step",
        "link-signed-by-unauthorized-key-renamed": "which the layout lists, but not for this step",
        "link-unsigned": "there are no signatures",
        "extra-material": "'demo-project/evil.sh'",
        "material-differs-from-product": "same path, other digest",
        "material-hash-algorithm-differs": "no strong digest in common",
        "modify-rule-not-met": "MODIFY does not cover it: it has the same digest before and after",
        "required-material-missing": "REQUIRE demo-project/foo.py, is not met",
        "threshold-not-met": "step 'test' needs links from 2 functionaries, found 1",
        "threshold-one-bad-signature": "step 'test' needs links from 2 functionaries, found 1",
        "threshold-links-disagree": "the links of step 'test' disagree",
        "final-product-tampered": "same path, other digest",
        "inspection-exit-code": "inspection 'untar' ended with status 1",
        "inspection-command-missing": "inspection 'untar' could not be run",
        "inspection-finds-extra-file": "'unexpected.txt'",
        "layout-truncated-json": "ends too early",
        "link-truncated-json": "ends too early",
        "layout-duplicate-step-names": "'clone' stands for two steps or inspections",
        "layout-inspection-name-equals-step": "'clone' stands for two steps or inspections",
        "layout-unknown-rule": "is no rule: it begins with none of",
        "layout-malformed-match-rule": "is no rule: MATCH has the form",
        "layout-bad-date-format": "'expires' of the layout is no time",
        "layout-impossible-date": "'expires' of the layout is no time",
        "layout-string-threshold": "'threshold' of step",
        "layout-nonhex-pubkey": "which is not hexadecimal",
        "layout-type-wrong": "unknown kind of metadata",
        "link-used-as-layout": "unknown kind of metadata 'link'",
    ]

    static let rejected = Result {
        try ["layout-classic", "layout-dsse"].flatMap { folder in
            let file = try Vectors.json("\(folder)/rejected/results.json")
            let results = try #require(file as? [String: [String: Any]])
            return try results.sorted { $0.key < $1.key }.map { name, result in
                let keys = try #require(result["verification_keys"] as? [String])
                let refusal = refusals[name] ?? "no refusal is expected for \(name)"
                return Chain(path: "\(folder)/rejected/\(name)", keys: keys, refusal: refusal)
            }
        }
    }

    @Test(arguments: (try? rejected.get()) ?? [])
    func `each manipulation of it is refused, and the refusal says which`(chain: Chain) throws {
        try Self.expectVerdict(chain)
    }

    // MARK: Where peers are lax. The verdicts are those of a strict verifier: what a README says it should do

    static let lax: [Chain] = [
        ("cross-step-replay", "the link is of step 'write-code'"),
        ("same-key-two-keyids", "the layout lists 1 distinct usable key for it"),
        ("threshold-zero", "'threshold' of step"), ("negative-threshold", "'threshold' of step"),
        ("no-steps", "neither steps nor inspections"),
        ("missing-terminal-disallow", nil),
        ("threshold-1-links-disagree", "the links of step 'build' disagree"),
        ("link-has-two-functionary-signatures", "needs links from 2 functionaries, found 1"),
        ("dsse-layout-without-expires", "no member 'expires'"),
        ("dsse-layout-empty-expires", "'expires' of the layout is no time"),
        ("dsse-layout-step-without-threshold", "no member 'threshold'"),
        ("dsse-layout-step-without-rules", "no member 'expected_command'"),
        ("dsse-layout-misspelled-rules-member", "unknown member 'expected_product'"),
        ("dsse-layout-threshold-true", "'threshold' of step"),
        ("dsse-layout-step-wrong-type", "is not 'step'"),
        ("dsse-layout-inspection-empty-run", "names no command"),
        ("dsse-layout-key-under-other-keyid", "not the label of the key"),
        ("dsse-layout-duplicate-pubkeys", "the layout lists 1 distinct usable key for it"),
        ("dsse-layout-private-key-inside", "holds a PRIVATE KEY"),
    ].map { Chain(path: "lax-in-peers/\($0)", refusal: $1) }

    @Test(arguments: lax)
    func `what other verifiers let pass is decided strictly`(chain: Chain) throws {
        try Self.expectVerdict(chain)
    }

    @Test func `a list of rules without an end is allowed, with a warning`() throws {
        let result = try Self.verify(Chain(path: "lax-in-peers/missing-terminal-disallow"))
        #expect(result.errorText.contains("do not end in DISALLOW *: 1 artifact was allowed by none"))
    }

    // MARK: Sublayouts and certificates

    static let sublayouts: [Chain] = [
        ("accepted", nil), ("accepted-dsse", nil),
        ("sublayout-wrong-signer", "step 'build' needs links from 1 functionary"),
        ("sublayout-expired", "the layout expired"),
        ("links-in-wrong-directory", "the links of the sublayout of step 'build'"),
    ].map { Chain(path: "sublayout/\($0)", refusal: $1) }

    static let certificates: [Chain] = [
        ("accepted-exact", nil), ("accepted-wildcards", nil), ("accepted-second-of-two", nil),
        ("rejected-common-name", "common name: wanted 'alice', found 'bob'"),
        ("rejected-empty-uris", "URIs: wanted none"),
        ("rejected-extra-expected-email", "email addresses: wanted"),
        ("rejected-root-id", "roots: wanted"),
        ("rejected-no-constraints", "the layout lists 0 distinct usable keys"),
        ("rejected-no-rootcas", "leads to no root of the layout"),
        ("roots-lists-subset", nil),
    ].map { Chain(path: "x509/\($0)", keys: ["rsa-2048.spki.pem"], refusal: $1) }

    @Test(arguments: sublayouts + certificates)
    func `sublayouts and certificates are decided`(chain: Chain) throws { try Self.expectVerdict(chain) }

    @Test func `every chain of the vectors has a verdict`() throws {
        let folders = try ["lax-in-peers", "sublayout"].map { folder -> [String] in
            let file = try Vectors.json("\(folder)/results.json")
            return try #require(file as? [String: Any]).keys.sorted()
        }
        #expect(Set(folders[0]) == Set(Self.lax.map { String($0.path.dropFirst("lax-in-peers/".count)) }))
        #expect(Set(folders[1]) == Set(Self.sublayouts.map { String($0.path.dropFirst("sublayout/".count)) }))
        let x509 = try #require(try Vectors.json("x509/results.json") as? [String: [String: Any]])
        // in-toto-golang is the model of these, and has the same verdicts.
        let verdicts = Self.certificates.map { (String($0.path.dropFirst("x509/".count)), $0.refusal == nil) }
        #expect(x509.mapValues { $0["golang_exit"] as? Int == 0 } == Dictionary(uniqueKeysWithValues: verdicts))
        let rejected = try Self.rejected.get()
        #expect(rejected.count == 58)
        let all = Self.accepted + rejected + Self.lax + Self.sublayouts + Self.certificates
        for folder in ["layout-classic", "layout-dsse", "lax-in-peers", "sublayout", "x509"] {
            let chains = all.filter { $0.path.hasPrefix(folder) }
            let count = chains.count { $0.refusal == nil }
            print("vectors: \(folder): \(chains.count) chains, \(count) accepted, \(chains.count - count) refused")
        }
        #expect(all.count == 96)
    }
}
