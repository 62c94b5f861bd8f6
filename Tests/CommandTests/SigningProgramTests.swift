import Foundation
import TestSupport
import Testing

/// `exec:`: a program of the user's signs.
@Suite(.temporaryDirectory) struct SigningProgramTests {
    private static let types = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa"]

    /// `signer KEY public-key|sign`, by openssl; a file `fail` makes it fail, and it notes its environment.
    private static let signer = """
        #!/bin/sh
        env >>signer-environment
        ls /proc/self/fd >signer-descriptors
        [ ! -e fail ] || exit 3
        [ ! -e lie ] || { head -c 64 /dev/zero; exit 0; }
        case $2 in
        public-key) exec openssl pkey -in "$1" -pubout ;;
        sign)
            message=$(mktemp) && cat >"$message" || exit 1
            case $(openssl pkey -in "$1" -noout -text) in
            *ED25519*) openssl pkeyutl -sign -rawin -inkey "$1" -in "$message" ;;
            *P-256*) openssl dgst -sha256 -sign "$1" "$message" ;;
            *P-384*) openssl dgst -sha384 -sign "$1" "$message" ;;
            *P-521*) openssl dgst -sha512 -sign "$1" "$message" ;;
            *) openssl dgst -sha256 -sign "$1" -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest "$message" ;;
            esac
            rm "$message" ;;
        esac
        """

    private func project(_ type: String = "ed25519") throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey(type: type)
        try run.write(Self.signer, to: "signer")
        _ = try run.shell("chmod +x signer; rm -f signer-*")
        return run
    }

    private let step = ["-n", "s", "-m", "key.pem.pub", "-p", "key.pem.pub", "-k", "exec:./signer key.pem"]

    @Test(arguments: types)
    func `its signatures are good in every format, and named as the key's own`(type: String) throws {
        let run = try project(type)
        let result = try run.run(step + ["--format", "attestation,link", "--", "true"])
        #expect(result.status == 0, "\(result.errorText)")
        let id = try run("key", "id", "key.pem").outputText
        for file in [try run.file(endingIn: ".link"), try run.file(endingIn: ".intoto.jsonl")] {
            #expect(file.hasPrefix("s.\(id.prefix(8))."))
            #expect(try run("sign", "--check", file, "--verification-keys", "key.pem.pub").status == 0)
            #expect(
                try run("sign", "--check", file, "--verification-keys", "exec:./signer key.pem").status == 0)
        }
    }

    @Test func `a large message reaches it whole, whether or not it reads it at once`() throws {
        let run = try project()
        _ = try run.shell("mkdir many; cd many; seq 1 4000 | split -l 1 -a 4")
        let result = try run.run(
            ["-n", "s", "--format", "link", "-m", "many", "-p", "many", "-k", "exec:./signer key.pem", "--", "true"])
        #expect(result.status == 0, "\(result.errorText)")
        let link = try run.file(endingIn: ".link")
        #expect(try run.read(link).count > 1 << 19)
        #expect(try run("sign", "--check", link, "--verification-keys", "key.pem.pub").status == 0)
    }

    @Test func `it gets neither secrets of ours nor descriptors of the command`() throws {
        var run = try project()
        run.environment["INTOTO_KEY_PASSPHRASE"] = "hunter2-hunter2"
        run.environment["SECOND_KEY"] = String(decoding: try run.read("key.pem"), as: UTF8.self)
        run.environment["FOR_SIGNERS"] = "kept"
        try run.makeKey("other.pem")
        run.environment["SECOND_KEY"] = String(decoding: try run.read("other.pem"), as: UTF8.self)
        let script = """
            "$R" -q -n s --format link -m key.pem.pub -k 'exec:./signer key.pem' env:SECOND_KEY -- true 7<key.pem
            """
        #expect(try run.shell(script).status == 0)
        let environment = String(decoding: try run.read("signer-environment"), as: UTF8.self)
        #expect(environment.contains("FOR_SIGNERS=kept"))
        #expect(!environment.contains("hunter2") && !environment.contains("SECOND_KEY"))
        let descriptors = String(decoding: try run.read("signer-descriptors"), as: UTF8.self).split(separator: "\n")
        #expect(!descriptors.contains("7"))
    }

    @Test(arguments: [
        ("exec:./absent", "exec:./absent: command not found"), ("exec:./key.pem", "exec:./key.pem: cannot be executed"),
        ("exec:", "exec: names no program"), ("exec:false", "exec:false: it ended with status 1"),
        ("exec:true", "exec:true: what it printed as its public key: not a key"),
        ("exec:yes", "exec:yes: it wrote more than 65536 bytes"),
        ("exec:sh -c kill\u{20}-9\u{20}$$", "exec:sh: "),
    ])
    func `one that is of no use is an error before anything runs`(reference: String, message: String) throws {
        let run = try project()
        let result = try run("-n", "s", "-m", "key.pem.pub", "-p", "key.pem.pub", "-k", reference, "--", "touch", "ran")
        #expect(result.status == 125)
        #expect(result.errorText.contains("intoto-run: error: \(message)"), "\(result.errorText)")
        #expect(try !run.list().contains("ran"))
    }

    @Test func `a signature that is none is refused before anything runs`() throws {
        let run = try project()
        try run.write(
            "#!/bin/sh\ncase $1 in public-key) cat key.pem.pub ;; *) head -c 64 /dev/zero ;; esac\n", to: "liar")
        _ = try run.shell("chmod +x liar")
        let result = try run(
            "-n", "s", "-m", "key.pem.pub", "-p", "key.pem.pub", "-k", "exec:./liar", "--", "touch", "ran")
        #expect(
            result.errorText == "intoto-run: error: exec:./liar: what it printed is no signature by its public key\n")
        #expect(try result.status == 125 && !run.list().contains("ran"))
    }

    @Test(arguments: ["fail", "lie"])
    func `where it fails after the command, the payload is kept, and sign finishes it`(how: String) throws {
        let run = try project()
        let result = try run.run(step + ["--format", "link", "--", "touch", how])
        #expect(result.status == 125)
        let reason = how == "fail" ? "it ended with status 3" : "what it printed is no signature by its public key"
        let message = "intoto-run: error: evidence could not be signed: exec:./signer: \(reason)\n"
        #expect(result.errorText.contains(message), "\(result.errorText)")
        let kept = try #require(result.errorText.firstMatch(of: /intoto-run sign (\S+) -k KEY/)?.1).description
        _ = try run.shell("rm \(how)")
        #expect(try run("sign", kept, "-k", "exec:./signer key.pem").status == 0)
        let check = try run("sign", "--check", run.file(endingIn: ".link"), "--verification-keys", "key.pem.pub")
        #expect(check.status == 0)
        _ = try run.shell("rm -f '\(kept)'")
    }

    /// The first signature is a test, made before anything is read or run.
    @Test(arguments: ["sign", "attest", "layout sign", "layout sign --dsse"])
    func `one of several that fails later is named by every verb`(verb: String) throws {
        let run = try project()
        try run.makeKey("other.pem")
        let counting = "#!/bin/sh\n[ $2 != sign ] || { echo >>n; [ $(wc -l <n) = 1 ] || exit 4; }\nexec ./signer $*\n"
        try run.write(counting, to: "once")
        try run.write(#"{"x": 1}"#, to: "p.json")
        _ = try run.shell("chmod +x once; \"$R\" -q -n s --format link -m key.pem.pub -k key.pem -- true")
        let link = try run.file(endingIn: ".link")
        _ = try run.shell("\"$R\" layout init \(link) --verification-keys key.pem.pub -o draft")
        let options =
            switch verb {
            case "sign": [link]
            case "attest": ["--type", "urn:x", "--predicate", "p.json", "--subject", "key.pem.pub"]
            default: ["draft", "-o", "root.layout"]
            }
        let signed = try run.run(
            verb.split(separator: " ").map(String.init) + options + ["-k", "other.pem", "exec:./once key.pem"])
        #expect(signed.status == 2 && signed.outputText == "")
        #expect(
            signed.errorText.hasSuffix("intoto-run: error: exec:./once: it ended with status 4\n"),
            "\(signed.errorText)")
    }

    @Test(arguments: ["link", "attestation", "attestation,dsse-link"], ["python", "go"])
    func `what is said to finish kept payloads makes the files that were to be`(
        formats: String, convention: String
    ) throws {
        let run = try project()
        _ = try run.shell("mkdir \"it's here\" good")
        let options = step + ["--format", formats, "--keyid-convention", convention]
        let result = try run.run(options + ["-d", "it's here", "--", "touch", "fail"])
        #expect(result.status == 125)
        _ = try run.shell("rm fail")
        let commands = result.errorText.matches(of: /is kept: intoto-run (sign .+?) finishes it/).map(\.1)
        #expect(commands.count == formats.split(separator: ",").count)
        for command in commands {
            let line = "\"$R\" " + command.replacing("-k KEY", with: "-k 'exec:./signer key.pem'")
            let finished = try run.shell(line)
            #expect(finished.status == 0, "\(line): \(finished.errorText)")
        }
        #expect(try run.run(options + ["-d", "good", "--", "true"]).status == 0)
        #expect(try run.list("it's here") == run.list("good"))
        for name in try run.list("good") {
            let check = try run("sign", "--check", "it's here/\(name)", "--verification-keys", "key.pem.pub")
            #expect(check.status == 0, "\(check.errorText)")
        }
    }

    @Test func `what replaces evidence is told again to do so by the command that finishes it`() throws {
        let run = try project()
        #expect(try run.run(step + ["--format", "link", "--", "true"]).status == 0)
        let before = try run.read(run.file(endingIn: ".link"))
        let failed = try run.run(step + ["--format", "link", "--overwrite", "--", "touch", "fail"])
        _ = try run.shell("rm fail")
        let command = try #require(failed.errorText.firstMatch(of: /is kept: intoto-run (sign .+?) finishes it/)?.1)
        #expect(command.contains(" --overwrite"), "\(failed.errorText)")
        let line = "\"$R\" " + command.replacing("-k KEY", with: "-k 'exec:./signer key.pem'")
        let finished = try run.shell(line)
        #expect(finished.status == 0, "\(finished.errorText)")
        #expect(try run.read(run.file(endingIn: ".link")) != before)
        // So does the command that completes what could not be recorded.
        let unreadable = "touch 'new'\"$(printf '\\377')\""
        let interrupted = try run.run(
            ["-n", "s", "-m", "key.pem.pub", "-p", ".", "-k", "key.pem", "--format", "link", "--overwrite", "--"]
                + ["sh", "-c", unreadable])
        let stop = try #require(interrupted.errorText.firstMatch(of: /then: intoto-run (record stop .*)/)?.1)
        #expect(stop.contains(" --overwrite"), "\(interrupted.errorText)")
        let stopped = try run.shell("rm new*; \"$R\" \(stop)")
        #expect(stopped.status == 0, "\(stopped.errorText)")
    }

    @Test func `it is asked for a signature once before the command and once after`() throws {
        let run = try project()
        try run.write(
            "#!/bin/sh\necho $2 >>calls\nexec ./signer \"$@\"\n", to: "counting")
        _ = try run.shell("chmod +x counting")
        let result = try run.run([
            "-q", "-n", "s", "--format", "link", "-m", "key.pem.pub", "-k", "exec:./counting key.pem", "--", "sh", "-c",
            "echo command >>calls",
        ])
        #expect(result.status == 0)
        #expect(try String(decoding: run.read("calls"), as: UTF8.self) == "public-key\nsign\ncommand\nsign\n")
    }

    @Test func `what it leaves running is no process of the command`() throws {
        let run = try project()
        try run.write("#!/bin/sh\nsleep 20 >/dev/null 2>&1 & echo $! >>agents\nexec ./signer \"$@\"\n", to: "leaving")
        _ = try run.shell("chmod +x leaving")
        let result = try run.run([
            "-n", "s", "--format", "link", "-m", "key.pem.pub", "-k", "exec:./leaving key.pem", "--", "true",
        ])
        #expect(result.status == 0 && !result.errorText.contains("outlives"), "\(result.errorText)")
        _ = try run.shell("kill $(cat agents)")
    }
}
