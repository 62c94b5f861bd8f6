public import InTotoMetadata

/// Signs classic metadata with a key of GnuPG's, as the Python implementation does and verifies it.
public struct OpenPGPSigner: Signer {
    /// The fingerprint of the key, or subkey, that signs.
    public let keyID: KeyID
    private let key: [UInt8]
    private let environment: [[UInt8]]

    public var isOpenPGP: Bool { true }

    /// Makes a test signature: which subkey signs, and so how the evidence is named, only gpg knows.
    ///
    /// `key` is a fingerprint or long key id; which keyring, GNUPGHOME in `environment` says.
    public init(key: [UInt8], environment: [[UInt8]]) throws(SignerError) {
        self.key = key
        self.environment = environment
        keyID = try Self.sign(Array("intoto-run test signature".utf8), key, environment).keyID
    }

    public func signature(over message: [UInt8]) throws -> Signature {
        let signature = try Self.sign(message, key, environment)
        guard signature.keyID == keyID else { throw SignerError.anotherKey }
        return signature
    }

    private static func sign(
        _ message: [UInt8], _ key: [UInt8], _ environment: [[UInt8]]
    ) throws(SignerError) -> Signature {
        let options = ["gpg", "--batch", "--no-armor", "--detach-sign", "--digest-algo", "SHA256", "--local-user"]
        let packet: [UInt8]
        do {
            packet = try HelperProcess.run(
                options.map { Array($0.utf8) } + [key], environment: environment, input: message)
        } catch { throw .helper(error) }
        return try OpenPGPPacket.signature(packet)
    }
}
