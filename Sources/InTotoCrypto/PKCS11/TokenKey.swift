/// A key pair on a token, as a session finds it.
struct TokenKey {
    let publicKey: PublicKey
    private let privatePart: TokenObject?

    /// Finds the public half; tokens show it without a PIN where they hold it as an object of its own.
    static func publicKey(_ uri: PKCS11URI, in session: PKCS11Session) throws(PKCS11Error) -> PublicKey {
        let found = try publicObjects(selection(uri), in: session)
        guard found.count == 1, let key = found.first else {
            throw found.isEmpty ? .noPublicKey : .keys(found.count)
        }
        return key
    }

    /// Finds both halves, after the login.
    init(_ uri: PKCS11URI, in session: PKCS11Session) throws(PKCS11Error) {
        let keys = try session.objects(.privateKey, Self.selection(uri) + [(.signs, [1])])
        guard keys.count == 1, let key = keys.first else { throw .keys(keys.count) }
        privatePart = key
        // The halves share an id, which a label alone may not tell.
        let id = try session.value(.id, of: key) ?? []
        let selection = id.isEmpty ? Self.selection(uri) : [(.id, id)]
        if let publicKey = try Self.publicObjects(selection, in: session).first {
            self.publicKey = publicKey
        } else if let publicKey = try Self.rsaKey(key, in: session) {
            // An RSA private key knows its public numbers.
            self.publicKey = publicKey
        } else {
            throw .noPublicKey
        }
    }

    /// Signs in the raw form that `Signature.bytes` describes.
    func sign(
        _ message: [UInt8], in session: PKCS11Session, _ pin: SecretBytes?
    ) throws(PKCS11Error) -> [UInt8] {
        guard let privatePart else { throw .keys(0) }
        var digested = message
        if let algorithm = publicKey.scheme.digest {
            do { digested = try MessageDigest.digest(algorithm, of: message) } catch { throw .key(.crypto(error)) }
        }
        let signature: [UInt8]
        switch publicKey.scheme {
        case .ed25519: signature = try session.sign(digested, .eddsa, with: privatePart, pin)
        case .rsaPSS: signature = try session.sign(digested, .rsaPSS, with: privatePart, pin)
        case .ecdsaP256, .ecdsaP384, .ecdsaP521:
            let both = try session.sign(digested, .ecdsa, with: privatePart, pin)
            guard both.count.isMultiple(of: 2), !both.isEmpty else { throw .badSignature }
            signature = DERWriter.sequence(
                DERWriter.integer(both.prefix(both.count / 2)), DERWriter.integer(both.suffix(both.count / 2)))
        }
        let isValid: Bool
        do { isValid = try publicKey.isValid(signature: signature, over: message) } catch { throw .key(.crypto(error)) }
        guard isValid else { throw .badSignature }
        return signature
    }

    // MARK: Finding

    private static func selection(_ uri: PKCS11URI) -> [(TokenObject.Attribute, [UInt8])] {
        (uri.label.map { [(.label, $0)] } ?? []) + (uri.id.map { [(.id, $0)] } ?? [])
    }

    /// The distinct keys among public key objects, and where there are none, among certificates.
    private static func publicObjects(
        _ selection: [(TokenObject.Attribute, [UInt8])], in session: PKCS11Session
    ) throws(PKCS11Error) -> [PublicKey] {
        var keys: [PublicKey] = []
        for object in try session.objects(.publicKey, selection) {
            let key = try publicKey(object, in: session)
            if !keys.contains(key) { keys.append(key) }
        }
        guard keys.isEmpty else { return keys }
        for object in try session.objects(.certificate, selection) {
            guard let der = try session.value(.value, of: object) else { continue }
            let key = try read { () throws(KeyError) in
                try der.withUnsafeBytesThrowing(Certificate.subjectPublicKeyInfo)
            }
            if !keys.contains(key) { keys.append(key) }
        }
        return keys
    }

    private static func read(_ spki: () throws(KeyError) -> [UInt8]) throws(PKCS11Error) -> PublicKey {
        do { return try PublicKey(spki: try spki()) } catch { throw .key(error) }
    }

    private static func publicKey(_ object: TokenObject, in session: PKCS11Session) throws(PKCS11Error) -> PublicKey {
        if let key = try rsaKey(object, in: session) { return key }
        guard let curve = try session.value(.curve, of: object), let point = try session.value(.point, of: object)
        else { throw .key(.unsupportedAlgorithm("of the token's")) }
        return try read { () throws(KeyError) in try ellipticKey(curve, point) }
    }

    /// Nil for keys without a modulus.
    private static func rsaKey(_ object: TokenObject, in session: PKCS11Session) throws(PKCS11Error) -> PublicKey? {
        guard let modulus = try session.value(.modulus, of: object), !modulus.isEmpty,
            let exponent = try session.value(.publicExponent, of: object)
        else { return nil }
        return try read { () throws(KeyError) in
            let numbers = DERWriter.sequence(DERWriter.integer(modulus), DERWriter.integer(exponent))
            return DERWriter.sequence(KeyScheme.rsaPSS.algorithmIdentifier, DERWriter.bitString(numbers))
        }
    }

    /// `curve` is an object identifier or, for Ed25519, a name; `point` an octet string around the point, which some
    /// tokens leave out.
    private static func ellipticKey(_ curve: [UInt8], _ point: [UInt8]) throws(KeyError) -> [UInt8] {
        let scheme = try curve.withUnsafeBytesThrowing { curve throws(KeyError) -> KeyScheme in
            if curve.first == 0x13, curve.dropFirst(2).elementsEqual("edwards25519".utf8) { return .ed25519 }
            var identifier = DERReader(curve)
            if identifier.objectIdentifier() == .ed25519 { return .ed25519 }
            return try KeyScheme(curve: DERReader(curve))
        }
        let inner = point.withUnsafeBytes { bytes in DERReader.only(.octetString, in: bytes).map { Array($0.bytes) } }
        return DERWriter.sequence(scheme.algorithmIdentifier, DERWriter.bitString(inner ?? point))
    }
}
