/// Classic metadata: a signed value and signatures over its canonical form. Spec: in-toto v1.0, 4.1.
public struct Metablock: Hashable, Sendable {
    /// What stands under `signed`, exactly as it was read: its canonical form is what signatures cover.
    public let signed: JSONValue
    public var signatures: [Signature]
    /// Signatures in OpenPGP form, which we do not verify, as they were read.
    public var openPGPSignatures: [Signature] = []
    /// Members that we do not know, kept as they were read.
    private var others: JSONObject = [:]

    public init(signed: JSONValue, signatures: [Signature]) {
        self.signed = signed
        self.signatures = signatures
    }
}

extension Metablock {
    init(_ members: MemberReader) throws(MetadataError) {
        signed = try members.value("signed")
        signatures = []
        let elements = try members.array("signatures")
        try checkSignatureCount(elements.count)
        for (index, element) in elements.enumerated() {
            let signature = try MemberReader(element, "signature \(index)")
            let keyID = try signature.keyID(try signature.text("keyid"))
            if signature.object["other_headers"] != nil {
                let headers = try signature.hexadecimal("other_headers")
                openPGPSignatures.append(
                    Signature(
                        keyID: keyID, bytes: try signature.hexadecimal("signature"), openPGPHeaders: headers,
                        others: signature.others(than: ["keyid", "other_headers", "signature"])))
            } else {
                signatures.append(
                    Signature(
                        keyID: keyID, bytes: try signature.hexadecimal("sig"),
                        certificate: try signature.optionalText("cert"),
                        others: signature.others(than: ["cert", "keyid", "sig"])))
            }
        }
        others = members.others(than: ["signatures", "signed"])
    }

    /// Writes classic metadata around a link that has not become a tree of values.
    public static func write(_ link: Link, signatures: [Signature], to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("signatures", json(signatures))
            writer.member("signed") { link.write(to: &$0) }
        }
    }

    public func write(to writer: inout JSONWriter) {
        var object = others
        object["signatures"] = Self.json(signatures + openPGPSignatures)
        object["signed"] = signed
        writer.object(object)
    }

    private static func json(_ signatures: [Signature]) -> JSONValue {
        .array(signatures.map { .object($0.classicJSON) })
    }
}

extension Signature {
    /// OpenPGP's has members of its own, as securesystemslib writes them.
    fileprivate var classicJSON: JSONObject {
        guard let headers = openPGPHeaders else { return json("sig", Hex.encode(bytes)) }
        var object = json("signature", Hex.encode(bytes))
        object["other_headers"] = .string(Hex.encode(headers))
        return object
    }
}

extension MemberReader {
    fileprivate func hexadecimal(_ name: Text) throws(MetadataError) -> [UInt8] {
        guard let bytes = Hex.decode(try text(name)) else {
            throw .badValue(name, in: place, reason: "is not hexadecimal")
        }
        return bytes
    }
}

extension Link {
    /// The bytes that a classic signature covers; throws where a byproduct is no integer, text or container of them.
    public func canonicalBytes() throws(JSONError) -> [UInt8] {
        try JSONWriter.bytes(.canonical) { write(to: &$0) }
    }
}
