import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Where and with what the command is started, when the caller is odd.
@Suite(.temporaryDirectory) struct LaunchTests {
    private let signed = "-q -k key.pem -n s --format link -m key.pem.pub"

    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        return run
    }

    @Test func `the command runs in our directory, whatever bytes its name has`() throws {
        let run = try project()
        // A name that is made text of becomes the other one's.
        let script = """
            bad=$(printf 'y\\377') text=$(printf 'y\\357\\277\\275'); mkdir "$bad" "$text"; cp key.pem* "$bad"
            cd "$bad"; : >here; "$R" \(signed) -- ls
            """
        #expect(try run.shell(script).outputText == "here\nkey.pem\nkey.pem.pub\n")
    }

    @Test func `the command runs in a directory that is no longer there`() throws {
        let run = try project()
        let result = try run.shell(
            "mkdir gone; here=$PWD; cd gone; rmdir ../gone; \"$R\" -q -k $here/key.pem -n s -d $here --format link -m $here/key.pem.pub -- echo ran"
        )
        #expect(result.outputText == "ran\n")
    }

    @Test(arguments: [
        "exec 63</dev/null; ulimit -n 64", "exec 7</dev/null 8</dev/null 9</dev/null; ulimit -n 40", "ulimit -n 32",
        "exec 100</dev/null; ulimit -Sn 64",
    ])
    func `a low limit on descriptors is no hindrance`(setup: String) throws {
        let run = try project()
        // Bash, since dash knows descriptors of one digit only.
        let probe = "ls /proc/self/fd | tr \\\\n ' '; ulimit -Sn; ulimit -Hn"
        let plain = try run.shell("bash -c '\(setup); sh -c \"$1\"' bash \"\(probe)\"")
        let wrapped = try run.shell("bash -c '\(setup); \"$R\" \(signed) -s -- sh -c \"$1\"' bash \"\(probe)\"")
        #expect(wrapped.errorText == "")
        #expect(wrapped.outputText == plain.outputText)
    }

    @Test func `a descriptor that cannot be handed on is named`() throws {
        let run = try project()
        let result = try run.shell("bash -c 'exec 100</dev/null; ulimit -n 64; exec \"$R\" \(signed) -- touch ran'")
        #expect(result.status == 125)
        #expect(
            result.errorText == """
                intoto-run: error: descriptor 100 was handed down to intoto-run, but only those below 64 can be handed on
                intoto-run: hint: close it, or raise the hard limit (ulimit -n)

                """)
        #expect(try run.list() == ["key.pem", "key.pem.pub"])
    }

    @Test(arguments: [20, 24, 28])
    func `where too few files can be opened to read the artifacts, nothing runs, and the next step is said`(
        limit: Int
    ) throws {
        let run = try project()
        let result = try run.shell(
            "mkdir -p a/b/c; for i in $(seq 100); do echo $i >a/b/c/$i; done; ln -s b a/l; ulimit -n \(limit); \"$R\" \(signed) -s -- touch ran; echo $?"
        )
        #expect(result.outputText == "125\n")
        #expect(
            result.errorText == """
                intoto-run: error: fewer than 26 more files can be open at a time
                intoto-run: hint: raise the limit on open files (ulimit -n)

                """)
        #expect(try run.list() == ["a", "key.pem", "key.pem.pub"])
    }

    @Test(arguments: [7, 8, 12, 16])
    func `where no files can be opened, nothing runs, and the reason is said`(limit: Int) throws {
        let run = try project()
        let result = try run.shell("ulimit -n \(limit); \"$R\" \(signed) -- touch ran; echo $?")
        #expect(result.outputText == "125\n")
        #expect(result.errorText.contains("intoto-run: error: "))
        #expect(try run.list() == ["key.pem", "key.pem.pub"])
    }

    @Test(arguments: ["-s", "--pty", "--pty -s"])
    func `where what is recorded would take too many files, nothing runs, and the reason is said`(mode: String) throws {
        let run = try project()
        var statuses: [String] = []
        for limit in 18...40 {
            let result = try run.shell("ulimit -n \(limit); \"$R\" \(signed) --overwrite \(mode) -- touch ran; echo $?")
            let status = result.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
            statuses.append(status)
            if status == "0" { continue }
            #expect(status == "125")
            #expect(result.errorText.contains("hint: raise the limit on open files (ulimit -n)"), "\(result.errorText)")
            #expect(try run.list() == ["key.pem", "key.pem.pub"])
        }
        #expect(statuses.first == "125" && statuses.last == "0", "\(statuses)")
    }

    @Test(arguments: [("", 64_321), ("-s", 64_322), ("--pty", 64_323)])
    func `where no processes can be made, the step runs or the reason is said`(mode: String, id: Int) throws {
        let run = try project()
        // As a user of its own, whose processes are counted from here.
        let user = geteuid() == 0 ? "setpriv --reuid=\(id) --regid=\(id) --clear-groups" : ""
        let script = """
            chmod 777 .; chmod 644 key.pem
            for limit in 1 2 3 4 5 6 7 8 10; do
                timeout -s KILL 30 \(user) bash -c "ulimit -u $limit; exec \"$R\" \(signed) --overwrite \(mode) -- true" 2>/dev/null
                echo $?
            done
            """
        let statuses = Set(try run.shell(script).outputText.split(separator: "\n"))
        #expect(statuses.isSubset(of: ["0", "125"]), "\(statuses)")
    }

    // MARK: Other limits

    /// A shell's words that run what follows under a limit on the size of files, in bytes.
    private func fileSizeLimit(_ soft: Int, hard: String) -> String {
        "python3 -c 'import os, resource as r, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_DFL); "
            + "r.setrlimit(r.RLIMIT_FSIZE, (\(soft), \(hard))); os.execv(sys.argv[1], sys.argv[1:])'"
    }

    @Test(arguments: [0, 1, 4095, 100_000])
    func `a soft limit on the size of files is the command's, and no hindrance for evidence`(limit: Int) throws {
        let run = try project()
        let limited = fileSizeLimit(limit, hard: "r.RLIM_INFINITY")
        let probe = "seq 1 30000; exec head -c 200000 /dev/zero >big"
        let plain = try run.shell("\(limited) /bin/sh -c '\(probe)' >/dev/null; echo $?; wc -c <big")
        let wrapped = try run.shell(
            "\(limited) \"$R\" \(signed) -s -- sh -c '\(probe)' >/dev/null; echo $?; wc -c <big")
        #expect(wrapped.outputText == plain.outputText && plain.outputText == "153\n\(limit)\n", "\(wrapped.errorText)")
        let link = try Evidence.link(of: run)
        #expect(link.byproduct("return-value") == -25 && link.byproduct("stdout-length") == 168_894)
        // Nor do we write for the command what it could not.
        let shown = try run.shell("\(limited) \"$R\" \(signed) --overwrite -s -- seq 1 30000 >shown; wc -c <shown")
        #expect(shown.outputText == "\(limit)\n", "\(shown.errorText)")
    }

    @Test(arguments: [0, 1, 4095, 100_000])
    func `under a hard limit on the size of files nothing runs, or the evidence fits`(limit: Int) throws {
        let run = try project()
        // Our messages must not be under the limit: a pipe is not.
        let limited = "\(fileSizeLimit(limit, hard: "\(limit)")) \"$R\" \(signed) --git off -- mkdir ran"
        let result = try run.shell("{ \(limited); echo $?; } 2>&1 | cat; [ -d ran ] && echo ran; :")
        let runs = limit > 1
        #expect(result.outputText.hasSuffix(runs ? "0\nran\n" : "(ulimit -f)\n125\n"), "\(result.outputText)")
        #expect(result.outputText.contains("cannot set space aside: File too large") == !runs)
        if runs { #expect(try Evidence.link(of: run).byproduct("return-value") == 0) }
    }

    @Test func `evidence that is larger than files may be says so`() throws {
        let run = try project()
        let limited = fileSizeLimit(4095, hard: "4095")
        let result = try run.shell("\(limited) \"$R\" \(signed) --git off -s -- seq 1 30000 2>&1 | tail -2")
        #expect(result.outputText.contains("cannot write: File too large"), "\(result.outputText)")
        #expect(result.outputText.contains("hint: raise the limit on the size of files (ulimit -f);"))
    }

    @Test func `where the address space is small, the step runs or ends at once`() throws {
        let run = try project()
        let script = """
            for limit in 60000 80000 90000 100000 120000 150000 200000 250000; do
                timeout -s KILL 30 bash -c "ulimit -v $limit; exec \\"$R\\" \(signed) --overwrite -- true" 2>/dev/null; echo $?
            done
            """
        let statuses = try run.shell(script).outputText.split(separator: "\n")
        #expect(statuses.count == 8 && !statuses.contains("137"), "\(statuses)")
        #expect(try run.shell("ulimit -v 2097152; exec \"$R\" \(signed) --overwrite -s -- true").status == 0)
    }

    @Test func `memory that is short is said, and not that the key is at fault`() throws {
        var run = try project()
        // As OpenSSL answers where the address space has an end.
        let short = "#include <stddef.h>\nint CRYPTO_secure_malloc_init(size_t size, size_t least) { return 0; }\n"
        try PreloadedLibrary.install(short, in: &run)
        let result = try run.shell("\"$R\" \(signed) -- touch ran; ls -d ran")
        #expect(result.outputText == "")
        #expect(
            result.errorText.hasPrefix(
                """
                intoto-run: error: key.pem: not enough memory to open a key in
                intoto-run: hint: raise the limit on memory (ulimit -v)

                """), "\(result.errorText)")
    }

    @Test func `more descriptors than can be handed on are an error, not a loss`() throws {
        let run = try project()
        let script = """
            import os, sys
            for _ in range(260): os.set_inheritable(os.open("/dev/null", os.O_RDONLY), True)
            os.execv(sys.argv[1], sys.argv[1:])
            """
        let result = try Subprocess.run(
            "/usr/bin/env",
            ["python3", "-c", script, BuiltProduct.intotoRun.path, "-k", "key.pem", "-n", "s", "--", "touch", "ran"],
            in: run.directory)
        #expect(result.status == 125)
        #expect(result.errorText.contains("more than 200 open descriptors"))
        #expect(try run.list() == ["key.pem", "key.pem.pub"])
    }

    @Test func `a trampoline that dies is no command that ran`() throws {
        let run = try project()
        let script =
            "strace -f -o /dev/null -e trace=setpgid -e inject=setpgid:signal=SIGKILL:when=2+ \"$R\" \(signed) -- touch ran"
        let result = try run.shell(script)
        #expect(result.status == 125)
        #expect(result.errorText.contains("could not start the command: its process ended at once"))
        #expect(try run.list() == ["key.pem", "key.pem.pub"])
    }

    @Test func `a trampoline that dies when it is ready is no command that ran`() throws {
        var run = try project()
        try PreloadedLibrary.install(PreloadedLibrary.deathBeforeLeave, in: &run)
        let result = try run.shell("\"$R\" \(signed) -- touch ran")
        #expect(result.status == 125)
        #expect(result.errorText.contains("could not start the command: its process ended at once"))
        #expect(try run.list() == ["key.pem", "key.pem.pub", "preloaded.c", "preloaded.so"])
    }

    @Test func `a background process that never stops writing does not hold up the end`() throws {
        let run = try project()
        let result = try run.shell(
            "\"$R\" \(signed) -s -- sh -c 'yes & echo $! >pid; sleep 0.2; exit 3' | { sleep 1; cat; } >/dev/null; kill $(cat pid) 2>/dev/null; ls *.link"
        )
        #expect(result.outputText.hasSuffix(".link\n"))
        #expect(try Evidence.link(of: run).byproduct("return-value") == 3)
    }

    @Test func `a timer that our caller set ends the command, as it would without us`() throws {
        let run = try project()
        let script = "import os, signal, sys; signal.alarm(1); os.execv(sys.argv[1], sys.argv[1:])"
        let start = Date()
        let result = try Subprocess.run(
            "/usr/bin/env",
            [
                "python3", "-c", script, BuiltProduct.intotoRun.path, "-q", "-k", "key.pem", "-n", "s", "--", "sleep",
                "600",
            ],
            in: run.directory)
        #expect(result.status == 128 + 14)
        #expect(Date().timeIntervalSince(start) < 120)
    }

    @Test func `a caller that ignores SIGCHLD leaves no zombies with us`() throws {
        let run = try project()
        let probe =
            "for i in $(seq 10); do (true & ) ; done; sleep 0.3; ps --no-headers -o stat --ppid $PPID | grep -c Z; :"
        let script =
            "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
        let result = try Subprocess.run(
            "/usr/bin/env",
            [
                "python3", "-c", script, BuiltProduct.intotoRun.path, "-q", "-k", "key.pem", "-n", "s", "--", "sh",
                "-c", probe,
            ],
            in: run.directory)
        #expect(result.outputText == "0\n")
    }

    @Test func `input from a pipe that ends within a line ends, with --pty, too`() throws {
        let run = try project()
        let result = try run.run(
            signed.split(separator: " ").map(String.init) + ["--pty", "--", "sh", "-c", "stty -echo; cat"],
            input: Array("abc".utf8))
        #expect(result.status == 0)
        #expect(result.outputText.hasSuffix("abc"))
    }

    @Test func `a directory for the command that is not there is named, before anything is read`() throws {
        let run = try project()
        for command in ["./x", "true"] {
            let result = try run.run(["-k", "key.pem", "-n", "s", "-C", "nope", "--", command])
            #expect(result.status == 125)
            #expect(result.errorText.contains("nope: cannot run the command there: No such file or directory"))
        }
    }

    @Test func `the work directory in evidence is absolute`() throws {
        let run = try project()
        _ = try run.shell("mkdir sub")
        _ = try run.run(signed.split(separator: " ").map(String.init) + ["-C", "sub", "--", "true"])
        guard case .string(let directory)? = try Evidence.link(of: run).environment["workdir"] else {
            throw IntotoRun.SetupFailure(reason: "no workdir")
        }
        #expect(directory.description.hasPrefix("/") && directory.description.hasSuffix("/sub"))
    }
}
