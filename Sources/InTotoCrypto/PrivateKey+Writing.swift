private import COpenSSL

extension PrivateKey {
    /// PKCS#8 PEM; with a passphrase PBES2 with PBKDF2 and AES-256-CBC, which every other tool can read.
    public func pem(passphrase: SecretBytes?) throws(CryptoError) -> SecretBytes {
        guard let info = EVP_PKEY2PKCS8(handle.pointer) else { throw .fromErrorQueue("encode a private key") }
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        // This kind of BIO wipes what it held.
        guard let output = BIO_new(BIO_s_secmem()) else { throw .fromErrorQueue("allocate memory for a key") }
        defer { BIO_free(output) }
        if let passphrase {
            let encrypted = try Self.encrypt(info, passphrase)
            defer { X509_SIG_free(encrypted) }
            guard PEM_write_bio_PKCS8(output, encrypted) == 1 else { throw .fromErrorQueue("write a private key") }
        } else {
            guard PEM_write_bio_PKCS8_PRIV_KEY_INFO(output, info) == 1 else {
                throw .fromErrorQueue("write a private key")
            }
        }
        var text: UnsafeMutablePointer<CChar>?
        let length = intoto_bio_get_mem_data(output, &text)
        guard let text, length > 0 else { throw .fromErrorQueue("write a private key") }
        return SecretBytes(copying: UnsafeRawBufferPointer(start: text, count: length))
    }

    /// Most bytes of a passphrase that a key can be opened with again.
    public static var passphraseLimit: Int { KeyEncryption.passphraseLimit }

    /// As OWASP asks of PBKDF2 with HMAC-SHA-256.
    private static let iterations: Int32 = 600_000

    private static func encrypt(_ info: OpaquePointer, _ passphrase: SecretBytes) throws(CryptoError) -> OpaquePointer {
        // OpenSSL draws salt and initialisation vector.
        let prf = NID_hmacWithSHA256
        guard let algorithm = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), iterations, nil, 16, nil, prf) else {
            throw .fromErrorQueue("choose how to encrypt a key")
        }
        let encrypted = passphrase.withUnsafeBytes { passphrase in
            PKCS8_set0_pbe(
                passphrase.bindMemory(to: CChar.self).baseAddress, Int32(passphrase.count), info, algorithm)
        }
        guard let encrypted else {
            X509_ALGOR_free(algorithm)
            throw .fromErrorQueue("encrypt a private key")
        }
        return encrypted
    }
}
