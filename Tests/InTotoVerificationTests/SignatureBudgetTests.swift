import InTotoCrypto
import InTotoMetadata
import SystemPackage
import TestSupport
import Testing

@testable import InTotoVerification

/// How much work strangers can make of checking what they hand in.
@Suite(.temporaryDirectory) struct SignatureBudgetTests {
    @Test func `files with hundreds of signatures for hundreds of keys are not tried`() throws {
        let keys = try (0..<256).map { _ in try PrivateKey.generate(.ed25519).publicKey }
        var chain = try TestChain()
        var objects = JSONObject()
        for key in keys { objects[key.keyID(.python).text] = .object(key.keyObject) }
        guard case .object(var step) = try TestChain.step("build", []) else { return }
        step["pubkeys"] = .array(keys.map { .string($0.keyID(.python).text) })
        chain.layout["keys"] = .object(objects)
        chain.layout["steps"] = .array([.object(step)])
        var envelope = try TestChain.envelope(TestChain.link("build"), by: [])
        envelope.signatures = (0..<256).map { _ in Signature(keyID: KeyID("x"), bytes: Array(repeating: 1, count: 64)) }
        let bytes = try JSONWriter.bytes(.compact) { envelope.write(to: &$0) }
        chain.files = ["build.00000000.link": bytes]
        #expect(try chain.verify().findings()[0].contains("would cost too much"))
        chain.files = ["x.intoto.jsonl": bytes]
        let other = try chain.verify().layout.otherEvidence.first.map(\.description)
        #expect(other.first?.contains("would cost too much") == true)
    }

    @Test func `checking signatures has a price, and the price a limit`() throws {
        let keys = try (0..<16).map { _ in try PrivateKey.generate(.ed25519).publicKey }
        var envelope = Envelope(payload: [])
        envelope.signatures = (0..<256).map { _ in Signature(keyID: KeyID(""), bytes: []) }
        let metadata = SignedMetadata.envelope(envelope)
        // 4096 trials of (15 + 1) MiB cost 64 GiB.
        #expect(SignatureBudget(bytes: 0).allows(metadata, size: 15 << 20, keys))
        #expect(!SignatureBudget(bytes: 0).allows(metadata, size: 15 << 20 + 1, keys))
        #expect(!SignatureBudget(bytes: 0).allows(metadata, size: Int.max / 2048, keys))
        let budget = SignatureBudget(bytes: 0)
        #expect(budget.allows(metadata, size: 8 << 20, keys))
        #expect(!budget.allows(metadata, size: 8 << 20, keys))
        #expect(budget.allows(metadata, size: 1 << 20, keys))
        // A signature that names its key is tried with that one.
        envelope.signatures = (0..<256).map { _ in Signature(keyID: keys[0].keyID(.python), bytes: []) }
        #expect(SignatureBudget(bytes: 0).allows(.envelope(envelope), size: 15 << 20 + 1, keys))
    }

    @Test func `reading evidence and looking for chains have limits, too`() {
        let budget = SignatureBudget(bytes: 10)
        #expect(budget.allowsReading(4) && !budget.allowsReading(7) && budget.allowsReading(6))
        #expect(!budget.allowsReading(1) && budget.allowsReading(0))
        // 4096 chains of 16 MiB cost 64 GiB.
        #expect(SignatureBudget().allowsChains(64, intermediates: 63))
        #expect(!SignatureBudget().allowsChains(64, intermediates: 64))
    }

    @Test func `whose signature it is, of those who may not do the step, is looked for as far as that goes`() throws {
        let chain = try TestChain()
        let layout = try Layout(json: chain.layout)
        let functionaries = Functionaries(layout)
        let time = try #require(UTCTime("2030-01-01T00:00:00Z"))
        let envelope = try TestChain.envelope(TestChain.link("build"), by: [.bob])
        let found = FoundEvidence(
            reference: EvidenceReference(path: "x", envelope: nil, sha256: ""), content: .success(.envelope(envelope)),
            file: "x")
        // One trial with the key of who may do the step, and one with the key that the signature names.
        for (trials, isNamed) in [(2, true), (1, false)] {
            let budget = SignatureBudget()
            #expect(budget.allowsTrials(65_536 - trials, size: 0))
            let judge = EvidenceJudge(functionaries, layout.steps[0], at: time, VerificationPolicy(), budget)
            switch try judge.judge(found, isAlone: true) {
            case .failure(.unlisted(let signers)): #expect(isNamed && signers.count == 1)
            case .failure(.notSigned): #expect(!isNamed)
            case let other: Issue.record("\(other)")
            }
        }
    }
}
