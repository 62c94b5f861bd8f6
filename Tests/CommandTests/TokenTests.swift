import Foundation
import TestSupport
import Testing

/// `pkcs11:`: keys on tokens, which SoftHSM plays.
@Suite(.temporaryDirectory) struct TokenTests {
    private static let types = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa"]
    private static let pin = SoftToken.pin
    private static let module = SoftToken.module

    private func project(_ types: [String] = ["ecdsa-p256"]) throws -> IntotoRun { try SoftToken.project(types) }

    private func uri(_ path: String = "token=build", _ query: String = "") -> String {
        "pkcs11:\(path)?module-path=\(Self.module)\(query)"
    }

    private func sign(_ run: IntotoRun, _ key: String, _ options: String...) throws -> Subprocess {
        try run.run(
            ["-n", "s", "-m", "softhsm.conf", "-p", "softhsm.conf", "-k", key] + options + ["--", "touch", "ran"])
    }

    @Test func `keys of every type sign, under the key id of the same key in a file`() throws {
        var run = try project(Self.types)
        run.environment["INTOTO_PKCS11_PIN"] = Self.pin
        for (index, type) in Self.types.enumerated() {
            for part in ["object=\(type)", "id=%0\(index)"] {
                let key = uri("token=build;\(part)")
                let result = try sign(run, key, "--format", "attestation,link")
                #expect(result.status == 0, "\(type): \(result.errorText)")
                let id = try run("key", "id", "\(type).pem").outputText
                #expect(try run("key", "id", key).outputText == id)
                for file in try run.list().filter({ $0.hasPrefix("s.\(id.prefix(8)).") }) {
                    let check = try run("sign", "--check", file, "--verification-keys", "\(type).pem.pub")
                    #expect(check.status == 0)
                }
                let made = try run.shell("ls s.*.link s.*.intoto.jsonl | wc -l; rm s.*")
                #expect(made.outputText == "2\n")
            }
        }
    }

    @Test func `the PIN may come from the URI's source, a passphrase file or a person`() throws {
        let run = try project()
        try run.write(Self.pin + "\n", to: "pin")
        _ = try run.shell("chmod 600 pin")
        let file = run.directory.appending(path: "pin").path
        #expect(try sign(run, uri("token=build", "&pin-source=file:\(file)"), "--format", "link").status == 0)
        #expect(try sign(run, uri(), "--format", "link", "--overwrite", "--passphrase-file", "pin").status == 0)
        let arguments = ["--format", "link", "--overwrite", "-n", "s", "-m", "softhsm.conf", "-k", uri(), "--", "true"]
        // The terminal's session has the environment of the tests.
        let (output, status) = try TerminalSession.run(
            run,
            ["-q", "-n", "o", "-k", "ecdsa-p256.pem", "--format", "link", "-m", "pin", "--", "env"]
                + ["SOFTHSM2_CONF=\(run.directory.path)/softhsm.conf", BuiltProduct.intotoRun.path] + arguments,
            [.expect("PIN of the token: "), .send(Self.pin + "\n"), .expect("wrote")])
        #expect(status == 0 && !output.contains(Self.pin), "\(output)")
    }

    @Test func `the command can see neither the PIN nor a session`() throws {
        var run = try project()
        run.environment["INTOTO_PKCS11_PIN"] = Self.pin
        let result = try run.run([
            "-q", "-n", "s", "--format", "link", "-m", "softhsm.conf", "-k", uri(), "--", "sh", "-c",
            "env; tr '\\0' '\\n' </proc/$PPID/environ; ls -l /proc/$PPID/fd",
        ])
        #expect(result.status == 0 && result.outputText.contains("SOFTHSM2_CONF"))
        #expect(!result.outputText.contains(Self.pin))
        #expect(!result.outputText.contains("\(run.directory.path)/tokens"))
    }

    @Test func `a wrong PIN is tried once`() throws {
        var run = try project()
        run.environment["INTOTO_PKCS11_PIN"] = "wrong-pin-1"
        let refused = try sign(run, uri())
        #expect(
            refused.errorText
                == "intoto-run: error: pkcs11: the token refused the PIN; a few more wrong ones will lock it\n")
        #expect(try refused.status == 125 && !run.list().contains("ran"))
        run.environment["INTOTO_PKCS11_PIN"] = nil
        let missing = try sign(run, uri())
        #expect(missing.errorText.hasPrefix("intoto-run: error: pkcs11: the token wants a PIN, and none was given\n"))
    }

    @Test(arguments: [
        ("pkcs11:token=build", "no module-path names the token's library"),
        ("pkcs11:token=build?module-path=libsofthsm2.so", "the value of 'module-path' cannot be used"),
        ("pkcs11:token=build?module-path=/nonexistent.so", "/nonexistent.so cannot be loaded: "),
        ("pkcs11:token=build?module-path=MODULE&pin-value=1234", "a PIN in the URI"),
        ("pkcs11:token=build?module-path=MODULE&pin-source=|sh", "the value of 'pin-source' cannot be used"),
        ("pkcs11:token=other?module-path=MODULE", "no token fits"),
        ("pkcs11:token=build;object=other?module-path=MODULE", "the token has no such key that signs"),
        ("pkcs11:token=build?module-path=MODULE", "2 keys of the token fit"),
        ("pkcs11:token=build;colour=red?module-path=MODULE", "the attribute 'colour' is not known here"),
        ("pkcs11:token=%4?module-path=MODULE", "the value of 'token' cannot be used"),
        ("pkcs11:token=build;slot-id=x?module-path=MODULE", "the value of 'slot-id' cannot be used"),
    ])
    func `a URI that fits nothing is an error before anything runs`(uri: String, message: String) throws {
        var run = try project(["ecdsa-p256", "ed25519"])
        run.environment["INTOTO_PKCS11_PIN"] = Self.pin
        let result = try sign(run, uri.replacing("MODULE", with: Self.module))
        #expect(result.status == 125)
        #expect(result.errorText.hasPrefix("intoto-run: error: pkcs11: \(message)"), "\(result.errorText)")
        #expect(!result.errorText.contains("1234"))
        #expect(try !run.list().contains("ran"))
    }

    @Test func `two tokens of one name are told apart by their serial numbers`() throws {
        var run = try project()
        run.environment["INTOTO_PKCS11_PIN"] = Self.pin
        let serial = try #require(
            try run.shell("softhsm2-util --show-slots").outputText.firstMatch(of: /Serial number: +([0-9a-f]+)/)?.1)
        _ = try run.shell(
            "softhsm2-util --init-token --free --label build --pin \(Self.pin) --so-pin throwaway-5678")
        #expect(try sign(run, uri(), "--format", "link").errorText.hasPrefix("intoto-run: error: pkcs11: 2 tokens fit"))
        #expect(try sign(run, uri("token=build;serial=\(serial)"), "--format", "link").status == 0)
    }

    @Test func `a token that is gone after the command costs the signature, not the evidence`() throws {
        var run = try project()
        run.environment["INTOTO_PKCS11_PIN"] = Self.pin
        let result = try run.run([
            "-n", "s", "--format", "link", "-m", "softhsm.conf", "-k", uri(), "--", "mv", "tokens", "away",
        ])
        #expect(result.status == 125 && result.errorText.contains("intoto-run: error: evidence could not be signed: "))
        let kept = try #require(result.errorText.firstMatch(of: /intoto-run sign (\S+) -k KEY/)?.1).description
        _ = try run.shell("mv away tokens")
        #expect(try run("sign", kept, "-k", uri()).status == 0)
        _ = try run.shell("rm -f '\(kept)'")
    }
}
