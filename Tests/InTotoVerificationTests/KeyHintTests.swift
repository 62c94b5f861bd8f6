import InTotoCrypto
import InTotoMetadata
import InTotoVerification
import TestSupport
import Testing

/// A key id says where to look and never decides, in files and bundles alike.
@Suite(.temporaryDirectory) struct KeyHintTests {
    private static let link = TestChain.link("build", products: ["out": "a"])

    /// Signatures by the first of each pair, under the key id of the second.
    private static func signed(
        _ payload: JSONValue, _ signers: [(TestChain.Person, TestChain.Person)]
    ) throws -> [UInt8] {
        var envelope = try TestChain.envelope(payload, by: signers.map(\.0))
        for (index, signer) in signers.enumerated() {
            envelope.signatures[index] = Signature(
                keyID: try signer.1.keyID, bytes: envelope.signatures[index].bytes)
        }
        return try JSONWriter.bytes(.compact) { envelope.write(to: &$0) }
    }

    private static func names() throws -> [String] {
        [try TestChain.fileName("build", TestChain.Person.alice.keyID), "x.intoto.jsonl"]
    }

    @Test func `a link under another's key id counts for whom signed it`() throws {
        for listed: [TestChain.Person] in [[.alice], [.alice, .bob]] {
            for name in try Self.names() {
                var chain = try TestChain(steps: [TestChain.step("build", listed)])
                chain.files[name] = try Self.signed(Self.link, [(.alice, .bob)])
                let verdict = try chain.verify()
                #expect(verdict.outcome == .passed, "\(name): \(verdict.text)")
                let label = try TestChain.Person.alice.keyID.description
                #expect(verdict.findings()[0].contains("counts for '\(label)'"), "\(verdict.findings())")
                // By whom nobody lists, it counts under nobody's.
                chain.files[name] = try Self.signed(Self.link, [(.stranger, .alice)])
                #expect(try chain.problems() == ["threshold"])
                chain.files[name] = try Self.signed(Self.link, [(.carl, .alice)])
                #expect(try chain.verify().problems.map(\.code) == ["threshold"])
            }
        }
    }

    @Test func `one that is named rightly beside it does not keep it from counting`() throws {
        for name in try Self.names() {
            var chain = try TestChain(steps: [TestChain.step("build", [.carl])])
            chain.files[name] = try Self.signed(Self.link, [(.alice, .alice), (.carl, .bob)])
            let verdict = try chain.verify()
            #expect(verdict.outcome == .passed, "\(name): \(verdict.text)")
        }
    }

    @Test func `the owners' signatures on a layout are found under any key ids, too`() throws {
        var chain = try TestChain()
        try chain.add(TestChain.link("build"), by: .alice)
        chain.owners = [.owner, .carl]
        chain.layoutKeyIDs = [try TestChain.Person.carl.keyID, try TestChain.Person.owner.keyID]
        for (people, problems): ([TestChain.Person], [String]) in [
            ([.owner, .carl], []), ([.owner, .owner], ["layout-signature"]), ([.owner, .bob], ["layout-signature"]),
        ] {
            chain.signedBy = people
            #expect(try chain.problems() == problems)
        }
    }

    @Test func `who checks signatures is asked before the keys are tried that one does not name`() throws {
        let link = Link(name: try StepName("build"))
        var envelope = Envelope(payload: try JSONWriter.bytes(.compact) { link.write(to: &$0) })
        let message = Envelope.preAuthenticationEncoding(payloadType: envelope.payloadType, payload: envelope.payload)
        let (alice, bob) = (try TestChain.Person.alice.key, try TestChain.Person.bob.key.publicKey)
        envelope.signatures = [try KeyFileSigner(alice, keyID: bob.keyID(.python)).signature(over: message)]
        let metadata = SignedMetadata.envelope(envelope)
        let keys = [alice.publicKey, bob]
        var asked: [Int] = []
        let found = try metadata.authenticated(by: keys) {
            asked.append($0)
            return true
        }
        #expect(found.signedBy == [alice.publicKey] && asked == [1])
        #expect(throws: AuthenticationError.self) { try metadata.authenticated(by: keys) { _ in false } }
        #expect(try metadata.authenticated(by: keys).signedBy == [alice.publicKey])
    }
}
