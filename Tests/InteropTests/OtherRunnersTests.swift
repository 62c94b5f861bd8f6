import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// What the page `OtherRunners` says of us and of the Python implementation, row by row.
@Suite(.temporaryDirectory) struct OtherRunnersTests {
    private static let page = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Sources/intoto-run/Documentation.docc/OtherRunners.md").standardized

    /// The first cells of the table.
    private static func rows() throws -> [String] {
        let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("| ") }
        return lines.dropFirst().map { line in
            line.split(separator: "|")[0].trimmingCharacters(in: .whitespaces)
        }
    }

    private typealias Trial = @Sendable (OtherRunnersTests) throws -> Void

    private static let trials: [String: Trial] = [
        "writes a classic link": { try $0.classicLink() },
        "the command's output is hidden, or shown when it ends": { try $0.output() },
        "ends the command after 10 seconds (Python)": { try $0.timeout() },
        "Go: exit status 0 although the command failed": { try $0.exitStatus() },
        "without `-m` and `-p` nothing is recorded": { try $0.defaultArtifacts() },
        "a path that does not exist is passed over (Python)": { try $0.missing() },
        "`*.link*`, `.git`, `*.pyc` and `*~` are hidden (Python)": { try $0.hidden() },
        "`--exclude` replaces what is hidden otherwise (Python)": { try $0.excluded() },
        "links to directories are followed out of the tree (Python), or not at all (Go)": { try $0.links() },
        "`dir:` has links to directories followed, and its digest as `sha256` (Python)": { try $0.wholeDirectory() },
        "a file that cannot be read is passed over (Python)": { try $0.unreadable() },
        "names with `\\` become names with `/` (Python)": { try $0.backslashes() },
        "evidence that is there is replaced": { try $0.replaced() },
        "the unfinished record is a link, and stands in the current directory": { try $0.unfinished() },
        "`-P`, `--password`, `--prompt`": { try $0.refused(["-P", "--password", "--prompt"]) },
        "`-g`, `--gpg`, `--gpg-home`": { try $0.refused(["-g", "--gpg", "--gpg-home"]) },
        "Go: `--cert`, `--spiffe-workload-api-path`": {
            try $0.refused(["--cert", "-c", "--spiffe-workload-api-path"])
        },
        "`in-toto-match-products`: classic links alone, signatures not checked": { try $0.matchProducts() },
    ]

    @Test func `each row of the table has its trial, and no trial is without a row`() throws {
        #expect(try Set(Self.rows()) == Set(Self.trials.keys))
    }

    @Test(arguments: trials.keys.sorted())
    func `theirs does what the row says, and ours what stands beside it`(row: String) throws {
        let trial = try #require(Self.trials[row])
        try trial(self)
    }

    // MARK: Trials

    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("one\n", to: "src/a")
        _ = try run.shell("mkdir t o")
        return run
    }

    private func theirs(_ run: IntotoRun, _ options: [String], _ command: [String]? = nil) throws -> PythonPeer.Outcome
    {
        let end = command.map { ["--"] + $0 } ?? ["-x"]
        let call = PythonPeer.Call(
            "run", ["-n", "s", "--signing-key", "key.pem", "-d", "t"] + options + end, in: run.directory)
        return try PythonPeer.run([call])[0]
    }

    private func ours(
        _ run: IntotoRun, _ options: [String], _ command: [String]? = nil, format: String = "link"
    ) throws -> Subprocess {
        let end = command.map { ["--"] + $0 } ?? ["-x"]
        return try run.run(
            ["-n", "s", "--signing-key", "key.pem", "-d", "o", "--format", format, "--overwrite"] + options + end)
    }

    private func link(_ run: IntotoRun, in folder: String) throws -> Link {
        let name = try run.file(endingIn: ".link", in: folder)
        guard case .link(let link)? = try? SignedMetadata(run.read(name)).payload() else {
            throw IntotoRun.SetupFailure(reason: "\(name) is no link")
        }
        return link
    }

    private func materials(_ run: IntotoRun, in folder: String) throws -> [String] {
        try link(run, in: folder).materials.map { $0.name.text.description }
    }

    private func classicLink() throws {
        let run = try project()
        #expect(try theirs(run, ["-m", "src"]).status == 0)
        #expect(try run.list("t").allSatisfy { $0.hasSuffix(".link") } && run.list("t").count == 1)
        #expect(try run("-x", "-n", "s", "-k", "key.pem", "-d", "o", "-p", "src").status == 0)
        #expect(try run.list("o").allSatisfy { $0.hasSuffix(".intoto.jsonl") } && run.list("o").count == 1)
        for option in [["--format", "link"], ["--use-dsse"]] {
            let name = try #require(try run.list("t").first)
            _ = try run.shell("rm -f o/* t/*")
            #expect(try run.run(["-x", "-n", "s", "-k", "key.pem", "-d", "o", "-m", "src"] + option).status == 0)
            #expect(try theirs(run, ["-m", "src"] + option.filter { $0 == "--use-dsse" }).status == 0)
            #expect(try run.list("o") == [name] && run.list("t") == [name])
            let isEnvelope = try ["o", "t"].map { try String(decoding: run.read("\($0)/\(name)"), as: UTF8.self) }
                .map { $0.contains("\"payloadType\"") }
            #expect(isEnvelope == (option == ["--use-dsse"] ? [true, true] : [false, false]))
        }
    }

    private func output() throws {
        let run = try project()
        #expect(try !theirs(run, ["-m", "src"], ["echo", "from the command"]).log.contains("from the command"))
        for mode in [[], ["-s"]] {
            let result = try ours(run, ["-m", "src"] + mode, ["echo", "from the command"])
            #expect(result.outputText == "from the command\n", "\(mode)")
        }
        // Live: the reader of the first line is what lets the command end.
        let live = try run.shell(
            """
            mkfifo go; "$R" -q -n l -k key.pem --format link -m src -- sh -c 'echo first; cat go' | \
                { read line; echo "$line, then"; echo second >go; cat; }
            """)
        #expect(live.outputText == "first, then\nsecond\n")
    }

    private func unreadable() throws {
        let run = try project()
        try run.write("x", to: "src/secret")
        _ = try run.shell("chmod 755 .; chmod 000 src/secret; chmod 777 o; chown 65534 key.pem")
        let common = ["-n", "s", "-k", "key.pem", "-d", "o", "--format", "link"]
        let before = try run.asOrdinaryUser(common + ["-m", "src", "--", "echo", "ran"])
        #expect(before.status == 125 && before.output == [] && before.errorText.contains("'src/secret'"))
        let after = try run.asOrdinaryUser(common + ["-p", "src", "--", "echo", "ran"])
        #expect(after.status == 125 && after.outputText == "ran\n")
        #expect(after.errorText.contains("intoto-run record stop"), "\(after.errorText)")
        _ = try run.file(endingIn: ".link-unfinished", in: "o")
    }

    private func timeout() throws {
        let run = try project()
        #expect(try theirs(run, ["-m", "src", "--run-timeout", "1"], ["sleep", "30"]).status != 0)
        #expect(try run.list("t") == [])
        #expect(try ours(run, ["-m", "src", "--run-timeout", "1", "--grace", "1"], ["sleep", "30"]).status == 124)
        #expect(try run.list("o").count == 1)
        // That there is no limit of our own is what the help says.
        let help = try run("run", "--help").outputText
        let line = try #require(help.split(separator: "\n").firstIndex { $0.hasPrefix("  --timeout") })
        let text = help.split(separator: "\n")[line...].prefix(3).joined(separator: " ")
        #expect(text.contains("(default: never)"), "\(text)")
    }

    private func exitStatus() throws {
        let run = try project()
        #expect(try ours(run, ["-m", "src"], ["sh", "-c", "exit 7"]).status == 7)
        #expect(try run.list("o").count == 1)
    }

    private func defaultArtifacts() throws {
        let run = try project()
        #expect(try theirs(run, []).status == 0)
        #expect(try materials(run, in: "t") == [])
        #expect(try ours(run, []).status == 0)
        #expect(try materials(run, in: "o").contains("src/a"))
        #expect(try ours(run, ["--compat", "python"]).status == 0)
        #expect(try materials(run, in: "o") == [])
    }

    private func missing() throws {
        let run = try project()
        #expect(try theirs(run, ["-m", "absent", "src"]).status == 0)
        #expect(try materials(run, in: "t") == ["src/a"])
        #expect(try ours(run, ["-m", "absent", "src"]).status == 125)
        for option in [["--allow-missing"], ["--compat", "python"]] {
            #expect(try ours(run, ["-m", "absent", "src"] + option).status == 0)
            #expect(try materials(run, in: "o") == ["src/a"])
        }
    }

    private func hidden() throws {
        let run = try project()
        let hidden = ["src/app.link.js", "src/b~", "src/m.pyc"]
        for name in hidden + ["src/.git/config"] { try run.write("x", to: name) }
        #expect(try theirs(run, ["-m", "src"]).status == 0)
        #expect(try materials(run, in: "t") == ["src/a"])
        #expect(try ours(run, ["-m", "src"]).status == 0)
        #expect(try materials(run, in: "o") == ["src/a"] + hidden)
        #expect(try ours(run, ["-m", "src", "--compat", "python"]).status == 0)
        #expect(try materials(run, in: "o") == ["src/a"])
    }

    private func excluded() throws {
        let run = try project()
        for name in ["src/b", "src/m.pyc", "src/.git/config"] { try run.write("x", to: name) }
        let exclude = ["-m", "src", "--exclude", "b"]
        #expect(try theirs(run, exclude).status == 0)
        #expect(try materials(run, in: "t") == ["src/.git/config", "src/a", "src/m.pyc"])
        #expect(try ours(run, exclude).status == 0)
        #expect(try materials(run, in: "o") == ["src/a", "src/m.pyc"])
        #expect(try ours(run, exclude + ["--compat", "python"]).status == 0)
        #expect(try materials(run, in: "o") == materials(run, in: "t"))
        #expect(try ours(run, ["-m", "src", "--no-default-excludes"]).status == 0)
        #expect(try materials(run, in: "o").contains("src/.git/config"))
    }

    private func links() throws {
        let run = try project()
        try run.write("far\n", to: "elsewhere/far")
        try run.write("near\n", to: "project/near/n")
        try run.write("x\n", to: "project/src/a")
        _ = try run.shell("ln -s ../../elsewhere project/src/out; ln -s ../near project/src/in")
        let tree = ["--base-path", "project", "-m", "src"]
        #expect(try theirs(run, tree).status == 0)
        #expect(try materials(run, in: "t") == ["src/a", "src/in/n", "src/out/far"])
        for option in [[], ["--follow-symlink-dirs"]] {
            let result = try ours(run, tree + option)
            #expect(result.status == 0 && result.errorText.contains("src/out"), "\(result.errorText)")
            #expect(try materials(run, in: "o") == ["src/a", "src/in/n"])
        }
        #expect(try ours(run, tree + ["--symlinks", "record"]).status == 0)
        #expect(try materials(run, in: "o") == ["src/a", "src/in", "src/out"])
    }

    private func wholeDirectory() throws {
        let run = try project()
        try run.write("near\n", to: "src/near/n")
        func digests() throws -> (theirs: DigestSet, ours: DigestSet) {
            #expect(try theirs(run, ["-m", "dir:src"]).status == 0)
            #expect(try ours(run, ["-m", "dir:src"]).status == 0)
            return try (
                #require(link(run, in: "t").materials.first).digests,
                #require(link(run, in: "o").materials.first).digests
            )
        }
        let without = try digests()
        #expect(without.theirs.entries.map(\.algorithm) == [.sha256])
        #expect(without.ours.entries.map(\.algorithm) == [.dirHash])
        _ = try run.shell("ln -s near src/link")
        let with = try digests()
        #expect(with.theirs != without.theirs && with.ours == without.ours)
        #expect(try ours(run, ["-m", "dir:src"]).errorText.contains("src/link"))
    }

    private func backslashes() throws {
        let run = try project()
        try run.write("x", to: "src/a\\b")
        #expect(try theirs(run, ["-m", "src"]).status == 0)
        #expect(try materials(run, in: "t") == ["src/a", "src/a/b"])
        #expect(try ours(run, ["-m", "src"]).status == 0)
        #expect(try materials(run, in: "o") == ["src/a", "src/a\\b"])
    }

    private func replaced() throws {
        let run = try project()
        for _ in 1...2 { #expect(try theirs(run, ["-m", "src"]).status == 0) }
        let options = ["-x", "-n", "s", "-k", "key.pem", "-d", "t", "-m", "src", "--format", "link"]
        #expect(try run.run(options).status == 125)
        #expect(try run.run(options + ["--overwrite"]).status == 0)
    }

    private func unfinished() throws {
        let run = try project()
        let begin = ["start", "-n", "s", "--signing-key", "key.pem", "-m", "src"]
        #expect(try PythonPeer.run([.init("record", begin, in: run.directory)])[0].status == 0)
        let name = try run.file(endingIn: "-unfinished")
        guard case .metablock = try SignedMetadata(run.read(name)) else { throw IntotoRun.SetupFailure(reason: name) }
        _ = try run.shell("rm \(name)")
        #expect(try run.run(["record"] + begin + ["-d", "o"]).status == 0)
        guard case .envelope(let envelope) = try SignedMetadata(run.read("o/\(name)")) else {
            throw IntotoRun.SetupFailure(reason: name)
        }
        #expect(envelope.payloadType == "application/vnd.intoto-run.unfinished+json")
        // Also where it stands in the directory that stop is called in.
        _ = try run.shell("mv o/\(name) .")
        let stop = ["record", "stop", "-n", "s", "--signing-key", "key.pem", "-p", "src", "-d", "o"]
        #expect(try run.run(stop).status == 0)
    }

    private func refused(_ options: [String]) throws {
        let run = try project()
        for option in options {
            let result = try run("-n", "s", "-k", "key.pem", option, "value", "--", "touch", "ran")
            #expect(result.status == 125 && result.errorText.contains("intoto-run: hint: "), "\(result.errorText)")
            #expect(!result.errorText.contains("see intoto-run"), "\(option) has no hint of its own")
        }
        #expect(try !run.list().contains("ran"))
    }

    private func matchProducts() throws {
        let run = try project()
        for format in ["attestation", "dsse-link", "link"] {
            _ = try run.shell("rm -f o/*")
            #expect(try ours(run, ["-p", "src"], format: format).status == 0)
            let file = "o/" + (try #require(try run.list("o").first))
            let compare = ["match-products", "-l", file, "-p", "src"]
            let unchecked = try run.run(compare)
            #expect(unchecked.status == 0 && unchecked.errorText.contains("signatures were not checked"))
            #expect(try run.run(compare + ["--verification-keys", "key.pem.pub"]).status == 0)
            let call = PythonPeer.Call("match-products", ["-l", file, "-p", "src"], in: run.directory)
            #expect(try (PythonPeer.run([call])[0].status == 0) == (format == "link"), "\(format)")
        }
        try run.makeKey("other.pem")
        #expect(try ours(run, ["-p", "src"]).status == 0)
        let link = try run.file(endingIn: ".link", in: "o")
        #expect(
            try run("match-products", "-l", link, "-p", "src", "--verification-keys", "other.pem.pub").status == 1)
    }
}
