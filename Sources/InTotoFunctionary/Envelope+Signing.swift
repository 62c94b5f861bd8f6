public import InTotoMetadata

extension Envelope {
    /// Adds everybody's signatures to those that are there.
    ///
    /// Throws `SignerError.openPGPInEnvelope`, since nobody could verify it, and what a signer throws.
    public mutating func sign(with signers: [any Signer]) throws {
        guard !signers.contains(where: \.isOpenPGP) else { throw SignerError.openPGPInEnvelope }
        let message = Self.preAuthenticationEncoding(payloadType: payloadType, payload: payload)
        signatures += try signers.map { try $0.signature(over: message) }
    }
}
