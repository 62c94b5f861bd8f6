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
        let isYAML = [".yaml", ".yml"].contains { path.hasSuffix($0) }
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

    /// The signed part alone. Left out may be what can only be one thing: `_type`, and lists and texts that are empty.
    private static func layout(yaml bytes: [UInt8], _ path: String) throws -> Layout {
        let document: JSONValue
        do { document = try YAMLDocument.read(bytes, numbers: ["threshold"]) } catch {
            throw Failure(
                "\(Text(path).escaped): not the YAML that layouts are written in: \(error)",
                hint: "layouts are mappings, lists and texts; the documentation, \"Verification\", says which")
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
