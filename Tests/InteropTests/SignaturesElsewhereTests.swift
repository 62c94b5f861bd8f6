import Foundation
import TestSupport
import Testing

/// A signature with a key of every form, and by every kind of signer, is good for the others.
@Suite(.temporaryDirectory) struct SignaturesElsewhereTests {
    private static let types = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa"]
    private static let bases =
        ["ed25519-alice", "ed25519-bob", "ed25519-carl", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"]
        + ["rsa-2048", "rsa-3072", "ecdsa-dave"]
    /// What we refuse, each with its reason: KeyLoadingTests.
    private static let refused = ["rsa-1024-weak", "rsa-pss-oid-2048", "unsupported-"]

    /// Files of private keys among the vectors.
    private static let files: [String] = {
        let all = (try? Vectors.list("keys")) ?? []
        return all.filter { name in
            let isPublic = ["spki", "pkcs1-public", ".pub."].contains(where: name.contains)
            let isKey = bases.contains(where: name.contains)
            return isKey && !isPublic && !refused.contains(where: name.hasPrefix)
        }
    }()

    private static func passphrase(_ file: String) -> String {
        if file.contains("empty-password") { return "" }
        return file.contains("utf8-password") ? "pässwörd ☃" : "test-password"
    }

    private func sign(_ run: IntotoRun, _ name: String, _ key: String, _ options: [String] = []) throws {
        let signed = try run.run(
            ["-q", "-x", "-n", name, "-k", key, "--format", "attestation,link", "-m", "file", "-p", "file"] + options)
        #expect(signed.status == 0, "\(name): \(signed.errorText)")
    }

    private func publicKey(_ base: String) throws -> String {
        guard base == "ecdsa-dave" else {
            return String(decoding: try Vectors.bytes("keys/\(base).spki.pem"), as: UTF8.self)
        }
        let object = try Vectors.json("keys/legacy-ecdsa-dave.pub.json") as? [String: Any]
        return try #require((object?["keyval"] as? [String: String])?["public"]) + "\n"
    }

    @Test func `a key of each form signs for OpenSSL and in-toto`() throws {
        let run = IntotoRun()
        try run.write("text", to: "file")
        for base in Self.bases { try run.write(publicKey(base), to: "\(base).pub") }
        var cases: [SignatureJudges.Case] = []
        for (index, file) in Self.files.enumerated() {
            let base = try #require(Self.bases.first(where: file.contains))
            try run.write(String(decoding: Vectors.bytes("keys/\(file)"), as: UTF8.self), to: file)
            try run.write(Self.passphrase(file) + "\n", to: "phrase")
            _ = try run.shell("chmod 600 phrase '\(file)'")
            let isEncrypted = file.hasPrefix("enc-") || file.hasSuffix(".encrypted")
            try sign(run, "form\(index)", file, isEncrypted ? ["--passphrase-file", "phrase"] : [])
            let kin = Self.bases.filter { $0 != base && $0.prefix(3) == base.prefix(3) }
            cases.append(
                .init(name: "form\(index)", publicKey: "\(base).pub", stranger: "\(try #require(kin.first)).pub"))
        }
        #expect(cases.count == 36, "\(Self.files)")
        try SignatureJudges(run: run).judge(cases)
        print("vectors: signatures with \(cases.count) files of private keys verified by openssl and in-toto")
    }

    @Test func `a key that ssh-keygen has encrypted signs for OpenSSL and in-toto`() throws {
        let run = IntotoRun()
        try run.write("text", to: "file")
        try run.write("a throwaway passphrase\n", to: "phrase")
        _ = try run.shell("chmod 600 phrase")
        var cases: [SignatureJudges.Case] = []
        for (type, bits) in [("ed25519", "256"), ("ecdsa", "256"), ("ecdsa", "521"), ("rsa", "2048")] {
            for name in ["\(type)\(bits)", "other-\(type)\(bits)"] {
                let made = try run.shell(
                    "ssh-keygen -q -t \(type) -b \(bits) -a 4 -N 'a throwaway passphrase' -C throwaway -f \(name)")
                #expect(made.status == 0, "\(made.errorText)")
                // The public half comes from ssh-keygen's own file.
                #expect(try run("key", "convert", "--to", "public", "\(name).pub", "-o", "\(name).pem").status == 0)
            }
            let name = "\(type)\(bits)"
            try sign(run, name, name, ["--passphrase-file", "phrase"])
            cases.append(.init(name: name, publicKey: "\(name).pem", stranger: "other-\(name).pem"))
        }
        try SignatureJudges(run: run).judge(cases)
    }

    @Test func `a program of the user's signs for OpenSSL and in-toto`() throws {
        let run = IntotoRun()
        try run.write("text", to: "file")
        let signer = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Examples/02-signing-programs/openssl-signer").standardized.path
        _ = try run.shell("ln -s '\(signer)' signer")
        for type in Self.types {
            try run.makeKey("\(type).pem", type: type)
            try run.makeKey("other-\(type).pem", type: type)
            try sign(run, type, "exec:./signer \(type).pem")
        }
        try SignatureJudges(run: run).judge(
            Self.types.map { .init(name: $0, publicKey: "\($0).pem.pub", stranger: "other-\($0).pem.pub") })
    }

    @Test func `a token signs for OpenSSL and in-toto`() throws {
        var run = try SoftToken.project(Self.types)
        run.environment["INTOTO_PKCS11_PIN"] = SoftToken.pin
        try run.write("text", to: "file")
        for type in Self.types {
            try run.makeKey("other-\(type).pem", type: type)
            try sign(run, type, "pkcs11:token=build;object=\(type)?module-path=\(SoftToken.module)")
        }
        try SignatureJudges(run: run).judge(
            Self.types.map { .init(name: $0, publicKey: "\($0).pem.pub", stranger: "other-\($0).pem.pub") })
    }
}
