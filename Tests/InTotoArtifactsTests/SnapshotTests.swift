import Foundation
import InTotoArtifacts
import InTotoMetadata
import SystemPackage
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct SnapshotTests {
    @Test func `every file of a real tree has the digest that sha256sum finds`() throws {
        let script = "find -L /usr/include -type f -print0 | xargs -0 sha256sum --zero | tr '\\0' '\\n'"
        let expected = try Subprocess.run("/bin/bash", ["-c", script]).outputText
        var digests: [String: String] = [:]
        for line in expected.split(separator: "\n") { digests[String(line.dropFirst(66))] = String(line.prefix(64)) }
        let result = try Tree().take("/usr/include")
        #expect(digests.count > 1_000)
        #expect(result.notRecorded.allSatisfy { [.linkOutsideBase, .danglingLink].contains($0.reason) })
        let outside = Set(result.notRecorded.map { String(decoding: $0.path, as: UTF8.self) })
        let inside = digests.filter { path, _ in !outside.contains { path == $0 || path.hasPrefix($0 + "/") } }
        #expect(result.names.count == inside.count)
        for artifact in result.artifacts {
            #expect(artifact.digests[.sha256]?.description == inside[artifact.name.text.description])
        }
    }

    @Test func `all digests come from one snapshot, and git agrees on its own`() throws {
        let tree = try Tree()
        try tree.shell("printf 'hello\\n' > a; head -c 300000 /dev/zero > b; : > empty")
        let result = try tree.take(".") { $0.digests = [.sha512, .sha256, .gitBlob, .sha384] }
        for name in ["a", "b", "empty"] {
            let set = try #require(result.artifacts[ArtifactName(Text(name))])
            for (algorithm, command) in [
                (DigestAlgorithm.sha256, "sha256sum"), (.sha384, "sha384sum"), (.sha512, "sha512sum"),
                (.gitBlob, "git hash-object --no-filters"),
            ] {
                let expected = try tree.shell("\(command) \(name)").prefix { $0 != " " && $0 != "\n" }
                #expect(set[algorithm]?.description == String(expected))
            }
        }
        #expect(result.files == 3)
        #expect(result.bytes == 300_006)
    }

    @Test(arguments: [
        ("./a", ["a"]), ("d/", ["d/b"]), ("d/../a", ["a"]), (".", ["a", "d/b"]), ("file:a", ["a"]),
        ("./d//./b", ["d/b"]),
        ("d/*", ["d/b"]), ("**/b", ["d/b"]), ("?", ["a", "d/b"]), ("[a]", ["a"]),
    ])
    func `references are normalised, and globs are expanded`(reference: String, names: [String]) throws {
        let tree = try Tree()
        try tree.shell("mkdir d; echo 1 > a; echo 2 > d/b")
        #expect(try tree.take(reference).names == names)
    }

    @Test func `a file that bears the name of a glob is meant literally`() throws {
        let tree = try Tree()
        try tree.shell("touch '*' b")
        #expect(try tree.take("*").names == ["*"])
        #expect(try tree.take("[*b]").names == ["*", "b"])
    }

    @Test(arguments: [
        ("s/*.c", ["s/a.c"]), ("s/**", ["s/a.c", "s/d/b.c"]), ("s/d/*", ["s/d/b.c"]), ("top/s/?.c", ["top/s/a.c"]),
        ("real/s/*", ["real/s/a.c", "real/s/d/b.c"]), ("other/*.c", ["other/a.c"]), ("\\s/*.c", ["s/a.c"]),
        ("s/d/[b].c", ["s/d/b.c"]), ("l?t/*.c", ["l?t/a.c"]),
    ])
    func `a glob is looked for behind the links that lead to it`(reference: String, names: [String]) throws {
        let tree = try Tree()
        try tree.shell(
            """
            mkdir -p src/d real; touch src/a.c src/d/b.c src/d/n.o; ln -s src s; ln -s . top; ln -s ../src real/s
            ln -s "$PWD/../tree/./src" other; ln -s src 'l?t'; rm src/d/n.o
            """)
        for allowsMissing in [false, true] {
            let result = try tree.take(reference) { $0.allowsMissing = allowsMissing }
            #expect(result.names == names)
            #expect(result.leftOut == [])
            let absolute = try tree.take("\(tree.root)/\(reference)") { $0.allowsMissing = allowsMissing }
            #expect(absolute.names == names.map { "\(tree.root)/\($0)" })
        }
        try Snapshot.preflight([ArtifactReference(parsing: reference.utf8)], options: tree.options)
        let (entries, _) = try plan(tree, reference)
        #expect(entries == names.map { "\($0) of \(escapedForTerminal(Array(reference.utf8)))" })
    }

    @Test func `what no glob finds behind a link is told as what it is`() throws {
        let tree = try Tree()
        try tree.shell(
            "mkdir src; touch src/a.c a.o; ln -s src s; ln -s none gone; ln -s a.o f; ln -s /etc out; ln -s none '*.o'")
        for (reference, message) in [
            ("s/*.h", "'s/*.h': matches nothing"), ("gone/*", "'gone/*': is a link to nothing"),
            ("f/*", "'f/*': is a link to nothing"), ("out/*", "'out/*': is a link that leaves the base path"),
            // A link that bears the name of a glob is meant itself, as a file is.
            ("*.o", "'*.o': is a link to nothing"),
        ] { #expect(try tree.problems(reference) == [message]) }
        let missing = try tree.take("s/*.h", "gone/*") { $0.allowsMissing = true }
        #expect(missing.names == [] && missing.leftOut == ["gone/*: a link to nothing"])
        for (policy, message) in [
            (SymlinkPolicy.record, "'s/*.c': is beyond a symbolic link, and these are not followed"),
            (.refuse, "'s/*.c': is a symbolic link, and these are refused"),
        ] { #expect(try tree.problems("s/*.c") { $0.symlinks = policy } == [message]) }
        #expect(throws: SnapshotError.self) {
            try Snapshot.preflight([ArtifactReference(parsing: "out/*".utf8)], options: tree.options)
        }
    }

    @Test(arguments: [
        ("x\\\\y/*.c", ["x\\y/a.c"]), ("x\\y/*.c", ["xy/b.c"]), ("\\xy/*.c", ["xy/b.c"]),
        ("x*y/*.c", ["x\\y/a.c", "xy/b.c"]),
        ("s\\*r/*.c", ["s*r/d.c"]), ("s\\*r/d.c", ["s*r/d.c"]), ("s\\*r/**/e.c", ["s*r/[/e.c"]),
        ("s\\*r/\\[/*", ["s*r/[/e.c"]), ("xy\\/*", ["xy/b.c"]), ("x\\y/a.c", ["x\\y/a.c"]),
        ("s\\*r", ["s*r/[/e.c", "s*r/d.c"]),
    ])
    func `a backslash in a glob takes the meaning of what follows`(reference: String, names: [String]) throws {
        let tree = try Tree()
        try tree.shell("mkdir -p 'x\\y' xy 's*r/[' star; touch 'x\\y/a.c' xy/b.c 's*r/d.c' 's*r/[/e.c' star/f.c")
        #expect(try tree.take(reference).names == names)
        #expect(try tree.take("\(tree.root)/\(reference)").names == names.map { "\(tree.root)/\($0)" })
        #expect(try tree.problems("none\(reference)").count == 1)
    }

    @Test func `an absolute reference gives absolute names`() throws {
        let tree = try Tree()
        try tree.shell("mkdir d; touch d/f; ln -s f d/l; ln -s /etc/passwd d/out")
        let result = try tree.take("\(tree.root)/d")
        #expect(result.names == ["\(tree.root)/d/f", "\(tree.root)/d/l"])
        #expect(result.leftOut == ["\(tree.root)/d/out: a link that leaves the base path"])
        #expect(try tree.take("\(tree.root)/d/f").names == ["\(tree.root)/d/f"])
        #expect(try tree.take("\(tree.root)/d/l").names == ["\(tree.root)/d/l"])
        #expect(try tree.take("\(tree.root)/*/f").names == ["\(tree.root)/d/f"])
    }

    @Test(arguments: [
        ("../x", "'../x': leaves the base path; name it absolutely, or choose another base path"),
        ("a/../../x", "'a/../../x': leaves the base path; name it absolutely, or choose another base path"),
        ("none", "'none': does not exist"), ("a/b", "'a/b': does not exist"), ("*.none", "'*.none': matches nothing"),
        ("/none/x", "'/none/x': does not exist"), ("", "'': does not exist"), ("file:", "'file:': does not exist"),
        ("git:.", "'git:.': not in a git repository"),
    ])
    func `a reference that names nothing here is an error`(reference: String, message: String) throws {
        let tree = try Tree()
        try tree.shell("touch a")
        #expect(try tree.problems(reference) == [message])
    }

    @Test func `missing references are no error where that is allowed`() throws {
        let tree = try Tree()
        try tree.shell("touch a")
        #expect(try tree.take("none", "*.none", "a") { $0.allowsMissing = true }.names == ["a"])
        try Snapshot.preflight([ArtifactReference(parsing: "none".utf8)], options: tree.options)
    }

    @Test func `what the command may put right is no hindrance to it`() throws {
        let tree = try Tree()
        try tree.shell("mkfifo p; ln -s nowhere gone; ln -s loop loop; ln -s p l; touch f; ln -s /etc out; mkdir d")
        let repairable = ["p", "gone", "loop", "l", "f/x", "dir:f", "tree:gone", "gone/*", "/none/x", "\(tree.root)/p"]
        for reference in repairable {
            let reference = try ArtifactReference(parsing: reference.utf8)
            for policy in [SymlinkPolicy.follow, .refuse, .record] {
                var options = tree.options
                options.symlinks = policy
                try Snapshot.preflight([reference], options: options)
            }
            #expect(throws: SnapshotError.self) { try Snapshot.take(of: [reference], options: tree.options) }
        }
        for reference in ["out", "out/passwd", "dir:out"] {
            let reference = try ArtifactReference(parsing: reference.utf8)
            #expect(throws: SnapshotError.self) { try Snapshot.preflight([reference], options: tree.options) }
        }
        var elsewhere = tree.options
        elsewhere.base.append("none")
        let relative = try ArtifactReference(parsing: "d".utf8)
        #expect(throws: SnapshotError.self) { try Snapshot.preflight([relative], options: elsewhere) }
        try Snapshot.preflight([ArtifactReference(parsing: "/none".utf8)], options: elsewhere)
        let base = elsewhere.base
        let message = "the base path '\(base)' does not exist"
        #expect(
            try tree.problems("d") { options in
                options.base = base
                options.allowsMissing = true
            } == [message])
        #expect(try tree.problems("d") { $0.base.append("f") } == ["the base path '\(tree.root)/f' is not a directory"])
    }

    @Test(arguments: ["f/", "f/.", "./f//", "d/../f/./", "l/", "slash", "$PWD/f/", "d/../f/.."])
    func `what a link's text takes for a directory is none where it is a file`(text: String) throws {
        let tree = try Tree()
        try tree.shell("mkdir d; touch f; ln -s f l; ln -s f/ slash; ln -s d/ dir; ln -s d/. dot; touch d/in")
        try tree.shell("ln -s \"\(text)\" probe; ! cat probe 2>../error; grep -q 'Not a directory' ../error")
        #expect(try tree.take(".").names == ["d/in", "dir/in", "dot/in", "f", "l"])
        #expect(try tree.problems("probe") == ["'probe': is a link to nothing"])
        #expect(try tree.take("dir", "dot/in").names == ["dir/in", "dot/in"])
    }

    @Test func `overlapping references record a file once`() throws {
        let tree = try Tree()
        try tree.shell("mkdir d; touch d/f; ln -s d l")
        #expect(try tree.take("d/f", "d", "*/f", "d/f", "l/f").names == ["d/f", "l/f"])
    }

    @Test func `prefixes are stripped by whole components, the longest first`() throws {
        let tree = try Tree()
        try tree.shell("mkdir -p a/b ab; echo 1 > a/b/f; echo 2 > ab/g; echo 3 > a/h")
        let result = try tree.take(".") { $0.stripPrefixes = ["a", "./a/b/"].map { Array($0.utf8) } }
        #expect(result.names == ["ab/g", "f", "h"])
    }

    @Test func `two artifacts that stripping gives one name are refused`() throws {
        let tree = try Tree()
        try tree.shell("mkdir a b; echo 1 > a/f; echo 1 > b/f")
        let problems = try tree.problems(".") { $0.stripPrefixes = ["a", "b"].map { Array($0.utf8) } }
        #expect(problems == ["'b/f': has the same name in evidence as 'a/f'"])
        let empty = try tree.problems("a/f") { $0.stripPrefixes = [Array("a/f".utf8)] }
        #expect(empty == ["'a/f': nothing is left of the name without its prefix"])
    }

    private func ownFile(_ name: String, in tree: Tree) throws -> OwnFile {
        func identity(_ path: String) throws -> FileIdentity {
            let numbers = try tree.shell("stat -c '%d %i' \(path)").dropLast().split(separator: " ").map { UInt64($0) }
            return FileIdentity(device: try #require(numbers[0]), inode: try #require(numbers[1]))
        }
        return OwnFile(directory: try identity("."), name: Array(name.utf8), identity: try identity(name))
    }

    @Test(arguments: [":", "sed -i s/x/y/ own", "ln -sf a own", "ln -f a own", "rm own; mkfifo own", "rm own"])
    func `our own files are not recorded, whatever becomes of them`(touch: String) throws {
        let tree = try Tree()
        try tree.shell("touch a own; mkdir d; touch d/own")
        let own = try ownFile("own", in: tree)
        try tree.shell(touch)
        let result = try tree.take(".") { $0.ownFiles = [own] }
        #expect(result.names == ["a", "d/own"])
        #expect(result.notRecorded.isEmpty)
    }

    @Test(arguments: ["ln own d/app", "ln -s ../own d/app", "mv own d/app"])
    func `our own file under another name is listed, and naming it is an error`(link: String) throws {
        let tree = try Tree()
        try tree.shell("touch a own; mkdir d")
        let own = try ownFile("own", in: tree)
        try tree.shell(link)
        let result = try tree.take(".", "d") { $0.ownFiles = [own] }
        #expect(result.names == ["a"])
        #expect(result.leftOut == ["d/app: another name for a file that intoto-run is writing"])
        let message = ["'d/app': is another name for a file that intoto-run is writing"]
        #expect(try tree.problems("d/app") { $0.ownFiles = [own] } == message)
        #expect(try tree.take("d/app").names == ["d/app"])
    }

    /// One line for each entry: path, name where it is another, reference, pattern.
    private func plan(
        _ tree: Tree, _ references: String..., with change: (inout SnapshotOptions) throws -> Void = { _ in }
    ) throws -> (lines: [String], plan: SnapshotPlan) {
        var options = tree.options
        try change(&options)
        let plan = try Snapshot.plan(references.map { try ArtifactReference(parsing: $0.utf8) }, options: options)
        let lines = plan.entries.map { entry in
            let path = escapedForTerminal(entry.path) + (entry.isDirectory ? "/" : "")
            let name = entry.name == entry.path ? "" : " as \(escapedForTerminal(entry.name))"
            let pattern = entry.pattern.map { entry.isExcluded ? " not, by \($0)" : " kept by \($0)" } ?? ""
            return "\(path)\(name) of \(escapedForTerminal(entry.reference))\(pattern)"
        }
        return (lines, plan)
    }

    @Test func `a plan lists what would be recorded, and what includes or hides it`() throws {
        let tree = try Tree()
        try tree.shell("mkdir -p d e .git; touch a.o d/b d/keep.o .git/x e/f; mkfifo p; ln -s none broken")
        let hide: (inout SnapshotOptions) throws -> Void = {
            try $0.exclusions.append(contentsOfFile: Array("*.o\n!keep.o\n".utf8))
        }
        let (lines, all) = try plan(tree, ".", with: hide)
        #expect(
            lines == [
                ".git/ of . not, by .git/", "a.o of . not, by *.o", "d/b of .", "d/keep.o of . kept by !keep.o",
                "e/f of .",
            ])
        #expect(all.notRecorded.map(\.description) == ["'broken': a link to nothing", "'p': a named pipe"])
        let result = try tree.take(".", with: hide)
        #expect(result.excluded.map { "\($0.pattern) \($0.count)" } == [".git/ 1", "*.o 1"])
        let (some, _) = try plan(tree, "d", "d/b", "./e/*", "file:.git", "dir:e", with: hide)
        #expect(
            some == [
                ".git/ of file:.git not, by .git/", "d/b of d", "d/keep.o of d kept by !keep.o", "dir:e of dir:e",
                "e/f of ./e/*",
            ])
    }

    @Test func `a plan says of a path that one reference records and another hides that it is recorded`() throws {
        let tree = try Tree()
        try tree.shell("mkdir -p t/a; touch t/a/x t/y")
        let (outer, inner) = ("\(tree.root)/t", "\(tree.root)/t/a")
        for references in [[outer, inner], [inner, outer]] {
            var options = tree.options
            // Below the first it is 'a/x', below the second 'x'.
            try options.exclusions.append(Array("/a/x".utf8))
            let all = try references.map { try ArtifactReference(parsing: $0.utf8) }
            let recorded = try Snapshot.take(of: all, options: options).names
            #expect(recorded == ["\(inner)/x", "\(outer)/y"])
            let entries = try Snapshot.plan(all, options: options).entries
            #expect(entries.filter { !$0.isExcluded }.map { String(decoding: $0.path, as: UTF8.self) } == recorded)
            #expect(entries.count == 2)
            options.stripPrefixes = [Array(outer.utf8), Array(inner.utf8)]
            try tree.shell("touch t/x")
            #expect(throws: SnapshotError.self) { try Snapshot.plan(all, options: options) }
            try tree.shell("rm t/x")
        }
    }

    @Test func `a plan has names, and finds what a snapshot would fail with`() throws {
        let tree = try Tree()
        try tree.shell(
            "mkdir -p d e d/.git; echo 1 > d/f; echo 2 > e/f; ln -s d/f l; touch $'d/1\\xff' dir:e; mkfifo p")
        let strip: (inout SnapshotOptions) -> Void = { $0.stripPrefixes = [Array("d".utf8), Array("e".utf8)] }
        #expect(try plan(tree, "d/f", with: strip).lines == ["d/f as f of d/f"])
        #expect(try plan(tree, "dir:d").lines == ["d/.git/ of dir:d not, by .git/", "dir:d of dir:d"])
        for references in [
            ["d/f", "e/f"], ["d"], ["none"], ["dir:none"], ["tree:none"], ["none*"], ["dir:p"], ["tree:l"], ["dir:d/f"],
            ["p"],
            ["/proc"], ["dir:/proc"], ["git:d"], ["dir:e", "./dir:e"],
        ] {
            var options = tree.options
            strip(&options)
            let references = try references.map { try ArtifactReference(parsing: $0.utf8) }
            func failure(_ body: () throws -> Void) -> String {
                do { try body() } catch { return "\(error)" }
                return "none"
            }
            let planned = failure { _ = try Snapshot.plan(references, options: options) }
            #expect(planned == failure { _ = try Snapshot.take(of: references, options: options) })
            #expect(planned != "none")
        }
    }

    @Test func `a plan names what is not there, where that is allowed`() throws {
        let tree = try Tree()
        try tree.shell("touch f")
        let (lines, all) = try plan(tree, "f", "none", "*.none", "dir:none", "tree:./none", "/none", "git:.") {
            $0.allowsMissing = true
        }
        #expect(lines == ["f of f"])
        let missing = all.missing.map { String(decoding: $0, as: UTF8.self) }
        #expect(missing.sorted() == ["*.none", "/none", "dir:none", "git:.", "none", "tree:./none"])
    }

    @Test func `the result does not depend on the number of threads`() throws {
        let tree = try Tree()
        try tree.shell(
            "for i in {1..40}; do mkdir d$i; for j in {1..20}; do echo $i.$j > d$i/f$j; done; mkfifo d$i/p; done")
        let one = try tree.take(".") { $0.threads = 1 }
        for threads in [2, 3, 8, 16] {
            let many = try tree.take(".") { $0.threads = threads }
            #expect(many.artifacts == one.artifacts)
            #expect(many.notRecorded == one.notRecorded)
            #expect(many.files == 800)
        }
    }
}
