import InTotoCrypto
import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// Where a key is, as `--key` says it: the one switch from that to a signer.
enum KeyReference {
    /// A path, or `file:` and a path.
    case file(String)
    /// `env:NAME`: the key itself stands in the variable.
    case variable(String)
    /// `exec:PROGRAM ARG…`
    case program([String])
    /// `pkcs11:…`
    case token(PKCS11URI)
    /// `gpg:KEYID`
    case openPGP(String)

    init(_ reference: String) throws {
        func rest(_ scheme: String) -> String? {
            reference.hasPrefix(scheme) ? String(reference.dropFirst(scheme.count)) : nil
        }
        if let path = rest("file:") {
            self = .file(path)
        } else if let name = rest("env:") {
            guard !name.isEmpty, !name.contains("=") else { throw Failure("env: names no variable") }
            self = .variable(name)
        } else if let words = rest("exec:") {
            self = .program(words.split(separator: " ").map(String.init))
            guard !words.allSatisfy({ $0 == " " }) else { throw Failure("exec: names no program") }
        } else if reference.hasPrefix("pkcs11:") {
            do { self = .token(try PKCS11URI(reference)) } catch {
                // Not the URI itself: it may hold what should not be seen.
                throw Failure("pkcs11: \(error)", hint: error.hint)
            }
        } else if let key = rest("gpg:") {
            self = .openPGP(try Self.openPGPKey(key))
        } else {
            self = .file(reference)
        }
    }

    /// Nothing but a fingerprint or a long id: a name may fit a key that somebody else has put into the keyring.
    private static func openPGPKey(_ text: String) throws -> String {
        let digits = text.hasPrefix("0x") ? String(text.dropFirst(2)) : text
        let id = digits.hasSuffix("!") ? digits.dropLast() : digits[...]
        guard id.count == 40 || id.count == 16, id.utf8.allSatisfy({ Hex.value(of: $0) != nil }) else {
            throw Failure(
                "gpg:\(Text(text).escaped): is no fingerprint of 40 digits, nor a key id of 16",
                hint: "see them with: gpg --list-secret-keys --keyid-format long --with-subkey-fingerprint")
        }
        return digits
    }

    /// How messages call it.
    var shown: String {
        switch self {
        case .file(let path): Text(path).escaped
        case .variable(let name): "env:\(Text(name).escaped)"
        case .program(let words): "exec:\(Text(words[0]).escaped)"
        case .token: "pkcs11"
        case .openPGP(let key): "gpg:\(key)"
        }
    }

    func failure(_ error: any Error) -> Failure {
        switch error {
        case let failure as Failure: failure
        case let error as StorageError: Failure.reading(shown, error)
        case KeyError.privateKeyGiven: Failure("\(shown): \(KeyError.privateKeyGiven)", hint: hintForPrivateKey)
        case let error as KeyError: Failure("\(shown): \(error)", hint: error.hint)
        case let error as PKCS11Error: Failure("\(shown): \(error)", hint: error.hint)
        default: Failure("\(shown): \(error)")
        }
    }
}

extension KeyReference {
    /// The public key that lies beside a private one, where `key generate` puts it, or else how to make it.
    private var hintForPrivateKey: String? {
        guard case .file(let path) = self else { return KeyError.privateKeyGiven.hint }
        let beside = path + ".pub"
        if (try? BoundedReader.contents(of: FilePath(beside), limit: keySizeLimit))
            .flatMap({ try? PublicKey(file: $0) }) != nil
        {
            return "give the public key, which lies beside it: \(Text(beside).escaped)"
        }
        return "make the public key: intoto-run key convert --to public \(Text(path).shellWord) "
            + "-o \(Text(beside).shellWord)"
    }
}

// MARK: Keys

extension KeyReference {
    /// Throws `KeyError.privateKeyGiven` for a private key.
    func publicKey(in context: CommandContext, strength: KeyStrength = .standard) throws -> PublicKey {
        switch self {
        case .file(let path):
            return try PublicKey(
                file: BoundedReader.contents(of: FilePath(path), limit: keySizeLimit), strength: strength)
        case .variable(let name):
            guard let value = context.variable(name) else { throw Self.notSet(name) }
            return try PublicKey(file: value, strength: strength)
        case .program(let words):
            return try ExternalSigner.publicKey(
                words.map { Array($0.utf8) }, environment: context.environmentForPrograms(without: []))
        case .token(let uri): return try PKCS11Signer.publicKey(uri)
        case .openPGP:
            throw Failure(
                "\(shown): OpenPGP keys sign classic links, and are not checked or shown here",
                hint: "in-toto-sign --verify --gpg checks them")
        }
    }

    /// The private key itself, where there is one to be had.
    func privateKey(_ passphrases: Passphrases, in context: CommandContext) throws -> PrivateKey {
        let key: PrivateKey
        switch self {
        case .file(let path): key = try readFile(path, passphrases, in: context)
        case .variable(let name):
            guard let text = context.takeSecret(name) else { throw Self.notSet(name) }
            key = try open(text, passphrases, in: context)
        case .program, .token, .openPGP:
            throw Failure(
                "\(shown): its private key is not to be had", hint: "only files and variables hold private keys")
        }
        if key.passphraseWasNeedless && !passphrases.isForEveryKey {
            context.note("intoto-run: warning: \(shown): the key needs no passphrase")
        }
        return key
    }

    private func readFile(
        _ path: String, _ passphrases: Passphrases, in context: CommandContext
    ) throws -> PrivateKey {
        let (text, isReadableByOthers) = try KeyFile.withSecret(at: FilePath(path), limit: keySizeLimit) {
            SecretBytes(copying: $0)
        }
        let key = try open(text, passphrases, in: context)
        if isReadableByOthers { context.note("intoto-run: warning: \(shown): others may read this private key") }
        return key
    }

    private func open(
        _ text: SecretBytes, _ passphrases: Passphrases, in context: CommandContext
    ) throws -> PrivateKey {
        try passphrases.open(
            asking: "passphrase of \(shown): ", in: context, isMissing: Self.lacksPassphrase
        ) { try PrivateKey(file: text, passphrase: $0) }
    }

    private static func lacksPassphrase(_ error: any Error) -> Bool {
        error as? KeyError == .passphraseMissing || error as? PKCS11Error == .pinMissing
    }

    private static func notSet(_ name: String) -> Failure {
        Failure("env:\(Text(name).escaped): the variable is not set", hint: "set it to the key itself, as PEM")
    }
}

// MARK: Signers

extension KeyReference {
    /// What signs, labelled with the key id of the convention; OpenPGP keys have one of their own. Its errors are
    /// failures that name the key.
    func signer(
        _ convention: KeyIDConvention, _ passphrases: Passphrases, in context: CommandContext,
        environment: [[UInt8]]
    ) throws -> any Signer {
        func named<Base: Signer>(_ signer: Base) -> any Signer { NamedSigner(base: signer, reference: self) }
        do {
            return named(try namelessSigner(convention, passphrases, in: context, environment: environment))
        } catch { throw failure(error) }
    }

    private func namelessSigner(
        _ convention: KeyIDConvention, _ passphrases: Passphrases, in context: CommandContext,
        environment: [[UInt8]]
    ) throws -> any Signer {
        switch self {
        case .file, .variable:
            return KeyFileSigner(try privateKey(passphrases, in: context), convention: convention)
        case .program(let words):
            return try ExternalSigner(words.map { Array($0.utf8) }, environment: environment, convention: convention)
        case .openPGP(let key): return try OpenPGPSigner(key: Array(key.utf8), environment: environment)
        case .token(let uri):
            return try pin(uri, passphrases, in: context).open(
                asking: "PIN of the token: ", in: context, isMissing: Self.lacksPassphrase
            ) { try PKCS11Signer(uri, pin: $0, convention: convention) }
        }
    }

    /// The URI's own source of the PIN, then the variable for PINs, then what was given for all keys.
    private func pin(
        _ uri: PKCS11URI, _ passphrases: Passphrases, in context: CommandContext
    ) throws -> Passphrases {
        let variable = context.secrets["INTOTO_PKCS11_PIN"]
        if let file = uri.pinSource {
            let given = try SecretLine.read(file: file, descriptorOption: nil, in: context)
            return Passphrases(given: given, source: "pin-source")
        }
        return variable.map { Passphrases(given: $0, source: "INTOTO_PKCS11_PIN") } ?? passphrases
    }

    /// The variable that holds the key, which no program gets.
    var secretVariable: String? { if case .variable(let name) = self { name } else { nil } }
}

/// A signer that fails under the name that its user gave it: one of several may fail long after the command line.
private struct NamedSigner<Base: Signer>: Signer {
    let base: Base
    let reference: KeyReference

    var keyID: KeyID { base.keyID }
    var isOpenPGP: Bool { base.isOpenPGP }

    func signature(over message: [UInt8]) throws -> Signature {
        do { return try base.signature(over: message) } catch { throw reference.failure(error) }
    }
}

extension NamedSigner: CheckableSigner where Base: CheckableSigner {
    var publicKey: PublicKey { base.publicKey }
}
