/// What one functionary says about one step. Spec: in-toto v1.0, 4.4.
public struct Link: Hashable, Sendable {
    public var name: StepName
    /// The argument vector as executed; empty where no command ran. Bytes that are not UTF-8 are U+FFFD here.
    public var command: [Text]
    public var materials: ArtifactSet
    public var products: ArtifactSet
    /// Free form; by convention `stdout`, `stderr` (text) and `return-value` (integer).
    public var byproducts: JSONObject
    public var environment: JSONObject

    public init(
        name: StepName, command: [Text] = [], materials: ArtifactSet = ArtifactSet(),
        products: ArtifactSet = ArtifactSet(),
        byproducts: JSONObject = JSONObject(), environment: JSONObject = JSONObject()
    ) {
        self.name = name
        self.command = command
        self.materials = materials
        self.products = products
        self.byproducts = byproducts
        self.environment = environment
    }
}

extension Link {
    /// The value of `_type`.
    public static let type: Text = "link"

    /// Reads the `signed` part of classic metadata: exactly the seven members, each of its type.
    public init(json: JSONValue) throws(MetadataError) {
        let members = try MemberReader(json, "the link")
        guard try members.text("_type") == Self.type else {
            throw .badValue("_type", in: members.place, reason: "is not 'link'")
        }
        try members.refuseOthers(
            than: ["_type", "byproducts", "command", "environment", "materials", "name", "products"])
        self.init(
            name: try StepName(reading: try members.text("name")),
            command: try members.texts("command"),
            materials: try ArtifactSet(classic: try members.object("materials"), place: "'materials' of the link"),
            products: try ArtifactSet(classic: try members.object("products"), place: "'products' of the link"),
            byproducts: try members.object("byproducts"),
            environment: try members.object("environment")
        )
    }

    /// Writes the seven members, in canonical order.
    public func write(to writer: inout JSONWriter) {
        writer.reserve(materials.approximateSize + products.approximateSize)
        writer.object { writer in
            writer.member("_type", Self.type)
            writer.member("byproducts") { $0.object(byproducts) }
            writer.member("command") { $0.texts(command) }
            writer.member("environment") { $0.object(environment) }
            writer.member("materials") { materials.writeClassic(to: &$0) }
            writer.member("name", name.text)
            writer.member("products") { products.writeClassic(to: &$0) }
        }
    }
}

extension StepName {
    init(reading text: Text) throws(MetadataError) {
        do { try self.init(text) } catch { throw .badStepName(error) }
    }
}

extension JSONWriter {
    mutating func texts(_ texts: [Text]) {
        array { writer in
            for text in texts { writer.element { $0.string(text) } }
        }
    }
}

extension ArtifactSet {
    /// Reads `{name: {algorithm: value}}`. Spec: in-toto v1.0, 4.4.
    init(classic object: JSONObject, place: String) throws(MetadataError) {
        var builder = Builder()
        for member in object.members {
            let name = ArtifactName(member.name)
            builder.append(name, try DigestSet(json: member.value, place: "'\(name)' in \(place)"))
        }
        do { self = try builder.finish() } catch { throw .duplicateName(error.duplicate, in: place) }
    }

    func writeClassic(to writer: inout JSONWriter) {
        writer.object { writer in
            forEachRaw { name, digests in
                writer.member(utf8: name) { $0.digests(digests) }
            }
        }
    }
}

extension DigestSet {
    /// Most digests of one artifact; nobody has more than a handful.
    static let maximumCount = 32

    /// Reads `{algorithm: value}`; algorithms that we do not know are kept.
    ///
    /// `place` is made only where something is wrong: there may be 300,000 of these in one link.
    package init(json: JSONValue, place: @autoclosure () -> String) throws(MetadataError) {
        guard case .object(let object) = json else { throw .notAnObject(place(), found: json.kind) }
        guard object.members.count <= Self.maximumCount else {
            throw .badValue("digest", in: place(), reason: "has more than \(Self.maximumCount) entries")
        }
        self.init()
        for member in object.members {
            guard case .string(let value) = member.value else {
                throw .wrongType(member.name, in: place(), expected: "a string", found: member.value.kind)
            }
            self[DigestAlgorithm(member.name)] = value
        }
    }

    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            for digest in entries { writer.member(digest.algorithm.name, digest.value) }
        }
    }
}

extension JSONWriter {
    mutating func digests(_ digests: ArtifactSet.RawDigests) {
        object { writer in
            digests.visit { algorithm, value in writer.member(algorithm.name) { $0.string(utf8: value) } }
        }
    }
}
