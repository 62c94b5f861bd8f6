import InTotoMetadata
import InTotoStorage
import InTotoVerification
import SystemPackage

/// A layout that somebody is writing: signed or not, as JSON or, where the file's name says so, as YAML.
///
/// Nobody has checked signatures; `verify` reads layouts itself, and never YAML.
enum LayoutFile {
    /// Throws `MetadataError` where it is no layout.
    static func read(_ path: String) throws -> Layout {
        let isYAML = isYAML(path)
        let bytes: [UInt8]
        do {
            bytes = try BoundedReader.contents(
                of: FilePath(path), limit: isYAML ? YAMLDocument.sizeLimit : VerificationRequest.layoutLimit)
        } catch { throw Failure.reading(path, error) }
        if isYAML { return try layout(yaml: bytes, path) }
        guard case .layout(let object) = try SignedMetadata(bytes).payload() else {
            throw MetadataError.badValue("_type", in: "the file", reason: "is not 'layout'")
        }
        return try Layout(json: object)
    }

    /// An unsigned layout as `read` takes it from a file of this name; what YAML cannot hold is refused.
    static func bytes(ofDraft layout: Layout, at path: String) throws -> [UInt8] {
        guard isYAML(path) else {
            let unsigned = Metablock(signed: .object(try layout.json()), signatures: [])
            return try JSONWriter.lines(.indented) { unsigned.write(to: &$0) }
        }
        let bytes = YAMLWriter.bytes(
            try layout.json(),
            comments: [
                "A draft. Read it and change it; then look it over, and sign it:",
                "  intoto-run layout lint FILE.yaml",
                "  intoto-run layout sign FILE.yaml -k OWNER.pem -o root.layout",
            ])
        // What is signed later is what is read from it.
        guard bytes.count <= YAMLDocument.sizeLimit, try self.layout(yaml: bytes, path).json() == layout.json() else {
            throw Failure(
                "\(Text(path).escaped): YAML as we read it cannot hold this draft",
                hint: "have it written as JSON: give it a name that ends in .layout")
        }
        return bytes
    }

    private static func isYAML(_ path: String) -> Bool { [".yaml", ".yml"].contains { path.hasSuffix($0) } }

    /// The signed part alone. Left out may be what can only be one thing: `_type`, and lists and texts that are empty.
    private static func layout(yaml bytes: [UInt8], _ path: String) throws -> Layout {
        let document: JSONValue
        do throws(YAMLDocumentError) { document = try YAMLDocument.read(bytes, numbers: ["threshold"]) } catch {
            throw Failure(
                "\(Text(path).escaped): not the YAML that layouts are written in: \(error)",
                hint: error.hint
                    ?? "layouts are mappings, lists and texts; the documentation, \"Verification\", says which")
        }
        guard case .object(var layout) = document else {
            throw MetadataError.notAnObject("the layout", found: document.kind)
        }
        layout.fill("_type", .string(Layout.type))
        layout.fill("readme", "")
        layout.fill("inspect", .array([]))
        layout.fillEach("steps") { (step: inout JSONObject) in
            step.fill("_type", "step")
            step.fill("expected_command", .array([]))
        }
        layout.fillEach("inspect") { $0.fill("_type", "inspection") }
        return try Layout(json: layout)
    }
}

extension JSONObject {
    fileprivate mutating func fill(_ name: Text, _ value: JSONValue) { if self[name] == nil { self[name] = value } }

    /// Fills in the objects of a list; what is none is left for the layout's own reader to refuse.
    fileprivate mutating func fillEach(_ name: Text, _ fill: (inout JSONObject) -> Void) {
        guard case .array(let elements)? = self[name] else { return }
        self[name] = .array(
            elements.map { element in
                guard case .object(var object) = element else { return element }
                fill(&object)
                return .object(object)
            })
    }
}
