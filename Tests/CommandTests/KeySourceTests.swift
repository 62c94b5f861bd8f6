import Foundation
import TestSupport
import Testing

/// Where keys and passphrases come from, and that the command sees none of them.
@Suite(.temporaryDirectory) struct KeySourceTests {
    private static let phrase = "pässwörd-of-a-throwaway-key"

    /// `enc.pem`, encrypted, and `phrase`, which opens it.
    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.write("\(Self.phrase)\nsecond line\n", to: "phrase")
        _ = try run.shell("chmod 600 phrase")
        let made = try run("key", "generate", "--passphrase-file", "phrase", "enc.pem")
        guard made.status == 0 else { throw IntotoRun.SetupFailure(reason: made.errorText) }
        return run
    }

    private let step = ["-q", "-n", "s", "--format", "link", "-m", "enc.pem.pub"]

    private func isGood(_ run: IntotoRun, _ key: String) throws -> Bool {
        try run("sign", "--check", run.file(endingIn: ".link"), "--verification-keys", key).status == 0
    }

    @Test func `a passphrase that a command prints is refused as a file, and taken as the hint says`() throws {
        let run = try project()
        func bash(_ options: String) throws -> Subprocess {
            try run.shell("exec bash -c '\"$R\" key convert enc.pem \(options)'")
        }
        let reason = "is not a regular file\nintoto-run: hint: for what a command prints, give a descriptor: "
        let refused = try bash("-o plain.pem --passphrase-file <(cat phrase)")
        #expect(refused.status == 2 && refused.errorText.hasPrefix("intoto-run: error: /dev/fd/"))
        #expect(refused.errorText.hasSuffix(": \(reason)--passphrase-fd 3 3< <(COMMAND)\n"), "\(refused.errorText)")
        let new = try bash("-o again.pem --passphrase-file phrase --new-passphrase-file <(cat phrase)")
        #expect(new.status == 2 && new.errorText.hasSuffix(": \(reason)--new-passphrase-fd 3 3< <(COMMAND)\n"))
        let taken = try bash("-o plain.pem --passphrase-fd 3 3< <(cat phrase)")
        #expect(taken.status == 0, "\(taken.errorText)")
        #expect(try run.list() == ["enc.pem", "enc.pem.pub", "phrase", "plain.pem"])
    }

    // MARK: env:

    @Test func `a key in a variable signs, and nothing that the command can see holds it`() throws {
        var run = IntotoRun()
        try run.makeKey()
        let key = String(decoding: try run.read("key.pem"), as: UTF8.self)
        let secret = try #require(key.split(separator: "\n").dropFirst().first).description
        run.environment["SIGNING_KEY"] = key
        run.environment["INTOTO_KEY_PASSPHRASE"] = Self.phrase
        run.environment["KEPT"] = "kept-value"
        let look = "env; tr '\\0' '\\n' </proc/$PPID/environ; tr '\\0' '\\n' </proc/$PPID/cmdline"
        let result = try run.run(
            ["-s", "-n", "s", "--format", "link", "-k", "env:SIGNING_KEY", "-m", "key.pem.pub", "--", "sh", "-c", look])
        #expect(result.status == 0, "\(result.errorText)")
        #expect(result.outputText.contains("KEPT=kept-value"))
        #expect(result.outputText.contains("env:SIGNING_KEY"))
        #expect(!result.outputText.contains(secret))
        #expect(!result.outputText.contains(Self.phrase))
        #expect(!result.outputText.contains("\nSIGNING_KEY=-"))
        let link = String(decoding: try run.read(run.file(endingIn: ".link")), as: UTF8.self)
        #expect(!link.contains(secret) && !link.contains(Self.phrase))
        #expect(try isGood(run, "key.pem.pub"))
    }

    @Test func `a variable that holds a key or a PIN is never recorded`() throws {
        var run = IntotoRun()
        try run.makeKey()
        run.environment["MY_THING"] = String(decoding: try run.read("key.pem"), as: UTF8.self)
        run.environment["INTOTO_PKCS11_PIN"] = "987654321"
        let sign = ["-n", "s", "--format", "link", "-k", "env:MY_THING", "-m", "key.pem.pub"]
        for name in ["MY_THING", "INTOTO_PKCS11_PIN"] {
            let refused = try run.run(sign + ["--env", name, "--", "touch", "ran"])
            #expect(refused.status == 125 && refused.errorText.contains("--env \(name): is never recorded"))
        }
        #expect(try run.run(sign + ["--env", "MY_*", "INTOTO_*", "--", "true"]).status == 0)
        let link = String(decoding: try run.read(run.file(endingIn: ".link")), as: UTF8.self)
        #expect(!link.contains("PRIVATE KEY") && !link.contains("987654321") && !link.contains("MY_THING\""))
    }

    /// While a passphrase is asked for, the process that will become the command is there already.
    @Test func `the process that waits for the command shows no secret either`() throws {
        let run = try project()
        try run.makeKey("outer.pem")
        let script = """
            export SIGNING_KEY="$(cat outer.pem)" INTOTO_PKCS11_PIN=987654321
            "$0" -q -n s --format link -k env:SIGNING_KEY enc.pem -m enc.pem.pub -- true & p=$!
            until stty -a </dev/tty | grep -qe '-echo '; do :; done
            children=$(cat /proc/$p/task/*/children)
            for c in $children; do tr '\\0' '\\n' </proc/$c/environ; done >seen
            [ -n "$children" ] && echo "looked"
            kill $p; wait $p
            """
        let outer = ["-q", "-n", "o", "--format", "link", "-k", "outer.pem", "-m", "enc.pem.pub", "--"]
        let (output, _) = try TerminalSession.run(
            run, outer + ["sh", "-c", script, BuiltProduct.intotoRun.path], [.expect("looked")])
        let seen = String(decoding: try run.read("seen"), as: UTF8.self)
        #expect(!seen.contains("PRIVATE KEY") && !seen.contains("987654321"), "\(output)")
    }

    @Test func `INTOTO_KEY may name a variable, too`() throws {
        var run = IntotoRun()
        try run.makeKey()
        run.environment["SIGNING_KEY"] = String(decoding: try run.read("key.pem"), as: UTF8.self)
        run.environment["INTOTO_KEY"] = "env:SIGNING_KEY"
        let result = try run.run(["-q", "-n", "s", "--format", "link", "-m", "key.pem.pub", "--", "env"])
        #expect(result.status == 0 && !result.outputText.contains("KEY"))
        #expect(try isGood(run, "key.pem.pub"))
        #expect(try run("key", "id", "env:SIGNING_KEY").outputText == run("key", "id", "key.pem.pub").outputText)
    }

    @Test(arguments: [
        ("env:ABSENT", "env:ABSENT: the variable is not set"), ("env:", "env: names no variable"),
        ("env:A=B", "env: names no variable"), ("env:EMPTY", "env:EMPTY: not a key: "),
        ("env:TEXT", "env:TEXT: not a key: "),
    ])
    func `a variable that holds no key is an error before anything runs`(reference: String, message: String) throws {
        var run = IntotoRun()
        run.environment["EMPTY"] = ""
        run.environment["TEXT"] = "hunter2-hunter2"
        let result = try run("-n", "s", "-k", reference, "--", "touch", "ran")
        #expect(result.status == 125 && result.errorText.hasPrefix("intoto-run: error: \(message)"))
        #expect(!result.errorText.contains("hunter2"))
        #expect(try run.list() == [])
    }

    @Test(arguments: [
        "ed25519-alice.pkcs8.pem", "ecdsa-p256.sec1.pem", "rsa-2048.pkcs1.pem", "rsa-2048.openssh",
        "enc-ed25519-alice.pyca-best.pem", "enc-rsa-2048.traditional-dek-aes256.pem", "enc-ed25519-alice.sigstore.pem",
        "legacy-ed25519-alice.json", "legacy-ecdsa-dave.json", "legacy-ed25519-alice.encrypted",
    ])
    func `no message holds a part of a key, whatever is wrong with it`(file: String) throws {
        var run = IntotoRun()
        let text = String(decoding: try Vectors.bytes("keys/\(file)"), as: UTF8.self)
        let middle = text.index(text.startIndex, offsetBy: text.count / 2)
        let broken = [
            String(text[..<middle]), String(text[middle...]),
            text.replacingCharacters(in: middle...middle, with: "!"),
            text.replacing("PRIVATE KEY", with: "SECRET THING"), text.replacing("\"private\"", with: "\"pr1vate\""),
            text.replacing("\n", with: " "), "{" + text, text + "\u{1B}[2J",
        ]
        // Long enough that no message holds one by chance.
        let width = 12
        let characters = Array(text)
        let parts = Set(
            stride(from: 0, to: characters.count - width, by: 1).map { String(characters[$0..<$0 + width]) }
        )
        .filter { !$0.contains("-") && !$0.contains(" ") && $0.contains(where: \.isNumber) }
        #expect(parts.count > 20)
        for content in broken {
            try run.write(content, to: "key")
            _ = try run.shell("chmod 600 key")
            run.environment["KEY_TEXT"] = content
            for reference in ["key", "env:KEY_TEXT"] {
                for arguments in [
                    ["key", "show", reference], ["key", "convert", reference, "-o", "out", "--force"],
                    ["-n", "s", "-k", reference, "-m", "key", "--format", "link", "--", "true"],
                    ["inspect", "key"], ["sign", "--check", "key", "--verification-keys", reference],
                ] {
                    let said = try run.run(arguments).errorText
                    #expect(!parts.contains(where: said.contains), "\(arguments): \(said)")
                }
            }
        }
    }

    // MARK: Passphrases

    @Test func `a descriptor's first line is the passphrase, and the command does not get the descriptor`() throws {
        let run = try project()
        let script = """
            "$R" -q -n s --format link -m enc.pem.pub -k enc.pem --passphrase-fd 7 -- \
                sh -c '[ ! -e /proc/self/fd/7 ] && [ -e /proc/self/fd/8 ] && cat <&8' 7<phrase 8<enc.pem.pub
            """
        let result = try run.shell(script)
        #expect(result.status == 0, "\(result.errorText)")
        #expect(try result.output == run.read("enc.pem.pub"))
        #expect(try isGood(run, "enc.pem.pub"))
    }

    @Test func `from standard input one line is read, and the rest is the command's`() throws {
        let run = try project()
        let script = """
            { head -1 phrase; echo rest; } | "$R" -q -n s --format link -m enc.pem.pub -k enc.pem --passphrase-fd 0 -- cat
            """
        let result = try run.shell(script)
        #expect(result.status == 0 && result.outputText == "rest\n", "\(result.errorText)")
    }

    @Test(arguments: [
        (["--passphrase-fd", "7"], "descriptor 7: is not open"),
        (["--passphrase-fd", "1"], "descriptor 1: is not for reading a passphrase from"),
        (["--passphrase-fd", "0", "--passphrase-file", "phrase"], "--passphrase-file and --passphrase-fd contradict"),
    ])
    func `a descriptor that cannot be is an error`(options: [String], message: String) throws {
        let run = try project()
        let result = try run.run(step + ["-k", "enc.pem"] + options + ["--", "touch", "ran"])
        #expect(result.status == 125 && result.errorText.contains("intoto-run: error: \(message)"))
        #expect(try !run.list().contains("ran"))
    }

    @Test func `a person is asked, without echo`() throws {
        let run = try project()
        let (output, status) = try TerminalSession.run(
            run, ["-n", "s", "--format", "link", "-m", "enc.pem.pub", "-k", "enc.pem", "--", "echo", "it ran"],
            [.expect("passphrase of enc.pem: "), .send("\(Self.phrase)\n"), .expect("it ran"), .expect("wrote")])
        #expect(status == 0)
        #expect(!output.contains(Self.phrase))
        #expect(try isGood(run, "enc.pem.pub"))
    }

    @Test func `a wrong answer is an error, and nothing runs`() throws {
        let run = try project()
        let (output, status) = try TerminalSession.run(
            run, step + ["-k", "enc.pem", "--", "touch", "ran"],
            [.expect("passphrase of enc.pem: "), .send("wrong\n"), .expect("wrong passphrase or damaged key")])
        #expect(status == 125 && !output.contains("wrong\r\n"))
        #expect(try !run.list().contains("ran"))
    }

    @Test func `whoever stops and continues it is asked again`() throws {
        let run = try project()
        let (output, status) = try TerminalSession.run(
            run, step + ["-k", "enc.pem", "--", "echo", "it ran"],
            [
                .expect("passphrase of enc.pem: "), .send("half\u{1A}"), .expect("[stopped]"),
                .expect("passphrase of enc.pem: "), .send("\(Self.phrase)\n"), .expect("it ran"),
            ])
        #expect(status == 0 && !output.contains("half"))
    }

    /// The shell waits until the echo is off, and looks at the terminal once the runner is gone.
    @Test(arguments: [("TERM", 143), ("HUP", 129), ("ALRM", 142)])
    func `the echo is on again after a signal`(signal: String, status: Int) throws {
        let (output, ended) = try session(
            """
            "$0" -q -n s --format link -k enc.pem -m enc.pem.pub -- touch ran & p=$!
            until stty -a </dev/tty | grep -qe '-echo '; do :; done
            kill -\(signal) $p; wait $p; echo "status $?"
            stty -a </dev/tty | grep -qe ' echo ' && echo "echo is on"
            """, [.expect("status \(status)"), .expect("echo is on")])
        #expect(ended == 0, "\(output)")
    }

    @Test(arguments: [("\u{3}", 130), ("\u{1C}", 131)])
    func `the echo is on again after a key that interrupts`(key: String, status: Int) throws {
        let (output, ended) = try session(
            """
            trap : INT QUIT
            "$0" -q -n s --format link -k enc.pem -m enc.pem.pub -- touch ran; echo "status $?"
            stty -a </dev/tty | grep -qe ' echo ' && echo "echo is on"
            """,
            [
                .expect("passphrase of enc.pem: "), .send("half" + key), .expect("status \(status)"),
                .expect("echo is on"),
            ])
        #expect(ended == 0 && !output.contains("half"), "\(output)")
    }

    /// A shell at a terminal, which stays alive after the runner (`$0`) that it starts.
    private func session(
        _ script: String, _ steps: [TerminalSession.Step]
    ) throws -> (output: String, status: Int32) {
        let run = try project()
        try run.makeKey("outer.pem")
        let outer = ["-q", "-n", "o", "--format", "link", "-k", "outer.pem", "-m", "enc.pem.pub", "--"]
        defer { #expect(throws: Never.self) { try #expect(!run.list().contains("ran")) } }
        return try TerminalSession.run(run, outer + ["sh", "-c", script, BuiltProduct.intotoRun.path], steps)
    }

    // MARK: The user's own key

    @Test func `without a key the user's own is made once, announced, and used from then on`() throws {
        var run = IntotoRun()
        run.environment["HOME"] = run.directory.appending(path: "home").path
        try run.write("text", to: "file")
        let own = "home/.local/share/intoto-run"
        let first = try run("-n", "a", "--format", "link", "-m", "file", "--", "true")
        #expect(first.status == 0)
        #expect(
            first.errorText.contains("intoto-run: made a key of your own, \(run.directory.path)/\(own)/default.pem"))
        #expect(try run.list(own) == ["default.pem", "default.pem.pub"])
        #expect(
            try run.shell("stat -c %a \(own) \(own)/default.pem \(own)/default.pem.pub").outputText == "700\n600\n644\n"
        )
        let second = try run("-n", "b", "--format", "link", "-m", "file", "--", "true")
        #expect(second.status == 0 && !second.errorText.contains("made a key"))
        for step in ["a", "b"] {
            let link = try #require(try run.list().first { $0.hasPrefix("\(step).") })
            #expect(try run("sign", "--check", link, "--verification-keys", "\(own)/default.pem.pub").status == 0)
        }
    }

    @Test func `XDG_DATA_HOME says where, unless it is relative`() throws {
        var run = IntotoRun()
        run.environment["HOME"] = run.directory.appending(path: "home").path
        run.environment["XDG_DATA_HOME"] = run.directory.appending(path: "data/deep").path
        try run.write("text", to: "file")
        #expect(try run("-n", "a", "--format", "link", "-m", "file", "--", "true").status == 0)
        #expect(try run.list("data/deep/intoto-run") == ["default.pem", "default.pem.pub"])
        run.environment["XDG_DATA_HOME"] = "data/other"
        #expect(try run("-n", "b", "--format", "link", "-m", "file", "--", "true").status == 0)
        #expect(try run.list("home/.local/share/intoto-run") == ["default.pem", "default.pem.pub"])
        #expect(try run.list("data") == ["deep"])
    }

    @Test(
        arguments: [
            (["HOME": "home", "CI": "true"], [], "no key to sign with, and CI=true rules out a key of your own"),
            (["HOME": "home"], ["--no-default-key"], "no key to sign with"), ([:], [], "no key to sign with"),
        ] as [([String: String], [String], String)])
    func `where it may not be used, nothing is made and nothing runs`(
        environment: [String: String], options: [String], message: String
    ) throws {
        var run = IntotoRun()
        run.environment.merge(environment.mapValues { $0 == "home" ? run.directory.appending(path: $0).path : $0 }) {
            $1
        }
        let result = try run.run(["-n", "s"] + options + ["--", "touch", "ran"])
        #expect(result.status == 125)
        #expect(
            result.errorText == """
                intoto-run: error: \(message)
                intoto-run: hint: give --key FILE; intoto-run key generate FILE makes one

                """)
        #expect(try run.list() == [])
    }
}
