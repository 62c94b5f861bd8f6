internal import InTotoCrypto
internal import InTotoMetadata

/// How much checking of signatures one verification does. A key id says which key is tried first; signatures that name
/// none, or another than their own, are tried with every key, and a hostile file has hundreds of them over a hundred
/// megabytes.
final class SignatureBudget {
    private var left = 64 << 30
    private var bytesLeft: Int

    /// `bytes`: of all files of evidence together, whoever has put them there.
    init(bytes: Int = .max) { bytesLeft = bytes }

    /// Whether a file of that size may be looked at; takes what that costs.
    func allowsReading(_ bytes: Int) -> Bool {
        guard bytes <= bytesLeft else { return false }
        bytesLeft -= bytes
        return true
    }

    /// In bytes: what checking costs beside reading the message.
    private static let fixedCost = 1 << 20

    /// Whether chains from one certificate to so many roots may be looked for; takes what that costs.
    func allowsChains(_ roots: Int, intermediates: Int) -> Bool {
        take(roots * (intermediates + 1), of: Self.chainCost)
    }

    /// In bytes: a few milliseconds, and what a message of that size would cost.
    private static let chainCost = 16 << 20

    /// Whether these signatures may be tried with those of `keys` that they name, or with all where they name none; takes
    /// what that costs.
    func allows(_ metadata: SignedMetadata, size: Int, _ keys: [PublicKey]) -> Bool {
        var trials = 0
        for signature in metadata.signatures {
            let named = keys.count { $0.knownKeyIDs.contains(signature.keyID) }
            trials += named == 0 ? keys.count : named
        }
        return allowsTrials(trials, size: size)
    }

    /// Whether one signature may be tried so many times; takes what that costs.
    func allowsTrials(_ count: Int, size: Int) -> Bool { take(count, of: size + Self.fixedCost) }

    private func take(_ count: Int, of each: Int) -> Bool {
        let (cost, overflow) = count.multipliedReportingOverflow(by: each)
        guard !overflow, cost <= left else { return false }
        left -= cost
        return true
    }
}
