extension Layout {
    /// The signed part as verifiers read it: every member, in canonical order, keys as they came.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("_type", Self.type)
            writer.member("expires", Text(expires.description))
            writer.member("inspect") { $0.elements(inspections) { $1.write(to: &$0) } }
            if !intermediates.isEmpty { writer.member("intermediatecas") { $0.keys(intermediates) } }
            writer.member("keys") { $0.keys(keys) }
            writer.member("readme", readme)
            if !roots.isEmpty { writer.member("rootcas") { $0.keys(roots) } }
            writer.member("steps") { $0.elements(steps) { $1.write(to: &$0) } }
        }
    }

    /// The same as a value.
    public func json() throws(MetadataError) -> JSONObject {
        do {
            guard case .object(let object) = try JSONReader.read(JSONWriter.bytes(.compact) { write(to: &$0) }) else {
                throw MetadataError.notAnObject("the layout", found: "something else")
            }
            return object
        } catch let error as JSONError { throw .json(error) } catch let error as MetadataError { throw error } catch {
            throw .unknownContainer
        }
    }
}

extension Step {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("_type", "step" as Text)
            if !certificateConstraints.isEmpty {
                writer.member("cert_constraints") { $0.elements(certificateConstraints) { $1.write(to: &$0) } }
            }
            writer.member("expected_command") { $0.texts(expectedCommand) }
            writer.member("expected_materials") { $0.rules(expectedMaterials) }
            writer.member("expected_products") { $0.rules(expectedProducts) }
            writer.member("name", name.text)
            writer.member("pubkeys") { $0.texts(keyIDs.map(\.text)) }
            writer.member("threshold") { $0.integer(Int64(threshold)) }
        }
    }
}

extension Inspection {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("_type", "inspection" as Text)
            writer.member("expected_materials") { $0.rules(expectedMaterials) }
            writer.member("expected_products") { $0.rules(expectedProducts) }
            writer.member("name", name.text)
            writer.member("run") { $0.texts(command) }
        }
    }
}

extension CertificateConstraint {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("common_name", commonName.texts.first ?? "")
            writer.member("dns_names") { $0.texts(dnsNames.texts) }
            writer.member("emails") { $0.texts(emails.texts) }
            writer.member("organizations") { $0.texts(organizations.texts) }
            writer.member("roots") { $0.texts(roots.texts) }
            writer.member("uris") { $0.texts(uris.texts) }
        }
    }
}

extension CertificateConstraint.Values {
    fileprivate var texts: [Text] {
        switch self {
        case .anything: ["*"]
        case .exactly(let values): values.sorted()
        }
    }
}

extension JSONWriter {
    fileprivate mutating func elements<Element>(_ values: [Element], _ write: (inout JSONWriter, Element) -> Void) {
        array { writer in
            for value in values { writer.element { write(&$0, value) } }
        }
    }

    fileprivate mutating func rules(_ rules: [ArtifactRule]) { elements(rules) { $0.texts($1.words) } }

    fileprivate mutating func keys(_ keys: [LayoutKey]) {
        object { writer in
            for key in keys.sorted(by: { $0.keyID < $1.keyID }) {
                writer.member(key.keyID.text) { $0.object(key.object) }
            }
        }
    }
}
