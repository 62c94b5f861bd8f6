public import InTotoCrypto

/// Why a signer outside of our process cannot be used.
public enum SignerError: Error {
    case helper(HelperError)
    /// What the program printed as its public key.
    case publicKey(KeyError)
    /// The signature is not that of the public key that the program named.
    case badSignature
    /// gpg's output is not what we know of OpenPGP; the reason reads on.
    case unknownOpenPGP(String)
    /// gpg signed with another key than before the command.
    case anotherKey
    case openPGPInEnvelope
}

extension SignerError: CustomStringConvertible {
    /// One line; a phrase that follows the signer's name and a colon.
    public var description: String {
        switch self {
        case .helper(.launch(.notFound)): "command not found"
        case .helper(.launch(.notExecutable(_, let errno))): "cannot be executed: \(systemErrorText(errno))"
        case .helper(.launch(let error)): "cannot be started: \(error)"
        case .helper(.ended(.exited(let status))): "it ended with status \(status)"
        case .helper(.ended(.signalled(let number))): "signal \(number) ended it"
        case .helper(.tooMuchOutput(let limit)): "it wrote more than \(limit) bytes"
        case .publicKey(let error): "what it printed as its public key: \(error)"
        case .badSignature: "what it printed is no signature by its public key"
        case .unknownOpenPGP(let reason): "gpg's signature \(reason)"
        case .anotherKey: "gpg signed with another key than before"
        case .openPGPInEnvelope: "an OpenPGP key signs classic metadata only"
        }
    }
}
