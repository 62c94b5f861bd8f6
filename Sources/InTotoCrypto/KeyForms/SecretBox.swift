private import CKeyCiphers
private import COpenSSL

/// NaCl's secretbox: XSalsa20 and Poly1305. Spec: D. J. Bernstein, "Cryptography in NaCl", 9 and 10.
enum SecretBox {
    static let keySize = 32
    static let nonceSize = 24
    private static let tagSize = 16

    /// The plaintext; nil where key, nonce and box do not belong together.
    static func open(_ box: [UInt8], nonce: [UInt8], key: SecretBytes) throws(CryptoError) -> SecretBytes? {
        guard box.count >= tagSize, nonce.count == nonceSize, key.count == keySize else { return nil }
        let ciphertext = box[tagSize...]
        // The key of the authenticator is the stream's beginning; the text goes on behind it.
        let stream = SecretBytes(count: keySize + ciphertext.count) { stream in
            stream.initializeMemory(as: UInt8.self, repeating: 0)
            UnsafeMutableRawBufferPointer(rebasing: stream[keySize...]).copyBytes(from: ciphertext)
            key.withUnsafeBytes { key in
                ckc_xsalsa20_xor(
                    stream.bindMemory(to: UInt8.self).baseAddress, stream.count, nonce,
                    key.bindMemory(to: UInt8.self).baseAddress)
            }
        }
        return try stream.withUnsafeBytes { stream throws(CryptoError) in
            let tag = try poly1305(Array(ciphertext), key: UnsafeRawBufferPointer(rebasing: stream[..<keySize]))
            guard CRYPTO_memcmp(tag, Array(box[..<tagSize]), tagSize) == 0 else { return nil }
            return SecretBytes(copying: UnsafeRawBufferPointer(rebasing: stream[keySize...]))
        }
    }

    private static func poly1305(_ text: [UInt8], key: UnsafeRawBufferPointer) throws(CryptoError) -> [UInt8] {
        guard let algorithm = EVP_MAC_fetch(nil, "POLY1305", nil) else { throw .fromErrorQueue("find Poly1305") }
        defer { EVP_MAC_free(algorithm) }
        guard let context = EVP_MAC_CTX_new(algorithm) else { throw .fromErrorQueue("start Poly1305") }
        defer { EVP_MAC_CTX_free(context) }
        var tag = [UInt8](repeating: 0, count: tagSize)
        var length = 0
        let start = key.bindMemory(to: UInt8.self).baseAddress
        guard EVP_MAC_init(context, start, key.count, nil) == 1,
            EVP_MAC_update(context, text, text.count) == 1,
            EVP_MAC_final(context, &tag, &length, tag.count) == 1, length == tag.count
        else { throw .fromErrorQueue("compute Poly1305") }
        return tag
    }
}
