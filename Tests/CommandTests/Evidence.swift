import Foundation
import InTotoMetadata
import TestSupport

/// Evidence that a test's run has written.
enum Evidence {
    /// The link in a file of any form, read by the product's own strict reader.
    static func link(_ name: String, of run: IntotoRun) throws -> Link {
        let bytes = try run.read(name)
        switch try SignedMetadata(bytes).payload() {
        case .link(let link): return link
        case .statement(let statement): return try LinkPredicate.link(from: statement)
        case .layout: throw IntotoRun.SetupFailure(reason: "\(name) is a layout")
        }
    }

    /// The link in the one file whose name ends in `suffix`.
    static func link(endingIn suffix: String = ".link", of run: IntotoRun, in folder: String = ".") throws -> Link {
        try link(run.file(endingIn: suffix, in: folder), of: run)
    }
}

extension Link {
    func byproduct(_ name: Text) -> JSONValue? { byproducts[name] }

    var productNames: [String] { products.map { $0.name.text.description } }
    var materialNames: [String] { materials.map { $0.name.text.description } }
}
