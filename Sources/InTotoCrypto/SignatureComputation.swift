private import COpenSSL

/// One signature being made or checked; the scheme of the key fixes every parameter.
struct SignatureComputation: ~Copyable {
    private let context: OpaquePointer
    private let key: KeyHandle

    private init(_ key: KeyHandle) throws(CryptoError) {
        guard OpenSSL.isReady, let context = EVP_MD_CTX_new() else { throw .fromErrorQueue("allocate a signature") }
        self.context = context
        self.key = key
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Signs `message` with a private key.
    static func sign(_ message: [UInt8], with key: KeyHandle, _ scheme: KeyScheme) throws(CryptoError) -> [UInt8] {
        let computation = try SignatureComputation(key)
        var parameters: OpaquePointer?
        let digest = scheme.digest?.name
        guard EVP_DigestSignInit_ex(computation.context, &parameters, digest, nil, nil, key.pointer, nil) == 1 else {
            throw .fromErrorQueue("start signing")
        }
        if scheme == .rsaPSS { try computation.setPadding(parameters, .pssSHA256) }
        return try computation.sign(message)
    }

    /// Whether `signature` over `message` was made with the private part of `key`. Failures of OpenSSL itself throw.
    ///
    /// `rsa` counts for RSA keys only.
    static func isValid(
        _ signature: [UInt8], over message: [UInt8], by key: KeyHandle, _ scheme: KeyScheme, _ rsa: RSAScheme
    ) throws(CryptoError) -> Bool {
        let computation = try SignatureComputation(key)
        var parameters: OpaquePointer?
        let digest = (scheme == .rsaPSS ? rsa.digest : scheme.digest)?.name
        guard EVP_DigestVerifyInit_ex(computation.context, &parameters, digest, nil, nil, key.pointer, nil) == 1 else {
            throw .fromErrorQueue("start checking a signature")
        }
        if scheme == .rsaPSS { try computation.setPadding(parameters, rsa) }
        let status = EVP_DigestVerify(computation.context, signature, signature.count, message, message.count)
        // What a bad signature leaves in the queue must not colour the next failure.
        ERR_clear_error()
        // 0 and negative values both mean no.
        return status == 1
    }

    private func setPadding(_ parameters: OpaquePointer?, _ scheme: RSAScheme) throws(CryptoError) {
        guard scheme.isPSS else {
            guard EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PADDING) == 1 else {
                throw .fromErrorQueue("choose PKCS#1 v1.5")
            }
            return
        }
        guard EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1,
            EVP_PKEY_CTX_set_rsa_mgf1_md_name(parameters, scheme.digest.name, nil) == 1,
            EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1
        else { throw .fromErrorQueue("choose PSS") }
    }

    private func sign(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
        var length = 0
        guard EVP_DigestSign(context, nil, &length, message, message.count) == 1 else {
            throw .fromErrorQueue("size a signature")
        }
        var signature = [UInt8](repeating: 0, count: length)
        guard EVP_DigestSign(context, &signature, &length, message, message.count) == 1 else {
            throw .fromErrorQueue("sign")
        }
        return Array(signature[..<length])
    }
}
