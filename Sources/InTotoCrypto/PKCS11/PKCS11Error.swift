internal import InTotoMetadata

/// Why a token's key is of no use. Nothing here holds a PIN.
public enum PKCS11Error: Error, Hashable {
    // What the URI says
    case modulePathMissing
    case pinInURI
    case badAttribute(String)
    case unknownAttribute(String)

    case module(path: String, reason: String)
    /// How many tokens fit the URI.
    case tokens(Int)
    /// How many keys fit the URI.
    case keys(Int)
    case noPublicKey
    case pinMissing
    case pinRefused
    case pinLocked
    /// The token's own number for what went wrong.
    case refused(operation: String, result: UInt)
    case key(KeyError)
    /// The token's signature is not that of its public key.
    case badSignature
}

extension PKCS11Error: CustomStringConvertible {
    /// One line; a phrase that follows the URI and a colon.
    public var description: String {
        switch self {
        case .modulePathMissing: "no module-path names the token's library"
        case .pinInURI: "a PIN in the URI, which other processes can read"
        case .badAttribute(let name): "the value of '\(Text(name).escaped)' cannot be used"
        case .unknownAttribute(let name): "the attribute '\(Text(name).escaped)' is not known here"
        case .module(let path, let reason): "\(Text(path).escaped) cannot be loaded: \(Text(reason).escaped)"
        case .tokens(0): "no token fits"
        case .tokens(let count): "\(count) tokens fit"
        case .keys(0): "the token has no such key that signs"
        case .keys(let count): "\(count) keys of the token fit"
        case .noPublicKey: "the token holds neither public key nor certificate for it"
        case .pinMissing: "the token wants a PIN, and none was given"
        case .pinRefused: "the token refused the PIN; a few more wrong ones will lock it"
        case .pinLocked: "the token's PIN is locked"
        case .refused(let operation, let result):
            "the token could not \(operation): result 0x\(String(result, radix: 16, uppercase: true))"
        case .key(let error): error.description
        case .badSignature: "the token's signature does not fit its public key"
        }
    }

    /// What to do about it, where we know.
    public var hint: String? {
        switch self {
        case .modulePathMissing: "add ?module-path=LIBRARY to the URI"
        case .pinInURI, .pinMissing: "give it with pin-source=FILE in the URI, INTOTO_PKCS11_PIN or --passphrase-file"
        case .tokens(0), .keys(0), .noPublicKey: "see what there is: pkcs11-tool --module LIBRARY --list-objects"
        case .tokens, .keys: "name it with token=, serial=, object= or id= in the URI"
        case .badAttribute, .unknownAttribute: "RFC 7512 says what a URI may hold"
        case .key(let error): error.hint
        case .module, .pinRefused, .pinLocked, .refused, .badSignature: nil
        }
    }
}
