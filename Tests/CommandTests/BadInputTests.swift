import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Each mistake: one message that says what and why, a hint, nothing run, nothing written.
@Suite(.temporaryDirectory) struct BadInputTests {
    /// The command would leave a file behind if it ran.
    private func refusal(
        _ arguments: [String], command: [String] = ["touch", "ran"], expecting message: String, status: Int32 = 125,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let run = IntotoRun()
        if try !run.list().contains("key.pem") { try run.makeKey() }
        let before = try run.list()
        let result = try run.run(arguments + (command.isEmpty ? [] : ["--"] + command))
        #expect(result.status == status, sourceLocation: sourceLocation)
        let lines = result.errorText.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        #expect(lines.first?.hasPrefix("intoto-run: error: ") == true, sourceLocation: sourceLocation)
        #expect(lines.count { $0.hasPrefix("intoto-run: error: ") } == 1, sourceLocation: sourceLocation)
        #expect(result.errorText.contains(message), "\(result.errorText)", sourceLocation: sourceLocation)
        #expect(try run.list() == before, sourceLocation: sourceLocation)
    }

    private let signed = ["-k", "key.pem", "-n", "s"]

    @Test func `no -- is said, with where the command goes`() throws {
        try refusal(signed, command: [], expecting: "put the command behind --")
        try refusal(["make", "all"], command: [], expecting: "'make' is no verb")
        try refusal(signed + ["make"], command: [], expecting: "nexpected argument")
    }

    @Test func `a mistyped verb is told from a command that lacks its --`() throws {
        let run = IntotoRun()
        try run.write("#!/bin/sh\n", to: "bin/verfy")
        for (word, verb) in [("verfy", "verify"), ("verfiy", "verify"), ("sing", "sign"), ("Bundle", "bundle")] {
            let result = try run(word, "--help")
            #expect(result.status == 125)
            #expect(
                result.errorText == """
                    intoto-run: error: '\(word)' is no verb of intoto-run
                    intoto-run: hint: did you mean '\(verb)'?

                    """)
        }
        // Too far from any verb; programs.
        var other = run
        other.environment["PATH"] = "/usr/bin:/bin:\(run.directory.path)/bin"
        _ = try run.shell("chmod +x bin/verfy")
        for word in ["inspections", "verfy", "rm"] {
            let hint = "intoto-run: hint: put the command behind --, as in: intoto-run -n NAME -k KEY -- \(word)\n"
            #expect(try other(word).errorText.hasSuffix(hint), "\(word)")
        }
    }

    @Test func `an empty command is refused`() throws {
        let run = IntotoRun()
        try run.makeKey()
        for command in [[], [""]] {
            let result = try run.run(signed + ["--"] + command)
            #expect(result.status == 125)
            #expect(result.errorText.contains("no command behind --"))
        }
    }

    @Test(arguments: [
        ("a/b", "may not contain '/'"), ("a*b", "may not contain '*'"), ("[x]", "may not contain '['"),
        ("what?", "may not contain '?'"), (".hidden", "may not start with a dot"),
        ("a\nb", "may not contain '\\n'"), ("a\u{202E}b", "may not contain '\\u{202E}'"),
        (String(repeating: "x", count: 201), "more than 200"),
    ])
    func `a name that cannot name a file is refused`(name: String, reason: String) throws {
        try refusal(["-k", "key.pem", "--name=\(name)"], expecting: reason)
    }

    @Test func `a name that starts with a dash is refused`() throws {
        try refusal(["-k", "key.pem", "--name=-x"], expecting: "may not start with a dot or a dash")
    }

    @Test func `no key, a missing key and a public key are told apart`() throws {
        try refusal(["-n", "s"], expecting: "no key to sign with")
        try refusal(["-n", "s", "-k", "absent.pem"], expecting: "absent.pem: cannot open: No such file")
        try refusal(
            ["-n", "s", "-k", "key.pem.pub"], expecting: "key.pem.pub: a public key where a private key is needed")
    }

    @Test(arguments: [
        ("enc-ed25519-alice.pbes2-aes256cbc-hmacsha256.pem", "passphrase"), ("rsa-1024-weak.pkcs8.pem", "1024"),
        ("unsupported-secp256k1.pkcs8.pem", "curve"), ("unsupported-ed448.pkcs8.pem", "Ed448"),
        ("keyids.json", "a public key where a private key is needed"),
    ])
    func `a key that cannot sign is refused with its reason`(file: String, reason: String) throws {
        let path = TemporaryDirectory.current.appending(path: "bad.pem")
        try FileManager.default.copyItem(at: Vectors.url("keys/\(file)"), to: path)
        try refusal(["-n", "s", "-k", "bad.pem"], expecting: reason)
    }

    @Test func `an encrypted key signs with its passphrase, and not with another`() throws {
        let run = IntotoRun()
        let name = "enc-ed25519-alice.pbes2-aes256cbc-hmacsha256.pem"
        try FileManager.default.copyItem(at: Vectors.url("keys/\(name)"), to: run.directory.appending(path: "k.pem"))
        try run.write("test-password\n", to: "right")
        try run.write("other\n", to: "wrong")
        _ = try run.shell("chmod 600 k.pem right wrong")
        #expect(try run("-n", "a", "-k", "k.pem", "--passphrase-file", "right", "--", "true").status == 0)
        let refused = try run("-n", "b", "-k", "k.pem", "--passphrase-file", "wrong", "--", "touch", "ran")
        #expect(refused.status == 125)
        #expect(refused.errorText.contains("passphrase"))
        #expect(try !run.list().contains("ran"))
    }

    @Test func `a key that others may write is refused, one that others may read is warned about`() throws {
        let run = IntotoRun()
        try run.makeKey()
        _ = try run.shell("chmod 666 key.pem")
        try refusal(signed, expecting: "may be written by others")
        _ = try run.shell("chmod 644 key.pem")
        let result = try run.run(signed + ["--", "true"])
        #expect(result.status == 0)
        #expect(result.errorText.contains("warning: key.pem: others may read this private key"))
    }

    @Test func `an unreadable key is refused`() throws {
        let run = IntotoRun()
        try run.makeKey()
        _ = try run.shell("chmod 0 key.pem; chmod 777 .; [ $(id -u) = 0 ] && chown 65534 key.pem || :")
        let result = try run.asOrdinaryUser("-k", "key.pem", "-n", "s", "--", "touch", "ran")
        #expect(result.status == 125)
        #expect(result.errorText.contains("key.pem: cannot open: Permission denied"))
        #expect(try !run.list().contains("ran"))
    }

    @Test func `a metadata directory that is missing, a file, or not ours to write is refused`() throws {
        try refusal(signed + ["-d", "absent"], expecting: "absent: cannot open: No such file or directory")
        try refusal(signed + ["-d", "key.pem"], expecting: "key.pem: cannot open: Not a directory")
        let run = IntotoRun()
        _ = try run.shell(
            "mkdir locked; chmod 555 locked; chmod 777 .; chmod 644 key.pem; [ $(id -u) = 0 ] && chown 65534 key.pem locked || :"
        )
        let result = try run.asOrdinaryUser("-k", "key.pem", "-n", "s", "-d", "locked", "--", "touch", "ran")
        #expect(result.status == 125)
        #expect(result.errorText.contains("locked: cannot write to the directory: Permission denied"))
        #expect(try !run.list().contains("ran"))
    }

    @Test func `evidence that is there is not replaced unless that is asked for`() throws {
        let run = IntotoRun()
        try run.makeKey()
        #expect(try run("-k", "key.pem", "-n", "s", "--", "true").status == 0)
        try refusal(signed, expecting: "is there already")
        #expect(try run("-k", "key.pem", "-n", "s", "--overwrite", "--", "false").status == 1)
        #expect(try Evidence.link(endingIn: ".jsonl", of: run).byproduct("return-value") == 1)
    }

    @Test func `a material that is missing stops before the command, unless it may be`() throws {
        try refusal(signed + ["-m", "absent", "-p", "key.pem"], expecting: "'absent': does not exist")
        let result = try IntotoRun().run(signed + ["--allow-missing", "-m", "absent", "-p", "key.pem", "--", "true"])
        #expect(result.status == 0)
    }

    @Test func `a product that is missing after the command: no evidence, and the command's status is said`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run("-k", "key.pem", "-n", "s", "-p", "absent", "--", "sh", "-c", "touch ran; exit 7")
        #expect(result.status == 125)
        #expect(result.errorText.contains("'absent': does not exist"))
        #expect(result.errorText.contains("exited with status 7"))
        #expect(try run.list().filter { !$0.hasSuffix(".link-unfinished") } == ["key.pem", "key.pem.pub", "ran"])
    }

    @Test func `a file name that is not UTF-8 is refused before the command, and after it`() throws {
        let run = IntotoRun()
        try run.makeKey()
        _ = try run.shell("mkdir bad good; : >\"bad/$(printf 'x\\377')\"; echo x >good/x")
        try refusal(signed + ["-m", "bad", "-p", "good"], expecting: "'bad/x\\xFF'")
        let after = try run.run(signed + ["-p", "bad", "--", "true"])
        #expect(after.status == 125)
        #expect(after.errorText.contains("'bad/x\\xFF': the name is not UTF-8"))
        #expect(after.errorText.contains("exited with status 0"))
    }

    @Test func `formats that cannot be are refused`() throws {
        try refusal(signed + ["--format", "link,dsse-link"], expecting: "same file name")
        try refusal(signed + ["--format", "yaml"], expecting: "yaml")
        try refusal(signed + ["--use-dsse", "--format", "link"], expecting: "contradict")
        try refusal(signed + ["-m", "key.pem"], expecting: "an attestation needs a subject")
        try refusal(signed + ["-x"], expecting: "-x is for evidence without a command")
        try refusal(signed + ["-x", "-C", "."], command: [], expecting: "with -x there is no command")
    }

    @Test func `products that turn out empty leave an attestation without a subject, and a record to complete`() throws
    {
        let run = IntotoRun()
        try run.makeKey()
        _ = try run.shell("mkdir empty")
        let result = try run("-k", "key.pem", "-n", "s", "-p", "empty", "--", "sh", "-c", "exit 3")
        #expect(result.status == 125)
        #expect(result.errorText.contains("an attestation needs a subject, and there are no products"))
        #expect(result.errorText.contains("exited with status 3"))
        #expect(try run.list().filter { !$0.hasSuffix(".link-unfinished") } == ["empty", "key.pem", "key.pem.pub"])
        #expect(try run("-k", "key.pem", "-n", "s", "-p", "empty", "--format", "link", "--", "true").status == 0)
    }

    @Test func `an option that nobody knows is refused`() throws {
        try refusal(signed + ["--nonsense"], expecting: "--nonsense")
        try refusal(signed + ["--exclude", "[z-"], expecting: "[z-")
    }

    @Test func `an option that is not UTF-8 is refused`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run.shell("\"$R\" -k key.pem -n s -m \"$(printf 'x\\377')\" -- touch ran")
        #expect(result.status == 125)
        #expect(result.errorText.contains("'x\\xFF' is not UTF-8"))
        #expect(try !run.list().contains("ran"))
    }

    @Test func `names from outside cannot drive the terminal`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run("-k", "key.pem", "-n", "s", "--", "no\u{1B}[31m\u{202E}such")
        #expect(result.status == 127)
        #expect(!result.errors.contains(0x1B))
        #expect(result.errorText.contains("no\\x1B[31m\\u{202E}such"))
    }

    @Test func `a full disk is noticed before the command`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let script = """
            mkdir small && mount -t tmpfs -o size=16k tmpfs small && "$R" -k key.pem -n s -d small -- touch ran
            status=$?; ls -A small; umount small; exit $status
            """
        let result = try run.inMountNamespace(script)
        #expect(result.status == 125)
        #expect(result.errorText.contains("No space left on device"))
        #expect(result.outputText == "")
        #expect(try !run.list().contains("ran"))
    }

    @Test func `a disk that the command fills leaves no half evidence, and the command's status is said`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let script = """
            mkdir small && mount -t tmpfs -o size=256k tmpfs small &&
            "$R" -s -k key.pem -n s -d small -m key.pem.pub --format link -- sh -c 'seq 1 40000; cat /dev/zero >small/fill 2>/dev/null; exit 4' >/dev/null
            status=$?; ls -A small; umount small; exit $status
            """
        let result = try run.inMountNamespace(script)
        #expect(result.status == 125)
        #expect(result.errorText.contains("No space left on device"))
        #expect(result.errorText.contains("exited with status 4"))
        #expect(result.outputText == "fill\n")
        // Nothing is lost: the signed evidence is elsewhere, and the message says where.
        let kept = try run.file(endingIn: ".link")
        #expect(result.errorText.contains(kept))
        #expect(try run("sign", "--check", kept, "--verification-keys", "key.pem.pub").status == 0)
        #expect(try Evidence.link(kept, of: run).byproduct("return-value") == 4)
    }
}

extension IntotoRun {
    /// A namespace of its own, where file systems can be mounted.
    fileprivate func inMountNamespace(_ script: String) throws -> Subprocess {
        var environment = environment
        environment["R"] = BuiltProduct.intotoRun.path
        let user = getuid() == 0 ? [] : ["--user", "--map-root-user"]
        return try Subprocess.run(
            "/usr/bin/unshare", user + ["--mount", "/bin/sh", "-c", script], in: directory, environment: environment)
    }
}
