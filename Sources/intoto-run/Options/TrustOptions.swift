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

    static func publicKeys(_ keys: [String], in context: CommandContext) throws -> [PublicKey] {
        var distinct: [PublicKey] = []
        for reference in keys {
            let reference = try KeyReference(reference)
            let key: PublicKey
            do { key = try reference.publicKey(in: context) } catch { throw reference.failure(error) }
            if !distinct.contains(key) { distinct.append(key) }
        }
        return distinct
    }
}
