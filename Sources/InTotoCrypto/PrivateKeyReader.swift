private import COpenSSL

/// Reads private keys in their several forms. What is secret stays in `SecretBytes` and in OpenSSL's memory.
enum PrivateKeyReader {
    struct Reading {
        let scheme: KeyScheme
        let handle: KeyHandle
        let wasEncrypted: Bool
    }

    static func read(_ file: SecretBytes, passphrase: SecretBytes?) throws(KeyError) -> Reading {
        guard SecureHeap.isReady else { throw .noMemory }
        guard file.count <= keySizeLimit else { throw .tooLarge(limit: keySizeLimit) }
        return try file.withUnsafeBytes { bytes throws(KeyError) in
            let text = UnsafeRawBufferPointer(rebasing: bytes.withoutByteOrderMark)
            return try LegacyKey.isLegacy(text) ? LegacyKey.read(text, passphrase) : readPEM(text, passphrase)
        }
    }

    static func readPEM(_ text: UnsafeRawBufferPointer, _ passphrase: SecretBytes?) throws(KeyError) -> Reading {
        let blocks = try PEM.blocks(in: text)
        let count = blocks.count(where: \.isPrivateKey)
        guard count <= 1 else { throw .severalKeys(count) }
        for block in blocks {
            guard let form = PrivateKeyForm(rawValue: block.label) else { continue }
            return try read(form, block, text, passphrase)
        }
        throw refusal(of: blocks, text)
    }

    /// The passphrase of a key that is encrypted.
    static func required(_ passphrase: SecretBytes?) throws(KeyError) -> SecretBytes {
        guard let passphrase else { throw .passphraseMissing }
        guard passphrase.count <= KeyEncryption.passphraseLimit else {
            throw .passphraseTooLong(limit: KeyEncryption.passphraseLimit)
        }
        return passphrase
    }

    private static func read(
        _ form: PrivateKeyForm, _ block: PEMBlock, _ text: UnsafeRawBufferPointer, _ passphrase: SecretBytes?
    ) throws(KeyError) -> Reading {
        guard let body = PEM.decode(UnsafeRawBufferPointer(rebasing: text[block.body])) else { throw .damaged }
        if form == .openSSH { return try OpenSSHPrivateKey.read(body, passphrase) }
        let decrypted = try decrypt(body, form, block, text, passphrase)
        do {
            let (scheme, handle) = try (decrypted ?? body).withUnsafeBytes { der throws(KeyError) in
                try read(form, der)
            }
            return Reading(scheme: scheme, handle: handle, wasEncrypted: decrypted != nil)
        } catch .damaged where decrypted != nil {
            // A wrong passphrase may leave something that looks decrypted.
            throw .wrongPassphrase
        }
    }

    /// Nil where the key is not encrypted.
    private static func decrypt(
        _ body: SecretBytes, _ form: PrivateKeyForm, _ block: PEMBlock, _ text: UnsafeRawBufferPointer,
        _ passphrase: SecretBytes?
    ) throws(KeyError) -> SecretBytes? {
        guard form.isEncrypted || block.headers != nil else { return nil }
        let passphrase = try required(passphrase)
        guard let headers = block.headers else {
            return form == .encryptedPKCS8
                ? try KeyEncryption.decryptPKCS8(body, passphrase) : try SigstoreKey.decrypt(body, passphrase)
        }
        guard form == .pkcs1 || form == .sec1 else { throw .damaged }
        let lines = UnsafeRawBufferPointer(rebasing: text[headers])
        return try KeyEncryption.decryptTraditional(body, headers: lines, passphrase)
    }

    private static func refusal(of blocks: [PEMBlock], _ text: UnsafeRawBufferPointer) -> KeyError {
        for block in blocks {
            switch block.label {
            case "DSA PRIVATE KEY": return .unsupportedAlgorithm("DSA")
            case "PUBLIC KEY", "RSA PUBLIC KEY": return .publicKeyGiven
            case "CERTIFICATE": return .certificateGiven
            default: continue
            }
        }
        if let block = blocks.first { return .unsupportedLabel(block.label) }
        return OpenSSHPublicKey.isLine(text) ? .publicKeyGiven : .notAKey
    }
}

/// The forms that we read; a raw value is the PEM label.
enum PrivateKeyForm: String {
    case pkcs8 = "PRIVATE KEY"
    case encryptedPKCS8 = "ENCRYPTED PRIVATE KEY"
    case pkcs1 = "RSA PRIVATE KEY"
    case sec1 = "EC PRIVATE KEY"
    case openSSH = "OPENSSH PRIVATE KEY"
    case sigstore = "ENCRYPTED SIGSTORE PRIVATE KEY"
    /// What cosign wrote before version 2.
    case cosign = "ENCRYPTED COSIGN PRIVATE KEY"

    /// Whether the label says that it is; the traditional forms say it in headers, OpenSSH's inside.
    var isEncrypted: Bool {
        switch self {
        case .encryptedPKCS8, .sigstore, .cosign: true
        case .pkcs8, .pkcs1, .sec1, .openSSH: false
        }
    }
}

// MARK: DER

extension PrivateKeyReader {
    private static func read(
        _ form: PrivateKeyForm, _ der: UnsafeRawBufferPointer
    ) throws(KeyError) -> (KeyScheme, KeyHandle) {
        guard let fields = DERReader.only(.sequence, in: der) else { throw .damaged }
        switch form {
        case .pkcs8, .encryptedPKCS8, .sigstore, .cosign: return try readPKCS8(fields, der)
        case .pkcs1: return (.rsaPSS, try handle(der, EVP_PKEY_RSA))
        case .sec1:
            var fields = fields
            guard fields.smallInteger() == 1, fields.read(.octetString) != nil, let curve = fields.read(.context0)
            else {
                throw .damaged
            }
            return (try KeyScheme(curve: curve), try handle(der, EVP_PKEY_EC))
        case .openSSH: throw .damaged
        }
    }

    /// PrivateKeyInfo, or OneAsymmetricKey with the public key attached. Spec: RFC 5958, 2.
    private static func readPKCS8(
        _ fields: DERReader, _ der: UnsafeRawBufferPointer
    ) throws(KeyError) -> (KeyScheme, KeyHandle) {
        var fields = fields
        guard let version = fields.smallInteger(), version <= 1, let algorithm = fields.read(.sequence),
            let key = fields.read(.octetString)
        else { throw .damaged }
        let scheme = try KeyScheme(algorithm: algorithm)
        _ = fields.read(.context0)
        let attached = fields.read(.primitiveContext1)
        guard fields.isAtEnd, attached == nil || version == 1 else { throw .damaged }
        switch scheme {
        case .ed25519: return (scheme, try readEd25519(key, attached: attached))
        case .rsaPSS:
            guard attached == nil else { throw .damaged }
            return (scheme, try handle(key.bytes, EVP_PKEY_RSA))
        case .ecdsaP256, .ecdsaP384, .ecdsaP521:
            guard attached == nil else { throw .damaged }
            try checkInnerCurve(key, scheme)
            return (scheme, try handle(der, EVP_PKEY_EC))
        }
    }

    /// The ECPrivateKey inside may name its curve again: it must be the same one.
    private static func checkInnerCurve(_ key: DERReader, _ scheme: KeyScheme) throws(KeyError) {
        guard var fields = DERReader.only(.sequence, in: key.bytes), fields.smallInteger() == 1,
            fields.read(.octetString) != nil
        else { throw .damaged }
        guard let curve = fields.read(.context0) else { return }
        guard try KeyScheme(curve: curve) == scheme else { throw .damaged }
    }

    /// CurvePrivateKey. Spec: RFC 8410, 7.
    private static func readEd25519(_ key: DERReader, attached: DERReader?) throws(KeyError) -> KeyHandle {
        guard let seed = DERReader.only(.octetString, in: key.bytes)?.bytes, seed.count == 32 else { throw .damaged }
        let handle = try KeyAssembly.ed25519(seed: seed)
        guard let attached = attached?.bytes else { return handle }
        let publicPart: [UInt8]
        do { publicPart = try handle.encodedPublicPart() } catch { throw .crypto(error) }
        // After the count of unused bits.
        guard attached.first == 0, attached.dropFirst().elementsEqual(publicPart.suffix(32)) else {
            throw .halvesDiffer
        }
        return handle
    }

    private static func handle(_ der: UnsafeRawBufferPointer, _ type: Int32) throws(KeyError) -> KeyHandle {
        var position = der.bindMemory(to: UInt8.self).baseAddress
        return try own(d2i_PrivateKey_ex(type, nil, &position, der.count, nil, nil))
    }

    private static func own(_ pointer: OpaquePointer?) throws(KeyError) -> KeyHandle {
        guard pointer != nil else {
            ERR_clear_error()
            throw .damaged
        }
        do { return try KeyHandle(pointer, "read a private key") } catch { throw .crypto(error) }
    }
}
