public import ArgumentParser
public import InTotoCrypto
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// Makes, shows and converts keys.
struct Key: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, show and convert keys.",
        discussion: """
            Example: intoto-run key generate ci.pem
                     intoto-run key show ci.pem.pub
            """,
        subcommands: [KeyGenerate.self, KeyShow.self, KeyPrintID.self, KeyConvert.self])
}

/// Writes a new key pair.
struct KeyGenerate: Verb {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Make a key pair: PATH (readable by you alone) and PATH.pub.",
        discussion: "Example: intoto-run key generate ci.pem")

    @Option(help: "ed25519, ecdsa-p256, ecdsa-p384, ecdsa-p521 or rsa.")
    var type: KeyType = .ed25519

    @OptionGroup var passphrase: PassphraseOptions

    @Flag(help: "Ask on the terminal for the passphrase that encrypts it.")
    var encrypt = false

    @Flag(help: "Replace files that are already there.")
    var force = false

    @OptionGroup var result: ResultOptions

    @Argument(help: "Where the private key goes.")
    var path: String

    func run(in context: CommandContext) throws -> Int32 {
        let secret =
            encrypt
            ? try NewPassphrasePrompt.ask(in: context) : try passphrase.passphrases(in: context).forNewKey()
        let key = try PrivateKey.generate(type)
        let publicPath = path + ".pub"
        if !force { try refuseExisting([path, publicPath]) }
        do { try write(key, passphrase: secret, publicPath: publicPath) } catch let error as StorageError {
            throw Failure(error.description, hint: Self.hint(for: error))
        }
        let keyID = key.publicKey.keyID(.python)
        if result.json {
            try result.report(
                written: [FilePath(path), FilePath(publicPath)],
                ["keyid": .string(keyID.text), "type": .string(Text(type.rawValue))], note: { _ in }, in: context)
        } else {
            try context.print("\(Text(path).escaped): private key, \(type.rawValue)")
            try context.print("\(Text(publicPath).escaped): public key, key id \(keyID)")
        }
        return ExitStatus.success
    }

    private func write(_ key: PrivateKey, passphrase: SecretBytes?, publicPath: String) throws {
        let files = KeyPairFiles(privatePath: FilePath(path), publicPath: FilePath(publicPath))
        try key.pem(passphrase: passphrase).withUnsafeBytes { secret throws in
            try key.publicKey.pem.utf8.withUnsafeBytes { bytes throws in
                try files.write(secret, bytes, replacing: force)
            }
        }
    }

    /// Both files or neither: seen before the first is written.
    private func refuseExisting(_ paths: [String]) throws {
        for path in paths where KeyFile.exists(FilePath(path)) {
            let error = StorageError.alreadyExists(FilePath(path))
            throw Failure(error.description, hint: Self.hint(for: error))
        }
    }

    private static func hint(for error: StorageError) -> String? {
        if case .alreadyExists = error { "give another path, or --force to replace the key for good" } else { nil }
    }
}

/// Shows what a key is.
struct KeyShow: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a key: type, key ids, public half, the key object of a layout.",
        discussion: "Example: intoto-run key show ci.pem.pub")

    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var passphrase: PassphraseOptions

    @Argument(help: "A public or private key, named as with --key.")
    var key: String

    func run(in context: CommandContext) throws -> Int32 {
        let key = try AnyKey.publicKey(key, passphrase, in: context)
        let ids = KeyIDConvention.allCases.map { ($0, key.keyID($0)) }
        if json {
            var document: JSONObject = ["keyObject": .object(key.keyObject), "publicKey": .string(key.pem)]
            var object = JSONObject()
            for (convention, id) in ids { object[Text(convention.rawValue)] = .string(id.text) }
            document["keyIds"] = .object(object)
            try context.print(JSONText.indented(document))
        } else {
            try context.print("scheme: \(key.schemeName)")
            for (convention, id) in ids { try context.print("key id (\(convention.rawValue)): \(id)") }
            try context.print("key object: \(try JSONText.indented(key.keyObject))")
            try context.print(String(key.pem.description.dropLast()))
        }
        return ExitStatus.success
    }
}

/// Prints a key id alone.
struct KeyPrintID: Verb {
    static let configuration = CommandConfiguration(
        commandName: "id", abstract: "Print the key id of a key, as one convention has it.",
        discussion: "Example: intoto-run key id --convention go ci.pem.pub")

    @Option(help: "python, go or witness.")
    var convention: KeyIDConvention = .python

    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var passphrase: PassphraseOptions

    @Argument(help: "A public or private key, named as with --key.")
    var key: String

    func run(in context: CommandContext) throws -> Int32 {
        let id = try AnyKey.publicKey(key, passphrase, in: context).keyID(convention)
        try context.print(
            json
                ? try JSONText.indented(["convention": .string(Text(convention.rawValue)), "keyid": .string(id.text)])
                : "\(id)")
        return ExitStatus.success
    }
}

/// A key of either kind.
enum AnyKey {
    /// The public half of whatever key is meant.
    static func publicKey(
        _ reference: String, _ passphrase: PassphraseOptions, in context: CommandContext
    ) throws -> PublicKey {
        let key = try KeyReference(reference)
        do { return try key.publicKey(in: context) } catch KeyError.privateKeyGiven {
            do {
                return try key.privateKey(try passphrase.passphrases(in: context), in: context).publicKey
            } catch { throw key.failure(error) }
        } catch { throw key.failure(error) }
    }
}

extension KeyType: ExpressibleByArgument {}
