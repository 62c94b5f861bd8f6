import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

extension HostileVerifyTests {
    /// A chain that is accepted, whose one piece of evidence the test replaces.
    struct Delivery {
        var chain: VerifyTests.Chain
        let alice: KeyFileSigner
        let owner: KeyFileSigner

        init(inspections: [[String: Any]] = []) throws {
            chain = try VerifyTests.Chain(inspections: inspections)
            alice = try Self.signer("alice.pem", chain)
            owner = try Self.signer("owner.pem", chain)
            let sound = try chain.verify()
            guard sound.status == 0 else { throw IntotoRun.SetupFailure(reason: sound.outputText) }
        }

        private static func signer(_ name: String, _ chain: VerifyTests.Chain) throws -> KeyFileSigner {
            KeyFileSigner(try PrivateKey(file: SecretBytes(copying: chain.run.read(name)), passphrase: nil))
        }

        var linkName: String { "links/build.\(alice.keyID.prefix8).link" }

        func write(_ bytes: [UInt8], to name: String) throws {
            try Data(bytes).write(to: chain.run.directory.appending(path: name))
        }

        /// The only evidence, under this name.
        func replaceEvidence(by bytes: [UInt8], as name: String? = nil) throws {
            _ = try chain.run.shell("rm -rf links/*")
            try write(bytes, to: name ?? linkName)
        }

        static func envelope(_ payload: [UInt8], by signer: KeyFileSigner, type: Text = Envelope.inTotoPayloadType)
            throws
            -> [UInt8]
        {
            var envelope = Envelope(payloadType: type, payload: payload)
            let message = Envelope.preAuthenticationEncoding(payloadType: type, payload: payload)
            envelope.signatures = [try signer.signature(over: message)]
            return try JSONWriter.bytes(.compact) { envelope.write(to: &$0) }
        }

        /// A link of the step with one member changed.
        static func link(_ changes: JSONObject = [:]) throws -> [UInt8] {
            var link: JSONObject = [
                "_type": "link", "name": "build", "command": ["cp", "in", "out"], "materials": [:], "products": [:],
                "byproducts": [:], "environment": [:],
            ]
            for member in changes.members { link[member.name] = member.value }
            return try JSONWriter.bytes(.compact) { $0.object(link) }
        }

        /// Within 1.5 GiB and 20 seconds of processor time, whatever it reads; past that it dies of a signal.
        func verify(_ options: [String] = []) throws -> Subprocess {
            let script = "ulimit -v 1572864; ulimit -t 20; exec \"$@\""
            return try Subprocess.run(
                "/bin/sh",
                ["-c", script, "sh", BuiltProduct.intotoRun.path, "verify", "-l", "../root.layout"]
                    + ["--verification-keys", "../owner.pem.pub", "--link-dir", "../links"] + options,
                in: chain.run.directory.appending(path: "product"), environment: chain.run.environment)
        }

        /// Signs the layout, whatever it holds, which `sign` does not, and verifies.
        func verifySigned(_ options: [String]) throws -> Subprocess {
            let payload = [UInt8](try JSONSerialization.data(withJSONObject: chain.layout))
            try write(try Self.envelope(payload, by: owner), to: "root.layout")
            return try verify(options)
        }

        /// Everything below the test's directory, sorted.
        func tree() throws -> [String] {
            try FileManager.default.subpathsOfDirectory(atPath: chain.run.directory.path).sorted()
        }

        func expectRefusal(
            _ what: String, _ options: String..., sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let before = try tree()
            let result = try verify(options)
            #expect(
                result.status == 1, "\(what): \(result.outputText)\(result.errorText)", sourceLocation: sourceLocation)
            #expect(!(result.output + result.errors).isEmpty, "\(what)", sourceLocation: sourceLocation)
            HostileVerifyTests.expectHarmless(result.output + result.errors, what, sourceLocation)
            #expect(try tree() == before, "\(what)", sourceLocation: sourceLocation)
        }
    }
}
