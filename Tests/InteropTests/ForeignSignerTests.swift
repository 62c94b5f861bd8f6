import Foundation
import TestSupport
import Testing

/// What GnuPG signs for us, the Python implementation verifies.
@Suite(.temporaryDirectory) struct ForeignSignerTests {
    /// A keyring with one key that has no passphrase; its fingerprint.
    private func keyring(_ algorithm: String, in run: inout IntotoRun) throws -> String {
        run.environment["GNUPGHOME"] = run.directory.appending(path: "gpg").path
        let made = try run.shell(
            """
            mkdir -m 700 gpg
            gpg -q --batch --passphrase '' --quick-gen-key throwaway@example.org \(algorithm) sign never
            gpg --with-colons -K | sed -n 's/^fpr:*\\([0-9A-F]*\\):$/\\1/p'
            """)
        guard made.outputText.count == 41 else { throw IntotoRun.SetupFailure(reason: made.errorText) }
        return String(made.outputText.dropLast())
    }

    private func stopAgent(_ run: IntotoRun) { _ = try? run.shell("gpgconf --kill gpg-agent") }

    private func verify(_ run: IntotoRun, _ link: String, _ key: String) throws -> PythonPeer.Outcome {
        try PythonPeer.run([
            .init(
                "sign",
                ["--verify", "-f", link, "--gpg", key, "--gpg-home", run.directory.appending(path: "gpg").path],
                in: run.directory)
        ])[0]
    }

    @Test(arguments: ["rsa2048", "ed25519", "dsa2048"])
    func `in-toto verifies a link that gpg has signed, and not a changed one`(algorithm: String) throws {
        var run = IntotoRun()
        let key = try keyring(algorithm, in: &run)
        defer { stopAgent(run) }
        try run.write("text", to: "file")
        let result = try run.run(
            ["-n", "s", "--format", "link", "-m", "file", "-k", "gpg:\(key)", "--", "sh", "-c", "echo ran"])
        #expect(result.status == 0 && result.outputText == "ran\n", "\(result.errorText)")
        #expect(!result.errorText.contains("outlives"), "gpg's agent is no process of the command")
        let link = "s.\(key.lowercased().prefix(8)).link"
        #expect(try run.list().contains(link))
        let good = try verify(run, link, key)
        #expect(good.status == 0, "\(good.log)")
        let text = String(decoding: try run.read(link), as: UTF8.self)
        try run.write(text.replacing("\"name\": \"s\"", with: "\"name\": \"t\""), to: link)
        #expect(try run.read(link) != Array(text.utf8))
        #expect(try verify(run, link, key).status != 0)
        // Ours says what it does not do.
        try run.makeKey()
        let check = try run("sign", "--check", link, "--verification-keys", "key.pem.pub")
        #expect(check.status == 1 && check.outputText.contains("OpenPGP"))
    }

    @Test func `gpg signs no layout in an envelope, where nobody could verify it`() throws {
        var run = IntotoRun()
        let key = try keyring("rsa2048", in: &run)
        defer { stopAgent(run) }
        try run.makeKey()
        #expect(try run("-q", "-n", "s", "--format", "link", "-p", "key.pem.pub", "-k", "key.pem", "--", "true").status == 0)
        let link = try run.file(endingIn: ".link")
        #expect(try run("layout", "init", link, "--verification-keys", "key.pem.pub", "-o", "draft").status == 0)
        let sign = ["layout", "sign", "draft", "--dsse", "-o", "root.layout", "-k"]
        let refused = try run.run(sign + ["gpg:\(key)"])
        #expect(refused.status == 2)
        #expect(refused.errorText.contains("an OpenPGP key signs classic metadata only"), "\(refused.errorText)")
        #expect(!(try run.list().contains("root.layout")))
        #expect(try run.run(sign + ["key.pem"]).status == 0)
    }

    @Test func `gpg's signature stays beside another that is appended, and is replaced where it is not`() throws {
        var run = IntotoRun()
        let key = try keyring("rsa2048", in: &run)
        defer { stopAgent(run) }
        try run.makeKey()
        try run.write("text", to: "file")
        _ = try run("-q", "-n", "s", "--format", "link", "-m", "file", "-k", "gpg:\(key)", "--", "true")
        let link = try run.file(endingIn: ".link")
        #expect(try run("sign", link, "--append", "-k", "key.pem", "-o", "both.link").status == 0)
        #expect(try verify(run, "both.link", key).status == 0)
        #expect(try run("sign", "--check", "both.link", "--verification-keys", "key.pem.pub").status == 0)
        #expect(try run("sign", link, "-k", "key.pem", "-o", "one.link").status == 0)
        #expect(!String(decoding: try run.read("one.link"), as: UTF8.self).contains("other_headers"))
        #expect(try run("sign", "one.link", "--append", "-k", "gpg:\(key)", "-o", "three.link").status == 0)
        #expect(try verify(run, "three.link", key).status == 0)
    }

    @Test func `a key that gpg has not, and formats that cannot hold its signature, are errors before anything runs`()
        throws
    {
        var run = IntotoRun()
        let key = try keyring("ed25519", in: &run)
        defer { stopAgent(run) }
        func refusal(_ reference: String, _ format: String) throws -> String {
            let result = try run.run(
                ["-n", "s", "--format", format, "-p", "gpg", "-k", reference, "--", "touch", "ran"])
            #expect(result.status == 125)
            return result.errorText
        }
        let absent = "gpg:" + String(repeating: "0", count: 40)
        #expect(try refusal(absent, "link").contains("intoto-run: error: \(absent): it ended with status 2\n"))
        for format in ["attestation", "dsse-link", "attestation,link"] {
            #expect(
                try refusal("gpg:\(key)", format).contains(
                    "intoto-run: error: an OpenPGP key signs classic metadata only\n"))
        }
        for name in ["", "throwaway@example.org", "\(key.suffix(8))", "--output=x"] {
            #expect(try refusal("gpg:\(name)", "link").contains("is no fingerprint of 40 digits, nor a key id of 16"))
        }
        #expect(try !run.list().contains("ran"))
    }
}
