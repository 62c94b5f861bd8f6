/// What a project owner demands of a supply chain. Spec: in-toto v1.0, 4.3.
///
/// Decoding is validation: there is no layout here whose members are missing, misspelled or of the wrong type.
public struct Layout: Hashable, Sendable {
    public var expires: UTCTime
    public var readme: Text
    /// Functionaries' keys, each label once.
    public var keys: [LayoutKey]
    public var steps: [Step]
    /// Run in this order when a product is verified.
    public var inspections: [Inspection]
    /// Certificates that functionaries' certificates must lead to. Spec: ITE-7, as in-toto-golang has it.
    public var roots: [LayoutKey] = []
    public var intermediates: [LayoutKey] = []

    public init(
        expires: UTCTime, readme: Text = "", keys: [LayoutKey], steps: [Step], inspections: [Inspection] = []
    ) {
        self.expires = expires
        self.readme = readme
        self.keys = keys
        self.steps = steps
        self.inspections = inspections
    }
}

extension Layout {
    /// The value of `_type`.
    public static let type: Text = "layout"

    /// Most steps, inspections and keys of one layout, each.
    package static let maximumCount = 10_000

    /// Reads the signed part; every member must be there, unknown ones are refused.
    public init(json object: JSONObject) throws(MetadataError) {
        let members = MemberReader(object, "the layout")
        try members.refuseNewStyleLayout()
        guard try members.text("_type") == Self.type else {
            throw .badValue("_type", in: members.place, reason: "is not 'layout'")
        }
        try members.refuseOthers(
            than: [
                "_type", "expires", "inspect", "intermediatecas", "keys", "readme", "rootcas", "steps",
            ])
        guard let expires = UTCTime(try members.text("expires")) else {
            throw .badValue("expires", in: members.place, reason: "is no time of the form YYYY-MM-DDTHH:MM:SSZ")
        }
        self.init(
            expires: expires, readme: try members.text("readme"),
            keys: try LayoutKey.all(in: try members.object("keys"), place: "'keys' of the layout"),
            steps: try members.values("steps", Step.init(json:place:)),
            inspections: try members.values("inspect", Inspection.init(json:place:)))
        roots = try LayoutKey.all(
            in: try members.optionalObject("rootcas") ?? JSONObject(), place: "'rootcas' of the layout")
        intermediates = try LayoutKey.all(
            in: try members.optionalObject("intermediatecas") ?? JSONObject(), place: "'intermediatecas' of the layout")
        try checkNames()
    }

    /// Links are found by these names, so each stands for one thing.
    private func checkNames() throws(MetadataError) {
        var seen: Set<StepName> = []
        for name in steps.map(\.name) + inspections.map(\.name) {
            guard seen.insert(name).inserted else {
                throw .badValue("name", in: "the layout", reason: "'\(name)' stands for two steps or inspections")
            }
        }
    }
}

/// A key as a layout has it: a label, and an object whose meaning is not looked at here.
public struct LayoutKey: Hashable, Sendable {
    public var keyID: KeyID
    public var object: JSONObject

    public init(keyID: KeyID, object: JSONObject) {
        self.keyID = keyID
        self.object = object
    }

    /// The PEM of a certificate that stands beside the key.
    public var certificate: Text? {
        guard case .object(let values)? = object["keyval"], case .string(let text)? = values["certificate"] else {
            return nil
        }
        return text
    }

    static func all(in object: JSONObject, place: String) throws(MetadataError) -> [LayoutKey] {
        guard object.members.count <= Layout.maximumCount else {
            throw .badValue("keys", in: place, reason: "has more than \(Layout.maximumCount) entries")
        }
        var keys: [LayoutKey] = []
        for member in object.members { keys.append(try LayoutKey(member, place: place)) }
        return keys
    }

    /// As in-toto exports OpenPGP keys (`method`), or as securesystemslib does (`scheme`).
    package static func isOpenPGP(_ object: JSONObject) -> Bool {
        guard case .string(let scheme)? = object["method"] ?? object["scheme"] else { return false }
        return scheme.utf8.starts(with: "pgp+".utf8)
    }

    /// The label must be hexadecimal and be repeated inside, and no private key may have slipped in.
    private init(_ member: JSONObject.Member, place: String) throws(MetadataError) {
        let members = try MemberReader(member.value, "key '\(member.name.escaped)' in \(place)")
        let keyID = KeyID(try members.text("keyid"))
        guard keyID.text == member.name else {
            throw .badValue("keyid", in: members.place, reason: "is '\(keyID)', not the label of the key")
        }
        guard keyID.isHexadecimal else {
            throw .badValue("keyid", in: members.place, reason: "is not hexadecimal")
        }
        let values = try members.object("keyval")
        if case .string(let secret)? = values["private"], secret.isEmpty {
        } else if values["private"] != nil {
            throw .badValue(
                "private", in: members.place, reason: "holds a PRIVATE KEY: whoever has the layout has the key")
        }
        // An OpenPGP key has other members; which keys can be used is decided where they are needed.
        if !Self.isOpenPGP(members.object) {
            try members.refuseOthers(than: ["keyid", "keyid_hash_algorithms", "keytype", "keyval", "scheme"])
            try MemberReader(values, "'keyval' of \(members.place)")
                .refuseOthers(than: ["certificate", "private", "public"])
        }
        self.init(keyID: keyID, object: members.object)
    }
}

extension MemberReader {
    /// Members of ITE-10 and ITE-11, in either spelling of the drafts. Who passes over them passes over what the owner
    /// demands.
    func refuseNewStyleLayout() throws(MetadataError) {
        func refuse(_ object: JSONObject, _ names: [Text]) throws(MetadataError) {
            for name in names where object[name] != nil { throw .newStyleLayout(name) }
        }
        try refuse(object, ["functionaries", "trustBundles", "expectedAttributes", "expected_attributes"])
        for list: Text in ["steps", "inspections", "inspect"] {
            guard case .array(let elements)? = object[list] else { continue }
            for case .object(let element) in elements {
                try refuse(
                    element,
                    [
                        "expectedAttributes", "expectedMaterials", "expectedPredicates", "expectedProducts",
                        "expected_attributes", "expected_predicates", "predicates",
                    ])
            }
        }
    }
}

extension KeyID {
    /// Whether it can name files and keys of layouts.
    package var isHexadecimal: Bool { !text.isEmpty && text.utf8.allSatisfy { Hex.value(of: $0) != nil } }
}
