import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Options of reading, and what is seen of it.
@Suite(.temporaryDirectory) struct ReadingTests {
    @Test func `on a terminal there is a line, and with --progress off or a pipe there is none`()
        throws
    {
        let runner = IntotoRun()
        try runner.makeKey()
        // Two terabytes of holes take longer than half a second on any machine; the reading is ended from outside.
        let script = """
            import os, pty, signal, sys, time
            program, *options = sys.argv[1:]
            child, terminal = pty.fork()
            if child == 0:
                os.execv(program, [program, "-n", "s", "-k", "key.pem", "-m", "sparse", "-p", "sparse", *options, "--", "true"])
            seen = b""
            deadline = time.monotonic() + float(os.environ["SECONDS_TO_WATCH"])
            import select
            while time.monotonic() < deadline and b" files, " not in seen:
                if select.select([terminal], [], [], 0.1)[0]:
                    seen += os.read(terminal, 4096)
            os.kill(child, signal.SIGTERM)
            status = os.waitpid(child, 0)[1]
            print("line" if b"\\rintoto-run: " in seen else "none", os.WIFSIGNALED(status))
            """
        try runner.write(script, to: "watch.py")
        let run = { (options: String, seconds: Int) throws -> Subprocess in
            try runner.shell(
                "truncate -s 2T sparse; SECONDS_TO_WATCH=\(seconds) python3 watch.py \"$R\" \(options); ls *.jsonl || :"
            )
        }
        let shown = try run("", 30)
        #expect(shown.outputText == "line True\n", "\(shown.errorText)")
        #expect(try run("--progress off", 2).outputText == "none True\n")
        #expect(try run("-q", 2).outputText == "none True\n")
        let piped = try runner.shell("timeout 2 \"$R\" -n s -k key.pem -m sparse -p sparse -- true")
        #expect(piped.errorText.isEmpty)
    }

    @Test func `a command that puts something else over a large file does not fool --reuse-unchanged`() throws {
        let runner = IntotoRun()
        try runner.makeKey()
        let made = try runner.shell(
            """
            set -e; mkdir a b; head -c 300000 /dev/urandom > a/f; cp -p a/f b/f; printf x >> b/f
            touch -d '1 hour ago' a/f; sleep 0.1
            cat > run <<'EOF'
            name=$1; shift; "$R" -n "$name" --format link -k key.pem --reuse-unchanged -m a/f -p a/f -- "$@"
            EOF
            R="$R" sh run kept true
            R="$R" unshare -rm sh run same mount --bind a a
            R="$R" unshare -rm sh run other mount --bind b a
            R="$R" sh run written sh -c 'printf y | dd of=a/f bs=1 seek=9 conv=notrunc status=none'
            """)
        #expect(made.status == 0, "\(made.errorText)")
        let isSound = try runner.shell("stat -f -c %T .").outputText.contains("ext")
        for (name, reused) in [("kept", isSound ? 1 : 0), ("same", 0), ("other", 0), ("written", 0)] {
            let file = try #require(try runner.list().first { $0.hasPrefix("\(name).") && $0.hasSuffix(".link") })
            let text = String(decoding: try runner.read(file), as: UTF8.self)
            #expect(text.contains("\"reused-digests\": \(reused)"), "\(name): \(text)")
            let link = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            let signed = try #require(link["signed"] as? [String: Any])
            let isSame = NSDictionary(dictionary: signed["materials"] as? [String: Any] ?? [:])
                .isEqual(to: signed["products"] as? [String: Any] ?? [:])
            #expect(isSame == (name == "kept" || name == "same"), "\(name)")
        }
    }

    @Test func `--changed-only leaves out products that are materials unchanged`() throws {
        let runner = IntotoRun()
        try runner.makeKey()
        let made = try runner.shell(
            """
            mkdir d; echo 1 > d/same; echo 1 > d/other; echo 1 > d/gone
            "$R" -n s --format link -k key.pem --changed-only -m d -p d -- sh -c 'echo 2 > d/other; echo 3 > d/new; rm d/gone'
            """)
        #expect(made.status == 0, "\(made.errorText)")
        let data = Data(try runner.read(runner.file(endingIn: ".link")))
        let link = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let signed = try #require(link["signed"] as? [String: Any])
        #expect((signed["products"] as? [String: Any])?.keys.sorted() == ["d/new", "d/other"])
        #expect((signed["materials"] as? [String: Any])?.keys.sorted() == ["d/gone", "d/other", "d/same"])
    }

    @Test func `--digest chooses the digests, and names what it does not know`() throws {
        let runner = IntotoRun()
        try runner.makeKey()
        try runner.write("hello\n", to: "f")
        let made = try runner(
            "-n", "s", "--format", "link", "-k", "key.pem", "--digest", "sha512,gitBlob", "-m", "f", "-p", "f", "--",
            "true")
        #expect(made.status == 0, "\(made.errorText)")
        let text = String(decoding: try runner.read(runner.file(endingIn: ".link")), as: UTF8.self)
        #expect(text.contains("ce013625030ba8dba906f756967f9e9ca394464a"))
        let link = try Evidence.link(of: runner)
        #expect(link.products["f"]?.entries.map(\.algorithm) == [.gitBlob, .sha512])
        for bad in ["md5", "sha256,", ""] {
            let refused = try runner("-n", "s", "-k", "key.pem", "--digest", bad, "--", "touch", "ran")
            #expect(refused.status != 0 && refused.errorText.contains("is none of sha256, sha384, sha512, gitBlob"))
        }
        #expect(try !runner.list().contains("ran"))
    }

    @Test(arguments: ["INT", "TERM"]) func `a signal while a terabyte is read ends it at once, without evidence`(
        signal: String
    ) throws {
        let runner = IntotoRun()
        try runner.makeKey()
        let ended = try runner.shell(
            """
            truncate -s 1T sparse; mkdir out
            timeout --preserve-status -s \(signal) 1 "$R" -n s -d out -k key.pem -m sparse -p sparse -- touch ran
            echo $?; ls out; ls ran 2>/dev/null
            """)
        #expect(ended.outputText == (signal == "INT" ? "130\n" : "143\n"), "\(ended.errorText)")
    }
}
