public import InTotoMetadata

/// A payload carrying enough valid signatures, decoded from the very bytes that they cover. Only this file makes one.
public struct Authenticated<Payload: Sendable>: Sendable {
    public let payload: Payload
    /// The distinct keys with a valid signature, in the order in which they were given.
    public let signedBy: [PublicKey]

    fileprivate init(payload: Payload, signedBy: [PublicKey]) {
        self.payload = payload
        self.signedBy = signedBy
    }
}

extension Authenticated {
    /// The same claim by the same keys, decoded further; `decode` sees nothing but the payload.
    package func map<Result: Sendable, E: Error>(
        _ decode: (Payload) throws(E) -> Result
    ) throws(E) -> Authenticated<Result> {
        Authenticated<Result>(payload: try decode(payload), signedBy: signedBy)
    }
}

/// What became of one signature.
public struct SignatureCheck: Sendable {
    public enum Outcome: Sendable {
        case valid(by: PublicKey)
        /// It names this key, which did not make it.
        case bad(for: PublicKey)
        /// None of the given keys made it, nor does it name one of them.
        case unknownKey
    }

    public let keyID: KeyID
    public let outcome: Outcome
}

extension SignedMetadata {
    /// Checks the signatures, and decodes what is signed once `threshold` distinct keys among `keys` have signed it.
    ///
    /// Bad signatures and those by other keys count nothing, and do no harm. A key id is a hint: where the keys that a
    /// signature names have not made it, so many others are tried, if `mayTryOthers` does not say no.
    public func authenticated(
        by keys: [PublicKey], threshold: Int = 1, limits: JSONLimits = JSONLimits(),
        mayTryOthers: (Int) -> Bool = { _ in true }
    ) throws(AuthenticationError) -> Authenticated<Payload> {
        let signers = try requireSignatures(by: keys, threshold: threshold, mayTryOthers)
        do {
            return Authenticated(payload: try payload(limits: limits), signedBy: signers)
        } catch {
            throw .metadata(error)
        }
    }

    /// The distinct keys among `keys` that have signed; throws where they are fewer than `threshold`.
    fileprivate func requireSignatures(
        by keys: [PublicKey], threshold: Int, _ mayTryOthers: (Int) -> Bool = { _ in true }
    ) throws(AuthenticationError) -> [PublicKey] {
        let keys = distinct(keys)
        guard (1...max(keys.count, 1)).contains(threshold) else {
            throw .impossibleThreshold(threshold, keys: keys.count)
        }
        guard !signatures.isEmpty else { throw .notSigned(openPGPSignatures: openPGPSignatureCount) }
        let checks = try checkSignatures(by: keys, mayTryOthers: mayTryOthers)
        let signers = Set(checks.compactMap(\.signer))
        guard signers.count >= threshold else { throw .notEnoughSignatures(needed: threshold, checks: checks) }
        return keys.filter(signers.contains)
    }

    /// What each signature is worth, in the file's order; `mayTryOthers` as for `authenticated`.
    public func checkSignatures(
        by keys: [PublicKey], mayTryOthers: (Int) -> Bool = { _ in true }
    ) throws(AuthenticationError) -> [SignatureCheck] {
        let keys = distinct(keys)
        let message: [UInt8]
        do { message = try signedBytes() } catch { throw .metadata(error) }
        var checks: [SignatureCheck] = []
        for signature in signatures {
            do {
                let outcome = try signature.outcome(over: message, keys: keys, mayTryOthers)
                checks.append(SignatureCheck(keyID: signature.keyID, outcome: outcome))
            } catch {
                throw .crypto(error)
            }
        }
        return checks
    }

    private var openPGPSignatureCount: Int {
        switch self {
        case .envelope: 0
        case .metablock(let metablock): metablock.openPGPSignatures.count
        }
    }
}

extension Envelope {
    /// The record of a step that was begun, once every one of `keys` has signed it.
    public func authenticatedRecord(
        by keys: [PublicKey]
    ) throws(AuthenticationError) -> Authenticated<UnfinishedRecord> {
        let signers = try SignedMetadata.envelope(self).requireSignatures(by: keys, threshold: distinct(keys).count)
        guard payloadType == UnfinishedRecord.payloadType else { throw .metadata(.notEvidence(type: payloadType)) }
        do {
            return Authenticated(payload: try UnfinishedRecord(payload: payload), signedBy: signers)
        } catch {
            throw .metadata(error)
        }
    }
}

extension Signature {
    /// The key id narrows the search to the keys that it names; where it names none, each key is tried.
    fileprivate func outcome(
        over message: [UInt8], keys: [PublicKey], _ mayTryOthers: (Int) -> Bool
    ) throws(CryptoError) -> SignatureCheck.Outcome {
        let named = keys.filter { $0.knownKeyIDs.contains(keyID) }
        for key in named.isEmpty ? keys : named where try key.isValid(signature: bytes, over: message) {
            return .valid(by: key)
        }
        guard let first = named.first else { return .unknownKey }
        let others = keys.filter { !$0.knownKeyIDs.contains(keyID) }
        guard mayTryOthers(others.count) else { return .bad(for: first) }
        for key in others where try key.isValid(signature: bytes, over: message) { return .valid(by: key) }
        return .bad(for: first)
    }
}

extension SignatureCheck {
    fileprivate var signer: PublicKey? {
        switch outcome {
        case .valid(let key): key
        case .bad, .unknownKey: nil
        }
    }
}

private func distinct(_ keys: [PublicKey]) -> [PublicKey] {
    var seen: Set<PublicKey> = []
    return keys.filter { seen.insert($0).inserted }
}
