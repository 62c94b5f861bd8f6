import ArgumentParser
import InTotoCrypto
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// Where the passphrase of a private key, or the PIN of a token, comes from; never an argument, which every process may
/// read.
struct PassphraseOptions: ParsableArguments {
    @Option(
        name: .customLong("passphrase-file"),
        help: ArgumentHelp(
            "File whose first line is the passphrase (or set INTOTO_KEY_PASSPHRASE, or type it).", valueName: "file"))
    var file: String?

    @Option(
        name: .customLong("passphrase-fd"),
        help: ArgumentHelp("Inherited descriptor whose first line is the passphrase.", valueName: "number"))
    var descriptor: Int32?

    /// The options as they would be given again; a descriptor is read up.
    var words: [String] { file.map { ["--passphrase-file", $0] } ?? [] }

    func validate() throws {
        guard file == nil || descriptor == nil else {
            throw ValidationError("--passphrase-file and --passphrase-fd contradict each other")
        }
    }

    /// Reads what was given; what asks on the terminal comes later, for a key that needs it.
    func passphrases(in context: CommandContext) throws -> Passphrases {
        let variable = context.secrets["INTOTO_KEY_PASSPHRASE"]
        if let file {
            let given = try SecretLine.read(file: file, descriptorOption: "--passphrase-fd", in: context)
            return Passphrases(given: given, source: Text(file).escaped)
        }
        if let descriptor {
            let given = try SecretLine.read(descriptor: descriptor, in: context)
            return Passphrases(given: given, source: "descriptor \(descriptor)")
        }
        return Passphrases(given: variable, source: "INTOTO_KEY_PASSPHRASE", isForEveryKey: true)
    }
}

/// The passphrase that was given, and the terminal where none was.
struct Passphrases {
    let given: SecretBytes?
    /// Where it came from, for messages.
    let source: String
    /// It was not given with these keys in mind: some may need none.
    var isForEveryKey = false

    /// Calls `body` with what was given; where that is nothing and `isMissing` says so, with what is typed.
    func open<Result>(
        asking prompt: String, in context: CommandContext, isMissing: (any Error) -> Bool,
        _ body: (SecretBytes?) throws -> Result
    ) throws -> Result {
        do { return try body(given) } catch  where given == nil && isMissing(error) {
            guard let typed = try context.askSecret(prompt) else { throw error }
            return try body(typed)
        }
    }

    /// For a key that is written: throws where it could not be opened with it again.
    func forNewKey() throws -> SecretBytes? {
        guard let given else { return nil }
        guard given.count > 0 else { throw Failure("\(source): the passphrase is empty") }
        guard given.count <= PrivateKey.passphraseLimit else {
            throw Failure("\(source): \(KeyError.passphraseTooLong(limit: PrivateKey.passphraseLimit))")
        }
        return given
    }
}

/// With which passphrase a key is written.
struct NewPassphraseOptions: ParsableArguments {
    @Option(
        name: .customLong("new-passphrase-file"),
        help: ArgumentHelp("File whose first line encrypts the written key.", valueName: "file"))
    var file: String?

    @Option(
        name: .customLong("new-passphrase-fd"),
        help: ArgumentHelp("Inherited descriptor whose first line encrypts the written key.", valueName: "number"))
    var descriptor: Int32?

    @Flag(help: "Ask on the terminal for the passphrase that encrypts the written key.")
    var encrypt = false

    func validate() throws {
        guard [file != nil, descriptor != nil, encrypt].count(where: { $0 }) <= 1 else {
            throw ValidationError("--new-passphrase-file, --new-passphrase-fd and --encrypt contradict each other")
        }
    }

    func passphrase(in context: CommandContext) throws -> SecretBytes? {
        if let file {
            let given = try SecretLine.read(file: file, descriptorOption: "--new-passphrase-fd", in: context)
            return try Passphrases(given: given, source: Text(file).escaped).forNewKey()
        }
        if let descriptor {
            return try Passphrases(
                given: SecretLine.read(descriptor: descriptor, in: context), source: "descriptor \(descriptor)"
            ).forNewKey()
        }
        return encrypt ? try NewPassphrasePrompt.ask(in: context) : nil
    }
}

/// Asks twice, since what is typed cannot be seen.
enum NewPassphrasePrompt {
    static func ask(in context: CommandContext) throws -> SecretBytes? {
        guard let first = try context.askSecret("new passphrase: "), let second = try context.askSecret("once more: ")
        else {
            throw Failure(
                "there is no terminal to ask for a passphrase", hint: "give a file of which it is the first line")
        }
        let isSame = first.withUnsafeBytes { a in second.withUnsafeBytes { b in a.elementsEqual(b) } }
        guard isSame else { throw Failure("the two passphrases differ") }
        return try Passphrases(given: first, source: "the terminal").forNewKey()
    }
}
