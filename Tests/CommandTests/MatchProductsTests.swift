import Foundation
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct MatchProductsTests {
    /// Evidence about dist/a, dist/b and dist/sub/c, and the files themselves; `link` is its name.
    private func project(format: String = "link") throws -> (run: IntotoRun, link: String) {
        let run = IntotoRun()
        try run.makeKey()
        try run.makeKey("other.pem")
        for (name, text) in [("dist/a", "one\n"), ("dist/b", "two\n"), ("dist/sub/c", "three\n")] {
            try run.write(text, to: name)
        }
        try run("-q", "-k", "key.pem", "-n", "s", "--format", format, "-p", "dist", "--", "true")
        return (run, try run.file(endingIn: format == "attestation" ? ".jsonl" : ".link"))
    }

    private static let unchecked = "intoto-run: warning: signatures were not checked; give --verification-keys\n"

    @Test(arguments: ["link", "dsse-link", "attestation"])
    func `equal files match evidence of each form`(format: String) throws {
        let (run, link) = try project(format: format)
        let plain = try run("match-products", "-l", link, "-p", "dist")
        #expect(plain.status == 0 && plain.outputText == "all 3 products match\n" && plain.errorText == Self.unchecked)
        let json = try run("match-products", "--json", "-l", link, "-p", "dist")
        #expect(json.status == 0 && json.errorText == "")
        try expectGolden(json.outputText, "match-products-equal.json")
        let checked = try run("match-products", "-l", link, "-p", "dist", "--verification-keys", "key.pem.pub")
        #expect(checked.status == 0 && checked.outputText == plain.outputText && checked.errorText == "")
    }

    @Test func `every difference has its line, and there is no match`() throws {
        let (run, link) = try project()
        try run.write("changed\n", to: "dist/a")
        try run.write("new\n", to: "dist/additional")
        _ = try run.shell("rm dist/sub/c")
        let text = try run("match-products", "-l", link, "-p", "dist")
        #expect(text.status == 1 && text.errorText == Self.unchecked)
        try expectGolden(text.outputText, "match-products-differences.txt")
        let json = try run("match-products", "-l", link, "-p", "dist", "--json")
        #expect(json.status == 1)
        try expectGolden(json.outputText, "match-products-differences.json")
    }

    @Test(arguments: [
        ("echo x >dist/a", "differs: dist/a: "), ("rm dist/b", "missing: dist/b\n"),
        ("echo >dist/d", "not in the evidence: dist/d\n"),
        ("mv dist/a dist/A", "missing: dist/a\nnot in the evidence: dist/A\n"),
    ])
    func `one difference is enough`(change: String, line: String) throws {
        let (run, link) = try project()
        _ = try run.shell(change)
        let result = try run("match-products", "-l", link, "-p", "dist")
        #expect(result.status == 1 && result.outputText.hasPrefix(line), "\(result.outputText)")
    }

    @Test func `where digests have nothing in common it cannot be told, unless something else differs`() throws {
        let (run, link) = try project()
        _ = try run.shell("sed -i '/dist.b\"/,/}/ s/sha256/sha3/' \(link)")
        let unknown = try run("match-products", "-l", link, "-p", "dist")
        #expect(unknown.status == 2, "\(unknown.outputText)")
        #expect(unknown.outputText.hasPrefix("no common digest: dist/b: recorded sha3:"), "\(unknown.outputText)")
        #expect(unknown.outputText.hasSuffix("\ncannot tell: the rest matches\n"))
        let json = try run("match-products", "-l", link, "-p", "dist", "--json")
        #expect(json.status == 2 && json.outputText.contains("\"match\": false"))
        #expect(json.outputText.contains("\"verdict\": \"unknown\""))
        try run.write("changed\n", to: "dist/a")
        let differs = try run("match-products", "-l", link, "-p", "dist")
        #expect(differs.status == 1 && !differs.outputText.contains("cannot tell"))
    }

    @Test func `keys that signed are believed, others are a no`() throws {
        let (run, link) = try project()
        let arguments = ["match-products", "-l", link, "-p", "dist", "--verification-keys"]
        for keys in [["other.pem.pub"], ["key.pem.pub", "other.pem.pub"]] {
            let refused = try run.run(arguments + keys)
            #expect(refused.status == 1 && refused.outputText == "")
            #expect(
                refused.errorText.hasPrefix(
                    "intoto-run: error: \(link): valid signatures by \(keys.count) of the given keys"))
        }
        _ = try run.shell("sed -i s/sub.c/sub.d/ \(link)")
        let edited = try run.run(arguments + ["key.pem.pub"])
        #expect(edited.status == 1 && edited.errorText.contains(" is bad: altered content, or another key\n"))
    }

    @Test func `only what -p names is read, and evidence about more is missing there`() throws {
        let (run, link) = try project()
        #expect(try run("match-products", "-l", link, "-p", "dist/a", "dist/b", "dist/sub").status == 0)
        let less = try run("match-products", "-l", link, "-p", "dist/a", "dist/sub")
        #expect(less.status == 1 && less.outputText == "missing: dist/b\n")
        // Without -p it is the whole directory, keys and all.
        let all = try run("match-products", "-l", link)
        #expect(all.status == 1)
        #expect(
            all.outputText
                == ["key.pem", "key.pem.pub", "other.pem", "other.pem.pub"].map { "not in the evidence: \($0)\n" }
                .joined())
    }

    @Test func `--exclude leaves out local files, and their products are missing`() throws {
        let (run, link) = try project()
        try run.write("x", to: "dist/a.tmp")
        #expect(try run("match-products", "-l", link, "-p", "dist", "--exclude", "*.tmp").status == 0)
        let result = try run("match-products", "-l", link, "-p", "dist", "--exclude", "*.tmp", "b")
        #expect(result.status == 1 && result.outputText == "missing: dist/b\n")
    }

    @Test func `names are cut as the runner cut them`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("x", to: "out/bin/tool")
        try run(
            "-q", "-k", "key.pem", "-n", "s", "--format", "link", "-p", "out", "--lstrip-paths", "out/", "--", "true")
        let link = try run.file(endingIn: ".link")
        #expect(try run("match-products", "-l", link, "-p", "out", "--lstrip-paths", "out/").status == 0)
        #expect(try run("match-products", "-l", link, "-p", "bin", "--base-path", "out").status == 0)
        let other = try run("match-products", "-l", link, "-p", "out")
        #expect(other.status == 1 && other.outputText == "missing: bin/tool\nnot in the evidence: out/bin/tool\n")
    }

    @Test(arguments: ["dir:dist", "tree:dist"])
    func `whole directories are compared as they were recorded`(reference: String) throws {
        let (run, _) = try project()
        try run("-q", "-k", "key.pem", "-n", "w", "--format", "link", "-p", reference, "--", "true")
        let link = try #require(try run.list().first { $0.hasPrefix("w.") })
        let equal = try run("match-products", "-l", link, "-p", reference)
        #expect(equal.status == 0 && equal.outputText == "1 product matches\n")
        // Files cannot be compared with that.
        let files = try run("match-products", "-l", link, "-p", "dist")
        #expect(files.status == 2)
        #expect(
            files.errorText.hasPrefix("intoto-run: error: the products have no digest that files can be compared by\n"))
        try run.write("changed", to: "dist/sub/c")
        let changed = try run("match-products", "-l", link, "-p", reference)
        #expect(changed.status == 1 && changed.outputText.hasPrefix("differs: \(reference): "))
    }

    @Test func `nothing against nothing is said to be nothing`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run("-q", "-k", "key.pem", "-n", "s", "--format", "link", "-m", "key.pem.pub", "--", "true")
        let result = try run("match-products", "-l", run.file(endingIn: ".link"), "-p", "dist", "--allow-missing")
        #expect(result.outputText == "nothing to compare: the evidence names no products, and there are no files\n")
    }

    @Test func `line endings are hashed as the runner hashed them`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("a\nb\n", to: "text")
        try run("-q", "-k", "key.pem", "-n", "s", "--format", "link", "-p", "text", "--", "true")
        let link = try run.file(endingIn: ".link")
        try run.write("a\r\nb\r\n", to: "text")
        #expect(try run("match-products", "-l", link, "-p", "text").status == 1)
        #expect(try run("match-products", "-l", link, "-p", "text", "--normalize-line-endings").status == 0)
    }

    @Test(arguments: ["echo garbage; cat bundle", "cat bundle; echo garbage"])
    func `lines of a bundle that are no envelopes are told by every verb, wherever they stand`(script: String) throws {
        let (run, bundle) = try project(format: "attestation")
        _ = try run.shell("mv \(bundle) bundle; (\(script)) >both")
        let warning = "intoto-run: warning: both: 1 line is no envelope\n"
        for arguments in [
            ["inspect", "both"], ["sign", "--check", "both", "--verification-keys", "key.pem.pub"],
            ["match-products", "-l", "both", "-p", "dist", "--verification-keys", "key.pem.pub"],
            ["sign", "both", "-k", "other.pem", "-o", "new"],
        ] {
            let result = try run.run(arguments)
            #expect(result.status == 0 && result.errorText.hasPrefix(warning), "\(arguments): \(result.errorText)")
        }
        _ = try run.shell("echo garbage >none; echo '{}' >>none")
        #expect(try run("inspect", "none").status == 2)
    }

    @Test func `a bundle's link is found among what others have put beside it`() throws {
        let (run, bundle) = try project(format: "attestation")
        try run("-q", "-k", "other.pem", "-n", "t", "-p", "key.pem.pub", "--", "true")
        let foreign = try Vectors.bytes("attestations/hello.intoto.jsonl").split(separator: 0x0A)
            .filter { String(decoding: $0, as: UTF8.self).contains("cbor") }
        try Data((foreign.first ?? []) + [0x0A]).write(to: run.directory.appending(path: "foreign"))
        _ = try run.shell("cat foreign t.*.jsonl \(bundle) >both; cat t.*.jsonl foreign >others; rm t.*.jsonl")
        let arguments = ["match-products", "-p", "dist", "-l"]
        #expect(foreign.count == 1)
        #expect(try run.run(arguments + ["both", "--verification-keys", "key.pem.pub"]).status == 0)
        let refused = try run.run(arguments + ["others", "--verification-keys", "key.pem.pub"])
        #expect(
            refused.status == 1
                && refused.errorText.hasPrefix("intoto-run: error: others: envelope 1: valid signatures"))
        let two = try run.run(arguments + ["both"])
        #expect(two.status == 2)
        #expect(
            two.errorText == "intoto-run: error: both: holds 2 links\nintoto-run: hint: give a file with one link\n")
    }

    @Test(arguments: [
        (["-l", "absent"], "absent: cannot open: No such file or directory"),
        (["-l", "text"], "text: not valid JSON: "),
        (["-l", "layout"], "layout: holds no link"), (["-l", "link", "-p", "absent"], "'absent': does not exist"),
        ([], "Missing expected argument '--link <link>'"),
        (["-l", "link", "-p", "text", "--verification-keys", "text"], "text: not a key"),
        (["-l", "link", "-p", "text", "--exclude-from", "absent"], "absent: cannot open: No such file or directory"),
    ])
    func `a question that cannot be answered is an error, not a no`(arguments: [String], message: String) throws {
        let run = IntotoRun()
        try run.write("text", to: "text")
        for (from, to) in [
            ("classic-links/python/build.23044263.link", "link"), ("edge-cases/layout-step-minimal.json", "layout"),
        ] {
            try FileManager.default.copyItem(at: Vectors.url(from), to: run.directory.appending(path: to))
        }
        let result = try run.run(["match-products"] + arguments)
        #expect(result.status == 2 && result.outputText == "")
        #expect(result.errorText.hasPrefix("intoto-run: error: \(message)"), "\(result.errorText)")
    }
}
