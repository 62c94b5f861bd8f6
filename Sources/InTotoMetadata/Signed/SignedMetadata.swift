/// A file of signed metadata in either container. Until its signatures are checked it can be asked for little else.
public enum SignedMetadata: Hashable, Sendable {
    case envelope(Envelope)
    case metablock(Metablock)
}

extension SignedMetadata {
    /// Reads one container. Exactly one of `payload` and `signed` must be there.
    public init(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(MetadataError) {
        let json: JSONValue
        do { json = try JSONReader.read(bytes, limits: limits) } catch { throw .json(error) }
        let members = try MemberReader(json, "the file")
        switch (members.object["payload"] != nil, members.object["signed"] != nil) {
        case (true, true): throw .bothContainers
        case (true, false): self = .envelope(try Envelope(members))
        case (false, true): self = .metablock(try Metablock(members))
        case (false, false):
            try members.refuseNewStyleLayout()
            throw .unknownContainer
        }
    }

    public var signatures: [Signature] {
        switch self {
        case .envelope(let envelope): envelope.signatures
        case .metablock(let metablock): metablock.signatures
        }
    }

    /// The bytes that the signatures cover.
    public func signedBytes() throws(MetadataError) -> [UInt8] {
        switch self {
        case .envelope(let envelope):
            return Envelope.preAuthenticationEncoding(payloadType: envelope.payloadType, payload: envelope.payload)
        case .metablock(let metablock):
            do { return try metablock.signed.canonicalBytes() } catch { throw .json(error) }
        }
    }

    /// Decodes what is signed, from the very bytes that the signatures cover.
    ///
    /// Throws `.notEvidence` for kinds that we do not know, and for an envelope whose payload type is not in-toto's or,
    /// around a classic link or layout, not the plain one.
    public func payload(limits: JSONLimits = JSONLimits()) throws(MetadataError) -> Payload {
        switch self {
        case .envelope(let envelope):
            guard envelope.isInToto else { throw .notEvidence(type: envelope.payloadType) }
            let json: JSONValue
            do { json = try JSONReader.read(envelope.payload, limits: limits) } catch { throw .payloadJSON(error) }
            let payload = try Payload(json: json)
            if case .statement = payload { return payload }
            guard envelope.payloadType == Envelope.inTotoPayloadType else {
                throw .notEvidence(type: envelope.payloadType)
            }
            return payload
        case .metablock(let metablock):
            let payload = try Payload(json: metablock.signed)
            guard case .statement = payload else { return payload }
            throw .notEvidence(type: Statement.type)
        }
    }

    public func write(to writer: inout JSONWriter) {
        switch self {
        case .envelope(let envelope): envelope.write(to: &writer)
        case .metablock(let metablock): metablock.write(to: &writer)
        }
    }
}

/// What signed metadata says.
public enum Payload: Hashable, Sendable {
    case link(Link)
    case statement(Statement)
    /// A layout, kept as it is written.
    case layout(JSONObject)

    init(json: JSONValue) throws(MetadataError) {
        let members = try MemberReader(json, "the signed part")
        if members.object["_type"] == nil { try members.refuseNewStyleLayout() }
        let type = try members.text("_type")
        switch type {
        case Link.type: self = .link(try Link(json: json))
        case Layout.type: self = .layout(members.object)
        case Statement.type, Statement.legacyType: self = .statement(try Statement(json: json))
        default: throw .notEvidence(type: type)
        }
    }
}

extension Payload {
    /// The link that this is, in either form; nil for layouts and for statements of other types.
    package func link() throws(MetadataError) -> Link? {
        switch self {
        case .link(let link): link
        case .statement(let statement) where statement.predicateType == LinkPredicate.type:
            try LinkPredicate.link(from: statement)
        case .statement, .layout: nil
        }
    }
}

extension Envelope {
    /// Whether the payload type is in-toto's: the plain one, or one of the forms `application/vnd.in-toto.X+json` that
    /// statements may have, X being the file name of a predicate's specification. Spec: in-toto attestation v1,
    /// Envelope.
    var isInToto: Bool {
        if payloadType == Self.inTotoPayloadType { return true }
        let prefix = Array("application/vnd.in-toto.".utf8)
        let suffix = Array("+json".utf8)
        let type = payloadType.utf8
        guard type.count > prefix.count + suffix.count, type.starts(with: prefix),
            type.suffix(suffix.count).elementsEqual(suffix)
        else { return false }
        return !type.dropLast(suffix.count).contains(UInt8(ascii: "+"))
    }
}
