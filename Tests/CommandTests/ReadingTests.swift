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

    @Test(
        .enabled(if: SoundFileSystem.directory != nil, SoundFileSystem.isMissing),
        .temporaryDirectory(in: SoundFileSystem.directory))
    func `a command that puts something else over a large file does not fool --reuse-unchanged`() throws {
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
        for (name, reused) in [("kept", 1), ("same", 0), ("other", 0), ("written", 0)] {
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

    @Test(arguments: ["mat/secret", "mat/closed/f"])
    func `materials that may not be read keep the command from running`(
        path: String
    ) throws {
        let runner = IntotoRun()
        try runner.makeKey()
        _ = try runner.shell(
            "mkdir -p mat/closed; touch mat/secret mat/closed/f; chown -R 65534:65534 . 2>/dev/null; :"
        )
        let step = { (materials: String...) throws in
            try runner.shell(
                "$(test $(id -u) != 0 || echo setpriv --reuid=65534 --regid=65534 --clear-groups) \"$R\" -n s -k key.pem "
                    + "--format link -m \(materials.joined(separator: " ")) -- touch ran")
        }
        _ = try runner.shell("chmod 0 \(path.hasSuffix("/f") ? "mat/closed" : path)")
        for reference in ["mat", path, "dir:mat", "tree:mat"] {
            let refused = try step(reference)
            #expect(refused.status == 125)
            #expect(refused.errorText.hasPrefix("intoto-run: error: nothing ran: 'mat/"), "\(refused.errorText)")
            #expect(refused.errorText.contains("': permission denied\nintoto-run: hint: let the file be read"))
            #expect(try runner.list().allSatisfy { $0 != "ran" && !$0.hasSuffix(".link") })
        }
        _ = try runner.shell("chmod 755 mat/closed; chmod 644 mat/secret")
        #expect(try step("mat", "dir:mat").status == 0)
        #expect(try Evidence.link(of: runner).materialNames == ["dir:mat", "mat/closed/f", "mat/secret"])
    }

    @Test func `a file of patterns is read once, whatever the command makes of it`() throws {
        let runner = IntotoRun()
        try runner.makeKey()
        let made = try runner.shell(
            """
            mkdir d; touch d/a d/b.o; echo '*.o' >ignore
            "$R" -n s -k key.pem --format link --exclude-from ignore -m d -p d -- sh -c 'echo "*" >ignore; touch d/c d/c.o'
            """)
        #expect(made.status == 0, "\(made.errorText)")
        let link = try Evidence.link(of: runner)
        #expect(link.materialNames == ["d/a"] && link.productNames == ["d/a", "d/c"])
        // The digest that is recorded is that of what was in force.
        let files = String(decoding: try runner.read(runner.file(endingIn: ".link")), as: UTF8.self)
        #expect(try files.contains(runner.shell("echo '*.o' | sha256sum | cut -c1-64 | tr -d '\\n'").outputText))
        #expect(try !files.contains(runner.shell("sha256sum <ignore | cut -c1-64 | tr -d '\\n'").outputText))
    }

    @Test(
        .enabled(if: SoundFileSystem.directory != nil, SoundFileSystem.isMissing),
        .temporaryDirectory(in: SoundFileSystem.directory), arguments: [(0, 1), (3600, 0), (-3600, 0)])
    func `a clock that is set while the command runs makes everything be read again`(step: Int, reused: Int) throws {
        var runner = IntotoRun()
        try runner.makeKey()
        _ = try runner.shell("head -c 300000 /dev/urandom >f; touch -d '2 hours ago' f; sleep 0.1")
        let clock = """
            #define _GNU_SOURCE
            #include <sys/syscall.h>
            #include <time.h>
            #include <unistd.h>
            int clock_gettime(clockid_t clock, struct timespec *time) {
                int result = syscall(SYS_clock_gettime, clock, time);
                if (clock == CLOCK_REALTIME && access("ran", F_OK) == 0) time->tv_sec += \(step);
                return result;
            }
            """
        try PreloadedLibrary.install(clock, in: &runner)
        let made = try runner(
            "-n", "s", "-k", "key.pem", "--format", "link", "--reuse-unchanged", "-m", "f", "-p", "f", "--", "touch",
            "ran")
        #expect(made.status == 0, "\(made.errorText)")
        let link = try Evidence.link(of: runner)
        #expect(link.environment["reused-digests"] == .integer(Int64(reused)))
        #expect(link.materials == link.products)
    }

    @Test func `on overlayfs, where a mapping can hide a change, nothing is taken over`() throws {
        let runner = IntotoRun()
        try runner.makeKey()
        let made = try runner.shell(
            """
            set -e; mkdir lower merged; head -c 300000 /dev/urandom >lower/f; touch -d '1 hour ago' lower/f; sleep 0.1
            unshare -rm sh -ec 'mount -t tmpfs none /mnt; mkdir /mnt/upper /mnt/work
                mount -t overlay -o lowerdir=lower,upperdir=/mnt/upper,workdir=/mnt/work none merged
                "$R" -n s -k key.pem --format link --reuse-unchanged -m merged -p merged -- true'
            """)
        #expect(made.status == 0, "\(made.errorText)")
        let link = try Evidence.link(of: runner)
        #expect(link.environment["reused-digests"] == 0 && link.productNames == ["merged/f"])
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
