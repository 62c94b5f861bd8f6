public import InTotoMetadata

/// A signer whose signatures can be checked here, since its public key is at hand.
public protocol CheckableSigner: Signer {
    var publicKey: PublicKey { get }
}

extension KeyFileSigner: CheckableSigner {
    public var publicKey: PublicKey { key.publicKey }
}

extension PKCS11Signer: CheckableSigner {}
