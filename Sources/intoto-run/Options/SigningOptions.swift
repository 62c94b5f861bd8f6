public import ArgumentParser
public import InTotoCrypto
import InTotoMetadata
import SystemPackage

/// With which keys evidence is signed.
struct SigningOptions: ParsableArguments {
    @Option(
        name: [.customShort("k"), .customLong("key"), .customLong("signing-key")], parsing: .upToNextOption,
        help: ArgumentHelp(
            """
            What signs: a private key file, env:NAME (the key in a variable), exec:PROGRAM, pkcs11:URI, gpg:KEYID; several \
            sign together (default: a key of your own).
            """, valueName: "key"))
    var keys: [String] = []

    @OptionGroup var passphrase: PassphraseOptions

    @Flag(
        name: .customLong("no-default-key"),
        help: "Without --key, fail instead of using a key of your own (so with CI=true).")
    var forbidsDefaultKey = false

    @Option(
        name: .customLong("keyid-convention"),
        help: "Which key id is written, and names the file: python, go or witness.")
    var convention: KeyIDConvention = .python

    /// The options as they would be given again.
    var words: [String] {
        keys.flatMap { ["-k", $0] } + passphrase.words + (forbidsDefaultKey ? ["--no-default-key"] : [])
            + (convention == .python ? [] : ["--keyid-convention", convention.rawValue])
    }

    /// Readies every key and signs a test message with it, so that nothing is run that could not be signed.
    func signers(in context: CommandContext) throws -> [any Signer] {
        let references = try references(in: context).map(KeyReference.init)
        let passphrases = try passphrase.passphrases(in: context)
        let environment = context.environmentForPrograms(without: references.compactMap(\.secretVariable))
        var signers: [any Signer] = []
        for reference in references {
            let signer = try reference.signer(convention, passphrases, in: context, environment: environment)
            // gpg's has made one already.
            if !signer.isOpenPGP { _ = try signer.signature(over: Array("intoto-run test signature".utf8)) }
            // Named twice, it signs once.
            if signers.contains(where: { $0.keyID == signer.keyID }) { continue }
            guard !signers.contains(where: { $0.keyID.prefix8 == signer.keyID.prefix8 }) else {
                throw Failure(
                    "\(reference.shown): its key id begins as another key's, and files are named by that",
                    hint: "sign with the two in separate runs, into different directories")
            }
            signers.append(signer)
        }
        return signers
    }

    /// Variables that hold keys, which nobody else gets.
    func keyVariables(in context: CommandContext) throws -> [String] {
        let variable = context.variable("INTOTO_KEY").map { [Text(repairing: $0).description] } ?? []
        return try (keys.isEmpty ? variable : keys).map(KeyReference.init).compactMap(\.secretVariable)
    }

    private func references(in context: CommandContext) throws -> [String] {
        guard keys.isEmpty else { return keys }
        if let variable = context.variable("INTOTO_KEY") { return [Text(repairing: variable).description] }
        let isCI = context.variable("CI").map { $0 == Array("true".utf8) } ?? false
        guard !forbidsDefaultKey, !isCI, let key = DefaultKey(in: context) else {
            throw Failure(
                "no key to sign with" + (isCI && !forbidsDefaultKey ? ", and CI=true rules out a key of your own" : ""),
                hint: DefaultKey.hint)
        }
        try key.makeIfAbsent(in: context)
        return ["file:\(key.path.string)"]
    }
}

extension KeyIDConvention: ExpressibleByArgument {}
