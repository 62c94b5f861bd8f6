import Foundation
import TestSupport
import Testing

/// Links that we have signed, each by one key, put before OpenSSL's command and the Python implementation; neither sees
/// anything of ours but the files.
struct SignatureJudges {
    /// `NAME.*.link` and `NAME.*.intoto.jsonl`, and the public key that they were signed with.
    struct Case {
        var name: String
        /// SPKI PEM, in the directory.
        var publicKey: String
        /// Another key of the same kind, of which nothing is signed.
        var stranger: String
    }

    let run: IntotoRun

    /// Both accept every signature, and neither one by the stranger or over a changed message.
    func judge(_ cases: [Case]) throws {
        for judged in cases { try judgeByOpenSSL(judged) }
        let calls = try cases.flatMap { judged in
            try [judged.publicKey, judged.stranger].map { key in
                PythonPeer.Call("sign", ["--verify", "-f", try file(judged, ".link"), "-k", key], in: run.directory)
            }
        }
        let outcomes = try PythonPeer.run(calls)
        #expect(outcomes.count == 2 * cases.count)
        for (index, judged) in cases.enumerated() {
            #expect(outcomes[2 * index].status == 0, "\(judged.name): \(outcomes[2 * index].log)")
            #expect(outcomes[2 * index + 1].status != 0, "\(judged.name): a stranger's key was believed")
        }
    }

    private func file(_ judged: Case, _ suffix: String) throws -> String {
        let names = try run.list().filter { $0.hasPrefix("\(judged.name).") && $0.hasSuffix(suffix) }
        return try #require(names.count == 1 ? names.first : nil, "\(judged.name): \(names)")
    }

    // MARK: OpenSSL

    /// DSSE, as Foundation reads the file. Spec: DSSE v1.0, protocol.
    private func judgeByOpenSSL(_ judged: Case) throws {
        let json = try JSONSerialization.jsonObject(with: Data(run.read(file(judged, ".jsonl")))) as? [String: Any]
        let signatures = try #require(json?["signatures"] as? [[String: String]])
        let type = try #require(json?["payloadType"] as? String)
        let payload = try #require((json?["payload"] as? String).flatMap { Data(base64Encoded: $0) })
        let signature = try #require(signatures.first?["sig"].flatMap { Data(base64Encoded: $0) })
        #expect(signatures.count == 1)
        let message = Data("DSSEv1 \(type.utf8.count) \(type) \(payload.count) ".utf8) + payload
        try message.write(to: run.directory.appending(path: "message"))
        try signature.write(to: run.directory.appending(path: "signature"))
        try (message.dropLast() + [message[message.endIndex - 1] ^ 1])
            .write(to: run.directory.appending(path: "changed"))
        #expect(try isGood("message", judged.publicKey), "\(judged.name)")
        #expect(try !isGood("changed", judged.publicKey) && !isGood("message", judged.stranger), "\(judged.name)")
    }

    /// As the key's own scheme is spelled for openssl. Spec: securesystemslib's schemes.
    private func isGood(_ message: String, _ key: String) throws -> Bool {
        let kind = try run.shell("openssl pkey -pubin -in '\(key)' -noout -text").outputText
        let digest = ["P-384": "sha384", "P-521": "sha512"].first { kind.contains($0.key) }?.value ?? "sha256"
        let pss = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sigopt rsa_mgf1_md:sha256"
        let command =
            kind.contains("ED25519")
            ? "openssl pkeyutl -verify -rawin -pubin -inkey '\(key)' -in \(message) -sigfile signature"
            : "openssl dgst -\(digest) -verify '\(key)' -signature signature "
                + "\(kind.contains("Modulus:") ? pss : "") \(message)"
        let result = try run.shell(command)
        let said = result.outputText
        try #require(
            said.hasPrefix("Signature Verified") || said.hasPrefix("Verified OK")
                || said.hasPrefix("Signature Verification Failure") || said.hasPrefix("Verification failure")
                || result.errorText.contains("Error"),
            "openssl could not tell: \(said)\(result.errorText)")
        return result.status == 0
    }
}
