import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Options from a file that is named, and from no other.
@Suite(.temporaryDirectory) struct ConfigurationTests {
    private func project(_ configuration: String) throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        try run.write(configuration, to: "options")
        try run.write("x", to: "src/a.c")
        try run.write("x", to: "src/a.o")
        try run.write("x", to: "a file")
        return run
    }

    @Test func `options come from a file, comments and white space aside`() throws {
        let run = try project(
            """
            # How this project is built.
            name   build\t
              key key.pem
            format\tlink

            materials src
            materials a file
            exclude *.o
              # not this: exclude *.c
            record-streams
            quiet\r

            """)
        let result = try run("--config", "options", "--", "echo", "hello")
        #expect(result.status == 0, "\(result.errorText)")
        #expect(result.errorText == "")
        let link = try Evidence.link(of: run)
        #expect(link.name.text == "build")
        #expect(link.materialNames == ["a file", "src/a.c"])
        #expect(link.byproduct("stdout") == "hello\n")
        let digest = try Subprocess.run("/usr/bin/sha256sum", [run.directory.appending(path: "options").path])
        #expect(
            link.environment["configuration"]
                == ["path": "options", "sha256": .string(Text(String(digest.outputText.prefix(64))))])
    }

    @Test func `the command line wins, and takes the place of all that the file says of an option`() throws {
        let run = try project("name from-file\nmaterials src\nexclude *.o\nformat attestation\nrecord-streams digest\n")
        let arguments = ["-q", "-k", "key.pem", "--config", "options"]
        #expect(
            try run.run(arguments + ["-n", "mine", "--use-dsse", "-s", "-m", "a file", "--", "echo", "x"]).status == 0)
        let link = try Evidence.link(of: run)
        #expect(link.name.text == "mine")
        #expect(link.materialNames == ["a file"])
        #expect(link.byproduct("stdout") == "x\n")
        #expect(try run.run(arguments + ["--format=link", "--", "true"]).status == 0)
        #expect(try run.list().contains { $0.hasPrefix("from-file.") && $0.hasSuffix(".link") })
    }

    @Test(arguments: [
        ("name x\nexclude\n", 2, "'exclude' needs a value"),
        ("\n\nnonsense 1\n", 3, "'nonsense' is no option of run by its long name"),
        ("--name x\n", 1, "'--name' is no option of run by its long name: write it without dashes"),
        ("n x\n", 1, "'n' is no option of run by its long name"),
        ("step-name x\n", 1, "'step-name' is no option of run by its long name"),
        ("overwrite yes\n", 1, "'overwrite' takes no value"),
        ("config other\n", 1, "a configuration names no other"),
        ("# fine\ntimeout soon\n", 2, "The value 'soon' is invalid for '--timeout <time>'"),
        ("symlinks maybe\n", 1, "The value 'maybe' is invalid for '--symlinks <symlinks>'"),
        ("name a\u{7}b\n", 1, "holds a control character"),
        ("\u{FEFF}name a\n", 1, "is no option of run by its long name"),
        ("passphrase hunter22\n", 1, "'passphrase' is no option of run by its long name"),
    ]) func `what is wrong is named by its line`(configuration: String, line: Int, reason: String) throws {
        let run = try project(configuration)
        let result = try run("-k", "key.pem", "-n", "s", "--config", "options", "--", "touch", "ran")
        #expect(result.status == 125)
        #expect(result.errorText.hasPrefix("intoto-run: error: options:\(line): "), "\(result.errorText)")
        #expect(result.errorText.contains(reason), "\(result.errorText)")
        #expect(try !run.list().contains("ran"))
    }

    @Test func `a word that belongs to no option does not become a value of the file's`() throws {
        let run = try project("materials src\nname s\n")
        let result = try run("run", "stray", "-k", "key.pem", "--config", "options", "--", "touch", "ran")
        #expect(result.status == 125)
        #expect(result.errorText.contains("'stray'"), "\(result.errorText)")
        #expect(try !run.list().contains("ran"))
    }

    @Test func `bytes that are no text are refused`() throws {
        let run = try project("")
        _ = try run.shell("printf 'name a\\377\\n' >options")
        let result = try run("-k", "key.pem", "--config", "options", "--", "touch", "ran")
        #expect(result.errorText.hasPrefix("intoto-run: error: options:1: is not UTF-8\n"))
    }

    @Test func `a file that cannot be read, and a second one, are refused`() throws {
        let run = try project("")
        let missing = try run("-k", "key.pem", "--config", "nothing", "--", "touch", "ran")
        #expect(missing.errorText.hasPrefix("intoto-run: error: nothing: cannot open: No such file"))
        _ = try run.shell("mkfifo pipe; head -c 2000000 /dev/zero >large")
        #expect(try run("--config", "pipe", "--", "touch", "ran").errorText.contains("is not a regular file"))
        #expect(try run("--config", "large", "--", "touch", "ran").errorText.contains("larger than 1048576 bytes"))
        let twice = try run("--config", "options", "--config", "options", "--", "touch", "ran")
        #expect(twice.errorText.hasPrefix("intoto-run: error: --config: given twice\n"))
        #expect(try run("-n", "s", "--config").status == 125)
        #expect(try !run.list().contains("ran"))
    }

    /// CVE-2023-32076: whoever could put a file into the directory chose the options.
    @Test func `no other file is ever read for options`() throws {
        let names = [
            ".in_totorc", ".intoto", ".intoto-run", "intoto-run.conf", ".witness.yaml", "in-toto.toml",
            ".config/in_toto", ".config/intoto-run/config",
        ]
        var run = try project("")
        run.environment["HOME"] = run.directory.path
        run.environment["XDG_CONFIG_HOME"] = run.directory.appending(path: ".config").path
        for name in names { try run.write("name planted\nexclude *\n", to: name) }
        let arguments = "-q -k key.pem -n s --format link -m src -- true"
        let result = try run.shell("strace -f -o trace -e trace=open,openat,access,stat \"$R\" \(arguments)")
        #expect(result.status == 0, "\(result.errorText)")
        let trace = String(decoding: try run.read("trace"), as: UTF8.self)
        #expect(trace.contains("key.pem"))
        for name in names { #expect(!trace.contains("\(name)\"")) }
        #expect(try Evidence.link(of: run).materialNames == ["src/a.c", "src/a.o"])
    }
}
