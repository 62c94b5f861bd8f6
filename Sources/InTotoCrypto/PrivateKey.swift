/// A key that signs. Its private part lives in OpenSSL's locked memory alone and is wiped with the last owner; but of an
/// RSA key, OpenSSL keeps the primes in ordinary memory, too, from the first signature to the end.
public final class PrivateKey: Sendable {
    public let publicKey: PublicKey
    /// A passphrase was given for a key that is not encrypted: worth a warning, since somebody believes it is.
    public let passphraseWasNeedless: Bool
    let handle: KeyHandle

    /// Reads a key file: the one private key in it, decrypted with `passphrase` where it is encrypted.
    ///
    /// Takes PKCS#8, encrypted PKCS#8, PKCS#1, SEC1, and the latter two with OpenSSL's traditional encryption; OpenSSH's
    /// own format and cosign's, in PEM like these; and the JSON of old securesystemslib versions.
    /// Never asks for a passphrase itself.
    public convenience init(file: SecretBytes, passphrase: SecretBytes?) throws(KeyError) {
        let reading = try PrivateKeyReader.read(file, passphrase: passphrase)
        let isNeedless = passphrase != nil && !reading.wasEncrypted
        try self.init(reading.handle, reading.scheme, passphraseWasNeedless: isNeedless)
    }

    init(_ handle: KeyHandle, _ scheme: KeyScheme, passphraseWasNeedless: Bool = false) throws(KeyError) {
        try handle.checkStrength(as: scheme)
        let spki: [UInt8]
        do { spki = try handle.encodedPublicPart() } catch { throw .crypto(error) }
        publicKey = try PublicKey(spki: spki)
        self.handle = handle
        self.passphraseWasNeedless = passphraseWasNeedless
        try checkHalves()
    }

    /// Signs exactly `message`, in the raw form that `Signature.bytes` describes.
    public func sign(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
        try SignatureComputation.sign(message, with: handle, publicKey.scheme)
    }

    /// The public part, read anew from its encoding, accepts what the private part signs.
    private func checkHalves() throws(KeyError) {
        let message = Array("do the halves of this key belong together?".utf8)
        let isValid: Bool
        // OpenSSL refuses to sign with some keys whose parts disagree.
        do { isValid = try publicKey.isValid(signature: try sign(message), over: message) } catch {
            throw .halvesDiffer
        }
        guard isValid, try numbersFit() else { throw .halvesDiffer }
    }

    private func numbersFit() throws(KeyError) -> Bool {
        switch publicKey.scheme {
        case .ed25519, .ecdsaP256, .ecdsaP384, .ecdsaP521: return true
        case .rsaPSS:
            do { return try RSAConsistency(handle).holds() } catch { throw .crypto(error) }
        }
    }
}
