private import InTotoMetadata

/// Why a key is not taken. The caller knows and adds which file it came from; nothing here holds key material.
public enum KeyError: Error, Hashable {
    case tooLarge(limit: Int)
    case notAKey
    case unfinishedPEM(String)
    case damaged
    case unsupportedLabel(String)
    case privateKeyGiven
    case publicKeyGiven
    case certificateGiven
    case severalKeys(Int)
    /// The private part never leaves a security key, which signs for SSH only.
    case hardwareKey(String)

    case passphraseMissing
    case passphraseTooLong(limit: Int)
    /// Or a damaged key: the two look the same.
    case wrongPassphrase
    case unsupportedEncryption(String)
    /// Deriving the key from the passphrase would cost too much time or memory: a hostile file, more likely than not.
    case derivationTooCostly(String)

    case unsupportedAlgorithm(String)
    case unsupportedCurve(String)
    case explicitCurve
    case restrictedToPSS
    case tooWeak(bits: Int)
    case modulusTooLarge(bits: Int)
    case badExponent
    case badPoint
    case halvesDiffer

    /// It may stand in a layout; what it signed does not count.
    case openPGP
    /// A scheme that is not known, or of another kind of key than this one.
    case unsupportedScheme(keyType: String, scheme: String)
    case badKeyObject(String)
    case crypto(CryptoError)
    /// Not the key's fault: OpenSSL could not set memory aside for it.
    case noMemory
}

extension KeyError: CustomStringConvertible {
    /// One line; a phrase that follows the key's path and a colon.
    public var description: String {
        switch self {
        case .tooLarge(let limit): "larger than \(limit) bytes"
        case .notAKey: "not a key: neither PEM nor any other form that is known"
        case .unfinishedPEM(let label): "the PEM block '\(label)' has no matching end"
        case .damaged: "the key is damaged: its content is not well formed"
        case .unsupportedLabel(let label): "a PEM block '\(label)' is not a key that can be used here"
        case .privateKeyGiven: "a private key where a public key is needed"
        case .publicKeyGiven: "a public key where a private key is needed"
        case .certificateGiven: "a certificate where a private key is needed"
        case .severalKeys(let count): "\(count) keys (or certificates) in one file, of which only one could count"
        case .hardwareKey(let type): "a key of type \(type), which lives in a security key and signs for SSH only"
        case .passphraseMissing: "the key is encrypted and no passphrase was given"
        case .passphraseTooLong(let limit): "the passphrase is longer than \(limit) bytes"
        case .wrongPassphrase: "wrong passphrase or damaged key"
        case .unsupportedEncryption(let name): "the key is encrypted in a way that is not supported: \(name)"
        case .derivationTooCostly(let cost): "decrypting the key would cost too much: \(cost)"
        case .unsupportedAlgorithm(let name): "keys of the kind \(name) are not supported"
        case .unsupportedCurve(let name): "the curve \(name) is not supported"
        case .explicitCurve: "the key describes its curve by explicit parameters instead of naming it"
        case .restrictedToPSS: "an RSA key restricted to PSS (id-RSASSA-PSS), which other in-toto tools do not take"
        case .tooWeak(let bits): "an RSA key of \(bits) bits is too weak; at least 2048 are needed"
        case .modulusTooLarge(let bits): "an RSA key of \(bits) bits is too large; at most 16384 are taken"
        case .badExponent: "the RSA key's public exponent is not an odd number from 65537 up to 64 bits"
        case .badPoint: "the public key is a point for which signatures prove nothing"
        case .halvesDiffer: "the private and the public part do not belong together"
        case .openPGP: "an OpenPGP key, whose signatures are not verified here"
        case .unsupportedScheme(let keyType, let scheme):
            "the scheme '\(escapedForTerminal(Array(scheme.utf8)))' is not supported for this key of type "
                + "'\(escapedForTerminal(Array(keyType.utf8)))'"
        case .badKeyObject(let reason): "not a key object: \(reason)"
        case .crypto(let error): error.description
        case .noMemory: "not enough memory to open a key in"
        }
    }

    /// What to do about it, where we know.
    public var hint: String? {
        switch self {
        case .notAKey, .unsupportedLabel: "give a key file; 'intoto-run key generate' makes one"
        case .privateKeyGiven: "give the public key: intoto-run key convert --to public KEY"
        case .publicKeyGiven: "give the private key that belongs to it"
        case .certificateGiven: "give the private key that belongs to it"
        case .severalKeys: "put each key into a file of its own, and name the files that are meant"
        case .hardwareKey: "make a key that signs evidence with 'intoto-run key generate'"
        case .passphraseMissing: "give it with --passphrase-file, --passphrase-fd or INTOTO_KEY_PASSPHRASE"
        case .unsupportedEncryption, .derivationTooCostly:
            "encrypt it anew with the tool that made it: for OpenSSH, ssh-keygen -p -Z aes256-ctr -a 24 -f COPY; otherwise "
                + "openssl pkcs8 -topk8 -in KEY -v2 aes-256-cbc -iter 600000"
        case .restrictedToPSS, .explicitCurve, .unsupportedAlgorithm, .unsupportedCurve, .tooWeak, .modulusTooLarge,
            .badExponent, .badPoint:
            "make a new key with 'intoto-run key generate'"
        case .openPGP: "use a key that 'intoto-run key generate' makes, beside it or in its place"
        case .noMemory: "raise the limit on memory (ulimit -v)"
        case .tooLarge, .unfinishedPEM, .damaged, .passphraseTooLong, .wrongPassphrase, .halvesDiffer,
            .unsupportedScheme, .badKeyObject, .crypto:
            nil
        }
    }
}

/// Most bytes of a key file; a real one has less than 16 KiB.
package let keySizeLimit = 64 << 10
