/// Classic metadata: a signed value and signatures over its canonical form. Spec: in-toto v1.0, 4.1.
public struct Metablock: Hashable, Sendable {
    /// What stands under `signed`, exactly as it was read: its canonical form is what signatures cover.
    public let signed: JSONValue
    public var signatures: [Signature]
    /// Signatures in OpenPGP form, which we do not verify.
    public private(set) var openPGPSignatureCount = 0

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
            if signature.object["other_headers"] != nil {
                openPGPSignatureCount += 1
                continue
            }
            guard let bytes = Hex.decode(try signature.text("sig")) else {
                throw .badValue("sig", in: signature.place, reason: "is not hexadecimal")
            }
            signatures.append(
                Signature(
                    keyID: KeyID(try signature.text("keyid")), bytes: bytes,
                    certificate: try signature.optionalText("cert")))
        }
    }

    /// Writes classic metadata around a link that has not become a tree of values.
    public static func write(_ link: Link, signatures: [Signature], to writer: inout JSONWriter) {
        write(signatures, to: &writer) { link.write(to: &$0) }
    }

    public func write(to writer: inout JSONWriter) {
        Self.write(signatures, to: &writer) { $0.value(signed) }
    }

    private static func write(
        _ signatures: [Signature], to writer: inout JSONWriter, signed: (inout JSONWriter) -> Void
    ) {
        writer.object { writer in
            writer.member("signatures") { writer in
                writer.array { writer in
                    for signature in signatures {
                        writer.element { $0.signature(signature, encoded: Hex.encode(signature.bytes)) }
                    }
                }
            }
            writer.member("signed", signed)
        }
    }
}

extension Link {
    /// The bytes that a classic signature covers; throws where a byproduct is no integer, text or container of them.
    public func canonicalBytes() throws(JSONError) -> [UInt8] {
        try JSONWriter.bytes(.canonical) { write(to: &$0) }
    }
}
