public import InTotoMetadata

/// The forms in which a step's evidence is written. A raw value is what the user types.
public enum EvidenceFormat: String, CaseIterable, Sendable {
    /// DSSE envelope, Statement v1, predicate link v0.3.
    case attestation
    /// DSSE envelope around a classic link.
    case dsseLink = "dsse-link"
    /// Classic metablock.
    case link

    /// Where it is to stand.
    public enum Container: Sendable {
        case bundle, linkFile
    }

    public var container: Container {
        switch self {
        case .attestation: .bundle
        case .dsseLink, .link: .linkFile
        }
    }

    /// The files that a run in this form writes: one bundle that all signers sign, or one link for each signer.
    public func keyIDs(_ signers: [any Signer]) -> [KeyID] {
        switch container {
        case .bundle: Array(signers.prefix(1).map(\.keyID))
        case .linkFile: signers.map(\.keyID)
        }
    }
}

/// A file of evidence, ready to be written.
public struct SignedEvidence: Sendable {
    public var format: EvidenceFormat
    /// Names the file.
    public var keyID: KeyID
    public var bytes: [UInt8]
}

extension EvidenceFormat {
    /// Signs `link` in this form.
    ///
    /// Throws `MetadataError.emptySubject` for an attestation without products, `SignerError.openPGPInEnvelope`, and what
    /// a signer throws.
    public func evidence(of link: Link, signedBy signers: [any Signer]) throws -> [SignedEvidence] {
        switch self {
        case .attestation:
            let envelope = try Self.envelope(payload(link), signers)
            let bytes = try Bundle([envelope]).bytes()
            return keyIDs(signers).map { SignedEvidence(format: self, keyID: $0, bytes: bytes) }
        case .dsseLink:
            let payload = try payload(link)
            return try signers.map { signer in
                let envelope = try Self.envelope(payload, [signer])
                let bytes = try JSONWriter.lines(.compact) { envelope.write(to: &$0) }
                return SignedEvidence(format: self, keyID: signer.keyID, bytes: bytes)
            }
        case .link:
            return try Self.signatures(over: link, signers).map { signature in
                let bytes = try JSONWriter.lines(.indented) {
                    Metablock.write(link, signatures: [signature], to: &$0)
                }
                return SignedEvidence(format: self, keyID: signature.keyID, bytes: bytes)
            }
        }
    }

    /// The canonical form is gone before the file is written: each may be 140 MB.
    private static func signatures(over link: Link, _ signers: [any Signer]) throws -> [Signature] {
        let message = try link.canonicalBytes()
        return try signers.map { try $0.signature(over: message) }
    }

    private func payload(_ link: Link) throws -> [UInt8] {
        switch self {
        case .attestation: try LinkPredicate.statementBytes(of: link)
        case .dsseLink, .link: try JSONWriter.bytes(.compact) { link.write(to: &$0) }
        }
    }

    /// The container of this form without any signature: kept where signing failed, accepted by no verifier.
    public func unsigned(_ link: Link) throws -> [UInt8] {
        switch self {
        case .attestation, .dsseLink:
            let envelope = Envelope(payload: try payload(link))
            return try JSONWriter.bytes(.compact) { envelope.write(to: &$0) }
        case .link: return try JSONWriter.bytes(.indented) { Metablock.write(link, signatures: [], to: &$0) }
        }
    }

    /// An envelope around `payload`, signed by everybody.
    static func envelope(
        _ payload: [UInt8], _ signers: [any Signer], type: Text = Envelope.inTotoPayloadType
    ) throws -> Envelope {
        var envelope = Envelope(payloadType: type, payload: payload)
        try envelope.sign(with: signers)
        return envelope
    }
}

extension Statement {
    /// A bundle of one envelope that everybody signed.
    public func bundle(signedBy signers: [any Signer]) throws -> [UInt8] {
        let payload = try JSONWriter.bytes(.compact) { write(to: &$0) }
        return try Bundle([EvidenceFormat.envelope(payload, signers)]).bytes()
    }
}
