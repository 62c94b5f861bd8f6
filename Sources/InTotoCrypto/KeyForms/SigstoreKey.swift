private import COpenSSL
internal import InTotoMetadata

/// Private keys as cosign and sigstore encrypt them: JSON around scrypt and a secretbox, inside PEM.
///
/// Spec: go-securesystemslib, `encrypted`.
enum SigstoreKey {
    /// The only N that is written, with r 8 and p 1: half a gigabyte and more would be a hostile file's.
    private static let knownCosts: [Int64] = [32768, 65536, 131072]
    /// The largest of these needs 128 MiB and a little.
    private static let memoryLimit: UInt64 = 160 << 20

    /// PrivateKeyInfo. An empty passphrase is one.
    static func decrypt(_ body: SecretBytes, _ passphrase: SecretBytes) throws(KeyError) -> SecretBytes {
        // What is not encrypted of it is no secret.
        let document = try JSONFields(body.withUnsafeBytes { Array($0) })
        let derivation = try document.fields("kdf")
        let cipher = try document.fields("cipher")
        guard try derivation.text("name") == "scrypt", try cipher.text("name") == "nacl/secretbox" else {
            throw .unsupportedEncryption("not scrypt and NaCl's secretbox")
        }
        let parameters = try derivation.fields("params")
        let (cost, block, parallel) = (
            try parameters.integer("N"), try parameters.integer("r"), try parameters.integer("p")
        )
        guard knownCosts.contains(cost), block == 8, parallel == 1 else {
            throw .derivationTooCostly("scrypt with N \(cost), r \(block), p \(parallel) is not what cosign writes")
        }
        let key = try derive(passphrase, salt: try derivation.bytes("salt"), cost: UInt64(cost))
        let (box, nonce) = (try document.bytes("ciphertext"), try cipher.bytes("nonce"))
        let plaintext: SecretBytes?
        do { plaintext = try SecretBox.open(box, nonce: nonce, key: key) } catch { throw .crypto(error) }
        guard let plaintext else { throw .wrongPassphrase }
        return plaintext
    }

    private static func derive(
        _ passphrase: SecretBytes, salt: [UInt8], cost: UInt64
    ) throws(KeyError) -> SecretBytes {
        var status: Int32 = 0
        let key = SecretBytes(count: SecretBox.keySize) { key in
            status = passphrase.withUnsafeBytes { passphrase in
                EVP_PBE_scrypt(
                    passphrase.bindMemory(to: CChar.self).baseAddress, passphrase.count, salt, salt.count, cost, 8, 1,
                    memoryLimit, key.bindMemory(to: UInt8.self).baseAddress, key.count)
            }
        }
        guard status == 1 else { throw .crypto(.fromErrorQueue("derive a key with scrypt")) }
        return key
    }
}

/// The members of a JSON object in a key file, each of which must be there and of its type.
struct JSONFields {
    private let object: JSONObject

    init(_ text: [UInt8]) throws(KeyError) {
        var limits = JSONLimits()
        limits.size = keySizeLimit
        let json: JSONValue
        do { json = try JSONReader.read(text, limits: limits) } catch { throw .badKeyObject(error.description) }
        guard case .object(let object) = json else { throw .badKeyObject("it is no JSON object") }
        self.object = object
    }

    private init(_ object: JSONObject) { self.object = object }

    func fields(_ name: Text) throws(KeyError) -> JSONFields {
        guard case .object(let object)? = object[name] else { throw .badKeyObject("'\(name)' is not an object") }
        return JSONFields(object)
    }

    func text(_ name: Text) throws(KeyError) -> Text {
        guard case .string(let text)? = object[name] else { throw .badKeyObject("'\(name)' is not a string") }
        return text
    }

    func integer(_ name: Text) throws(KeyError) -> Int64 {
        guard case .integer(let number)? = object[name] else { throw .badKeyObject("'\(name)' is not an integer") }
        return number
    }

    /// From base64.
    func bytes(_ name: Text) throws(KeyError) -> [UInt8] {
        guard let bytes = Base64.decode(try text(name)) else { throw .badKeyObject("'\(name)' is not base64") }
        return bytes
    }
}
