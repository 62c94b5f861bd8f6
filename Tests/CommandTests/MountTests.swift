import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Trees with other file systems in them, file systems that tell little, and files without end.
@Suite(.temporaryDirectory) struct MountTests {
    /// The names of the one link's products.
    private func products(_ runner: IntotoRun) throws -> [String] {
        let data = Data(try runner.read(runner.file(endingIn: ".link")))
        let link = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let signed = try #require(link["signed"] as? [String: Any])
        return try #require(signed["products"] as? [String: Any]).keys.sorted()
    }

    @Test func `what is mounted in a tree is part of it, but for the kernel's own file systems`() throws {
        let runner = IntotoRun()
        try runner.makeKey()
        let run = try runner.shell(
            """
            mkdir -p t/disk t/proc; echo x > t/hidden; echo x > t/disk/below
            unshare -rmpf sh -ec 'mount -t tmpfs none t/disk; mount -t proc none t/proc; echo y > t/disk/mounted
                "$R" -n s -k key.pem --format link -p t -- true'
            """)
        #expect(run.status == 0, "\(run.errorText)")
        #expect(try products(runner) == ["t/disk/mounted", "t/hidden"])
        #expect(run.errorText.contains("not recorded: 't/proc': on a file system that holds no files, such as /proc"))
    }

    @Test func `a file system that does not tell kinds in its listings is walked all the same`() throws {
        let runner = IntotoRun()
        try runner.makeKey()
        try runner.write(
            """
            #define _GNU_SOURCE
            #include <dirent.h>
            #include <dlfcn.h>
            struct dirent *readdir(DIR *stream) {
                struct dirent *(*next)(DIR *) = dlsym(RTLD_NEXT, "readdir");
                struct dirent *entry = next(stream);
                if (entry) entry->d_type = DT_UNKNOWN;
                return entry;
            }
            struct dirent64 *readdir64(DIR *stream) { return (struct dirent64 *)readdir(stream); }
            """, to: "unknown.c")
        let run = try runner.shell(
            """
            set -e; gcc -shared -fPIC -o unknown.so unknown.c -ldl; mkdir -p t/d/e; echo 1 > t/f; echo 2 > t/d/e/g
            ln -s d t/link; mkfifo t/d/fifo
            LD_PRELOAD=$PWD/unknown.so "$R" -n s -k key.pem --format link -p t -- true
            """)
        #expect(run.status == 0, "\(run.errorText)")
        #expect(try products(runner) == ["t/d/e/g", "t/f", "t/link/e/g"])
        #expect(run.errorText.contains("'t/d/fifo': a named pipe"))
    }

    @Test func `what is read in small pieces is text or not all the same`() throws {
        var runner = IntotoRun()
        try runner.makeKey()
        let sums = try runner.shell(
            """
            mkdir t; head -c 5000 /dev/zero | tr '\\0' x >t/text; cp t/text t/lf; cp t/text t/zero
            printf '\\r\\n' >>t/text; printf '\\n' >>t/lf; printf '\\0\\r\\n' >>t/zero; sha256sum t/lf t/zero | cut -c1-64
            """
        ).outputText.split(separator: "\n").map { Text(String($0)) }
        try PreloadedLibrary.install(PreloadedLibrary.shortReads, in: &runner)
        for digests in ["sha256", "sha256,gitBlob"] {
            let run = try runner(
                "-n", "s", "-k", "key.pem", "--format", "link", "--overwrite", "--normalize-line-endings", "--digest",
                digests, "-p", "t", "--", "true")
            #expect(run.status == 0, "\(run.errorText)")
            let found = try Evidence.link(of: runner).products
            #expect(["t/lf", "t/text", "t/zero"].map { found[$0]?[.sha256] } == [sums[0], sums[0], sums[1]])
        }
    }

    /// Peak memory of a run on a file of that many bytes, in KiB, and what it said of the file.
    private func peak(_ size: Int) throws -> (memory: Int, evidence: String) {
        let runner = IntotoRun()
        let script = """
            import os, resource, subprocess, sys
            subprocess.run([os.environ["R"], "-n", "s", "-k", "key.pem", "--format", "link", "--overwrite", "-m", "f",
                            "-p", "f", "--", "true"], check=True)
            print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
            """
        try runner.write(script, to: "measure.py")
        let run = try runner.shell("rm -f f; truncate -s \(size) f; python3 measure.py")
        let memory = try #require(Int(run.outputText.trimmingCharacters(in: .whitespacesAndNewlines)))
        return (memory, String(decoding: try runner.read(runner.file(endingIn: ".link")), as: UTF8.self))
    }

    @Test func `memory does not grow with a file`() throws {
        try IntotoRun().makeKey()
        let small = try peak(16 << 20).memory
        let large = try peak(512 << 20).memory
        #expect(large - small < 4 << 10, "\(small) KiB, \(large) KiB")
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["INTOTO_LONG_TESTS"] != nil, "set INTOTO_LONG_TESTS=1"))
    func `a sparse file of 20 GB is hashed with little memory`() throws {
        try IntotoRun().makeKey()
        let (memory, evidence) = try peak(20 << 30)
        #expect(memory < 64 << 10)
        // head -c 21474836480 /dev/zero | sha256sum
        #expect(evidence.contains("6cb118a8f8b3c19385874297e291dcbcdf3a9837ba1ca7b00ace2491adbff551"))
    }
}
