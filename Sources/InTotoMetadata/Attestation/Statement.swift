/// A claim about subjects, its meaning named by `predicateType`. Spec: in-toto attestation v1, Statement.
public struct Statement: Hashable, Sendable {
    public var subject: [ResourceDescriptor]
    public var predicateType: Text
    public var predicate: JSONObject

    public init(subject: [ResourceDescriptor], predicateType: Text, predicate: JSONObject) {
        self.subject = subject
        self.predicateType = predicateType
        self.predicate = predicate
    }
}

extension Statement {
    /// The value of `_type` that we write.
    public static let type: Text = "https://in-toto.io/Statement/v1"
    /// Older statements, read only.
    public static let legacyType: Text = "https://in-toto.io/Statement/v0.1"

    /// Reads a statement, v1 or v0.1; members that we do not know are ignored, as the specification asks.
    ///
    /// Throws where there is no subject, or a subject has no digest.
    public init(json: JSONValue) throws(MetadataError) {
        let members = try MemberReader(json, "the statement")
        let type = try members.text("_type")
        guard type == Self.type || type == Self.legacyType else { throw .notEvidence(type: type) }
        subject = []
        for (index, element) in try members.array("subject").enumerated() {
            let place = "subject \(index)"
            let descriptor = try ResourceDescriptor(json: element, place: place)
            guard !descriptor.digest.isEmpty else { throw .missingMember("digest", in: place) }
            subject.append(descriptor)
        }
        guard !subject.isEmpty else { throw .emptySubject }
        predicateType = try members.text("predicateType")
        guard !predicateType.isEmpty else { throw .badValue("predicateType", in: members.place, reason: "is empty") }
        predicate = try members.optionalObject("predicate") ?? JSONObject()
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("_type", Self.type)
            writer.member("predicate") { $0.object(predicate) }
            writer.member("predicateType", predicateType)
            writer.member("subject") { writer in
                writer.array { writer in
                    for descriptor in subject { writer.element { descriptor.write(to: &$0) } }
                }
            }
        }
    }
}
