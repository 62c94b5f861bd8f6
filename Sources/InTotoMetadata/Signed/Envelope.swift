/// A DSSE envelope: a payload, its type, and signatures over both. Spec: DSSE 1.0.2.
public struct Envelope: Hashable, Sendable {
    public var payloadType: Text
    /// The decoded payload: what is verified, and afterwards parsed.
    public var payload: [UInt8]
    public var signatures: [Signature]

    public init(payloadType: Text = Self.inTotoPayloadType, payload: [UInt8], signatures: [Signature] = []) {
        self.payloadType = payloadType
        self.payload = payload
        self.signatures = signatures
    }

    /// Classic links, classic layouts and statements; `_type` in the payload tells them apart.
    public static let inTotoPayloadType: Text = "application/vnd.in-toto+json"

    /// The bytes that are signed. Spec: DSSE 1.0.2, "pre-authentication encoding".
    public static func preAuthenticationEncoding(payloadType: Text, payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(payload.count + payloadType.utf8.count + 32)
        bytes.append(contentsOf: "DSSEv1 \(payloadType.utf8.count) ".utf8)
        bytes.append(contentsOf: payloadType.utf8)
        bytes.append(contentsOf: " \(payload.count) ".utf8)
        bytes.append(contentsOf: payload)
        return bytes
    }
}

extension Envelope {
    /// Reads an envelope; members that we do not know are ignored, as the specification asks.
    init(_ members: MemberReader) throws(MetadataError) {
        payloadType = try members.text("payloadType")
        guard let payload = Base64.decode(try members.text("payload")) else {
            throw .badValue("payload", in: members.place, reason: "is not base64")
        }
        self.payload = payload
        signatures = []
        let elements = try members.array("signatures")
        try checkSignatureCount(elements.count)
        for (index, element) in elements.enumerated() {
            let signature = try MemberReader(element, "signature \(index)")
            guard let bytes = Base64.decode(try signature.text("sig")) else {
                throw .badValue("sig", in: signature.place, reason: "is not base64")
            }
            let keyID = try signature.keyID(try signature.optionalText("keyid") ?? "")
            signatures.append(Signature(keyID: keyID, bytes: bytes))
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("payload", Base64.encode(payload))
            writer.member("payloadType", payloadType)
            writer.member("signatures") { writer in
                writer.array { writer in
                    for signature in signatures {
                        writer.element { $0.signature(signature, encoded: Base64.encode(signature.bytes)) }
                    }
                }
            }
        }
    }
}

extension JSONWriter {
    mutating func signature(_ signature: Signature, encoded: Text) {
        object { writer in
            if let certificate = signature.certificate { writer.member("cert", certificate) }
            writer.member("keyid", signature.keyID.text)
            writer.member("sig", encoded)
        }
    }
}
