/// Private keys in OpenSSH's own format. Spec: OpenSSH, PROTOCOL.key.
enum OpenSSHPrivateKey {
    static func read(_ body: SecretBytes, _ passphrase: SecretBytes?) throws(KeyError) -> PrivateKeyReader.Reading {
        try body.withUnsafeBytes { bytes throws(KeyError) in
            var fields = WireReader(bytes)
            try fields.skip(Array("openssh-key-v1\0".utf8))
            let cipher = try fields.name()
            let derivation = try fields.name()
            let parameters = try fields.string()
            guard try fields.number() == 1 else { throw .damaged }
            let publicPart = try OpenSSHPublicKey.read(try fields.string())
            let section = try fields.string()
            guard cipher != "none" else {
                guard derivation == "none", fields.isAtEnd else { throw .damaged }
                let handle = try readSection(section, publicPart, mismatch: .damaged)
                return .init(scheme: publicPart.scheme, handle: handle, wasEncrypted: false)
            }
            let choice = try OpenSSHCipher(cipher)
            guard fields.isAtEnd else { throw .damaged }
            guard derivation == "bcrypt" else { throw .unsupportedEncryption(derivation) }
            let secret = try PrivateKeyReader.required(passphrase)
            let plaintext = try decrypt(section, choice, parameters, secret)
            let handle = try plaintext.withUnsafeBytes { section throws(KeyError) in
                try readSection(section, publicPart, mismatch: .wrongPassphrase)
            }
            return .init(scheme: publicPart.scheme, handle: handle, wasEncrypted: true)
        }
    }

    // MARK: Encryption

    private static func decrypt(
        _ section: UnsafeRawBufferPointer, _ cipher: OpenSSHCipher, _ parameters: UnsafeRawBufferPointer,
        _ passphrase: SecretBytes
    ) throws(KeyError) -> SecretBytes {
        var fields = WireReader(parameters)
        let salt = Array(try fields.string())
        let rounds = try fields.number()
        guard fields.isAtEnd, !salt.isEmpty, rounds > 0 else { throw .damaged }
        guard salt.count <= DerivationCost.saltLimit else {
            throw .derivationTooCostly("a salt of \(salt.count) bytes")
        }
        guard rounds <= BcryptDerivation.roundLimit else {
            throw .derivationTooCostly(
                "\(rounds) rounds of bcrypt, of which at most \(BcryptDerivation.roundLimit) are done")
        }
        guard section.count.isMultiple(of: OpenSSHCipher.blockSize) else { throw .damaged }
        do throws(CryptoError) {
            let key = try SecretBytes(count: cipher.keySize + OpenSSHCipher.blockSize) { key throws(CryptoError) in
                try BcryptDerivation.derive(passphrase, salt: salt, rounds: rounds, into: key)
            }
            return try cipher.decrypt(section, keyAndVector: key)
        } catch { throw .crypto(error) }
    }

    // MARK: Content

    /// `mismatch` is what a section that does not begin with its two equal numbers means.
    private static func readSection(
        _ section: UnsafeRawBufferPointer, _ publicPart: PublicKeyReader.Reading, mismatch: KeyError
    ) throws(KeyError) -> KeyHandle {
        var fields = WireReader(section)
        guard section.count >= 8, try fields.number() == (try fields.number()) else { throw mismatch }
        let type = try OpenSSHKeyType(try fields.name())
        guard type.scheme == publicPart.scheme else { throw .halvesDiffer }
        let handle = try readKey(type, &fields)
        _ = try fields.string()
        let padding = fields.rest
        guard padding.count <= 255, zip(padding, 1...).allSatisfy({ Int($0) == $1 }) else { throw .damaged }
        guard try handle.hasPublicPart(of: publicPart.handle) else { throw .halvesDiffer }
        return handle
    }

    private static func readKey(_ type: OpenSSHKeyType, _ fields: inout WireReader) throws(KeyError) -> KeyHandle {
        switch type.scheme {
        case .ed25519:
            let publicPart = try fields.string()
            // The seed, and the public part once more.
            let both = try fields.string()
            guard both.count == 64, both.suffix(32).elementsEqual(publicPart) else { throw .damaged }
            return try KeyAssembly.ed25519(seed: UnsafeRawBufferPointer(rebasing: both.prefix(32)))
        case .ecdsaP256, .ecdsaP384, .ecdsaP521:
            guard try fields.name() == type.curve else { throw .damaged }
            let point = try fields.string()
            return try KeyAssembly.ecdsa(type.scheme, point: point, scalar: try fields.positiveInteger())
        case .rsaPSS:
            let (n, e, d) = (
                try fields.positiveInteger(), try fields.positiveInteger(), try fields.positiveInteger()
            )
            let inverse = try fields.positiveInteger()
            let (p, q) = (try fields.positiveInteger(), try fields.positiveInteger())
            return try KeyAssembly.rsa(n: n, e: e, d: d, p: p, q: q, inverse: inverse)
        }
    }
}

/// The ciphers of OpenSSH's key files that are in use: AES, CTR since 2013, CBC before. Those of its connections that
/// it can use for files, too, nobody chooses by accident.
private struct OpenSSHCipher {
    static let blockSize = 16
    let keySize: Int
    private let openSSLName: String

    init(_ name: String) throws(KeyError) {
        for (bits, mode) in [(256, "ctr"), (256, "cbc"), (192, "ctr"), (192, "cbc"), (128, "ctr"), (128, "cbc")]
        where name == "aes\(bits)-\(mode)" {
            keySize = bits / 8
            openSSLName = "AES-\(bits)-\(mode.uppercased())"
            return
        }
        throw .unsupportedEncryption(name)
    }

    func decrypt(_ ciphertext: UnsafeRawBufferPointer, keyAndVector: SecretBytes) throws(CryptoError) -> SecretBytes {
        try keyAndVector.withUnsafeBytes { bytes throws(CryptoError) in
            try StreamCipher.decrypt(
                ciphertext, openSSLName, key: UnsafeRawBufferPointer(rebasing: bytes[..<keySize]),
                vector: UnsafeRawBufferPointer(rebasing: bytes[keySize...]))
        }
    }
}
