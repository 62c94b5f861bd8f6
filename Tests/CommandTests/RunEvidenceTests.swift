import Foundation
import InTotoMetadata
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct RunEvidenceTests {
    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("int main(void) { return 0; }\n", to: "src/main.c")
        return run
    }

    private let build = ["sh", "-c", "mkdir -p dist && cp src/main.c dist/main && echo built"]

    @Test func `the default is one attestation in a bundle, named after step and key`() throws {
        let run = try project()
        let result = try run.run(["-n", "build", "-k", "key.pem", "-m", "src", "-p", "dist", "--"] + build)
        #expect(result.status == 0)
        #expect(result.outputText == "built\n")
        let id = try run("key", "id", "key.pem").outputText.prefix(8)
        #expect(try run.list().contains("build.\(id).intoto.jsonl"))
        #expect(result.errorText == "intoto-run: wrote ./build.\(id).intoto.jsonl\n")
        let bytes = try run.read("build.\(id).intoto.jsonl")
        #expect(bytes.count { $0 == UInt8(ascii: "\n") } == 1 && bytes.last == UInt8(ascii: "\n"))
        let link = try Evidence.link("build.\(id).intoto.jsonl", of: run)
        #expect(link.name.text == "build")
        #expect(link.materialNames == ["src/main.c"])
        #expect(link.productNames == ["dist/main"])
        #expect(link.command == build.map { Text($0) })
        let sum = try run.shell("sha256sum <dist/main | cut -c1-64").outputText.dropLast()
        #expect(link.products["dist/main"]?[.sha256] == Text(String(sum)))
    }

    @Test(arguments: ["link", "dsse-link"])
    func `an attestation and a link come from one run`(format: String) throws {
        let run = try project()
        let result = try run.run(
            ["-n", "b", "-k", "key.pem", "-m", "src", "-p", "dist", "--format", "attestation,\(format)", "--"] + build)
        #expect(result.status == 0)
        let attested = try Evidence.link(endingIn: ".jsonl", of: run)
        #expect(try Evidence.link(endingIn: ".link", of: run) == attested)
    }

    @Test func `--use-dsse is --format dsse-link`() throws {
        let run = try project()
        #expect(try run.run(["-n", "b", "-k", "key.pem", "--use-dsse", "-p", "dist", "--"] + build).status == 0)
        let name = try run.file(endingIn: ".link")
        guard case .envelope = try SignedMetadata(run.read(name)) else {
            throw IntotoRun.SetupFailure(reason: "\(name) is no envelope")
        }
    }

    @Test func `several keys sign one attestation, and one link each`() throws {
        let run = try project()
        try run.makeKey("second.pem", type: "ecdsa-p256")
        let result = try run.run(
            ["-n", "b", "-k", "key.pem", "-k", "second.pem", "--format", "attestation,link", "-p", "dist", "--"] + build
        )
        #expect(result.status == 0)
        #expect(try run.list().filter { $0.hasSuffix(".link") }.count == 2)
        let bundle = try run.file(endingIn: ".jsonl")
        #expect(try SignedMetadata(run.read(bundle)).signatures.count == 2)
        #expect(try run("sign", "--check", bundle, "--verification-keys", "key.pem.pub", "second.pem.pub").status == 0)
    }

    @Test func `evidence goes to the metadata directory, and only evidence`() throws {
        let run = try project()
        try FileManager.default.createDirectory(
            at: run.directory.appending(path: "out"), withIntermediateDirectories: false)
        let before = try run.list()
        #expect(try run.run(["-n", "b", "-k", "key.pem", "-d", "out", "-p", "src", "--", "true"]).status == 0)
        #expect(try run.list() == before)
        #expect(try run.list("out").count == 1)
    }

    @Test func `evidence without a command has none, and no byproducts`() throws {
        let run = try project()
        #expect(try run("-x", "-n", "review", "-k", "key.pem", "-p", "src", "--format", "link").status == 0)
        let link = try Evidence.link(of: run)
        #expect(link.command.isEmpty)
        #expect(link.byproducts.isEmpty)
        #expect(link.productNames == ["src/main.c"])
    }

    @Test func `a failing command has evidence too`() throws {
        let run = try project()
        #expect(try run("-n", "b", "-k", "key.pem", "-p", "src", "--", "false").status == 1)
        #expect(try Evidence.link(endingIn: ".jsonl", of: run).byproduct("return-value") == 1)
    }

    @Test func `without -m and -p the directory is recorded before and after, our own files left out`() throws {
        let run = try project()
        #expect(try run("-n", "b", "-k", "key.pem", "--", "sh", "-c", "echo new >new").status == 0)
        let link = try Evidence.link(endingIn: ".jsonl", of: run)
        #expect(link.materialNames == ["key.pem", "key.pem.pub", "src/main.c"])
        #expect(link.productNames == ["key.pem", "key.pem.pub", "new", "src/main.c"])
        let again = try run("-n", "c", "-k", "key.pem", "--", "true")
        #expect(again.status == 0)
        let second = try run.list().first { $0.hasPrefix("c.") } ?? ""
        #expect(try Evidence.link(second, of: run).materialNames == ["key.pem", "key.pem.pub", "new", "src/main.c"])
    }

    @Test func `names follow --base-path and --lstrip-paths, patterns --exclude`() throws {
        let run = try project()
        try run.write("x", to: "src/main.o")
        try run(
            "-n", "b", "-k", "key.pem", "--format", "link", "--base-path", "src", "-m", ".", "--exclude", "*.o", "--",
            "true")
        #expect(try Evidence.link(of: run).materialNames == ["main.c"])
        try run(
            "-n", "b", "-k", "key.pem", "--format", "link", "--overwrite", "-m", "src", "--lstrip-paths", "src", "--",
            "true")
        #expect(try Evidence.link(of: run).materialNames == ["main.c", "main.o"])
    }

    @Test(arguments: ["/", "../x", ".", "", "a/..", "a/../../b", "//"])
    func `a prefix that no name can have is refused before anything runs`(prefix: String) throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run(
            "-k", "key.pem", "-n", "s", "-p", "key.pem.pub", "--lstrip-paths", prefix, "--", "touch", "ran")
        #expect(result.status == 125)
        #expect(result.errorText.hasPrefix("intoto-run: error: --lstrip-paths '\(prefix)': no recorded name can begin"))
        #expect(try run.list() == ["key.pem", "key.pem.pub"])
    }

    @Test(arguments: ["a/b", "./a/b/", "a/x/../b", "/a/b"])
    func `a prefix that names can have is taken`(prefix: String) throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("x", to: "a/b/c")
        let arguments = ["--format", "link", "-p", "a", "--lstrip-paths", prefix, "--", "true"]
        #expect(try run.run(["-q", "-k", "key.pem", "-n", "s"] + arguments).status == 0)
        #expect(try Evidence.link(of: run).productNames == [prefix.hasPrefix("/") ? "a/b/c" : "c"])
    }

    @Test func `artifacts that are links' texts are named as such`() throws {
        let run = IntotoRun()
        try run.makeKey()
        _ = try run.shell("mkdir d; echo x >d/file; ln -s file d/link")
        let arguments = ["-q", "-k", "key.pem", "-n", "s", "--format", "link", "--overwrite", "-m", "d", "-p", "d"]
        #expect(try run.run(arguments + ["--symlinks", "record", "--", "true"]).status == 0)
        #expect(
            try Evidence.link(of: run).environment["link-texts"] == ["materials": ["d/link"], "products": ["d/link"]])
        #expect(try run.run(arguments + ["--symlinks", "record", "--", "rm", "d/link"]).status == 0)
        #expect(try Evidence.link(of: run).environment["link-texts"] == ["materials": ["d/link"]])
        #expect(try run.run(arguments + ["--", "true"]).status == 0)
        #expect(try Evidence.link(of: run).environment["link-texts"] == nil)
    }

    /// A file that holds the text of the link that takes its place, and so has its digest.
    @Test(arguments: [
        ("printf d/e >lt/f", "rm lt/f; ln -s d/e lt/f", ["lt/f"], "products"),
        ("ln -s d/e lt/f", "rm lt/f; printf d/e >lt/f", ["lt/f"], "materials"),
        ("ln -s d/e lt/f", "rm lt/f; ln -s d/e lt/f", [], "materials"),
        ("printf d/e >lt/f", "rm lt/f; printf d/e >lt/f", [], ""),
    ])
    func `a file that turns into a link, or back, has changed`(
        before: String, command: String, changed: [String], texts: Text
    ) throws {
        let run = IntotoRun()
        try run.makeKey()
        _ = try run.shell("mkdir lt; \(before)")
        let expected: JSONValue? = texts.isEmpty ? nil : [texts: ["lt/f"]]
        let step = ["-q", "-n", "s", "-k", "key.pem", "--format", "link", "--symlinks", "record", "--changed-only"]
        #expect(try run.run(step + ["-m", "lt", "-p", "lt", "--", "sh", "-c", command]).status == 0)
        let link = try Evidence.link(of: run)
        #expect(link.materialNames == ["lt/f"] && link.productNames == changed)
        #expect(link.environment["link-texts"] == expected)

        // The same in two halves; the first is a run whose products are missing.
        _ = try run.shell("rm -r lt *.link; mkdir lt; \(before)")
        #expect(try run.run(step + ["-m", "lt", "-p", "lt", "none", "--", "sh", "-c", command]).status == 125)
        let stopped = try run("record", "stop", "-n", "s", "-k", "key.pem", "-p", "lt")
        #expect(stopped.status == 0, "\(stopped.errorText)")
        let halves = try Evidence.link(of: run)
        #expect(halves.productNames == changed && halves.environment["link-texts"] == expected)
    }

    @Test func `a dry run names what would be recorded, and writes nothing`() throws {
        let run = try project()
        try run.write("x", to: "src/main.o")
        try run.write("x", to: "out/app")
        let before = try run.list()
        let arguments = ["--dry-run", "-n", "b", "--lstrip-paths", "out", "--exclude", "*.o", "-m", "src", "-p"]
        let result = try run.run(arguments + ["out", "dist", "dir:src", "--", "touch", "made"])
        #expect(result.status == 0)
        #expect(
            result.outputText == """
                step: b
                command: touch made
                material: src/main.c (by src)
                excluded: src/main.o (by *.o)
                product: dir:src (by dir:src)
                product: app (out/app, by out)
                excluded: src/main.o (by *.o)
                not there: product dist

                """)
        let wrong = try run.run(["--dry-run", "-n", "b", "-m", "dir:none", "--", "touch", "made"])
        #expect(wrong.status == 125 && wrong.outputText == "step: b\ncommand: touch made\n")
        #expect(wrong.errorText.hasPrefix("intoto-run: error: 'dir:none': does not exist\n"))
        #expect(try run.list() == before)
    }

    @Test func `-v says what was recorded, -q nothing`() throws {
        let run = try project()
        let verbose = try run("-v", "-n", "b", "-k", "key.pem", "-p", "src", "--", "true")
        #expect(verbose.errorText.contains("0 materials, 1 products"))
        let quiet = try run("-q", "-n", "c", "-k", "key.pem", "-p", "src", "--", "true")
        #expect(quiet.errorText == "")
    }

    @Test func `what is no artifact is listed in the evidence and on standard error`() throws {
        let run = try project()
        _ = try run.shell("mkfifo src/pipe; ln -s nowhere src/dangling")
        let result = try run("-n", "b", "-k", "key.pem", "--format", "link", "-m", "src", "--", "true")
        #expect(result.status == 0)
        #expect(result.errorText.contains("src/pipe"))
        let link = try Evidence.link(of: run)
        guard case .array(let entries)? = link.environment["not-recorded"] else {
            throw IntotoRun.SetupFailure(reason: "nothing is listed")
        }
        #expect(entries.count == 2)
    }

    @Test func `what patterns hide is counted in the evidence, with the first names, and said with -v`() throws {
        let run = try project()
        _ = try run.shell("mkdir -p src/.git; for i in $(seq 10 21); do echo x >src/$i.o; done")
        let arguments = ["-k", "key.pem", "--format", "link", "-m", "src", "--exclude", "*.o"]
        let result = try run.run(["-v", "-n", "b", "-p", "src"] + arguments + ["--", "rm", "src/10.o", "src/11.o"])
        #expect(result.status == 0)
        let first: [JSONValue] = (10...19).map { .string(Text("src/\($0).o")) }
        let git: JSONValue = ["first": ["src/.git"], "paths": 1, "pattern": ".git/"]
        let expected: JSONValue = [
            "materials": [git, ["first": .array(first), "paths": 12, "pattern": "*.o"]],
            "products": [
                git, ["first": .array(Array(first[2...] + ["src/20.o", "src/21.o"])), "paths": 10, "pattern": "*.o"],
            ],
        ]
        #expect(try Evidence.link(of: run).environment["excluded"] == expected)
        let said = result.errorText.split(separator: "\n")
        #expect(said.contains("intoto-run: materials: '.git/' hides 1 path: 'src/.git'"))
        #expect(
            said.contains {
                $0.hasPrefix("intoto-run: materials: '*.o' hides 12 paths: 'src/10.o', ") && $0.hasSuffix(", …")
            })
        let all = try run.run(["-n", "c", "--no-default-excludes"] + arguments.dropLast(2) + ["--", "true"])
        #expect(all.status == 0 && !all.errorText.contains("hides"))
        let name = try #require(try run.list().first { $0.hasPrefix("c.") })
        #expect(try Evidence.link(name, of: run).environment["excluded"] == nil)
    }

    @Test(arguments: [["dist"], ["dir:dist"], ["dist/*"], ["dist/a"]])
    func `a product that is named and hidden is said to be`(products: [String]) throws {
        let run = try project()
        try run.write("a", to: "dist/a")
        try run.write("dist/\n", to: "ignored")
        let arguments = ["-k", "key.pem", "--format", "link", "--overwrite", "-n", "b", "-p"] + products
        let result = try run.run(arguments + ["--exclude-from", "ignored", "--", "true"])
        #expect(result.status == 0)
        let message = "intoto-run: warning: not recorded: '\(products[0])': excluded by 'dist/'\n"
        #expect(result.errorText.hasPrefix(message), "\(result.errorText)")
        let link = try Evidence.link(of: run)
        #expect(link.products.isEmpty)
        #expect(
            link.environment["not-recorded"] == [["path": .string(Text(products[0])), "reason": "excluded by 'dist/'"]])
        #expect(try run.run(arguments + ["--", "true"]).errorText.hasPrefix("intoto-run: wrote"))
        #expect(try Evidence.link(of: run).products.count == 1)
    }

    @Test func `a product that the command puts right is recorded`() throws {
        let run = try project()
        _ = try run.shell("ln -s nowhere gone; ln -s /etc out")
        let arguments = ["-n", "b", "-k", "key.pem", "--format", "link", "--overwrite", "-p"]
        let result = try run.run(arguments + ["gone", "--", "sh", "-c", "echo x >nowhere"])
        #expect(result.status == 0, "\(result.errorText)")
        #expect(try Evidence.link(of: run).productNames == ["gone"])
        let outside = try run.run(arguments + ["out", "--", "touch", "ran"])
        #expect(outside.status == 125)
        #expect(
            outside.errorText.hasPrefix("intoto-run: error: nothing ran: 'out': is a link that leaves the base path"))
        #expect(try !run.list().contains("ran"))
    }

    @Test func `what is no artifact before and after the command is listed once`() throws {
        let run = try project()
        _ = try run.shell("mkfifo src/pipe")
        let options = ["-q", "-n", "b", "-k", "key.pem", "--format", "link"]
        let step = options + ["-m", "src", "-p", "src", "--", "mkfifo", "src/another"]
        #expect(try run.run(step).status == 0)
        let expected: JSONValue = [
            ["path": "src/another", "reason": "a named pipe"], ["path": "src/pipe", "reason": "a named pipe"],
        ]
        #expect(try Evidence.link(of: run).environment["not-recorded"] == expected)

        #expect(try run.run(["record", "start", "-n", "c", "-k", "key.pem", "-m", "src"]).status == 0)
        #expect(
            try run.run(["record", "stop", "-n", "c", "-k", "key.pem", "--format", "link", "-p", "src"]).status == 0)
        let name = try #require(run.list().first { $0.hasPrefix("c.") && $0.hasSuffix(".link") })
        let halves = String(decoding: try run.read(name), as: UTF8.self)
        #expect(halves.components(separatedBy: "src/pipe").count == 2)
    }

    @Test func `a killed run leaves a temporary file that the next run removes`() throws {
        let run = try project()
        _ = try run.shell(
            "\"$R\" -q -k key.pem -n s -p src -- sh -c 'echo >ready; exec sleep 60' & while ! [ -e ready ]; do :; done; kill -9 $!"
        )
        #expect(try run.list().count { $0.hasSuffix(".tmp") } == 1)
        #expect(try run("-n", "t", "-k", "key.pem", "-p", "src", "--", "true").status == 0)
        #expect(try run.list().count { $0.hasSuffix(".tmp") } == 0)
    }
}
