/// A step of a supply chain as a layout demands it. Spec: in-toto v1.0, 4.3.1.
public struct Step: Hashable, Sendable {
    public var name: StepName
    /// How many functionaries must have done it; at least 1.
    public var threshold: Int
    /// Labels of the keys that may have; each once.
    public var keyIDs: [KeyID]
    /// Whose certificates may have. Spec: ITE-7.
    public var certificateConstraints: [CertificateConstraint] = []
    /// Advice: whether it is heeded is the verifier's choice. Empty: none.
    public var expectedCommand: [Text]
    public var expectedMaterials: [ArtifactRule]
    public var expectedProducts: [ArtifactRule]

    public init(
        name: StepName, threshold: Int = 1, keyIDs: [KeyID], expectedCommand: [Text] = [],
        expectedMaterials: [ArtifactRule] = [], expectedProducts: [ArtifactRule] = []
    ) {
        self.name = name
        self.threshold = threshold
        self.keyIDs = keyIDs
        self.expectedCommand = expectedCommand
        self.expectedMaterials = expectedMaterials
        self.expectedProducts = expectedProducts
    }
}

extension Step {
    /// Most functionaries of one step.
    static let maximumKeyCount = 256

    init(json: JSONValue, place: String) throws(MetadataError) {
        let members = try MemberReader(json, place).named(type: "step")
        try members.refuseOthers(
            than: [
                "_type", "cert_constraints", "expected_command", "expected_materials", "expected_products", "name",
                "pubkeys", "threshold",
            ])
        self.init(
            name: try StepName(reading: try members.text("name")), threshold: try Self.threshold(members),
            keyIDs: try Self.keyIDs(members), expectedCommand: try members.texts("expected_command"),
            expectedMaterials: try members.rules("expected_materials"),
            expectedProducts: try members.rules("expected_products"))
        if members.object["cert_constraints"] != nil {
            certificateConstraints = try members.values("cert_constraints", CertificateConstraint.init(json:place:))
        }
    }

    private static func threshold(_ members: MemberReader) throws(MetadataError) -> Int {
        let value = try members.value("threshold")
        if case .integer(let threshold) = value, (1...Int64(maximumKeyCount)).contains(threshold) {
            return Int(threshold)
        }
        let isText = if case .string = value { true } else { false }
        throw .badValue(
            "threshold", in: members.place,
            reason: "is no whole number from 1 to \(maximumKeyCount)"
                + (isText ? ", but a text: write it without quotes" : ""))
    }

    private static func keyIDs(_ members: MemberReader) throws(MetadataError) -> [KeyID] {
        var keyIDs: [KeyID] = []
        for text in try members.texts("pubkeys") {
            let keyID = KeyID(text)
            guard keyID.isHexadecimal else {
                throw .badValue("pubkeys", in: members.place, reason: "holds '\(keyID)', which is not hexadecimal")
            }
            if !keyIDs.contains(keyID) { keyIDs.append(keyID) }
            guard keyIDs.count <= maximumKeyCount else {
                throw .badValue("pubkeys", in: members.place, reason: "has more than \(maximumKeyCount) entries")
            }
        }
        return keyIDs
    }
}

/// A command that is run where the product is verified, and rules for what it finds and leaves. Spec: in-toto v1.0, 4.3.2.
public struct Inspection: Hashable, Sendable {
    public var name: StepName
    /// The argument vector; never empty.
    public var command: [Text]
    public var expectedMaterials: [ArtifactRule]
    public var expectedProducts: [ArtifactRule]

    public init(
        name: StepName, command: [Text], expectedMaterials: [ArtifactRule] = [], expectedProducts: [ArtifactRule] = []
    ) {
        self.name = name
        self.command = command
        self.expectedMaterials = expectedMaterials
        self.expectedProducts = expectedProducts
    }
}

extension Inspection {
    init(json: JSONValue, place: String) throws(MetadataError) {
        let members = try MemberReader(json, place).named(type: "inspection")
        try members.refuseOthers(than: ["_type", "expected_materials", "expected_products", "name", "run"])
        self.init(
            name: try StepName(reading: try members.text("name")), command: try members.texts("run"),
            expectedMaterials: try members.rules("expected_materials"),
            expectedProducts: try members.rules("expected_products"))
        guard command.first?.isEmpty == false else {
            throw .badValue("run", in: members.place, reason: "names no command")
        }
    }
}

/// What a certificate must say so that its key may have done a step. Spec: ITE-7, as in-toto-golang has it.
public struct CertificateConstraint: Hashable, Sendable {
    /// The values of one attribute.
    public enum Values: Hashable, Sendable {
        case anything
        /// Exactly these, in any order; none: the certificate must have none.
        case exactly(Set<Text>)
    }

    public var commonName: Values
    public var dnsNames: Values
    public var emails: Values
    public var organizations: Values
    public var uris: Values
    /// Labels of the layout's roots that the certificate may lead to.
    public var roots: Values
}

extension CertificateConstraint {
    /// Every member must be there: what is left out would be guessed at.
    init(json: JSONValue, place: String) throws(MetadataError) {
        let members = try MemberReader(json, place)
        try members.refuseOthers(than: ["common_name", "dns_names", "emails", "organizations", "roots", "uris"])
        func values(_ name: Text) throws(MetadataError) -> Values { Values(try members.texts(name)) }
        self.init(
            commonName: Values([try members.text("common_name")]), dnsNames: try values("dns_names"),
            emails: try values("emails"), organizations: try values("organizations"), uris: try values("uris"),
            roots: try values("roots"))
    }
}

extension CertificateConstraint.Values {
    init(_ texts: [Text]) {
        if texts == ["*"] {
            self = .anything
        } else {
            self = .exactly(Set(texts == [""] ? [] : texts))
        }
    }
}

// MARK: Reading

extension MemberReader {
    /// The same members under the name that they bear, once their type is right.
    fileprivate func named(type: Text) throws(MetadataError) -> MemberReader {
        guard try text("_type") == type else { throw .badValue("_type", in: place, reason: "is not '\(type)'") }
        return MemberReader(object, "\(type) '\(try text("name").escaped)'")
    }

    /// The elements of an array, each read by `read`, which is told what messages call it.
    func values<Value>(
        _ name: Text, _ read: (JSONValue, String) throws(MetadataError) -> Value
    ) throws(MetadataError) -> [Value] {
        let elements = try array(name)
        guard elements.count <= Layout.maximumCount else {
            throw .badValue(name, in: place, reason: "has more than \(Layout.maximumCount) entries")
        }
        var values: [Value] = []
        for (index, element) in elements.enumerated() {
            values.append(try read(element, "entry \(index + 1) of '\(name)' in \(place)"))
        }
        return values
    }

    func rules(_ name: Text) throws(MetadataError) -> [ArtifactRule] {
        let place = place
        return try values(name) { element, position throws(MetadataError) in
            var words: [Text] = []
            guard case .array(let elements) = element else {
                throw .wrongType(name, in: place, expected: "an array of rules", found: element.kind)
            }
            for element in elements {
                guard case .string(let word) = element else {
                    throw .wrongType(
                        name, in: place, expected: "an array of rules, which are strings", found: element.kind)
                }
                words.append(word)
            }
            do throws(RuleSyntaxError) { return try ArtifactRule(words) } catch {
                throw .badRule(words, in: position, reason: error.reason)
            }
        }
    }
}
