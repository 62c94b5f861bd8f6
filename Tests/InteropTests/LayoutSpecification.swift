import Foundation
import TestSupport

/// A layout as scripts/lib/run-peer.py takes it: Python's own library writes and signs it.
struct LayoutSpecification: Encodable {
    struct Step: Encodable {
        var name: String
        /// The functionary's public key file.
        var key: String
        var expectedCommand: [String] = []
        var expectedMaterials: [[String]]
        var expectedProducts: [[String]]
    }

    struct Inspection: Encodable {
        var name: String
        var run: [String]
        var expectedMaterials: [[String]]
        var expectedProducts: [[String]]
    }

    /// The private key file that signs.
    var owner: String
    /// In a DSSE envelope instead of classic metadata.
    var dsse = false
    var steps: [Step]
    var inspections: [Inspection] = []

    /// Writes the description to `name`.spec, and answers the call that makes a layout of it.
    func call(writing name: String, in directory: URL) throws -> PythonPeer.Call {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try encoder.encode(self).write(to: directory.appending(path: "\(name).spec"))
        return PythonPeer.Call("layout", ["\(name).spec", name], in: directory)
    }
}
