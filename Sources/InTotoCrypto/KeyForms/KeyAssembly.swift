private import COpenSSL

/// Makes OpenSSL's private keys out of their numbers, big-endian, which may be secret.
enum KeyAssembly {
    /// By way of PKCS#8 (RFC 8410, 7): of a raw seed, OpenSSL makes its copy in ordinary memory.
    static func ed25519(seed: UnsafeRawBufferPointer) throws(KeyError) -> KeyHandle {
        guard seed.count == 32 else { throw .damaged }
        let start: [UInt8] = [
            0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
        ]
        let encoded = SecretBytes(count: start.count + seed.count) { memory in
            memory.copyBytes(from: start)
            UnsafeMutableRawBufferPointer(rebasing: memory[start.count...]).copyMemory(from: seed)
        }
        return try own(
            encoded.withUnsafeBytes { bytes in
                var position = bytes.bindMemory(to: UInt8.self).baseAddress
                return d2i_PrivateKey_ex(EVP_PKEY_ED25519, nil, &position, bytes.count, nil, nil)
            })
    }

    static func ecdsa(
        _ scheme: KeyScheme, point: UnsafeRawBufferPointer, scalar: UnsafeRawBufferPointer
    ) throws(KeyError) -> KeyHandle {
        try wrap { () throws(CryptoError) in
            let parameters = try Parameters()
            try parameters.addGroup(of: scheme)
            try parameters.add("pub", point)
            try parameters.add("priv", Number(scalar))
            return try parameters.key(scheme)
        }
    }

    /// OpenSSH leaves out the two reduced exponents.
    static func rsa(
        n: UnsafeRawBufferPointer, e: UnsafeRawBufferPointer, d: UnsafeRawBufferPointer, p: UnsafeRawBufferPointer,
        q: UnsafeRawBufferPointer, inverse: UnsafeRawBufferPointer
    ) throws(KeyError) -> KeyHandle {
        try wrap { () throws(CryptoError) in
            let parameters = try Parameters()
            let (n, e, d) = (try Number(n), try Number(e), try Number(d))
            let (p, q, inverse) = (try Number(p), try Number(q), try Number(inverse))
            let (dP, dQ) = (try d.reduced(byPredecessorOf: p), try d.reduced(byPredecessorOf: q))
            try parameters.add("n", n)
            try parameters.add("e", e)
            try parameters.add("d", d)
            try parameters.add("rsa-factor1", p)
            try parameters.add("rsa-factor2", q)
            try parameters.add("rsa-exponent1", dP)
            try parameters.add("rsa-exponent2", dQ)
            try parameters.add("rsa-coefficient1", inverse)
            return try inSecureMemory(try parameters.key(.rsaPSS))
        }
    }

    /// The same key, decoded: the numbers of an RSA key that is assembled stay in ordinary memory.
    private static func inSecureMemory(_ key: KeyHandle) throws(CryptoError) -> KeyHandle {
        guard let info = EVP_PKEY2PKCS8(key.pointer) else { throw .fromErrorQueue("encode a private key") }
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        return try KeyHandle(EVP_PKCS82PKEY(info), "decode a private key")
    }

    /// Numbers that OpenSSL does not take together are a damaged file's.
    private static func wrap(_ body: () throws(CryptoError) -> KeyHandle) throws(KeyError) -> KeyHandle {
        do { return try body() } catch { throw .damaged }
    }

    private static func own(_ pointer: OpaquePointer?) throws(KeyError) -> KeyHandle {
        do { return try KeyHandle(pointer, "read a private key") } catch { throw .damaged }
    }

    /// A number in memory that is wiped.
    private final class Number {
        let value: OpaquePointer

        init() throws(CryptoError) {
            guard let value = BN_secure_new() else { throw .fromErrorQueue("allocate a number") }
            self.value = value
        }

        convenience init(_ bytes: UnsafeRawBufferPointer) throws(CryptoError) {
            try self.init()
            let start = bytes.bindMemory(to: UInt8.self).baseAddress
            guard BN_bin2bn(start, Int32(bytes.count), value) != nil else { throw .fromErrorQueue("read a number") }
        }

        deinit { BN_clear_free(value) }

        func reduced(byPredecessorOf factor: Number) throws(CryptoError) -> Number {
            guard let context = BN_CTX_secure_new() else { throw .fromErrorQueue("allocate a number") }
            defer { BN_CTX_free(context) }
            let (order, remainder) = (try Number(), try Number())
            guard BN_sub(order.value, factor.value, BN_value_one()) == 1, BN_is_zero(order.value) == 0,
                BN_nnmod(remainder.value, value, order.value, context) == 1
            else { throw .fromErrorQueue("reduce a number") }
            return remainder
        }
    }

    /// The numbers of one key on their way; those of secure numbers stay in secure memory.
    ///
    /// OpenSSL copies nothing until the key is made: names must be static, and what is added must live until then.
    private final class Parameters {
        private let builder: OpaquePointer
        private var numbers: [Number] = []

        init() throws(CryptoError) {
            guard let builder = OSSL_PARAM_BLD_new() else { throw .fromErrorQueue("assemble a key") }
            self.builder = builder
        }

        deinit { OSSL_PARAM_BLD_free(builder) }

        func addGroup(of scheme: KeyScheme) throws(CryptoError) {
            let group: StaticString =
                switch scheme {
                case .ecdsaP256: "prime256v1"
                case .ecdsaP384: "secp384r1"
                case .ecdsaP521: "secp521r1"
                case .ed25519, .rsaPSS: ""
                }
            try check(OSSL_PARAM_BLD_push_utf8_string(builder, Self.start("group"), Self.start(group), 0))
        }

        func add(_ name: StaticString, _ bytes: UnsafeRawBufferPointer) throws(CryptoError) {
            try check(OSSL_PARAM_BLD_push_octet_string(builder, Self.start(name), bytes.baseAddress, bytes.count))
        }

        func add(_ name: StaticString, _ number: Number) throws(CryptoError) {
            numbers.append(number)
            try check(OSSL_PARAM_BLD_push_BN(builder, Self.start(name), number.value))
        }

        private func check(_ status: Int32) throws(CryptoError) {
            guard status == 1 else { throw .fromErrorQueue("assemble a key") }
        }

        private static func start(_ text: StaticString) -> UnsafePointer<CChar> {
            UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
        }

        func key(_ scheme: KeyScheme) throws(CryptoError) -> KeyHandle {
            guard let parameters = OSSL_PARAM_BLD_to_param(builder) else { throw .fromErrorQueue("assemble a key") }
            defer { OSSL_PARAM_free(parameters) }
            guard let context = EVP_PKEY_CTX_new_from_name(nil, scheme.openSSLKeyType, nil) else {
                throw .fromErrorQueue("assemble a key")
            }
            defer { EVP_PKEY_CTX_free(context) }
            var key: OpaquePointer?
            guard EVP_PKEY_fromdata_init(context) == 1,
                EVP_PKEY_fromdata(context, &key, intoto_key_pair_selection(), parameters) == 1
            else { throw .fromErrorQueue("assemble a key") }
            return try KeyHandle(key, "assemble a key")
        }
    }
}
