import Foundation
import TestSupport
import Testing

/// JSON that is well formed, and no evidence: one member of a real link at a time.
@Suite(.temporaryDirectory) struct WrongMetadataTests {
    private static let vector = "classic-links/python/build.23044263.link"

    /// What stands in for a member of another type.
    private static var intruders: [Any] { [NSNull(), true, 7, "text", [1], ["a": ["b": "c"]]] }

    private static let signedMembers = [
        "_type", "byproducts", "command", "environment", "materials", "name", "products",
    ]

    /// The same link in either container, with `change` made to its signed part.
    private func document(inEnvelope: Bool, _ change: (inout [String: Any]) -> Void) throws -> Data {
        var metablock = try #require(try Vectors.json(Self.vector) as? [String: Any])
        var signed = try #require(metablock["signed"] as? [String: Any])
        change(&signed)
        guard inEnvelope else {
            metablock["signed"] = signed
            return try JSONSerialization.data(withJSONObject: metablock)
        }
        let payload = try JSONSerialization.data(withJSONObject: signed).base64EncodedString()
        let envelope: [String: Any] = [
            "payload": payload, "payloadType": "application/vnd.in-toto+json",
            "signatures": [["keyid": "", "sig": "AAAA"]],
        ]
        return try JSONSerialization.data(withJSONObject: envelope)
    }

    private func expectRefusal(_ document: Data, _ what: String) throws {
        let run = IntotoRun()
        try document.write(to: run.directory.appending(path: "file"))
        for arguments in [["inspect", "file"], ["match-products", "-l", "file"]] {
            let result = try run.run(arguments)
            #expect(result.status == 2 && result.outputText == "", "\(what): \(result.outputText)")
            let lines = result.errorText.split(separator: "\n")
            #expect(lines.first?.hasPrefix("intoto-run: error: file: ") == true, "\(what): \(result.errorText)")
            #expect(lines.count { $0.hasPrefix("intoto-run: error: ") } == 1, "\(what): \(result.errorText)")
        }
    }

    @Test(arguments: [false, true])
    func `the document without a change is fine`(inEnvelope: Bool) throws {
        let run = IntotoRun()
        try document(inEnvelope: inEnvelope) { _ in }.write(to: run.directory.appending(path: "file"))
        #expect(try run("inspect", "file").status == 0)
    }

    @Test(arguments: [false, true], signedMembers)
    func `a member of another type is refused`(inEnvelope: Bool, member: String) throws {
        let file = try #require(try Vectors.json(Self.vector) as? [String: Any])
        let original = try #require((file["signed"] as? [String: Any])?[member])
        var count = 0
        for intruder in Self.intruders where !isSameKind(intruder, original) || member == "_type" {
            try expectRefusal(document(inEnvelope: inEnvelope) { $0[member] = intruder }, "\(member): \(intruder)")
            count += 1
        }
        #expect(count >= 5)
    }

    private func isSameKind(_ a: Any, _ b: Any) -> Bool {
        (a is [String: Any] && b is [String: Any]) || (a is [Any] && b is [Any]) || (a is String && b is String)
    }

    @Test(arguments: [false, true], signedMembers)
    func `a missing member is refused`(inEnvelope: Bool, member: String) throws {
        try expectRefusal(document(inEnvelope: inEnvelope) { $0[member] = nil }, "without \(member)")
    }

    @Test(arguments: [
        "{}", "[]", "null", "\"link\"", "{\"signed\":{}}", "{\"signatures\":[]}", "{\"signed\":[],\"signatures\":[]}",
        "{\"signed\":{\"_type\":\"link\"},\"signatures\":{}}",
        "{\"signed\":{\"_type\":\"x\\u001b[31m\"},\"signatures\":[]}",
        "{\"payload\":1,\"payloadType\":\"x\",\"signatures\":[]}", "{\"payload\":\"e30=\",\"signatures\":[]}",
        "{\"payload\":\"!\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[]}",
        "{\"payload\":\"e30=\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[1]}",
        "{\"payload\":\"e30=\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":7}]}",
        "{\"payload\":\"e30=\",\"payloadType\":\"\\u009b31m\",\"signatures\":[]}",
        "{\"payload\":\"e30=\",\"payloadType\":\"x\",\"signatures\":[],\"signed\":{}}",
    ])
    func `a container that is none is refused`(text: String) throws {
        try expectRefusal(Data(text.utf8), text)
        let run = IntotoRun()
        let key = Vectors.url("keys/ed25519-alice.spki.pem").path
        let checked = try run("sign", "--check", "file", "--verification-keys", key)
        #expect(checked.status == 1 || checked.status == 2)
        #expect(checked.status == 2 || checked.outputText.hasPrefix("not good: "))
        #expect(!(checked.output + checked.errors).contains { $0 < 0x20 && $0 != 0x0A })
    }
}
