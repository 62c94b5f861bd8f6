/// A DSSE envelope: a payload, its type, and signatures over both. Spec: DSSE 1.0.2.
public struct Envelope: Hashable, Sendable {
    public var payloadType: Text
    /// The decoded payload: what is verified, and afterwards parsed.
    public var payload: [UInt8]
    public var signatures: [Signature]
    /// Members that we do not know, kept as they were read.
    private var others: JSONObject = [:]

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
    /// Reads an envelope; members that we do not know are kept and otherwise ignored, as the specification asks.
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
            signatures.append(Signature(keyID: keyID, bytes: bytes, others: signature.others(than: ["keyid", "sig"])))
        }
        others = members.others(than: ["payload", "payloadType", "signatures"])
    }

    public func write(to writer: inout JSONWriter) {
        var object = others
        object["payload"] = .string(Base64.encode(payload))
        object["payloadType"] = .string(payloadType)
        object["signatures"] = .array(signatures.map { .object($0.json("sig", Base64.encode($0.bytes))) })
        writer.object(object)
    }
}
