private import COpenSSL

/// Decrypts private keys, after a look at what that would cost.
enum KeyEncryption {
    /// OpenSSL's own limit for traditional encryption, in bytes.
    static let passphraseLimit = 1024

    /// EncryptedPrivateKeyInfo → PrivateKeyInfo. Spec: RFC 5958, 3.
    static func decryptPKCS8(_ encrypted: SecretBytes, _ passphrase: SecretBytes) throws(KeyError) -> SecretBytes {
        try encrypted.withUnsafeBytes { der throws(KeyError) in
            guard var fields = DERReader.only(.sequence, in: der), let algorithm = fields.read(.sequence),
                let ciphertext = fields.read(.octetString), fields.isAtEnd
            else { throw .damaged }
            try DerivationCost.check(algorithm)
            return try decrypt(der, ciphertext.bytes, passphrase)
        }
    }

    private static func decrypt(
        _ der: UnsafeRawBufferPointer, _ ciphertext: UnsafeRawBufferPointer, _ passphrase: SecretBytes
    ) throws(KeyError) -> SecretBytes {
        var position = der.bindMemory(to: UInt8.self).baseAddress
        guard let info = d2i_X509_SIG(nil, &position, der.count) else {
            ERR_clear_error()
            throw .damaged
        }
        defer { X509_SIG_free(info) }
        var algorithm: UnsafePointer<X509_ALGOR>?
        X509_SIG_get0(info, &algorithm, nil)
        var plaintext: UnsafeMutablePointer<UInt8>?
        var length: Int32 = 0
        let result = passphrase.withUnsafeBytes { passphrase in
            PKCS12_pbe_crypt(
                algorithm, passphrase.bindMemory(to: CChar.self).baseAddress, Int32(passphrase.count),
                ciphertext.bindMemory(to: UInt8.self).baseAddress, Int32(ciphertext.count), &plaintext, &length, 0)
        }
        guard result != nil, let plaintext else { throw failure() }
        defer { CRYPTO_clear_free(plaintext, Int(length), nil, 0) }
        return SecretBytes(copying: UnsafeRawBufferPointer(start: plaintext, count: Int(length)))
    }

    /// Takes the reason from the error queue: a cipher that OpenSSL does not have, or a wrong passphrase.
    private static func failure() -> KeyError {
        var failure = KeyError.wrongPassphrase
        while true {
            let code = ERR_get_error()
            guard code != 0 else { return failure }
            let isMissing = intoto_error_means_unsupported(code) != 0
            if isMissing { failure = .unsupportedEncryption("OpenSSL does not offer its cipher") }
        }
    }

    /// OpenSSL's own encryption of PKCS#1 and SEC1: the key is one MD5 over passphrase and salt, so nothing costs much.
    static func decryptTraditional(
        _ encrypted: SecretBytes, headers: UnsafeRawBufferPointer, _ passphrase: SecretBytes
    ) throws(KeyError) -> SecretBytes {
        var cipher = EVP_CIPHER_INFO()
        var text = headers.map { CChar(bitPattern: $0) }.filter { $0 != 0x0D } + [0]
        guard PEM_get_EVP_CIPHER_INFO(&text, &cipher) == 1, cipher.cipher != nil else {
            ERR_clear_error()
            throw .unsupportedEncryption("unknown 'DEK-Info'")
        }
        var failure: KeyError?
        let plaintext = encrypted.withUnsafeBytes { encrypted in
            SecretBytes(capacity: encrypted.count) { plaintext in
                plaintext.copyMemory(from: encrypted)
                var length = encrypted.count
                let isDone = passphrase.withUnsafeBytes { passphrase in
                    decrypt(&cipher, plaintext, &length, passphrase)
                }
                if !isDone { failure = self.failure() }
                return isDone ? length : 0
            }
        }
        if let failure { throw failure }
        return plaintext
    }

    private static func decrypt(
        _ cipher: inout EVP_CIPHER_INFO, _ data: UnsafeMutableRawBufferPointer, _ length: inout Int,
        _ passphrase: UnsafeRawBufferPointer
    ) -> Bool {
        var passphrase = passphrase
        return withUnsafeMutablePointer(to: &passphrase) { passphrase in
            PEM_do_header(
                &cipher, data.bindMemory(to: UInt8.self).baseAddress, &length,
                { buffer, size, _, user in
                    // Always given: without a callback OpenSSL asks at the terminal.
                    guard let buffer, let user else { return -1 }
                    let passphrase = user.load(as: UnsafeRawBufferPointer.self)
                    guard passphrase.count <= Int(size) else { return -1 }
                    UnsafeMutableRawBufferPointer(start: buffer, count: Int(size)).copyMemory(from: passphrase)
                    return Int32(passphrase.count)
                }, passphrase) == 1
        }
    }
}
