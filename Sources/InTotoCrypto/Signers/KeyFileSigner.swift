public import InTotoMetadata

/// Signs with a private key that was read from a file or a variable.
public struct KeyFileSigner: Signer {
    public let key: PrivateKey
    public let keyID: KeyID

    public init(_ key: PrivateKey, convention: KeyIDConvention = .python) {
        self.init(key, keyID: key.publicKey.keyID(convention))
    }

    /// For a layout that knows the key by another name.
    public init(_ key: PrivateKey, keyID: KeyID) {
        self.key = key
        self.keyID = keyID
    }

    public func signature(over message: [UInt8]) throws -> Signature {
        Signature(keyID: keyID, bytes: try key.sign(message))
    }
}
