/// Describes one resource; at least a name, a URI, a digest or its content. Spec: in-toto attestation v1,
/// ResourceDescriptor.
public struct ResourceDescriptor: Hashable, Sendable {
    public var name: Text?
    public var uri: Text?
    public var digest = DigestSet()
    /// The resource itself, where it is small.
    public var content: [UInt8]?
    public var downloadLocation: Text?
    public var mediaType: Text?
    public var annotations = JSONObject()

    public init(name: Text? = nil, uri: Text? = nil, digest: DigestSet = DigestSet()) {
        self.name = name
        self.uri = uri
        self.digest = digest
    }
}

extension ResourceDescriptor {
    /// Reads a descriptor; members that we do not know are ignored, as the specification asks.
    public init(json: JSONValue, place: String) throws(MetadataError) {
        let members = try MemberReader(json, place)
        name = try members.optionalText("name")
        uri = try members.optionalText("uri")
        if let digest = members.object["digest"] {
            self.digest = try DigestSet(json: digest, place: "'digest' of \(place)")
        }
        if let text = try members.optionalText("content") {
            guard let content = Base64.decode(text) else {
                throw .badValue("content", in: place, reason: "is not base64")
            }
            self.content = content
        }
        downloadLocation = try members.optionalText("downloadLocation")
        mediaType = try members.optionalText("mediaType")
        annotations = try members.optionalObject("annotations") ?? JSONObject()
        guard name != nil || uri != nil || !digest.isEmpty || content != nil else {
            throw .badValue("digest", in: place, reason: "is missing, and so are 'name', 'uri' and 'content'")
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            if !annotations.isEmpty { writer.member("annotations") { $0.object(annotations) } }
            if let content { writer.member("content", Base64.encode(content)) }
            if !digest.isEmpty { writer.member("digest") { digest.write(to: &$0) } }
            if let downloadLocation { writer.member("downloadLocation", downloadLocation) }
            if let mediaType { writer.member("mediaType", mediaType) }
            if let name { writer.member("name", name) }
            if let uri { writer.member("uri", uri) }
        }
    }
}
