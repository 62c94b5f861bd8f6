private import COpenSSL
internal import InTotoMetadata

/// Reads public keys in their several forms into OpenSSL's, refusing those that we do not trust.
enum PublicKeyReader {
    struct Reading {
        let scheme: KeyScheme
        var rsaScheme = RSAScheme.pssSHA256
        let handle: KeyHandle
    }

    /// Reads a file of any kind but JSON.
    static func readFile(_ text: [UInt8]) throws(KeyError) -> Reading {
        guard text.count <= keySizeLimit else { throw .tooLarge(limit: keySizeLimit) }
        let line = try text.withUnsafeBytesThrowing { text throws(KeyError) in
            try requireOneKey(OpenSSHPublicKey.lineCount(in: text) + PEM.blocks(in: text).count(where: \.hasPublicKey))
            return OpenSSHPublicKey.isLine(text) ? try OpenSSHPublicKey.readLine(text) : nil
        }
        if let line { return line }
        return try readPEM(text)
    }

    static func readPEM(_ text: [UInt8]) throws(KeyError) -> Reading {
        guard text.count <= keySizeLimit else { throw .tooLarge(limit: keySizeLimit) }
        return try text.withUnsafeBytesThrowing { text throws(KeyError) in
            let blocks = try PEM.blocks(in: text)
            try requireOneKey(blocks.count(where: \.hasPublicKey))
            for block in blocks {
                let body = UnsafeRawBufferPointer(rebasing: text[block.body])
                switch block.label {
                case _ where block.headers != nil && block.label.hasSuffix("PUBLIC KEY"): throw .damaged
                case "PUBLIC KEY": return try decoded(body).withUnsafeBytes(readSPKI)
                case "RSA PUBLIC KEY": return try decoded(body).withUnsafeBytes(readPKCS1)
                case "CERTIFICATE":
                    return try readSPKI(try decoded(body).withUnsafeBytes(Certificate.subjectPublicKeyInfo))
                default: continue
                }
            }
            throw refusal(of: blocks, text)
        }
    }

    /// Whoever puts two keys into a file wants both, and one would be passed over without a word.
    private static func requireOneKey(_ count: Int) throws(KeyError) {
        guard count <= 1 else { throw .severalKeys(count) }
    }

    static func readKeyObject(keyType: Text, scheme: Text, publicValue: Text) throws(KeyError) -> Reading {
        let refusal = KeyError.unsupportedScheme(keyType: keyType.description, scheme: scheme.description)
        let rsa = RSAScheme.allCases.first { $0.text == scheme }
        guard let wanted = KeyScheme.allCases.first(where: { $0.text == scheme }) ?? rsa.map({ _ in .rsaPSS }) else {
            throw refusal
        }
        guard keyType == wanted.keyType || keyType == scheme else { throw refusal }
        var reading: Reading
        switch wanted {
        case .ed25519:
            guard let bytes = Hex.decode(publicValue), bytes.count == 32 else {
                throw .badKeyObject("'public' is not 64 hexadecimal digits")
            }
            reading = try bytes.withUnsafeBytesThrowing(readEd25519)
        case .ecdsaP256, .ecdsaP384, .ecdsaP521, .rsaPSS: reading = try readPEM(publicValue.utf8)
        }
        guard reading.scheme == wanted else { throw refusal }
        reading.rsaScheme = rsa ?? .pssSHA256
        return reading
    }

    static func readSPKI(_ der: [UInt8]) throws(KeyError) -> Reading {
        guard der.count <= keySizeLimit else { throw .tooLarge(limit: keySizeLimit) }
        return try der.withUnsafeBytesThrowing(readSPKI)
    }
}

// MARK: DER

extension PublicKeyReader {
    /// SubjectPublicKeyInfo. The algorithm is judged before OpenSSL sees the key, so that no explicit curve reaches it.
    private static func readSPKI(_ der: UnsafeRawBufferPointer) throws(KeyError) -> Reading {
        guard var fields = DERReader.only(.sequence, in: der), let algorithm = fields.read(.sequence) else {
            throw .damaged
        }
        let scheme = try KeyScheme(algorithm: algorithm)
        // The first byte counts unused bits, of which whole bytes have none.
        guard let key = fields.read(.bitString)?.bytes, fields.isAtEnd, key.first == 0 else { throw .damaged }
        if scheme == .ed25519 { return try readEd25519(UnsafeRawBufferPointer(rebasing: key.dropFirst())) }
        var position = der.bindMemory(to: UInt8.self).baseAddress
        return try reading(d2i_PUBKEY(nil, &position, der.count), scheme)
    }

    private static func readPKCS1(_ der: UnsafeRawBufferPointer) throws(KeyError) -> Reading {
        guard DERReader.only(.sequence, in: der) != nil else { throw .damaged }
        var position = der.bindMemory(to: UInt8.self).baseAddress
        return try reading(d2i_PublicKey(EVP_PKEY_RSA, nil, &position, der.count), .rsaPSS)
    }

    private static func readEd25519(_ key: UnsafeRawBufferPointer) throws(KeyError) -> Reading {
        guard OpenSSL.isReady, key.count == 32 else { throw .damaged }
        guard !Ed25519Point.isWeak(key) else { throw .badPoint }
        let bytes = key.bindMemory(to: UInt8.self).baseAddress
        return try reading(EVP_PKEY_new_raw_public_key_ex(nil, "ED25519", nil, bytes, key.count), .ed25519)
    }

    /// Checks what OpenSSL made of the key; nil is its refusal.
    private static func reading(_ pointer: OpaquePointer?, _ scheme: KeyScheme) throws(KeyError) -> Reading {
        guard pointer != nil else {
            ERR_clear_error()
            throw .damaged
        }
        let handle: KeyHandle
        do { handle = try KeyHandle(pointer, "read a public key") } catch { throw .crypto(error) }
        // How strong it has to be, its user says.
        try handle.checkStrength(as: scheme, .shortRSA)
        if scheme.openSSLGroup != nil {
            // Points may come compressed; key ids need one form.
            let status = EVP_PKEY_set_utf8_string_param(handle.pointer, "point-format", "uncompressed")
            guard status == 1 else { throw .crypto(.fromErrorQueue("choose the form of a point")) }
        }
        return Reading(scheme: scheme, handle: handle)
    }
}

// MARK: PEM

extension PublicKeyReader {
    private static func decoded(_ body: UnsafeRawBufferPointer) throws(KeyError) -> SecretBytes {
        guard OpenSSL.isReady, let der = PEM.decode(body) else { throw .damaged }
        return der
    }

    private static func refusal(of blocks: [PEMBlock], _ text: UnsafeRawBufferPointer) -> KeyError {
        if blocks.contains(where: { $0.label.hasSuffix("PRIVATE KEY") }) { return .privateKeyGiven }
        if let block = blocks.first { return .unsupportedLabel(block.label) }
        return LegacyKey.isLegacy(text) ? .privateKeyGiven : .notAKey
    }
}

/// Encodings of edwards25519 points under which signatures prove nothing.
enum Ed25519Point {
    /// Whether the point is of low order (a signature can be valid for any message), or not in its canonical form
    /// (one key would have two identities). These are the 14 encodings of the eight points of low order, and every
    /// y that is not below the field's prime.
    static func isWeak(_ encoding: UnsafeRawBufferPointer) -> Bool {
        var y = Array(encoding)
        // The top bit is the sign of x.
        y[31] &= 0x7F
        return lowOrder.contains(y) || !isBelowPrime(y)
    }

    /// Little endian, against 2^255 - 19.
    private static func isBelowPrime(_ y: [UInt8]) -> Bool {
        guard y[31] == 0x7F, y[1..<31].allSatisfy({ $0 == 0xFF }) else { return true }
        return y[0] < 0xED
    }

    private static let lowOrder: [[UInt8]] = [
        [0] + Array(repeating: 0, count: 31),
        [1] + Array(repeating: 0, count: 31),
        [0xEC] + Array(repeating: 0xFF, count: 30) + [0x7F],
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0,
            0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F,
            0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
        ],
    ]
}

extension [UInt8] {
    /// `withUnsafeBytes` with a typed error.
    func withUnsafeBytesThrowing<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        let result = withUnsafeBytes { bytes in Result { () throws(E) -> R in try body(bytes) } }
        return try result.get()
    }
}
