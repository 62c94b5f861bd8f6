public import InTotoMetadata

/// Signs with a key that never leaves its token.
///
/// Each signature is a session of its own: while the command runs, nobody is logged in.
public struct PKCS11Signer: Signer {
    public let publicKey: PublicKey
    public let keyID: KeyID
    private let uri: PKCS11URI
    private let pin: SecretBytes?

    /// Finds the key. Throws `.pinMissing` where `pin` is nil and the token wants one.
    public init(_ uri: PKCS11URI, pin: SecretBytes?, convention: KeyIDConvention = .python) throws(PKCS11Error) {
        guard OpenSSL.isReady else { throw .key(.noMemory) }
        self.uri = uri
        self.pin = pin
        publicKey = try Self.withKey(uri, pin) { key, _ in key.publicKey }
        keyID = publicKey.keyID(convention)
    }

    /// The public half alone, which most tokens show without a PIN.
    public static func publicKey(_ uri: PKCS11URI) throws(PKCS11Error) -> PublicKey {
        guard OpenSSL.isReady else { throw .key(.noMemory) }
        return try TokenKey.publicKey(uri, in: try PKCS11Session(uri))
    }

    public func signature(over message: [UInt8]) throws -> Signature {
        let bytes = try Self.withKey(uri, pin) { key, session throws(PKCS11Error) in
            guard key.publicKey == publicKey else { throw .badSignature }
            return try key.sign(message, in: session, pin)
        }
        return Signature(keyID: keyID, bytes: bytes)
    }

    private static func withKey<R>(
        _ uri: PKCS11URI, _ pin: SecretBytes?, _ body: (TokenKey, PKCS11Session) throws(PKCS11Error) -> R
    ) throws(PKCS11Error) -> R {
        let session = try PKCS11Session(uri)
        try session.logIn(pin)
        return try body(try TokenKey(uri, in: session), session)
    }
}
