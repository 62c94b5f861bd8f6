private import COpenSSL

/// The one owner of an `EVP_PKEY`, public or private; freeing it wipes what is private in it.
// Unchecked: OpenSSL documents that threads may share a key that nobody changes, and nobody changes it after `init`.
final class KeyHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over the pointer; nil is the failure of the call that should have made it.
    init(_ pointer: OpaquePointer?, _ operation: String) throws(CryptoError) {
        guard let pointer else { throw .fromErrorQueue(operation) }
        self.pointer = pointer
    }

    deinit { EVP_PKEY_free(pointer) }

    /// The SubjectPublicKeyInfo (RFC 5280, 4.1), as OpenSSL writes it.
    func encodedPublicPart() throws(CryptoError) -> [UInt8] {
        let length = i2d_PUBKEY(pointer, nil)
        guard length > 0 else { throw .fromErrorQueue("encode a public key") }
        var encoded = [UInt8](repeating: 0, count: Int(length))
        let written = encoded.withUnsafeMutableBufferPointer { buffer in
            var position = buffer.baseAddress
            return i2d_PUBKEY(pointer, &position)
        }
        guard written == length else { throw .fromErrorQueue("encode a public key") }
        return encoded
    }
}

// MARK: What a key must be

extension KeyHandle {
    func hasPublicPart(of other: KeyHandle) throws(KeyError) -> Bool {
        do { return try encodedPublicPart() == other.encodedPublicPart() } catch { throw .crypto(error) }
    }

    /// Throws unless OpenSSL, too, sees a key of this scheme, and one that is strong enough.
    func checkStrength(as scheme: KeyScheme, _ strength: KeyStrength = .standard) throws(KeyError) {
        guard EVP_PKEY_is_a(pointer, scheme.openSSLKeyType) == 1 else { throw .damaged }
        switch scheme {
        case .ed25519: break
        case .ecdsaP256, .ecdsaP384, .ecdsaP521: try checkCurve(scheme)
        case .rsaPSS: try checkModulus(strength)
        }
    }

    private func checkCurve(_ scheme: KeyScheme) throws(KeyError) {
        var name = [CChar](repeating: 0, count: 64)
        guard EVP_PKEY_get_group_name(pointer, &name, name.count, nil) == 1 else {
            throw .crypto(.fromErrorQueue("name a curve"))
        }
        let isNamed = name.withUnsafeBufferPointer { buffer in
            buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }.elementsEqual((scheme.openSSLGroup ?? "").utf8)
        }
        guard isNamed else { throw .damaged }
        // The point is on the curve and not the one at infinity.
        guard let context = EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil) else {
            throw .crypto(.fromErrorQueue("check a public key"))
        }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_public_check(context) == 1 else {
            ERR_clear_error()
            throw .badPoint
        }
    }

    /// The length alone, of a key whose other properties are checked.
    func requireModulus(of strength: KeyStrength, _ scheme: KeyScheme) throws(KeyError) {
        guard scheme == .rsaPSS else { return }
        let bits = Int(EVP_PKEY_get_bits(pointer))
        guard bits >= strength.leastModulus else { throw .tooWeak(bits: bits) }
    }

    /// OpenSSL's own check of RSA keys looks for primes, which for large moduli takes minutes: ours takes none.
    private func checkModulus(_ strength: KeyStrength) throws(KeyError) {
        try requireModulus(of: strength, .rsaPSS)
        let bits = Int(EVP_PKEY_get_bits(pointer))
        guard bits <= 16384 else { throw .modulusTooLarge(bits: bits) }
        guard try number("n", { BN_is_odd($0) == 1 }) else { throw .damaged }
        let isGood = try number("e") { BN_is_odd($0) == 1 && (17...64).contains(BN_num_bits($0)) }
        guard isGood else { throw .badExponent }
    }

    private func number(_ name: String, _ holds: (OpaquePointer) -> Bool) throws(KeyError) -> Bool {
        var number: OpaquePointer?
        guard EVP_PKEY_get_bn_param(pointer, name, &number) == 1, let number else {
            throw .crypto(.fromErrorQueue("read an RSA key"))
        }
        defer { BN_free(number) }
        return holds(number)
    }
}
