import Foundation
import InTotoArtifacts
import InTotoMetadata
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct GitRepositoryTests {
    private func state(_ git: GitCommands, in folder: String = "") throws -> GitRepositoryState {
        try GitRepositoryState.read(from: Array((git.directory.path + folder).utf8), GitOptions())
    }

    /// Why it is not read.
    private func refusal(_ git: GitCommands, in folder: String = "") throws -> String {
        do throws(GitError) {
            let state = try GitRepositoryState.read(from: Array((git.directory.path + folder).utf8), GitOptions())
            // The work tree alone could not be compared: the rest is there.
            if state.status == nil, state.head.commit != nil { return state.notes.joined(separator: "; ") }
        } catch { return error.description }
        throw IntotoRun.SetupFailure(reason: "it was read")
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test(arguments: ["loose", "packed"]) func `tags are those that point at HEAD`(form: String) throws {
        let git = try GitCommands.repository()
        try git(
            """
            git tag light; git tag -am x annotated; git tag -am y nested annotated; git tag in/folder
            git tag file HEAD:a; git tag -am z filetag HEAD:a
            git commit -q --allow-empty -m next; git tag later; git checkout -q HEAD~1
            """)
        if form == "packed" { try git("git pack-refs --all; git tag -f light HEAD >/dev/null; git tag another") }
        let state = try state(git)
        // Also through several tags, where `git tag --points-at` looks at the first only.
        let script = """
            for tag in $(git tag); do
                [ "$(git rev-parse -q --verify "$tag^{}")" != "$(git rev-parse HEAD)" ] || echo $tag
            done
            """
        let expected = try git(script).split(separator: "\n").map(String.init).sorted()
        #expect(state.tags.map { text($0.name) }.sorted() == expected)
        #expect(state.tagCount == expected.count)
        for tag in state.tags {
            let id = try git.line("git rev-parse refs/tags/\(text(tag.name))")
            #expect(tag.object?.text.description ?? state.head.commit?.text.description == id)
        }
        guard case .detached = state.head else {
            Issue.record("it is not detached")
            return
        }
    }

    @Test func `a branch, also before the first commit and below a symbolic one`() throws {
        let git = try GitCommands.repository()
        #expect(try state(git).head == .branch(Array("refs/heads/main".utf8), state(git).head.commit))
        #expect(try state(git).head.commit != nil)
        try git("git checkout -q --orphan fresh/start")
        let fresh = try state(git)
        #expect(fresh.head == .branch(Array("refs/heads/fresh/start".utf8), nil))
        #expect(fresh.tree == nil)
        try git("git symbolic-ref refs/heads/alias refs/heads/main; git symbolic-ref HEAD refs/heads/alias")
        #expect(try state(git).head.commit?.text.description == git.line("git rev-parse main"))
    }

    @Test func `a bare repository has no status`() throws {
        let git = try GitCommands.repository()
        try git("git clone -q --bare . ../bare.git")
        let bare = try GitCommands(in: git.directory.deletingLastPathComponent().appending(path: "bare.git"))
        let state = try state(bare)
        #expect(state.root == nil)
        #expect(state.status == nil)
        #expect(try state.head.commit?.text.description == git.line("git rev-parse HEAD"))
        #expect(try self.state(bare, in: "/refs/heads").head == state.head)
    }

    @Test func `a shallow clone`() throws {
        let git = try GitCommands.repository()
        try git("git commit -q --allow-empty -m 2; git clone -q --depth 1 \"file://$PWD\" ../shallow")
        let shallow = try GitCommands(in: git.directory.deletingLastPathComponent().appending(path: "shallow"))
        #expect(try state(shallow).isShallow)
        #expect(try !state(git).isShallow)
        #expect(try state(shallow).status?.isClean == true)
    }

    @Test func `linked work trees`() throws {
        let git = try GitCommands.repository()
        try git("git worktree add -q ../linked -b side; echo x >../linked/new; echo y >../linked/a")
        let linked = try GitCommands(in: git.directory.deletingLastPathComponent().appending(path: "linked"))
        let state = try state(linked, in: "/d")
        #expect(state.linkedName.map(text) == "linked")
        #expect(state.head == .branch(Array("refs/heads/side".utf8), state.head.commit))
        #expect(try GitStatusTests.Lists(#require(state.status)) == .init(porcelain: linked(GitStatusTests.porcelain)))
        #expect(try self.state(git).linkedWorkTrees == 1)
        #expect(try self.state(git).linkedName == nil)
    }

    @Test(arguments: [
        ("-----BEGIN PGP SIGNATURE-----", "openpgp"), ("-----BEGIN SSH SIGNATURE-----", "ssh"),
        ("-----BEGIN SIGNED MESSAGE-----", "x509"), ("something", "unknown"),
    ])
    func `that a commit carries a signature is told, and of which kind`(begin: String, kind: String) throws {
        let git = try GitCommands.repository()
        #expect(try state(git).signature == nil)
        try git(
            """
            git cat-file commit HEAD | sed '/^committer/a gpgsig \(begin)\\n throwaway\\n -----END-----' >../commit
            git update-ref HEAD $(git hash-object -t commit -w ../commit)
            """)
        #expect(try state(git).signature == kind)
        try git("git cat-file commit HEAD~0 | grep -v gpgsig | grep -v '^ ' >../c; echo 'gpgsig BEGIN PGP' >>../c")
        try git("git update-ref HEAD $(git hash-object -t commit -w ../c)")
        #expect(try state(git).signature == nil, "a message is no header")
    }

    @Test func `objects of packs with deltas are read`() throws {
        let git = try GitCommands.repository()
        try git(
            "seq 5000 >a; git commit -qam 1; seq 5001 >a; git commit -qam 2; git tag -am t t; git gc -q --aggressive")
        let state = try state(git)
        #expect(state.status?.isClean == true)
        #expect(try state.tree?.text.description == git.line("git rev-parse 'HEAD^{tree}'"))
        #expect(state.tags.count == 1)
    }

    @Test(arguments: [
        ("https://user:token-XYZZY@example.com/a/b.git", "https://example.com/a/b.git"),
        ("https://token-XYZZY@example.com/a@b", "https://example.com/a@b"),
        ("https://user:XYZ/ZY@example.com/a", "https://example.com/a"),
        ("https://user:12/XYZZY@example.com/a", "https://example.com/a"),
        ("https://us@er:p@XYZZY@example.com:8443/a", "https://example.com:8443/a"),
        ("https://example.com/a?private_token=XYZZY", "https://example.com/a"),
        ("https://user:XYZZY@[::1]/x.git", "https://[::1]/x.git"),
        ("https://u:XY::ZZY@example.com", "https://example.com"),
        ("https://XYZZY@[2001:db8::1]/", "https://[2001:db8::1]/"),
        ("https://u:XY#ZZY@example.com/x", "https://example.com/x"),
        ("https://u:XY?ZZY@example.com/x", "https://example.com/x"),
        ("https://u:12/3@example.com/x", "https://example.com/x"),
        ("https://example.com/a#XYZZY", "https://example.com/a"),
        ("ssh://git:XYZZY@example.com/a", "ssh://git@example.com/a"),
        ("ssh://git@example.com/a", "ssh://git@example.com/a"),
        ("git@example.com:a/b.git", "git@example.com:a/b.git"),
        ("user:XYZZY@example.com:a", "example.com:a"),
        ("ext::ssh -i XYZZY example.com", "ext::"),
        ("../sibling", "../sibling"), ("/data/git/a@b:c", "/data/git/a@b:c"),
        ("file:///data/a@b", "file:///data/a@b"), ("https://example.com:8443/a", "https://example.com:8443/a"),
    ])
    func `remotes are recorded without credentials`(url: String, expected: String) throws {
        let git = try GitCommands.repository()
        try git("git remote add origin '\(url)'; git remote add 'other/one' https://example.com/")
        let remotes = try state(git).remotes
        #expect(remotes.map { text($0.name) } == ["origin", "other/one"])
        #expect(remotes.first?.urls.map(text) == [expected])
    }

    @Test func `the name of a remote may be an address as well`() throws {
        let git = try GitCommands.repository()
        try git("printf '[remote \"https://user:XYZZY@example.com/a\"]\\n\\turl = /b\\n' >>.git/config")
        #expect(try state(git).remotes.map { text($0.name) } == ["https://example.com/a"])
    }

    @Test(arguments: [(100, 1, 100, 0), (101, 1, 100, 1), (20_000, 1, 100, 19_900), (34, 3, 34, 2), (1, 150, 1, 50)])
    func `more addresses of remotes than are listed are counted`(
        names: Int, each: Int, listed: Int, omitted: Int
    ) throws {
        let git = try GitCommands.repository()
        let sections = (1...names).map { name in
            "[remote \"r\(name)\"]\n" + (1...each).map { "url = https://example.com/\($0)\n" }.joined()
        }
        try sections.joined().write(
            to: git.directory.appending(path: ".git/config"), atomically: false, encoding: .utf8)
        let state = try state(git)
        #expect(state.remotes.map { text($0.name) } == (1...listed).map { "r\($0)" })
        #expect(state.remotes.reduce(0) { $0 + $1.urls.count } == min(names * each, 100))
        #expect(state.remotesOmitted == omitted)
    }

    @Test func `a packed reference is the line that has its very name`() throws {
        let git = try GitCommands.repository()
        let (right, wrong) = (try git.line("git rev-parse HEAD"), String(repeating: "1", count: 40))
        let lines = [
            "# pack-refs with: \(wrong) refs/heads/main", "\(wrong) refs/heads/main2", "\(wrong) a refs/heads/main",
            "x\(wrong) refs/heads/main", "\(wrong.dropFirst()) refs/heads/main", "^\(wrong)",
            "\(right) refs/heads/main", "\(wrong) refs/heads/main", "\(wrong) refs/tags/annotated", "^\(right)",
            "\(right) refs/tags/light", "\(right) refs/other/refs/tags/none", "\(right) refs/tags/last",
        ]
        try git("rm .git/refs/heads/main; printf '%s' '\(lines.joined(separator: "\n"))' >.git/packed-refs")
        let state = try state(git)
        #expect(state.head.commit?.text.description == right)
        #expect(state.tags.map { text($0.name) } == ["annotated", "last", "light"])
        #expect(state.tags.map { $0.object?.text.description } == [wrong, nil, nil])
        #expect(state.notes == [])
        try git("printf '\\n%s refs/tags/.hidden\\n' \(right) >>.git/packed-refs")
        #expect(try self.state(git).tags == state.tags)
        #expect(try self.state(git).notes == ["not all tags were read"])
    }

    @Test func `HEAD may have other blanks`() throws {
        let git = try GitCommands.repository()
        for line in ["ref:refs/heads/main", "ref:\t refs/heads/main  "] {
            try git("echo '\(line)' >.git/HEAD; git rev-parse HEAD")
            #expect(try state(git).head.commit != nil)
        }
    }

    // MARK: What is not read

    @Test func `outside of a repository there is none`() throws {
        let git = try GitCommands(in: TemporaryDirectory.current.appending(path: "empty"))
        #expect(try refusal(git) == "not in a git repository")
        try git("mkdir .git")
        #expect(try refusal(git) == "not in a git repository")
    }

    @Test func `a repository that uses SHA-256 has commit, branch and tags, and says what it lacks`() throws {
        let git = try GitCommands(in: TemporaryDirectory.current.appending(path: "sha256"))
        try git("git init -q --object-format=sha256 .; echo a >a; git add a; git commit -qm 1; git tag light")
        let state = try state(git)
        #expect(state.usesSHA256)
        #expect(try state.head.commit?.text.description == git.line("git rev-parse HEAD"))
        #expect(state.tags.map { text($0.name) } == ["light"])
        #expect(state.status == nil)
        #expect(state.notes == ["libgit2 1.5 does not read objects of repositories that use SHA-256"])
    }

    @Test(arguments: [
        ("echo nonsense >.git/HEAD", "HEAD' is neither a reference nor an object id"),
        ("echo 'ref: ../../outside' >.git/HEAD", "HEAD' is neither a reference nor an object id"),
        ("echo 'ref: refs/heads/../../../a' >.git/HEAD", "HEAD' is neither a reference nor an object id"),
        ("echo zzz >.git/refs/heads/main", "main' holds no object id"),
        ("rm .git/HEAD", "HEAD' is missing"),
        ("rm .git/HEAD; mkfifo .git/HEAD", "HEAD' is not a regular file"),
        ("mv .git/HEAD head; ln -s ../head .git/HEAD", "is or is beyond a symbolic link"),
        ("mv .git/refs/heads outside; ln -s ../../outside .git/refs/heads", "is or is beyond a symbolic link"),
        ("mv .git/objects outside; ln -s ../outside .git/objects", "is or is beyond a symbolic link|cannot be opened"),
        ("mv .git/index outside; ln -s ../outside .git/index", "index' is not a regular file"),
        ("rm .git/index; mkfifo .git/index", "index' is not a regular file"),
        ("mkfifo .git/objects/pack/pack-1.idx", "pack-1.idx' is not a regular file"),
        ("head -c 50 .git/index >i; mv i .git/index", "index' cannot be read"),
        ("echo '[core' >.git/config", "config' is malformed"),
        (
            // Which of the two depends on how long ago the files were written.
            "git update-index --split-index",
            "a path is empty, as in a split index|its extension 'link' is not supported"
        ),
        ("git config core.repositoryformatversion 2", "repository format 2 is not supported"),
        ("git config core.repositoryformatversion 1; git config extensions.new 1", "extension 'new' is not supported"),
        (
            "git config core.repositoryformatversion 1; git config extensions.refStorage reftable",
            "references are not files"
        ),
        ("mv .git ../real; ln -s ../real .git", ".git' is a symbolic link"),
        ("mv .git ../real; echo 'gitdir: ../real' >.git", "does not point back"),
        ("mv .git ../real; echo 'gitdir: ../nothing' >.git", "leads to nothing"),
        ("rm -rf .git; echo 'something else' >.git", "names no git directory"),
        (
            "for i in 1 2 3 4 5 6 7; do git symbolic-ref refs/heads/l$i refs/heads/l$((i%7+1)); done; git symbolic-ref HEAD refs/heads/l1",
            "through more than 5"
        ),
        ("f=.git/objects/$(git rev-parse HEAD | sed 's,..,&/,'); chmod +w $f; printf garbage >$f", "cannot be read"),
        ("f=.git/objects/$(git rev-parse HEAD | sed 's,..,&/,'); rm -f $f; mkfifo $f", "is not a regular file"),
    ])
    func `a broken repository is refused with a reason`(change: String, reason: String) throws {
        let git = try GitCommands.repository()
        try git(change)
        let refusal = try refusal(git)
        #expect(reason.split(separator: "|").contains { refusal.contains($0) }, "\(refusal)")
    }

    @Test func `objects elsewhere are not read, and that is said`() throws {
        let git = try GitCommands.repository()
        try git("git clone -q --shared . ../shared")
        let shared = try GitCommands(in: git.directory.deletingLastPathComponent().appending(path: "shared"))
        try shared("echo more >>d/b")
        let state = try state(shared)
        #expect(try state.head.commit?.text.description == git.line("git rev-parse HEAD"))
        #expect(state.tree == nil)
        #expect(state.notes.count == 2)
        #expect(state.status?.modified.paths == [Array("d/b".utf8)])
        #expect(state.status?.notes.isEmpty == false)
    }

    @Test func `trees that describe files without end are refused`() throws {
        let git = try GitCommands.repository()
        try git(
            """
            tree=$(git mktree </dev/null); blob=$(echo x | git hash-object -w --stdin)
            entries() { for i in 0 1 2 3 4 5 6 7 8 9; do printf '%s %s %s\\tf%s\\n' "$1" "$2" "$3" $i; done; }
            tree=$(entries 100644 blob $blob | git mktree)
            for level in 1 2 3 4 5 6 7 8 9; do tree=$(entries 040000 tree $tree | git mktree); done
            git update-ref HEAD $(git commit-tree -m bomb $tree)
            """)
        #expect(try refusal(git).contains("belongs to more than 5000000 files"))
    }

    @Test func `a tree's paths are no longer than what a system call takes`() throws {
        let git = try GitCommands.repository()
        func commit(_ name: String) -> String {
            """
            tree=$(printf '100644 blob %s\\tf\\n' $(git rev-parse main~0:a) | git mktree)
            tree=$(printf '040000 tree %s\\t\(name)\\n' $tree | git mktree)
            git update-ref refs/heads/long $(git commit-tree -m long $tree); git symbolic-ref HEAD refs/heads/long
            """
        }
        let name = String(repeating: "n", count: 4095 - 2)
        try git(commit(name))
        #expect(try state(git).status?.deleted.paths == [Array("\(name)/f".utf8)])
        try git(commit(name + "n"))
        #expect(try refusal(git).contains("has a path of more than 4095 bytes"))
    }

    @Test func `trees without end that hold no files are refused, too`() throws {
        let git = try GitCommands.repository()
        try git(
            """
            tree=$(git mktree </dev/null)
            entries() { for i in 0 1 2 3 4 5 6 7 8 9; do printf '040000 tree %s\\tf%s\\n' $1 $i; done; }
            for level in 1 2 3 4 5 6 7 8 9; do tree=$(entries $tree | git mktree); done
            git update-ref HEAD $(git commit-tree -m bomb $tree)
            """)
        #expect(try refusal(git).contains("belongs to more than 1000000 trees"))
    }
}
