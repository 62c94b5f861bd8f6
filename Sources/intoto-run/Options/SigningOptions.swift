public import ArgumentParser
public import InTotoCrypto
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// With which keys evidence is signed.
struct SigningOptions: ParsableArguments {
    @Option(
        name: [.customShort("k"), .customLong("key"), .customLong("signing-key")], parsing: .upToNextOption,
        help: ArgumentHelp("Private key file (PEM) that signs; several sign together.", valueName: "key"))
    var keys: [String] = []

    @OptionGroup var passphrase: PassphraseOptions

    @Option(
        name: .customLong("keyid-convention"),
        help: "Which key id is written, and names the file: python, go or witness.")
    var convention: KeyIDConvention = .python

    /// The options as they would be given again.
    var words: [String] {
        keys.flatMap { ["-k", $0] } + (passphrase.file.map { ["--passphrase-file", $0] } ?? [])
            + (convention == .python ? [] : ["--keyid-convention", convention.rawValue])
    }

    /// Loads every key and signs a test message with it, so that nothing is run that could not be signed.
    func signers(in context: CommandContext) throws -> [KeyFileSigner] {
        var references = keys
        if references.isEmpty, let variable = context.variable("INTOTO_KEY") {
            references = [Text(repairing: variable).description]
        }
        guard !references.isEmpty else {
            throw Failure("no key to sign with", hint: "give --key FILE; intoto-run key generate FILE makes one")
        }
        let secret = try passphrase.passphrase(in: context)
        var signers: [KeyFileSigner] = []
        for reference in references {
            let key = try KeyReference(reference).privateKey(
                secret, warnsIfNeedless: passphrase.file != nil, in: context)
            let signer = KeyFileSigner(key, convention: convention)
            do { _ = try signer.sign(Array("intoto-run test signature".utf8)) } catch {
                throw Failure("\(Text(reference).escaped): the key cannot sign: \(error)")
            }
            // Named twice, it signs once.
            if signers.contains(where: { $0.key.publicKey == key.publicKey }) { continue }
            guard !signers.contains(where: { $0.keyID.prefix8 == signer.keyID.prefix8 }) else {
                throw Failure(
                    "\(Text(reference).escaped): its key id begins as another key's, and files are named by that",
                    hint: "sign with the two in separate runs, into different directories")
            }
            signers.append(signer)
        }
        return signers
    }
}

/// Where the passphrase of a private key comes from; never an argument, which every process may read.
struct PassphraseOptions: ParsableArguments {
    @Option(
        name: .customLong("passphrase-file"),
        help: ArgumentHelp(
            "File whose first line is the passphrase (or set INTOTO_KEY_PASSPHRASE).", valueName: "file"))
    var file: String?

    func passphrase(in context: CommandContext) throws -> SecretBytes? {
        guard let file else { return context.variable("INTOTO_KEY_PASSPHRASE").map(SecretBytes.init(copying:)) }
        do {
            let (passphrase, isReadableByOthers) = try KeyFile.withSecret(at: FilePath(file), limit: keySizeLimit) {
                bytes in
                let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
                return SecretBytes(copying: UnsafeRawBufferPointer(rebasing: line))
            }
            if isReadableByOthers {
                context.note("intoto-run: warning: \(Text(file).escaped): others may read this passphrase")
            }
            return passphrase
        } catch { throw Failure.reading(file, error) }
    }
}

/// What `--key` says: a path, or `file:` and a path.
struct KeyReference {
    let path: String

    init(_ reference: String) throws {
        for scheme in ["env:", "exec:", "pkcs11:", "gpg:"] where reference.hasPrefix(scheme) {
            throw Failure(
                "\(Text(reference).escaped): keys of kind '\(scheme)' are not supported yet", hint: "give a file")
        }
        path = reference.hasPrefix("file:") ? String(reference.dropFirst("file:".count)) : reference
    }

    /// Throws `KeyError.privateKeyGiven` for a private key.
    func publicKey() throws -> PublicKey {
        try PublicKey(file: BoundedReader.contents(of: FilePath(path), limit: keySizeLimit))
    }

    func privateKey(
        _ passphrase: SecretBytes?, warnsIfNeedless: Bool, in context: CommandContext
    ) throws -> PrivateKey {
        do {
            let (key, isReadableByOthers) = try KeyFile.withSecret(at: FilePath(path), limit: keySizeLimit) { bytes in
                try PrivateKey(pem: SecretBytes(copying: bytes), passphrase: passphrase)
            }
            if isReadableByOthers {
                context.note("intoto-run: warning: \(Text(path).escaped): others may read this private key")
            }
            if key.passphraseWasNeedless && warnsIfNeedless {
                context.note("intoto-run: warning: \(Text(path).escaped): the key needs no passphrase")
            }
            return key
        } catch { throw Failure.reading(path, error) }
    }
}

extension KeyIDConvention: ExpressibleByArgument {}

/// With which public keys signatures are checked.
struct TrustOptions: ParsableArguments {
    @Option(
        name: [.customLong("verification-keys")], parsing: .upToNextOption,
        help: ArgumentHelp("Public keys (PEM, or a layout's key objects) that must have signed.", valueName: "key"))
    var keys: [String] = []

    /// The distinct keys that were named, in their order.
    func publicKeys() throws -> [PublicKey] {
        var distinct: [PublicKey] = []
        for path in keys {
            let key = try Self.publicKey(path)
            if !distinct.contains(key) { distinct.append(key) }
        }
        return distinct
    }

    private static func publicKey(_ reference: String) throws -> PublicKey {
        let key = try KeyReference(reference)
        do { return try key.publicKey() } catch { throw Failure.reading(key.path, error) }
    }
}
