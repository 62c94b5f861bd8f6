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
            try write(try publicText(try AnyKey.publicKey(key, passphrase, in: context)), in: context)
            return ExitStatus.success
        }
        let reference = try KeyReference(key)
        let secret: PrivateKey
        do {
            secret = try reference.privateKey(try passphrase.passphrases(in: context), in: context)
        } catch { throw reference.failure(error) }
        let pem = try secret.pem(passphrase: try newPassphrase.passphrase(in: context))
        try pem.withUnsafeBytes { bytes throws in try create(bytes, mode: 0o600) }
        context.note("intoto-run: wrote \(Text(output ?? "").escaped)")
        return ExitStatus.success
    }

    private func publicText(_ key: PublicKey) throws -> String {
        switch to {
        case .pkcs8, .public: String(key.pem.description.dropLast())
        case .keyObject: try JSONText.indented(key.keyObject)
        case .ssh: key.openSSHLine.description
        }
    }

    private func write(_ text: String, in context: CommandContext) throws {
        guard let output else {
            try context.print(text)
            return
        }
        try Array((text + "\n").utf8).withUnsafeBytes { bytes throws in try create(bytes, mode: 0o644) }
        context.note("intoto-run: wrote \(Text(output).escaped)")
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
