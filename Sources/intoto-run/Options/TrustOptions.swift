import ArgumentParser
import InTotoCrypto

/// With which public keys signatures are checked.
struct TrustOptions: ParsableArguments {
    @Option(
        name: [.customLong("verification-keys")], parsing: .upToNextOption,
        help: ArgumentHelp(
            "Public keys (PEM, certificates, OpenSSH lines, a layout's key objects) that must have signed.",
            valueName: "key"))
    var keys: [String] = []

    /// The distinct keys that were named, in their order.
    func publicKeys(in context: CommandContext) throws -> [PublicKey] { try Self.publicKeys(keys, in: context) }

    /// Weak ones, where `strength` allows them, bring a warning.
    static func publicKeys(
        _ keys: [String], in context: CommandContext, strength: KeyStrength = .standard
    ) throws -> [PublicKey] {
        var distinct: [PublicKey] = []
        for reference in keys {
            let reference = try KeyReference(reference)
            let key: PublicKey
            do { key = try reference.publicKey(in: context, strength: strength) } catch {
                throw reference.failure(error)
            }
            if let reason = key.weakness { context.note("intoto-run: warning: \(reference.shown): \(reason)") }
            if !distinct.contains(key) { distinct.append(key) }
        }
        return distinct
    }
}
