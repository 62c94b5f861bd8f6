/// How strong a public key has to be.
public enum KeyStrength: Sendable {
    /// What we sign with ourselves: RSA of 2048 bits at least.
    case standard
    /// RSA of 1024 bits, too, which others made long ago. Points under which signatures prove nothing stay refused.
    case shortRSA

    /// In bits.
    var leastModulus: Int {
        switch self {
        case .standard: 2048
        case .shortRSA: 1024
        }
    }
}
