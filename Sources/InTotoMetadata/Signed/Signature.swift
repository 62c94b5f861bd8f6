/// One signature, in the raw form of its scheme, and the hint which key made it.
public struct Signature: Hashable, Sendable {
    public let keyID: KeyID
    /// Ed25519: 64 bytes; ECDSA: DER; RSA: as long as the modulus.
    public let bytes: [UInt8]
    /// What OpenPGP signs behind the message, from the packet's version through its hashed part; nil: not OpenPGP.
    public let openPGPHeaders: [UInt8]?
    /// The certificate of the key, as PEM, where classic metadata has one. Spec: ITE-7, as in-toto-golang has it.
    public let certificate: Text?
    /// What others have put beside it, such as time stamps: kept, and looked at by nobody here.
    let others: JSONObject

    public init(keyID: KeyID, bytes: [UInt8], openPGPHeaders: [UInt8]? = nil, certificate: Text? = nil) {
        self.init(keyID: keyID, bytes: bytes, openPGPHeaders: openPGPHeaders, certificate: certificate, others: [:])
    }

    init(
        keyID: KeyID, bytes: [UInt8], openPGPHeaders: [UInt8]? = nil, certificate: Text? = nil, others: JSONObject
    ) {
        self.keyID = keyID
        self.bytes = bytes
        self.openPGPHeaders = openPGPHeaders
        self.certificate = certificate
        self.others = others
    }

    /// As it stands in a file, its bytes being `encoded` under the container's name for them.
    func json(_ name: Text, _ encoded: Text) -> JSONObject {
        var object = others
        object["keyid"] = .string(keyID.text)
        object["cert"] = certificate.map(JSONValue.string) ?? object["cert"]
        object[name] = .string(encoded)
        return object
    }
}

extension MemberReader {
    /// The label of a signature, which no implementation makes longer than a digest.
    func keyID(_ label: Text) throws(MetadataError) -> KeyID {
        guard label.utf8.count <= maximumKeyIDLength else {
            throw .badValue("keyid", in: place, reason: "is longer than \(maximumKeyIDLength) bytes")
        }
        return KeyID(label)
    }
}

private let maximumKeyIDLength = 256

/// Most signatures of one file; verifying one costs time, and nobody has more functionaries for one step.
let maximumSignatureCount = 256

func checkSignatureCount(_ count: Int) throws(MetadataError) {
    guard count <= maximumSignatureCount else {
        throw .badValue("signatures", in: "the file", reason: "has more than \(maximumSignatureCount) entries")
    }
}
