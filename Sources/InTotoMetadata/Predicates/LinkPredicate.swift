/// The link predicate: a link whose products are the subjects of its statement. Spec: in-toto attestation
/// predicate `link`, v0.3.
public enum LinkPredicate {
    public static let type: Text = "https://in-toto.io/attestation/link/v0.3"

    /// Writes the statement that says what `link` says, without a tree of values in between.
    ///
    /// Throws `.emptySubject` where the link has no products: a statement needs a subject. Throws where an artifact has
    /// no digest, which a classic link may lack and a statement may not.
    public static func statementBytes(of link: Link) throws(MetadataError) -> [UInt8] {
        guard !link.products.isEmpty else { throw .emptySubject }
        try link.materials.checkDigests(place: "'materials' of the link")
        try link.products.checkDigests(place: "'products' of the link")
        do {
            return try JSONWriter.bytes(.compact) { writer in
                writer.reserve(link.materials.approximateSize + link.products.approximateSize)
                writer.object { writer in
                    writer.member("_type", Statement.type)
                    writer.member("predicate") { writePredicate(of: link, to: &$0) }
                    writer.member("predicateType", type)
                    writer.member("subject") { link.products.writeDescriptors(to: &$0) }
                }
            }
        } catch {
            throw .json(error)
        }
    }

    /// Reads the link that a statement of this type holds.
    ///
    /// Throws where the statement is of another type, and where names are missing or stand twice: a link's artifacts
    /// are told apart by name.
    public static func link(from statement: Statement) throws(MetadataError) -> Link {
        guard statement.predicateType == type else {
            throw .badValue("predicateType", in: "the statement", reason: "is not '\(type)'")
        }
        let predicate = MemberReader(statement.predicate, "the link predicate")
        var materials: [ResourceDescriptor] = []
        if predicate.object["materials"] != nil {
            for (index, element) in try predicate.array("materials").enumerated() {
                materials.append(try ResourceDescriptor(json: element, place: "material \(index)"))
            }
        }
        return Link(
            name: try StepName(reading: try predicate.text("name")),
            command: predicate.object["command"] == nil ? [] : try predicate.texts("command"),
            materials: try ArtifactSet(descriptors: materials, place: "'materials' of the link predicate"),
            products: try ArtifactSet(descriptors: statement.subject, place: "'subject' of the statement"),
            byproducts: try predicate.optionalObject("byproducts") ?? JSONObject(),
            environment: try predicate.optionalObject("environment") ?? JSONObject()
        )
    }

    private static func writePredicate(of link: Link, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("byproducts") { $0.object(link.byproducts) }
            writer.member("command") { $0.texts(link.command) }
            writer.member("environment") { $0.object(link.environment) }
            writer.member("materials") { link.materials.writeDescriptors(to: &$0) }
            writer.member("name", link.name.text)
        }
    }
}

extension ArtifactSet {
    init(descriptors: [ResourceDescriptor], place: String) throws(MetadataError) {
        var builder = Builder()
        for descriptor in descriptors {
            guard let name = descriptor.name else { throw .missingMember("name", in: place) }
            guard !descriptor.digest.isEmpty else { throw .missingMember("digest", in: place) }
            builder.append(ArtifactName(name), descriptor.digest)
        }
        do { self = try builder.finish() } catch { throw .duplicateName(error.duplicate, in: place) }
    }

    func checkDigests(place: String) throws(MetadataError) {
        guard let name = firstWithoutDigest else { return }
        throw .missingMember("digest", in: "'\(name)' in \(place)")
    }

    func writeDescriptors(to writer: inout JSONWriter) {
        writer.array { writer in
            forEachRaw { name, digests in
                writer.element { writer in
                    writer.object { writer in
                        writer.member("digest") { $0.digests(digests) }
                        writer.member("name") { $0.string(utf8: name) }
                    }
                }
            }
        }
    }
}
