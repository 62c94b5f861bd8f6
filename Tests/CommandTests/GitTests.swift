import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// What runs record and demand of the git repository around them.
@Suite(.temporaryDirectory) struct GitTests {
    let git: GitCommands
    /// In the repository, with a key outside of it.
    let run: IntotoRun

    private static let signed = ["-k", "../key.pem", "-n", "s", "--format", "link", "-d", "..", "--overwrite"]

    init() throws {
        git = try GitCommands.repository()
        run = IntotoRun(in: git.directory)
        try IntotoRun().makeKey()
    }

    func execute(_ options: String..., command: [String] = ["true"], in run: IntotoRun? = nil) throws
        -> Subprocess
    {
        try (run ?? self.run).run(Self.signed + options + ["--"] + command)
    }

    var evidence: Link { get throws { try Evidence.link(endingIn: ".link", of: IntotoRun()) } }

    private var record: JSONObject {
        get throws {
            guard case .object(let object)? = try evidence.environment["git"] else {
                throw IntotoRun.SetupFailure(reason: "there is no git record")
            }
            return object
        }
    }

    func text(_ value: JSONValue?) -> String {
        if case .string(let text)? = value { return text.description }
        return "none"
    }

    // MARK: The record

    @Test func `the record names commit, tree, branch, tags and remotes, before and after`() throws {
        try git("git tag -am x v1; git remote add origin https://user:token-XYZZY@example.com/a.git")
        let result = try execute("-p", "a", command: ["sh", "-c", "echo more >>a; rm d/b; echo n >new"])
        #expect(result.status == 0)
        let record = try record
        #expect(text(record["commit"]) == (try git.line("git rev-parse HEAD")))
        #expect(text(record["tree"]) == (try git.line("git rev-parse 'HEAD^{tree}'")))
        #expect(record["branch"] == "main")
        #expect(record["head"] == "branch")
        #expect(record["shallow"] == false)
        #expect(record["root"] == .string(Text(git.directory.path)))
        #expect(record["tags"] == [["gitTag": .string(Text(try git.line("git rev-parse v1"))), "name": "v1"]])
        #expect(record["remotes"] == [["name": "origin", "urls": ["https://example.com/a.git"]]])
        #expect(record["before"] == ["clean": true])
        #expect(
            record["after"] == [
                "clean": false, "deleted": ["count": 1, "paths": ["d/b"]], "modified": ["count": 1, "paths": ["a"]],
                "untracked": ["count": 1, "paths": ["new"]],
            ])
    }

    @Test func `no token of a remote is in evidence of any form`() throws {
        try git(
            """
            git remote add a https://user:token-XYZZY@example.com/a; git remote add b https://token-XYZZY@example.com/b
            git remote add c 'ssh://git:token-XYZZY@example.com/c'; git remote add d 'https://e.com/?t=token-XYZZY'
            git config --add remote.a.pushurl https://token-XYZZY@example.com/p
            git config --add remote.a.url https://example.com/glpat-0123456789abcdefXYZZY/a.git
            git config url.https://token-XYZZY@example.com/.insteadOf https://example.com/
            git config http.https://example.com/.extraheader 'AUTHORIZATION: basic token-XYZZY'
            """)
        #expect(try run.run(Self.signed + ["--format", "attestation,link", "-p", "a", "--", "true"]).status == 0)
        let files = try IntotoRun().list().filter { $0.hasSuffix(".link") || $0.hasSuffix(".jsonl") }
        #expect(files.count == 2)
        let found = try IntotoRun().shell("cat *.link; sed 's/.*\"payload\":\"//; s/\".*//' *.jsonl | base64 -d")
        #expect(found.outputText.contains("example.com/a"))
        #expect(!found.outputText.contains("XYZZY"))
        #expect(try evidence.environment["git"] != nil)
    }

    @Test func `a command that commits changes what is recorded after it`() throws {
        let commit = "git -c user.name=a -c user.email=b commit -qam next"
        #expect(try execute("-m", "a", command: ["sh", "-c", "echo more >>a; \(commit)"]).status == 0)
        let record = try record
        #expect(text(record["commit"]) == (try git.line("git rev-parse HEAD~1")))
        guard case .object(let after)? = record["after"] else {
            throw IntotoRun.SetupFailure(reason: "nothing is recorded after it")
        }
        #expect(text(after["commit"]) == (try git.line("git rev-parse HEAD")))
        #expect(after["clean"] == true)
    }

    @Test func `evidence that is being written does not make a work tree unclean`() throws {
        let result = try run(
            "-k", "../key.pem", "-n", "s", "--format", "link", "--require-clean", "-m", "a", "--", "true")
        #expect(result.status == 0, "\(result.errorText)")
        let evidence = try run.file(endingIn: ".link")
        let again = try run(
            "-k", "../key.pem", "-n", "t", "--format", "link", "-d", "..", "--require-clean", "-m", "a", "--", "true")
        #expect(again.status == 0, "\(again.errorText)")
        #expect(
            try record["before"] == [
                "clean": true, "evidence": ["count": 1, "paths": [.string(Text(evidence))]],
            ])
        try Data("not evidence".utf8).write(to: git.directory.appending(path: evidence))
        let refused = try run(
            "-k", "../key.pem", "-n", "u", "--format", "link", "--require-clean", "-m", "a", "--", "touch", "ran")
        #expect(refused.status == 125)
        #expect(refused.errorText.contains("1 untracked (\(evidence))"))
        #expect(try !run.list().contains("ran"))
    }

    @Test func `--require-clean tells where ignoring counts, and how to clone`() throws {
        try git("git clone -q --shared . ../shared; echo x >mine")
        var run = run
        let home = git.directory.deletingLastPathComponent().appending(path: "home")
        try FileManager.default.createDirectory(at: home.appending(path: "git"), withIntermediateDirectories: true)
        try Data("mine\n".utf8).write(to: home.appending(path: "git/ignore"))
        run.environment["XDG_CONFIG_HOME"] = home.path
        let refused = try execute("--require-clean", "-m", "a", command: ["touch", "ran"], in: run)
        #expect(refused.status == 125)
        #expect(refused.errorText.contains("1 untracked (mine)"))
        #expect(refused.errorText.contains("hint: commit or remove them, have .gitignore or .git/info/exclude ignore"))
        try git("echo /mine >>.git/info/exclude")
        #expect(try execute("--require-clean", "-m", "a", in: run).status == 0)
        let shared = IntotoRun(in: git.directory.deletingLastPathComponent().appending(path: "shared"))
        let borrowing = try execute("--require-clean", "-m", "a", command: ["touch", "ran"], in: shared)
        #expect(borrowing.errorText.contains("hint: clone with --dissociate, or without --shared and --reference"))
        #expect(try !run.list().contains("ran"))
    }

    @Test func `git's own variables change nothing`() throws {
        let other = try GitCommands.repository("other")
        try other("git commit -q --allow-empty -m other")
        var run = run
        let place = other.directory.path
        run.environment.merge([
            "GIT_DIR": "\(place)/.git", "GIT_WORK_TREE": place, "GIT_INDEX_FILE": "/nonexistent", "GIT_NAMESPACE": "x",
            "GIT_OBJECT_DIRECTORY": "/nonexistent", "GIT_COMMON_DIR": place, "GIT_CEILING_DIRECTORIES": "/",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": "\(place)/.git/objects", "GIT_CONFIG_GLOBAL": "/nonexistent",
        ]) { $1 }
        #expect(try execute("--require-clean", "-m", "a", in: run).status == 0)
        #expect(text(try record["commit"]) == (try git.line("git rev-parse HEAD")))
        #expect(try record["root"] == .string(Text(git.directory.path)))
        #expect(try record["before"] == ["clean": true])
    }

    @Test func `the repository is the one around the base path`() throws {
        let outside = IntotoRun()
        #expect(
            try outside.run([
                "-k", "key.pem", "-n", "s", "--format", "link", "--base-path", "repository/d", "-m", "b",
                "--", "true",
            ]).status == 0)
        #expect(try record["root"] == .string(Text(git.directory.path)))
    }

    // MARK: What may be demanded

    @Test func `outside of a repository nothing is lost, and that is noted`() throws {
        let outside = IntotoRun()
        let result = try outside("-v", "-k", "key.pem", "-n", "s", "--format", "link", "-m", "key.pem", "--", "true")
        #expect(result.status == 0)
        #expect(result.errorText.contains("git: not in a git repository"))
        #expect(try record == ["not-recorded": "not in a git repository"])
        let quiet = try outside(
            "-k", "key.pem", "-n", "s", "--format", "link", "--overwrite", "-m", "key.pem", "--", "true")
        #expect(!quiet.errorText.contains("git"))
        for option in [["--git", "require"], ["--require-clean"]] {
            let refused = try outside.run(
                ["-k", "key.pem", "-n", "t", "-m", "key.pem", "--format", "link"] + option + ["--", "touch", "ran"])
            #expect(refused.status == 125)
            #expect(refused.errorText.hasPrefix("intoto-run: error: nothing ran: git: not in a git repository\n"))
            #expect(try !outside.list().contains("ran"))
        }
    }

    @Test func `--git off records nothing, --git require what auto does`() throws {
        #expect(try execute("--git", "off", "-m", "a").status == 0)
        #expect(try evidence.environment["git"] == nil)
        #expect(try execute("--git", "require", "-m", "a").status == 0)
        #expect(try record["branch"] == "main")
        let both = try execute("--git", "off", "--require-clean", "-m", "a")
        #expect(both.status == 125)
        #expect(both.errorText.contains("--require-clean needs git"))
    }

    @Test(arguments: ["echo more >>a", "echo n >new", "rm a", "echo n >new; git add new", "chmod +x a"])
    func `--require-clean runs nothing on an unclean work tree`(change: String) throws {
        #expect(try execute("--require-clean", "-m", "d").status == 0)
        try git(change)
        let refused = try execute("--require-clean", "-m", "d", command: ["touch", "ran"])
        #expect(refused.status == 125)
        #expect(refused.errorText.contains("nothing ran: git: the work tree is not clean: 1 "))
        #expect(try !run.list().contains("ran"))
    }

    @Test func `--require-clean refuses what it cannot tell`() throws {
        try git("git clone -q --bare . ../bare.git; git clone -q --shared . ../shared")
        for name in ["bare.git", "shared"] {
            let directory = git.directory.deletingLastPathComponent().appending(path: name)
            let refused = try execute("--require-clean", command: ["touch", "ran"], in: IntotoRun(in: directory))
            #expect(refused.status == 125)
            #expect(refused.errorText.contains("cannot tell whether the work tree is clean"), "\(refused.errorText)")
            #expect(
                try execute("--git", "require", "-m", "HEAD", "--allow-missing", in: IntotoRun(in: directory)).status
                    == 0)
        }
    }

    @Test(.enabled(if: getuid() == 0, "only root can give files away"))
    func `a repository of somebody else is read only when it is said to be safe`() throws {
        try git("chown -R 12345 .")
        let refused = try execute("-m", "a")
        #expect(refused.status == 0)
        #expect(
            refused.errorText.contains(
                "git: not recorded: dubious ownership: '\(git.directory.path)' belongs to user 12345"))
        #expect(refused.errorText.contains("hint: if you trust its owner, give --git-trust-owner"))
        try git("chown 0 .")
        let within = try execute("-m", "a")
        #expect(within.errorText.contains("dubious ownership: '\(git.directory.path)/.git' belongs to user 12345"))
        #expect(within.errorText.contains("safe.directory '\(git.directory.path)'"), "\(within.errorText)")
        try git("chown 12345 .")
        #expect(text(try record["not-recorded"]).hasPrefix("dubious ownership"))
        #expect(try execute("--git", "require", "-m", "a").status == 125)
        #expect(try execute("--git-trust-owner", "--require-clean", "-m", "a").status == 0)

        let home = git.directory.deletingLastPathComponent().appending(path: "home")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: false)
        var run = run
        run.environment["HOME"] = home.path
        let lines = [
            ("directory = \(git.directory.path)", 0), ("directory = *", 0), ("directory = /elsewhere", 125),
            ("directory = *\n directory =", 125), ("directory = ~/../repository", 125),
            ("directory = \(git.directory.deletingLastPathComponent().path)/*", 0),
        ]
        for (line, status) in lines {
            try Data("[safe]\n \(line)\n".utf8).write(to: home.appending(path: ".gitconfig"))
            #expect(try execute("--git", "require", "-m", "a", in: run).status == Int32(status), "\(line)")
        }
        // A repository cannot vouch for itself.
        try Data().write(to: home.appending(path: ".gitconfig"))
        _ = try Subprocess.run(
            "/usr/bin/git", ["config", "-f", git.directory.path + "/.git/config", "safe.directory", "*"])
        #expect(try execute("--git", "require", "-m", "a", in: run).status == 125)
    }

    @Test func `a broken repository is a warning, or an error where it is required`() throws {
        try git("echo nonsense >.git/HEAD")
        let result = try execute("-m", "a")
        #expect(result.status == 0)
        #expect(result.errorText.contains("warning: git: not recorded: '\(git.directory.path)/.git/HEAD' is neither"))
        #expect(text(try record["not-recorded"]).contains("is neither a reference nor an object id"))
        #expect(try execute("--git", "require", "-m", "a").status == 125)
    }

    @Test func `a repository that the command breaks costs nothing but its record`() throws {
        let result = try execute("--git", "require", "-m", "a", command: ["sh", "-c", "echo x >.git/HEAD"])
        #expect(result.status == 0)
        guard case .object(let after)? = try record["after"] else {
            throw IntotoRun.SetupFailure(reason: "nothing is recorded after it")
        }
        #expect(text(after["not-recorded"]).contains("is neither"))
        #expect(try record["before"] == ["clean": true])
    }

    @Test func `what the command changes of tags, remotes and submodules is recorded, and why nothing is compared`()
        throws
    {
        try git("git clone -q . ../sub; git tag before; git remote add origin https://example.com/a")
        let result = try execute(
            "-m", "a",
            command: [
                "sh", "-c",
                """
                git tag after; git remote set-url origin https://user:XYZZY@example.com/b
                git clone -q ../sub sub; git add sub 2>/dev/null; git rm -q --cached a; mv .git/index i; mkfifo .git/index
                """,
            ])
        #expect(result.status == 0)
        guard case .object(let after)? = try record["after"] else {
            throw IntotoRun.SetupFailure(reason: "nothing is recorded after it")
        }
        #expect(after["tags"] == [["name": "after"], ["name": "before"]])
        #expect(after["remotes"] == [["name": "origin", "urls": ["https://example.com/b"]]])
        guard case .array(let notes)? = after["notes"] else { throw IntotoRun.SetupFailure(reason: "no reason") }
        #expect(notes.count == 1)
        #expect(text(notes.first).contains("index' is not a regular file"))
        #expect(after["clean"] == nil)

        try git("rm .git/index; mv i .git/index; git reset -q; rm -rf sub")
        let added = try execute(
            "-m", "a", command: ["sh", "-c", "git clone -q ../sub sub; git add sub 2>/dev/null"])
        #expect(added.status == 0)
        guard case .object(let after)? = try record["after"], case .array(let submodules)? = after["submodules"] else {
            throw IntotoRun.SetupFailure(reason: "no submodules are recorded after it")
        }
        #expect(submodules.count == 1)
        #expect(after["tags"] == nil)
        #expect(after["remotes"] == nil)
        #expect(try record["submodules"] == nil)
    }

    @Test func `--require-clean does not take the user's word for files`() throws {
        try git("git update-index --assume-unchanged a; echo more >>a")
        let refused = try execute("--require-clean", "-m", "d", command: ["touch", "ran"])
        #expect(refused.status == 125)
        #expect(refused.errorText.contains("1 files were not compared, which git was told not to look at"))
        #expect(try !run.list().contains("ran"))
        try git("git update-index --no-assume-unchanged a; git checkout -q a; git update-index --skip-worktree a")
        #expect(try execute("--require-clean", "-m", "d").status == 125)
        try git("git update-index --no-skip-worktree a; git sparse-checkout set d")
        #expect(try execute("--require-clean", "-m", "d").status == 0)
        try git("mkdir src; echo z >src/x.sh")
        #expect(try execute("--require-clean", "-m", "d").status == 125)
    }

    @Test(.enabled(if: getuid() == 0, "only root can become somebody else"))
    func `files that cannot be reached are not taken for deleted`() throws {
        try git(
            """
            cp ../key.pem* .; echo 'key.pem*' >>.git/info/exclude; chmod 600 key.pem; chmod 0 d/e; mkdir out
            chown -R 65534 . ; chmod 755 ..
            """)
        let result = try run.asOrdinaryUser(
            "-q", "-k", "key.pem", "-n", "s", "--format", "link", "-d", "out", "-m", "a", "--", "true")
        #expect(result.status == 0, "\(result.errorText)")
        guard case .object(let record)? = try Evidence.link(of: run, in: "out").environment["git"],
            case .object(let before)? = record["before"]
        else { throw IntotoRun.SetupFailure(reason: "no record") }
        #expect(before == ["clean": true, "notes": ["files were not compared that cannot be reached"]])
        let refused = try run.asOrdinaryUser(
            "-k", "key.pem", "-n", "t", "--format", "link", "--require-clean", "-d", "out", "-m", "a", "--", "touch",
            "ran")
        #expect(refused.status == 125)
        #expect(refused.errorText.contains("cannot tell whether the work tree is clean"))
        #expect(try !run.list().contains("ran"))
    }

    // MARK: libgit2

    @Test func `the executable needs no libgit2 to start`() throws {
        let needed = try run.shell("ldd \"$R\"").outputText
        #expect(needed.contains("libcrypto"))
        #expect(!needed.contains("git2"))
    }

    @Test func `where libgit2 is absent that is said, and nothing else is lost`() throws {
        let hide =
            "for f in /usr/lib/*/libgit2.so.1.5 /lib/*/libgit2.so.1.5; do [ -e $f ] && mount --bind /dev/null $f || :; done"
        func hidden(_ options: String) throws -> Subprocess {
            try run.shell(
                "unshare -rm sh -ec '\(hide); \"$R\" \(Self.signed.joined(separator: " ")) \(options) -- true'")
        }
        let result = try hidden("-m a")
        #expect(result.status == 0, "\(result.errorText)")
        #expect(result.errorText.contains("warning: git: not recorded: cannot load libgit2 1.5: "))
        #expect(result.errorText.contains("hint: install it (Debian: libgit2-1.5), or give --git off"))
        #expect(text(try record["not-recorded"]).hasPrefix("cannot load libgit2"))
        #expect(try hidden("-m a --git require").status == 125)
        #expect(try hidden("-m a --git off").errorText.contains("git") == false)
        let product = try run.shell(
            "unshare -rm sh -ec '\(hide); \"$R\" \(Self.signed.joined(separator: " ")) --git off -p git:. -- touch ran'"
        )
        #expect(product.status == 125)
        #expect(product.errorText.contains("nothing ran: 'git:.': cannot load libgit2 1.5: "), "\(product.errorText)")
        #expect(try !run.list().contains("ran"))
    }
}
