/// What is known of a step that has no products yet: written when a step begins, or when a run could not record what its
/// command made, and completed later.
///
/// Its envelope has a payload type of its own, and its payload a `_type` of its own, so that nobody takes it for a link:
/// a step that was only begun proves nothing. Other tools' preliminary links are links, and are not exchanged.
public struct UnfinishedRecord: Hashable, Sendable {
    /// Everything of the step but its products.
    public var link: Link
    /// The directory that paths were relative to, absolute: where it is completed as well.
    public var directory: [UInt8]
    /// What is to be recorded as products, as the user wrote it; empty where that is said later.
    public var products: [[UInt8]]
    /// Only products that are new or differ from the materials.
    public var changedOnly: Bool
    /// How artifacts are found and named, as `InTotoArtifacts` writes it.
    public var snapshot: JSONObject
    /// The forms of evidence that were asked for.
    public var formats: [Text]
    /// When the step began, RFC 3339.
    public var begun: Text
    /// Names of variables, or `PREFIX_*`, whose values are masked although they do not look secret.
    public var redacted: [Text]

    public init(
        link: Link, directory: [UInt8], products: [[UInt8]], changedOnly: Bool, snapshot: JSONObject, formats: [Text],
        begun: Text, redacted: [Text] = []
    ) {
        self.link = link
        self.directory = directory
        self.products = products
        self.changedOnly = changedOnly
        self.snapshot = snapshot
        self.formats = formats
        self.begun = begun
        self.redacted = redacted
    }
}

extension UnfinishedRecord {
    public static let payloadType: Text = "application/vnd.intoto-run.unfinished+json"
    static let type: Text = "intoto-run/unfinished-record/v1"

    /// The envelope's payload.
    public func payload() throws(JSONError) -> [UInt8] {
        try JSONWriter.bytes(.compact) { writer in
            writer.object { writer in
                writer.member("_type", Self.type)
                writer.member("begun", begun)
                writer.member("changed-only", .bool(changedOnly))
                writer.member("directory", JSONValue(bytes: directory))
                writer.member("formats") { $0.texts(formats) }
                writer.member("link") { link.write(to: &$0) }
                writer.member("products", .array(products.map(JSONValue.init(bytes:))))
                writer.member("redacted") { $0.texts(redacted) }
                writer.member("snapshot", .object(snapshot))
            }
        }
    }

    /// Reads a payload; as strict as everything that decides what is signed.
    public init(payload: [UInt8]) throws(MetadataError) {
        let json: JSONValue
        do { json = try JSONReader.read(payload) } catch { throw .payloadJSON(error) }
        let members = try MemberReader(json, "the unfinished record")
        let type = try members.text("_type")
        guard type == Self.type else { throw .notEvidence(type: type) }
        try members.refuseOthers(
            than: [
                "_type", "begun", "changed-only", "directory", "formats", "link", "products", "redacted", "snapshot",
            ])
        link = try Link(json: try members.value("link"))
        directory = try members.bytes("directory")
        products = []
        for element in try members.array("products") {
            guard let bytes = element.bytes else {
                throw .badValue("products", in: members.place, reason: "holds something else than paths")
            }
            products.append(bytes)
        }
        guard case .bool(let changedOnly) = try members.value("changed-only") else {
            throw .badValue("changed-only", in: members.place, reason: "is not true or false")
        }
        self.changedOnly = changedOnly
        snapshot = try members.object("snapshot")
        formats = try members.texts("formats")
        begun = try members.text("begun")
        redacted = try members.texts("redacted")
    }
}

extension JSONValue {
    /// Bytes as a string, or as `{"base64": …}` where they are not UTF-8.
    package init(bytes: [UInt8]) {
        if let text = Text(validating: bytes) {
            self = .string(text)
        } else {
            self = .object(["base64": .string(Base64.encode(bytes))])
        }
    }

    /// Nil where this is neither form.
    package var bytes: [UInt8]? {
        switch self {
        case .string(let text): return text.utf8
        case .object(let object):
            guard case .string(let digits)? = object["base64"], object.members.count == 1 else { return nil }
            return Base64.decode(digits)
        case .null, .bool, .integer, .number, .array: return nil
        }
    }
}

extension MemberReader {
    fileprivate func bytes(_ name: Text) throws(MetadataError) -> [UInt8] {
        guard let bytes = try value(name).bytes else { throw .badValue(name, in: place, reason: "is no path") }
        return bytes
    }
}
