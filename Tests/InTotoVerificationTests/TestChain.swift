import Foundation
import InTotoCrypto
import InTotoMetadata
import InTotoStorage
import InTotoVerification
import SystemPackage
import TestSupport

/// A supply chain whose layout and evidence a test changes before they are signed, and that is verified in process.
struct TestChain {
    /// Somebody with a throwaway key, which lasts as long as the test run.
    enum Person: Int, CaseIterable {
        case owner, alice, bob, carl, stranger

        private static let keys = Result { try allCases.map { _ in try PrivateKey.generate(.ed25519) } }

        var key: PrivateKey { get throws { try Self.keys.get()[rawValue] } }
        var keyID: KeyID { get throws { try key.publicKey.keyID(.python) } }
    }

    var layout: JSONObject
    /// The folder with evidence, by names of files; those that end in a slash are directories.
    var files: [String: [UInt8]] = [:]
    /// Symbolic links there, and where they lead.
    var links: [String: String] = [:]
    /// Files of the folder that are named instead of it.
    var named: [String] = []
    var owners = [Person.owner]
    var signedBy = [Person.owner]
    /// The key ids of the layout's signatures, where these are not their signers'.
    var layoutKeyIDs: [KeyID] = []
    var policy = VerificationPolicy()
    var now: Text = "2030-01-01T00:00:00Z"
    var parameters: ParameterSubstitution?

    /// One step that Alice may do, without rules; no evidence yet.
    init() throws { try self.init(steps: [Self.step("build", [.alice])]) }

    init(steps: [JSONValue], inspections: [JSONValue] = []) throws {
        layout = [
            "_type": "layout", "expires": "2099-01-01T00:00:00Z", "readme": "", "keys": [:],
            "steps": .array(steps), "inspect": .array(inspections),
        ]
        try list([.alice, .bob, .carl])
    }

    mutating func list(_ people: [Person]) throws {
        var keys = JSONObject()
        for person in people { keys[try person.keyID.text] = .object(try person.key.publicKey.keyObject) }
        layout["keys"] = .object(keys)
    }

    static func step(
        _ name: Text, _ people: [Person], threshold: Int64 = 1, materials: [[Text]] = [], products: [[Text]] = []
    ) throws -> JSONValue {
        [
            "_type": "step", "name": .string(name), "threshold": .integer(threshold),
            "pubkeys": .array(try people.map { .string(try $0.keyID.text) }), "expected_command": [],
            "expected_materials": rules(materials), "expected_products": rules(products),
        ]
    }

    static func inspection(_ name: Text, products: [[Text]] = []) -> JSONValue {
        [
            "_type": "inspection", "name": .string(name), "run": ["true"], "expected_materials": [],
            "expected_products": rules(products),
        ]
    }

    static func rules(_ rules: [[Text]]) -> JSONValue { .array(rules.map { .array($0.map { .string($0) }) }) }

    /// A link whose artifacts have digests that consist of one digit.
    static func link(
        _ name: Text, materials: [Text: Character] = [:], products: [Text: Character] = [:]
    ) -> JSONValue {
        [
            "_type": "link", "name": .string(name), "command": [], "materials": artifacts(materials),
            "products": artifacts(products), "byproducts": [:], "environment": [:],
        ]
    }

    private static func artifacts(_ digits: [Text: Character]) -> JSONValue {
        var object = JSONObject()
        for (name, digit) in digits { object[name] = ["sha256": .string(Text(String(repeating: digit, count: 64)))] }
        return .object(object)
    }

    /// The members of an object; a test that has something else in its place fails.
    static func members(of value: JSONValue?) throws -> JSONObject {
        guard case .object(let object)? = value else { throw NotAnObject() }
        return object
    }

    private struct NotAnObject: Error {}

    // MARK: Signing and verifying

    static func envelope(
        _ payload: JSONValue, by people: [Person], type: Text = Envelope.inTotoPayloadType
    ) throws -> Envelope {
        var envelope = Envelope(payloadType: type, payload: try JSONWriter.bytes(.compact) { $0.value(payload) })
        let message = Envelope.preAuthenticationEncoding(payloadType: type, payload: envelope.payload)
        envelope.signatures = try people.map { try KeyFileSigner(try $0.key).signature(over: message) }
        return envelope
    }

    static func signed(_ payload: JSONValue, by people: [Person]) throws -> [UInt8] {
        let envelope = try envelope(payload, by: people)
        return try JSONWriter.bytes(.compact) { envelope.write(to: &$0) }
    }

    /// Puts a link where the verifier looks for those of the step: under the name of its first signer.
    mutating func add(_ link: JSONValue, of step: String = "build", by people: Person..., folder: String = "") throws {
        let name = Self.fileName(step, try people[0].keyID)
        files[folder + name] = try Self.signed(link, by: people)
    }

    static func fileName(_ step: String, _ keyID: KeyID) -> String { "\(step).\(keyID.prefix8).link" }

    func verify(_ runner: InspectionRunner? = nil) throws -> Verdict {
        let folder = TemporaryDirectory.current.appending(path: "chain-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        for (name, bytes) in files {
            let url = folder.appending(path: name)
            let parent = name.hasSuffix("/") ? url : url.deletingLastPathComponent()
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            if !name.hasSuffix("/") { try Data(bytes).write(to: url) }
        }
        for (name, target) in links {
            try FileManager.default.createSymbolicLink(
                atPath: folder.appending(path: name).path, withDestinationPath: target)
        }
        guard let now = UTCTime(now) else { throw IntotoRun.SetupFailure(reason: "'\(now)' is no time") }
        var evidence = [EvidencePlace.folder(try EvidenceFolder(FilePath(folder.path)))]
        if !named.isEmpty { evidence = named.map { .file(FilePath(folder.appending(path: $0).path)) } }
        var request = VerificationRequest(
            layoutPath: "root.layout", layout: try signedLayout(),
            ownerKeys: try owners.map { try $0.key.publicKey },
            evidence: evidence, now: now)
        request.policy = policy
        request.parameters = parameters
        var verifier = Verifier(request, inspections: runner)
        return verifier.verify()
    }

    private func signedLayout() throws -> [UInt8] {
        var envelope = try Self.envelope(.object(layout), by: signedBy)
        for (index, keyID) in layoutKeyIDs.enumerated() {
            envelope.signatures[index] = Signature(keyID: keyID, bytes: envelope.signatures[index].bytes)
        }
        return try JSONWriter.bytes(.compact) { envelope.write(to: &$0) }
    }

    /// The codes of everything that failed; none where the chain is accepted.
    func problems() throws -> [String] {
        let verdict = try verify()
        guard verdict.outcome != .passed || !verdict.problems.isEmpty else { return [] }
        return verdict.problems.map(\.code)
    }
}

extension Verdict {
    /// What is said of the evidence of a step.
    func findings(_ step: Int = 0) -> [String] { layout.steps[step].evidence.map(\.description) }

    var text: String { problems.map(\.description).joined(separator: "\n") }
}
