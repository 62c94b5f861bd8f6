import ArgumentParser
import InTotoCrypto
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// Writes a key in another form.
struct KeyConvert: Verb {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Write a key in another form.",
        discussion: """
            Examples: intoto-run key convert id_ed25519 -o ci.pem
                      intoto-run key convert --to ssh ci.pem
            """)

    /// What is written; a raw value is what the user types.
    enum Form: String, CaseIterable, ExpressibleByArgument {
        /// The private key.
        case pkcs8
        /// The public half, as SPKI PEM.
        case `public`
        case keyObject = "key-object"
        case ssh
    }

    @Option(help: "pkcs8 (private, PEM), public (PEM), key-object (as in a layout) or ssh (a line for OpenSSH).")
    var to: Form = .pkcs8

    @OptionGroup var passphrase: PassphraseOptions
    @OptionGroup var newPassphrase: NewPassphraseOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where it goes (default for public forms: standard output).", valueName: "file"))
    var output: String?

    @Flag(help: "Replace a file that is already there.")
    var force = false

    @OptionGroup var result: ResultOptions

    @Argument(help: "A key, named as with --key.")
    var key: String

    func validate() throws {
        guard to == .pkcs8 else {
            let isAsked = newPassphrase.file != nil || newPassphrase.descriptor != nil || newPassphrase.encrypt
            guard !isAsked else { throw ValidationError("public forms are not encrypted") }
            return
        }
        guard output != nil else { throw ValidationError("a private key is written to a file: give --output FILE") }
    }

    func run(in context: CommandContext) throws -> Int32 {
        guard to == .pkcs8 else {
            try write(try AnyKey.publicKey(key, passphrase, in: context), in: context)
            return ExitStatus.success
        }
        let reference = try KeyReference(key)
        let secret: PrivateKey
        do {
            secret = try reference.privateKey(try passphrase.passphrases(in: context), in: context)
        } catch { throw reference.failure(error) }
        let pem = try secret.pem(passphrase: try newPassphrase.passphrase(in: context))
        try pem.withUnsafeBytes { bytes throws in try create(bytes, mode: 0o600) }
        try report(secret.publicKey, in: context)
        return ExitStatus.success
    }

    private func report(_ key: PublicKey, in context: CommandContext) throws {
        try result.report(
            written: [FilePath(output ?? "")], ["keyid": .string(key.keyID(.python).text)],
            note: { context.note("intoto-run: \($0)") }, in: context)
    }

    private func publicText(_ key: PublicKey) throws -> String {
        switch to {
        case .pkcs8, .public: String(key.pem.description.dropLast())
        case .keyObject: try JSONText.indented(key.keyObject)
        case .ssh: key.openSSHLine.description
        }
    }

    private func write(_ key: PublicKey, in context: CommandContext) throws {
        let text = try publicText(key)
        guard output != nil else {
            try context.print(result.json ? JSONText.indented(publicJSON(key)) : text)
            return
        }
        try Array((text + "\n").utf8).withUnsafeBytes { bytes throws in try create(bytes, mode: 0o644) }
        try report(key, in: context)
    }

    /// What would be printed, as a member of the name of its form; a key object as the object that it is.
    private func publicJSON(_ key: PublicKey) throws -> JSONObject {
        var object: JSONObject = ["keyid": .string(key.keyID(.python).text)]
        object[Text(to.rawValue)] = to == .keyObject ? .object(key.keyObject) : .string(Text(try publicText(key)))
        return object
    }

    private func create(_ bytes: UnsafeRawBufferPointer, mode: UInt16) throws {
        do throws(StorageError) {
            try KeyFile.create(FilePath(output ?? ""), bytes, mode: mode, replacing: force)
        } catch .alreadyExists(let path) {
            throw Failure(
                StorageError.alreadyExists(path).description,
                hint: "give another path, or --force to replace it for good")
        } catch { throw Failure(error.description) }
    }
}
