/// Classic metadata: a signed value and signatures over its canonical form. Spec: in-toto v1.0, 4.1.
public struct Metablock: Hashable, Sendable {
    /// What stands under `signed`, exactly as it was read: its canonical form is what signatures cover.
    public let signed: JSONValue
    public var signatures: [Signature]
    /// Signatures in OpenPGP form, which we do not verify, as they were read.
    public var openPGPSignatures: [Signature] = []

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
                    Signature(keyID: keyID, bytes: try signature.hexadecimal("signature"), openPGPHeaders: headers))
            } else {
                signatures.append(
                    Signature(
                        keyID: keyID, bytes: try signature.hexadecimal("sig"),
                        certificate: try signature.optionalText("cert")))
            }
        }
    }

    /// Writes classic metadata around a link that has not become a tree of values.
    public static func write(_ link: Link, signatures: [Signature], to writer: inout JSONWriter) {
        write(signatures, to: &writer) { link.write(to: &$0) }
    }

    public func write(to writer: inout JSONWriter) {
        Self.write(signatures + openPGPSignatures, to: &writer) { $0.value(signed) }
    }

    private static func write(
        _ signatures: [Signature], to writer: inout JSONWriter, signed: (inout JSONWriter) -> Void
    ) {
        writer.object { writer in
            writer.member("signatures") { writer in
                writer.array { writer in
                    for signature in signatures {
                        writer.element { $0.classicSignature(signature) }
                    }
                }
            }
            writer.member("signed", signed)
        }
    }
}

extension JSONWriter {
    /// OpenPGP's has members of its own, as securesystemslib writes them.
    fileprivate mutating func classicSignature(_ signature: Signature) {
        guard let headers = signature.openPGPHeaders else {
            self.signature(signature, encoded: Hex.encode(signature.bytes))
            return
        }
        object { writer in
            writer.member("keyid", signature.keyID.text)
            writer.member("other_headers", Hex.encode(headers))
            writer.member("signature", Hex.encode(signature.bytes))
        }
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
