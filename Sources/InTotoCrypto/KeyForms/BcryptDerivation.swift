private import CKeyCiphers
private import COpenSSL

/// OpenSSH's derivation of a key from a passphrase. Spec: OpenBSD's bcrypt_pbkdf(3).
enum BcryptDerivation {
    /// A round takes about 8 ms for the key and vector of AES-256; OpenSSH writes 16 or 24 rounds unless told otherwise.
    static let roundLimit = 1024

    /// Fills `key`; throws where OpenSSL fails.
    static func derive(
        _ passphrase: SecretBytes, salt: [UInt8], rounds: Int, into key: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) {
        let state = State()
        try passphrase.withUnsafeBytes { bytes throws(CryptoError) in try sha512(bytes, into: state.passphrase) }
        let blocks = (key.count + 31) / 32
        let perBlock = (key.count + blocks - 1) / blocks
        for block in 0..<blocks {
            let number = (0..<4).map { UInt8(truncatingIfNeeded: (block + 1) >> (24 - 8 * $0)) }
            try (salt + number).withUnsafeBytesThrowing { bytes throws(CryptoError) in
                try sha512(bytes, into: state.salt)
            }
            state.hash()
            state.sum.copyMemory(from: UnsafeRawBufferPointer(state.output))
            for _ in 1..<rounds {
                try sha512(UnsafeRawBufferPointer(state.output), into: state.salt)
                state.hash()
                for index in 0..<32 { state.sum[index] ^= state.output[index] }
            }
            // The blocks are interleaved, so that no part of the key comes cheaper than the whole.
            for index in 0..<perBlock where index * blocks + block < key.count {
                key[index * blocks + block] = state.sum[index]
            }
        }
    }

    private static func sha512(
        _ bytes: UnsafeRawBufferPointer, into digest: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) {
        let start = digest.bindMemory(to: UInt8.self).baseAddress
        guard EVP_Digest(bytes.baseAddress, bytes.count, start, nil, EVP_sha512(), nil) == 1 else {
            throw .fromErrorQueue("compute SHA-512")
        }
    }

    /// Everything between passphrase and key, in secret memory.
    private final class State {
        private let memory = UnsafeMutableRawBufferPointer(start: SecretMemory.allocate(192), count: 192)
        var passphrase: UnsafeMutableRawBufferPointer { part(0..<64) }
        var salt: UnsafeMutableRawBufferPointer { part(64..<128) }
        var output: UnsafeMutableRawBufferPointer { part(128..<160) }
        var sum: UnsafeMutableRawBufferPointer { part(160..<192) }

        deinit {
            guard let start = memory.baseAddress else { return }
            OPENSSL_cleanse(start, memory.count)
            SecretMemory.release(start, size: memory.count)
        }

        func hash() {
            ckc_bcrypt_hash(Self.start(passphrase), Self.start(salt), Self.start(output))
        }

        private func part(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
            UnsafeMutableRawBufferPointer(rebasing: memory[range])
        }

        private static func start(_ part: UnsafeMutableRawBufferPointer) -> UnsafeMutablePointer<UInt8>? {
            part.bindMemory(to: UInt8.self).baseAddress
        }
    }
}
