private import COpenSSL

/// AES without padding, from OpenSSL.
enum StreamCipher {
    /// `name` is OpenSSL's; `key` and `vector` have the cipher's sizes.
    static func decrypt(
        _ ciphertext: UnsafeRawBufferPointer, _ name: String, key: UnsafeRawBufferPointer,
        vector: UnsafeRawBufferPointer
    ) throws(CryptoError) -> SecretBytes {
        guard let cipher = EVP_CIPHER_fetch(nil, name, nil) else { throw .fromErrorQueue("find a cipher") }
        defer { EVP_CIPHER_free(cipher) }
        guard let context = EVP_CIPHER_CTX_new() else { throw .fromErrorQueue("start decrypting") }
        defer { EVP_CIPHER_CTX_free(context) }
        guard key.count == EVP_CIPHER_get_key_length(cipher), vector.count == EVP_CIPHER_get_iv_length(cipher),
            EVP_DecryptInit_ex2(context, cipher, start(key), start(vector), nil) == 1,
            EVP_CIPHER_CTX_set_padding(context, 0) == 1
        else { throw .fromErrorQueue("start decrypting") }
        return try SecretBytes(count: ciphertext.count) { plaintext throws(CryptoError) in
            var count: Int32 = 0
            let target = plaintext.bindMemory(to: UInt8.self).baseAddress
            guard EVP_DecryptUpdate(context, target, &count, start(ciphertext), Int32(ciphertext.count)) == 1,
                Int(count) == ciphertext.count
            else { throw .fromErrorQueue("decrypt") }
        }
    }

    static func aes256CTR(_ ciphertext: [UInt8], key: SecretBytes, vector: [UInt8]) throws(CryptoError) -> SecretBytes {
        try ciphertext.withUnsafeBytesThrowing { ciphertext throws(CryptoError) in
            try vector.withUnsafeBytesThrowing { vector throws(CryptoError) in
                try key.withUnsafeBytes { key throws(CryptoError) in
                    try decrypt(ciphertext, "AES-256-CTR", key: key, vector: vector)
                }
            }
        }
    }

    private static func start(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
        bytes.bindMemory(to: UInt8.self).baseAddress
    }
}
