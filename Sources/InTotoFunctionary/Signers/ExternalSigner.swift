public import InTotoCrypto
public import InTotoMetadata

/// Signs with a program of the user's: a cloud's key service, an agent, a script.
///
/// The program is called with its own arguments and one word more. `public-key`: it prints its public key, in any form
/// that `PublicKey(file:)` reads. `sign`: it reads the message from its standard input to the end, and prints the
/// signature, raw: Ed25519 64 bytes over the message itself, ECDSA in DER over the digest of the curve's size (SHA-256,
/// -384, -512), RSA-PSS with SHA-256, MGF1 of the same and 32 bytes of salt. Any exit status but 0 is a failure.
public struct ExternalSigner: CheckableSigner {
    public let keyID: KeyID
    private let program: SigningProgram
    public let publicKey: PublicKey

    /// Asks for the public key.
    public init(
        _ program: [[UInt8]], environment: [[UInt8]], convention: KeyIDConvention = .python
    ) throws(SignerError) {
        self.program = SigningProgram(words: program, environment: environment)
        publicKey = try self.program.publicKey()
        keyID = publicKey.keyID(convention)
    }

    /// The program's public key alone.
    public static func publicKey(_ program: [[UInt8]], environment: [[UInt8]]) throws(SignerError) -> PublicKey {
        try SigningProgram(words: program, environment: environment).publicKey()
    }

    /// The program's signature, once it is seen to be good.
    public func signature(over message: [UInt8]) throws -> Signature {
        let bytes = try program.call("sign", input: message)
        guard try publicKey.isValid(signature: bytes, over: message) else { throw SignerError.badSignature }
        return Signature(keyID: keyID, bytes: bytes)
    }
}

private struct SigningProgram {
    let words: [[UInt8]]
    let environment: [[UInt8]]

    func publicKey() throws(SignerError) -> PublicKey {
        let output = try call("public-key", input: [])
        do { return try PublicKey(file: output) } catch { throw .publicKey(error) }
    }

    func call(_ request: String, input: [UInt8]) throws(SignerError) -> [UInt8] {
        do {
            return try HelperProcess.run(words + [Array(request.utf8)], environment: environment, input: input)
        } catch { throw .helper(error) }
    }
}
