import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport

/// Chains of one step, `build`, with links that no run would write, signed here.
extension VerifyTests.Chain {
    /// Alice, Bob and Carl may all do the step; there is no evidence yet.
    static func handmade(threshold: Int, command: [String] = []) throws -> Self {
        var chain = try Self()
        _ = try chain.run.shell("rm links/*")
        for person in ["bob.pem", "carl.pem"] { try chain.run.makeKey(person) }
        var keys: [String: Any] = [:]
        for person in ["alice.pem", "bob.pem", "carl.pem"] {
            let key = try chain.key(person)
            keys[key.keyID(.python).description] = try VerifyTests.JSONText.object(key.keyObject)
        }
        chain.layout["keys"] = keys
        try chain.change("pubkeys", to: keys.keys.sorted())
        try chain.change("threshold", to: threshold)
        try chain.change("expected_command", to: command)
        try chain.change("expected_materials", to: [Any]())
        try chain.change("expected_products", to: [["ALLOW", "*"]])
        return chain
    }

    func key(_ person: String) throws -> PublicKey { try PublicKey(file: run.read("\(person).pub")) }

    func linkName(of person: String) throws -> String { "build.\(try key(person).keyID(.python).prefix8).link" }

    /// A classic link whose products have the digests given.
    static func link(products: [String: [String: String]] = [:], command: [String] = []) -> [String: Any] {
        [
            "_type": "link", "name": "build", "command": command, "materials": [String: Any](), "products": products,
            "byproducts": [String: Any](), "environment": [String: Any](),
        ]
    }

    func add(by people: String..., products: [String: [String: String]] = [:], command: [String] = []) throws {
        let bytes = try signed(Self.link(products: products, command: command), by: people)
        try write(bytes, to: "links/\(linkName(of: people[0]))")
    }

    /// A DSSE envelope.
    func signed(_ payload: [String: Any], by people: [String]) throws -> [UInt8] {
        var envelope = Envelope(
            payload: [UInt8](try JSONSerialization.data(withJSONObject: payload, options: .sortedKeys)))
        let message = Envelope.preAuthenticationEncoding(payloadType: envelope.payloadType, payload: envelope.payload)
        envelope.signatures = try people.map { person in
            let key = try PrivateKey(file: SecretBytes(copying: run.read(person)), passphrase: nil)
            return Signature(keyID: key.publicKey.keyID(.python), bytes: try key.sign(message))
        }
        return try JSONWriter.bytes(.compact) { envelope.write(to: &$0) }
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: run.directory.appending(path: name))
    }
}
