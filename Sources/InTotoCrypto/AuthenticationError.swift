public import InTotoMetadata

/// Why signed metadata is not believed.
public enum AuthenticationError: Error {
    /// OpenPGP signatures are there or not; we do not verify those.
    case notSigned(openPGPSignatures: Int)
    case notEnoughSignatures(needed: Int, checks: [SignatureCheck])
    case impossibleThreshold(Int, keys: Int)
    /// The signatures are fine, or could not be looked at; what they cover is not metadata that we take.
    case metadata(MetadataError)
    case crypto(CryptoError)
}

extension AuthenticationError: CustomStringConvertible {
    /// One line, then one indented line per signature that does not count.
    public var description: String {
        switch self {
        case .notSigned(0): "there are no signatures"
        case .notSigned(let count):
            count == 1
                ? "its one signature is an OpenPGP one, which is not verified here"
                : "there are \(count) OpenPGP signatures, which are not verified here, and no others"
        case .notEnoughSignatures(let needed, let checks): Self.shortfall(needed, checks)
        case .impossibleThreshold(let threshold, let keys):
            "a threshold of \(threshold) cannot be met with \(keys) distinct keys"
        case .metadata(let error): error.description
        case .crypto(let error): error.description
        }
    }

    private static let shownSignatures = 20

    private static func shortfall(_ needed: Int, _ checks: [SignatureCheck]) -> String {
        var signers: Set<PublicKey> = []
        var others: [String] = []
        for check in checks {
            switch check.outcome {
            case .valid(let key): signers.insert(key)
            case .bad: others.append("\n  \(name(of: check)) is bad: altered content, or another key")
            case .unknownKey: others.append("\n  \(name(of: check)) is by none of the given keys")
            }
        }
        return "valid signatures by \(needed) of the given keys are needed, \(signers.count) found"
            + others.prefix(shownSignatures).joined()
            + (others.count > shownSignatures ? "\n  and \(others.count - shownSignatures) more" : "")
    }

    private static func name(of check: SignatureCheck) -> String {
        check.keyID.text.isEmpty ? "a signature without key id" : "the signature '\(check.keyID)'"
    }
}
