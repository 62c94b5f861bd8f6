import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

@Suite struct AuthenticationTests {
    static let links: [String] = ["classic-links", "dsse-links"].flatMap { folder in
        ["python", "golang", "golang-no-control-characters"].flatMap { maker in
            ((try? Vectors.list("\(folder)/\(maker)")) ?? []).map { "\(folder)/\(maker)/\($0)" }
        }
    }

    /// The key that the results name for a link.
    static func key(_ link: String) throws -> PublicKey {
        let parts = link.split(separator: "/", maxSplits: 1)
        let results = try #require(try Vectors.json("\(parts[0])/results.json") as? [String: [String: Any]])
        let name = try #require(results[String(parts[1])]?["key"] as? String)
        return try TestKeys.publicKey(name)
    }

    /// golang's DSSE payload is not JSON where a captured stream has a line feed: its signature is good all the same.
    static func hasBrokenPayload(_ link: String) -> Bool { link.hasPrefix("dsse-links/golang/") }

    @Test("links by Python and Go verify with their key and no other", arguments: links)
    func verifies(link: String) throws {
        let metadata = try SignedMetadata(try Vectors.bytes(link))
        let key = try Self.key(link)
        let check = try #require(try metadata.checkSignatures(by: [key]).first)
        guard case .valid(let signer) = check.outcome else {
            Issue.record("\(link) does not verify")
            return
        }
        #expect(signer == key)
        #expect(key.knownKeyIDs.contains(check.keyID))
        if Self.hasBrokenPayload(link) {
            expectFailure(metadata, [key]) { if case .metadata(.payloadJSON) = $0 { true } else { false } }
        } else {
            let authenticated = try metadata.authenticated(by: [key])
            #expect(authenticated.signedBy == [key])
            guard case .link = authenticated.payload else {
                Issue.record("\(link) holds no link")
                return
            }
        }
        let other = try TestKeys.publicKey("ed25519-carl")
        expectFailure(metadata, [other]) { if case .notEnoughSignatures(1, _) = $0 { true } else { false } }
        print("vectors: link \(link) verified")
    }

    @Test("any flipped bit of signature or payload makes the signature bad", arguments: links)
    func flipped(link: String) throws {
        let metadata = try SignedMetadata(try Vectors.bytes(link))
        let key = try Self.key(link)
        let signature = try #require(metadata.signatures.first)
        let message = try metadata.signedBytes()
        #expect(try key.isValid(signature: signature.bytes, over: message))
        var flips = 0
        for index in signature.bytes.indices {
            var bytes = signature.bytes
            bytes[index] ^= 1 << UInt8(index % 8)
            #expect(!(try key.isValid(signature: bytes, over: message)))
            flips += 1
        }
        for index in stride(from: 0, to: message.count, by: 7) {
            var bytes = message
            bytes[index] ^= 1 << UInt8(index % 8)
            #expect(!(try key.isValid(signature: signature.bytes, over: bytes)))
            flips += 1
        }
        for bytes in [[], Array(signature.bytes.dropLast()), signature.bytes + [0]] {
            #expect(!(try key.isValid(signature: bytes, over: message)))
        }
        print("vectors: \(link): \(flips) flipped bits and 3 wrong lengths rejected")
    }

    func expectFailure(
        _ metadata: SignedMetadata, _ keys: [PublicKey], threshold: Int = 1,
        sourceLocation: SourceLocation = #_sourceLocation, _ isExpected: (AuthenticationError) -> Bool
    ) {
        do {
            _ = try metadata.authenticated(by: keys, threshold: threshold)
            Issue.record("was believed", sourceLocation: sourceLocation)
        } catch {
            #expect(isExpected(error), "\(error)", sourceLocation: sourceLocation)
        }
    }
}

// MARK: Thresholds

extension AuthenticationTests {
    /// A link signed by each key under the given id.
    static func envelope(_ signers: [KeyFileSigner]) throws -> SignedMetadata {
        let link = Link(name: try StepName("build"))
        var envelope = Envelope(payload: try JSONWriter.bytes(.compact) { link.write(to: &$0) })
        let message = Envelope.preAuthenticationEncoding(payloadType: envelope.payloadType, payload: envelope.payload)
        envelope.signatures = try signers.map { try $0.signature(over: message) }
        return .envelope(envelope)
    }

    @Test func `a threshold counts distinct keys, not signatures, labels or repetitions`() throws {
        let alice = try TestKeys.privateKey("ed25519-alice")
        let bob = try TestKeys.privateKey("ed25519-bob")
        let twice = try Self.envelope(KeyIDConvention.allCases.map { KeyFileSigner(alice, convention: $0) })
        let both = try Self.envelope([KeyFileSigner(alice), KeyFileSigner(bob)])
        let keys = [alice.publicKey, bob.publicKey]
        #expect(try twice.checkSignatures(by: keys).count == 3)
        #expect(try twice.authenticated(by: keys).signedBy == [alice.publicKey])
        expectFailure(twice, keys, threshold: 2) { if case .notEnoughSignatures(2, _) = $0 { true } else { false } }
        #expect(try both.authenticated(by: keys, threshold: 2).signedBy == keys)
        let again = try TestKeys.publicKey("ed25519-alice")
        expectFailure(twice, [alice.publicKey, again], threshold: 2) {
            if case .impossibleThreshold(2, keys: 1) = $0 { true } else { false }
        }
        for threshold in [-1, 0, 3] {
            expectFailure(both, keys, threshold: threshold) {
                if case .impossibleThreshold = $0 { true } else { false }
            }
        }
    }

    @Test func `a key id is a hint: an unknown, an empty and another key's lead to the signer, too`() throws {
        let alice = try TestKeys.privateKey("ed25519-alice")
        let bob = try TestKeys.publicKey("ed25519-bob")
        for id in [KeyID(""), KeyID("elsewhere"), KeyID("SHA256:xyz"), bob.keyID(.python)] {
            let metadata = try Self.envelope([KeyFileSigner(alice, keyID: id)])
            #expect(try metadata.authenticated(by: [bob, alice.publicKey]).signedBy == [alice.publicKey])
        }
        let misnamed = try Self.envelope([KeyFileSigner(alice, keyID: bob.keyID(.python))])
        expectFailure(misnamed, [alice.publicKey, bob], threshold: 2) {
            if case .notEnoughSignatures = $0 { true } else { false }
        }
        for (keys, mayTryOthers) in [([bob], true), ([alice.publicKey, bob], false)] {
            let check = try #require(
                try misnamed.checkSignatures(by: keys, mayTryOthers: { _ in mayTryOthers }).first)
            guard case .bad(let named) = check.outcome else {
                Issue.record("a signature that names another key was taken")
                return
            }
            #expect(named == bob)
        }
    }

    @Test func `the report tells valid, bad and unknown signatures apart`() throws {
        let alice = try TestKeys.privateKey("ed25519-alice")
        let bob = try TestKeys.privateKey("ecdsa-p256")
        let carl = try TestKeys.privateKey("rsa-2048")
        guard case .envelope(var envelope) = try Self.envelope([alice, bob, carl].map { KeyFileSigner($0) }) else {
            return
        }
        envelope.signatures[1] = Signature(keyID: envelope.signatures[1].keyID, bytes: [1, 2, 3])
        let metadata = SignedMetadata.envelope(envelope)
        let outcomes = try metadata.checkSignatures(by: [alice.publicKey, bob.publicKey]).map { check in
            switch check.outcome {
            case .valid(let key): "valid \(key.scheme)"
            case .bad(let key): "bad \(key.scheme)"
            case .unknownKey: "unknown"
            }
        }
        #expect(outcomes == ["valid ed25519", "bad ecdsaP256", "unknown"])
        do {
            _ = try metadata.authenticated(by: [alice.publicKey, bob.publicKey], threshold: 2)
        } catch {
            #expect(error.description.split(separator: "\n").count == 3)
        }
    }

    @Test func `a record of a step that was begun is one under its own payload type only`() throws {
        let alice = try TestKeys.privateKey("ed25519-alice")
        let record = UnfinishedRecord(
            link: Link(name: try StepName("build")), directory: [], products: [], changedOnly: false, snapshot: [:],
            formats: [], begun: "2025-01-01T00:00:00Z")
        for (type, isTaken) in [(UnfinishedRecord.payloadType, true), (Envelope.inTotoPayloadType, false)] {
            var envelope = Envelope(payloadType: type, payload: try record.payload())
            let message = Envelope.preAuthenticationEncoding(payloadType: type, payload: envelope.payload)
            envelope.signatures = [try KeyFileSigner(alice).signature(over: message)]
            let authenticated = try? envelope.authenticatedRecord(by: [alice.publicKey])
            #expect((authenticated?.payload == record) == isTaken)
        }
    }

    @Test func `without signatures nothing is believed`() throws {
        let unsigned = try Self.envelope([])
        let alice = try TestKeys.publicKey("ed25519-alice")
        expectFailure(unsigned, [alice]) { if case .notSigned(openPGPSignatures: 0) = $0 { true } else { false } }
        let signed = try Self.envelope([KeyFileSigner(try TestKeys.privateKey("ed25519-alice"))])
        expectFailure(signed, []) { if case .notEnoughSignatures = $0 { true } else { false } }
    }
}
