private import COpenSSL

/// Whether the numbers of an RSA private key fit each other.
///
/// A signature that verifies does not show it: with a damaged number OpenSSL takes the other way to the same result.
/// OpenSSL's own check also proves the factors prime, which takes seconds for large keys and tells us nothing about
/// a key that its owner chose.
struct RSAConsistency: ~Copyable {
    private let context: OpaquePointer
    private let key: KeyHandle

    init(_ key: KeyHandle) throws(CryptoError) {
        guard let context = BN_CTX_secure_new() else { throw .fromErrorQueue("check an RSA key") }
        self.context = context
        self.key = key
    }

    deinit { BN_CTX_free(context) }

    /// n = p·q, e·d ≡ 1 modulo p-1 and q-1, and the three numbers derived from them. Spec: RFC 8017, 3.2.
    func holds() throws(CryptoError) -> Bool {
        let n = try Number(key, "n")
        let e = try Number(key, "e")
        let d = try Number(key, "d")
        // A key without factors, or with more than two of them, is not made by any tool that we know.
        guard let p = try? Number(key, "rsa-factor1"), let q = try? Number(key, "rsa-factor2"),
            let dP = try? Number(key, "rsa-exponent1"), let dQ = try? Number(key, "rsa-exponent2"),
            let qInverse = try? Number(key, "rsa-coefficient1")
        else { return false }
        let product = try Number()
        guard BN_is_zero(p.value) == 0, BN_is_zero(q.value) == 0, BN_mul(product.value, p.value, q.value, context) == 1,
            BN_cmp(product.value, n.value) == 0,
            BN_mod_mul(product.value, qInverse.value, q.value, p.value, context) == 1,
            BN_is_one(product.value) == 1, BN_cmp(qInverse.value, p.value) < 0
        else {
            ERR_clear_error()
            return false
        }
        guard try fits(dP, d, e, factor: p) else { return false }
        return try fits(dQ, d, e, factor: q)
    }

    /// Whether `reduced` is d modulo factor - 1, and e·d ≡ 1 there.
    private func fits(
        _ reduced: borrowing Number, _ d: borrowing Number, _ e: borrowing Number, factor: borrowing Number
    ) throws(CryptoError) -> Bool {
        let order = try Number()
        let remainder = try Number()
        defer { ERR_clear_error() }
        guard BN_sub(order.value, factor.value, BN_value_one()) == 1, BN_is_zero(order.value) == 0 else { return false }
        guard BN_nnmod(remainder.value, d.value, order.value, context) == 1 else { return false }
        guard BN_cmp(remainder.value, reduced.value) == 0 else { return false }
        guard BN_mod_mul(remainder.value, reduced.value, e.value, order.value, context) == 1 else { return false }
        return BN_is_one(remainder.value) == 1
    }

    /// One number of the key, wiped when done with.
    private struct Number: ~Copyable {
        let value: OpaquePointer

        init() throws(CryptoError) {
            guard let value = BN_secure_new() else { throw .fromErrorQueue("allocate a number") }
            self.value = value
        }

        init(_ key: KeyHandle, _ name: String) throws(CryptoError) {
            var value = BN_secure_new()
            guard EVP_PKEY_get_bn_param(key.pointer, name, &value) == 1, let value else {
                BN_clear_free(value)
                throw .fromErrorQueue("read an RSA key")
            }
            self.value = value
        }

        deinit { BN_clear_free(value) }
    }
}
