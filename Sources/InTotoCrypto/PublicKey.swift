public import InTotoMetadata

/// A key that checks signatures: Ed25519, ECDSA on a NIST curve, or RSA, and strong enough.
///
/// Two are equal when they are the same key, whatever file, form, label or RSA scheme they came with.
public final class PublicKey: Sendable {
    public let scheme: KeyScheme
    /// How its signatures are checked, of an RSA key; the first where no key object says another one.
    public let rsaScheme: RSAScheme
    /// The SubjectPublicKeyInfo in its one form: named curve, uncompressed point, NULL parameters for RSA.
    public let spki: [UInt8]
    private let identities: KeyIdentities
    private let handle: KeyHandle

    /// Reads a PEM file: the one `PUBLIC KEY` (SPKI), `RSA PUBLIC KEY` (PKCS#1) or `CERTIFICATE` in it. Of a
    /// certificate only the key counts, not who issued it, nor for how long.
    public convenience init(pem: [UInt8]) throws(KeyError) {
        try self.init(try PublicKeyReader.readPEM(pem), .standard)
    }

    /// Reads what a layout says about a key: SPKI PEM, or 64 hexadecimal digits for Ed25519.
    ///
    /// A `keytype` that repeats the scheme, as old tools wrote it, is taken.
    public convenience init(
        keyType: Text, scheme: Text, publicValue: Text, strength: KeyStrength = .standard
    ) throws(KeyError) {
        try self.init(
            try PublicKeyReader.readKeyObject(keyType: keyType, scheme: scheme, publicValue: publicValue), strength)
    }

    /// Reads a key object, of which `keytype`, `scheme` and `keyval.public` count. Its `keyid` is the caller's business.
    public convenience init(keyObject: JSONObject, strength: KeyStrength = .standard) throws(KeyError) {
        func text(_ name: Text, _ object: JSONObject) throws(KeyError) -> Text {
            guard case .string(let text)? = object[name] else { throw .badKeyObject("'\(name)' is not a string") }
            return text
        }
        guard !LayoutKey.isOpenPGP(keyObject) else { throw .openPGP }
        guard case .object(let values)? = keyObject["keyval"] else { throw .badKeyObject("'keyval' is not an object") }
        if case .string(let secret)? = values["private"], !secret.isEmpty { throw .privateKeyGiven }
        try self.init(
            keyType: try text("keytype", keyObject), scheme: try text("scheme", keyObject),
            publicValue: try text("public", values), strength: strength)
    }

    /// Reads a file of any kind: PEM, a key object as JSON, or a line as OpenSSH writes it.
    public convenience init(file: [UInt8], strength: KeyStrength = .standard) throws(KeyError) {
        let file = Array(file.withoutByteOrderMark)
        guard let first = file.first(where: { !(0x09...0x0D).contains($0) && $0 != 0x20 }), first == UInt8(ascii: "{")
        else {
            try self.init(try PublicKeyReader.readFile(file), strength)
            return
        }
        var limits = JSONLimits()
        limits.size = keySizeLimit
        let json: JSONValue
        do { json = try JSONReader.read(file, limits: limits) } catch { throw .badKeyObject(error.description) }
        guard case .object(let object) = json else { throw .badKeyObject("it is no JSON object") }
        try self.init(keyObject: object, strength: strength)
    }

    /// Reads the DER of a SubjectPublicKeyInfo.
    public convenience init(spki: [UInt8]) throws(KeyError) {
        try self.init(try PublicKeyReader.readSPKI(spki), .standard)
    }

    private init(_ reading: PublicKeyReader.Reading, _ strength: KeyStrength) throws(KeyError) {
        try reading.handle.requireModulus(of: strength, reading.scheme)
        scheme = reading.scheme
        rsaScheme = reading.rsaScheme
        handle = reading.handle
        do {
            spki = try reading.handle.encodedPublicPart()
            identities = try KeyIdentities(scheme: reading.scheme, reading.rsaScheme, spki: spki)
        } catch {
            throw .crypto(error)
        }
    }

    /// Why it is weaker than keys should be, where it was taken all the same.
    public var weakness: KeyError? {
        do throws(KeyError) { try handle.requireModulus(of: .standard, scheme) } catch { return error }
        return nil
    }

    /// Whether `signature` is this key's over exactly `message`. Throws only where OpenSSL itself fails.
    public func isValid(signature: [UInt8], over message: [UInt8]) throws(CryptoError) -> Bool {
        try SignatureComputation.isValid(signature, over: message, by: handle, scheme, rsaScheme)
    }
}

extension PublicKey {
    /// SPKI PEM: lines of 64 characters, LF, a final LF.
    public var pem: Text { identities.pem }

    /// `keyval.public`: PEM, or the hexadecimal digits of an Ed25519 key.
    public var publicValue: Text { identities.publicValue }

    /// As key objects name it.
    public var schemeName: Text { scheme.text(rsaScheme) }

    public func keyID(_ convention: KeyIDConvention) -> KeyID { identities.keyID(convention) }

    /// Every label under which tools that we know may have used this key, without repetitions.
    public var knownKeyIDs: [KeyID] { identities.all }

    /// The key as a layout names it, with the key id of today's Python.
    public var keyObject: JSONObject {
        [
            "keyid": .string(keyID(.python).text),
            "keytype": .string(scheme.keyType),
            "keyval": ["public": .string(publicValue)],
            "scheme": .string(schemeName),
        ]
    }
}

extension KeyScheme {
    /// What a key object calls it.
    func text(_ rsa: RSAScheme) -> Text { self == .rsaPSS ? rsa.text : text }
}

extension PublicKey: Hashable {
    public static func == (a: PublicKey, b: PublicKey) -> Bool { a.spki == b.spki }

    public func hash(into hasher: inout Hasher) { hasher.combine(spki) }
}
