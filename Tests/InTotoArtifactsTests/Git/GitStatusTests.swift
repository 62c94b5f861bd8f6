import Foundation
import InTotoArtifacts
import InTotoMetadata
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Work trees in every state, each compared with what git itself says of it.
@Suite(.temporaryDirectory) struct GitStatusTests {
    /// Paths by what is the matter with them.
    struct Lists: Equatable {
        var modified: Set<String> = []
        var added: Set<String> = []
        var deleted: Set<String> = []
        var untracked: Set<String> = []
        var conflicted: Set<String> = []

        init(_ status: GitStatus) {
            func set(_ list: GitPathList) -> Set<String> { Set(list.paths.map { String(decoding: $0, as: UTF8.self) }) }
            (modified, added, deleted) = (set(status.modified), set(status.added), set(status.deleted))
            (untracked, conflicted) = (set(status.untracked), set(status.conflicted))
        }

        /// From `git status --porcelain=v2 -z`.
        init(porcelain: String) {
            for line in porcelain.split(separator: "\0") {
                let kind = line.prefix(1)
                let fields = line.split(separator: " ", maxSplits: kind == "u" ? 10 : kind == "1" ? 8 : 1)
                guard let path = fields.last.map(String.init) else { continue }
                switch kind {
                case "?": untracked.insert(path)
                case "u": conflicted.insert(path)
                default:
                    let (staged, here) = (fields[1].prefix(1), fields[1].suffix(1))
                    if staged == "A" || here == "A" {
                        added.insert(path)
                    } else if staged == "D" || here == "D" {
                        deleted.insert(path)
                    } else {
                        modified.insert(path)
                    }
                }
            }
        }
    }

    static let porcelain = "git status --porcelain=v2 -z --no-renames --untracked-files=normal"

    static let states = [
        "true",
        "echo more >>a",
        "echo z >a",
        "touch a d/b src/x.sh; touch -h link",
        "cp -r . ../copy; rm -rf -- * .gitignore; cp -r ../copy/. .; rm -rf ../copy",
        "chmod +x a; chmod -x src/x.sh",
        "git config core.filemode false; chmod +x a; echo y >>src/x.sh",
        "echo n >new; git add new",
        "echo n >new; git add new; echo m >>new",
        "echo n >new; git add new; rm new",
        "echo n >new; git add -N new",
        "echo more >>a; git add a",
        "echo more >>a; git add a; echo b >a",
        "echo more >>a; git add a; git show HEAD:a >a",
        "rm a d/b",
        "git rm -q a",
        "git rm -q --cached a",
        "echo more >>a; git add a; rm a",
        "rm -r d",
        "rm a; ln -s d a",
        "rm link; echo file >link",
        "ln -sfn d.c link",
        "rm a; mkdir a; echo x >a/x",
        "mv d elsewhere; ln -s elsewhere d",
        "rm a; mkfifo a",
        "mkfifo pipe",
        "git mv a moved",
        "echo u >untracked; mkdir -p dir/sub empty/sub; echo u >dir/sub/u; echo u >d/u",
        "mkdir build; echo x >build/x; echo x >x.o; echo x >keep.o; mkdir only; echo x >only/y.o",
        "mkdir -p p/q; echo '*' >p/.gitignore; echo x >p/q/x; printf '*\\n!.gitignore\\n!yes\\n' >d/.gitignore; touch d/yes d/no",
        "echo 'secret*' >>.git/info/exclude; touch secret1 d/secret2 public",
        "echo '/d/' >.gitignore; echo n >d/new; git commit -qam ignore; echo more >>d/b",
        "git init -q nested; git init -q dir/nested; mkdir -p dir2; git init -q dir2/deep/er",
        "git checkout -qb other; echo 1 >a; git commit -qam 1; git checkout -q main; echo 2 >a; rm d/b; git commit -qam 2; git merge -q other || true",
        "git checkout -qb other; git rm -q a; git commit -qm 1; git checkout -q main; echo 2 >a; git commit -qam 2; git merge -q other || true",
        "printf x >'sp ace'; printf x >$'line\\nfeed'; printf x >$'t\\ta\"b'; mkdir -p 'd-'; touch d-/f d.d d0; git add d-; touch $'\\xc3\\xa9' $'e\\xcc\\x81'",
        "git update-index --assume-unchanged a; echo z >a; git update-index --skip-worktree d/b; rm d/b",
        "git sparse-checkout set d",
        "git sparse-checkout set d; mkdir src; echo z >src/x.sh",
        "git sparse-checkout set d; mkdir src; echo z >src/x.sh; git config sparse.expectFilesOutsideOfPatterns true",
        "printf 'a\\r\\nb\\r\\n' >crlf; git add crlf; git commit -qm crlf; printf 'a\\nb\\n' >crlf",
        "git config core.autocrlf true; printf 'a\\r\\nb\\r\\n' >t; git add t 2>/dev/null; git commit -qm t; touch -d 2001-01-01 t",
        "echo '*.txt text' >.gitattributes; printf 'a\\r\\nb\\r\\n' >t.txt; git add . 2>/dev/null; git commit -qm t; touch -d 2001-01-01 t.txt",
        "echo '*.txt text eol=crlf' >d/.gitattributes; printf 'a\\r\\nb\\r\\n' >d/t.txt; cp d/t.txt d/e; git add . 2>/dev/null; git commit -qm t; touch -d 2001-01-01 d/t.txt d/e/t.txt",
        "git rm -qr .; git commit -qm empty; echo x >x",
        "git checkout -q --orphan fresh",
        "git checkout -q --detach; git tag one; echo more >>a",
        "git update-index --index-version 4; echo more >>d/b; git add d/b; echo n >d/e/new",
        "git pack-refs --all; git gc -q; echo more >>a",
        "git config user.name 'A \\\"B\\\" # c'; printf '[x \"y]\"]\\n\\tz = \"a;b\" ; c\\n\\tlong = a \\\\\\n  b\\n\\tflag\\n' >>.git/config; echo more >>a",
    ]

    @Test(arguments: states) func `the status is git's own`(change: String) throws {
        let git = try GitCommands.repository()
        try git(change)
        let state = try GitRepositoryState.read(from: Array(git.directory.path.utf8), GitOptions())
        let status = try #require(state.status)
        let expected = try git(Self.porcelain)
        #expect(Lists(status) == Lists(porcelain: expected))
        #expect(status.isClean == expected.isEmpty)
        #expect(status.notes.isEmpty)
        // What git refreshes first it may not look at; we did not write the index.
        try git("git rev-parse -q --verify HEAD >/dev/null || exit 0")
        let head = try git.line("git rev-parse -q --verify HEAD || echo none")
        #expect(state.head.commit?.text.description ?? "none" == head)
        #expect(
            try state.tree?.text.description ?? "none"
                == git.line("git rev-parse -q --verify 'HEAD^{tree}' || echo none"))
    }

    @Test func `a file that was changed within the index's own tick is seen`() throws {
        let git = try GitCommands.repository()
        for content in ["b", "c", "d"] {
            try git("echo \(content) >a; git commit -qam \(content); echo z >a")
            let state = try GitRepositoryState.read(from: Array(git.directory.path.utf8), GitOptions())
            #expect(state.status?.modified.paths == [Array("a".utf8)])
        }
    }

    @Test func `what git was not to look at is counted`() throws {
        let git = try GitCommands.repository()
        try git("git update-index --assume-unchanged a; echo z >a; git update-index --skip-worktree d/b; rm d/b")
        let status = try GitRepositoryState.read(from: Array(git.directory.path.utf8), GitOptions()).status
        #expect(status?.isClean == true)
        #expect(status?.assumedUnchanged == 1)
        #expect(status?.skipped == 1)
        #expect(status?.unseen == 1, "what is not there cannot differ")
        #expect(status?.doubts == ["1 files were not compared, which git was told not to look at"])
    }

    /// Line endings count where a line that is no comment has the very attribute, not behind a `-`, nor as a pattern.
    @Test(arguments: [
        ("* text", true), ("*.x text=auto", true), ("*\teol=lf", true), ("\"a b\" crlf", true), ("* crlf=input", true),
        ("# text", false), ("text -diff", false), ("eol=lf", false), ("* textual", false), ("* -text", false),
        ("\"a text\" -diff", false),
    ])
    func `attributes that convert line endings are known`(line: String, converts: Bool) throws {
        let git = try GitCommands.repository()
        // Git itself is not asked: the file has other line endings than its blob, whatever the attributes say.
        try git("printf 'a\\nb\\n' >t; git add t; git commit -qm t; printf 'a\\r\\nb\\r\\n' >t")
        try git("git update-index --cacheinfo 100644,$(printf 'a\\nb\\n' | git hash-object -w --stdin),t")
        try (line + "\n").write(to: git.directory.appending(path: ".gitattributes"), atomically: false, encoding: .utf8)
        let status = try GitRepositoryState.read(from: Array(git.directory.path.utf8), GitOptions()).status
        #expect(status?.otherLineEndings == (converts ? 1 : 0))
        #expect(status?.modified.count == (converts ? 0 : 1))
    }

    @Test func `attributes count in their directory and below, and not beside it`() throws {
        let git = try GitCommands.repository()
        try git(
            """
            blob=$(printf 'a\\nb\\n' | git hash-object -w --stdin)
            for file in 0 d/t d/e/t src/t; do
                printf 'a\\r\\nb\\r\\n' >$file; git update-index --add --cacheinfo 100644,$blob,$file
            done
            git commit -qm t; printf '\\357\\273\\277# text\\n' >src/.gitattributes; echo '* text' >d/.gitattributes
            """)
        let state = try GitRepositoryState.read(from: Array(git.directory.path.utf8), GitOptions())
        let status = try #require(state.status)
        #expect(status.otherLineEndings == 2)
        #expect(status.modified.paths == [Array("0".utf8), Array("src/t".utf8)])
        #expect(try Lists(status) == Lists(porcelain: git(Self.porcelain)))
    }

    /// A filter that does what git LFS does stands in for it: real git, real pointers.
    @Test func `a large file with its right content is clean, with another one modified`() throws {
        let git = try GitCommands.repository()
        try git(
            """
            cat >.git/clean <<'END'
            #!/bin/sh
            cat >.git/content; sum=$(sha256sum <.git/content | cut -c1-64); size=$(wc -c <.git/content)
            cp .git/content ".git/large-$sum"
            printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:%s\\nsize %s\\n' "$sum" "$size"
            END
            chmod +x .git/clean; git config filter.lfs.clean .git/clean
            echo '*.bin filter=lfs -text' >.gitattributes
            head -c 100000 /dev/urandom >big.bin; git add .; git commit -qm large; touch -d 2001-01-01 big.bin
            """)
        let directory = Array(git.directory.path.utf8)
        let clean = try GitRepositoryState.read(from: directory, GitOptions()).status
        #expect(try git(Self.porcelain) == "")
        #expect(clean?.isClean == true)
        #expect(clean?.largeFiles == 1)
        try git(
            "printf x | dd of=big.bin bs=1 seek=5 conv=notrunc status=none; printf y | dd of=big.bin bs=1 seek=6 conv=notrunc status=none"
        )
        #expect(
            try GitRepositoryState.read(from: directory, GitOptions()).status?.modified.paths == [Array("big.bin".utf8)]
        )
    }

    @Test func `evidence is no untracked file, where there is nothing else, and what only looks like it is`() throws {
        let git = try GitCommands.repository()
        func status() throws -> GitStatus {
            try #require(GitRepositoryState.read(from: Array(git.directory.path.utf8), GitOptions()).status)
        }
        try git(
            """
            mkdir -p out/deep; echo '{"signed": {}}' >s.0123abcd.link; echo '{"payload": ""}' >out/deep/s.0123abcd.intoto.jsonl
            touch .intoto-run.0123456789abcdef.tmp
            """)
        // As a run that is alive holds the file that it is about to write.
        let held = try FileHandle(
            forUpdating: git.directory.appending(path: ".intoto-run.0123456789abcdef.tmp"))
        #expect(flock(held.fileDescriptor, LOCK_EX) == 0)
        let clean = try status()
        #expect(clean.isClean)
        #expect(clean.untracked.count == 0)
        #expect(
            clean.evidence.paths.map { String(decoding: $0, as: UTF8.self) } == [
                "out/deep/s.0123abcd.intoto.jsonl", "s.0123abcd.link",
            ])
        try git(
            "echo x >out/z; echo x >t.0123abcd.link; ln -s s.0123abcd.link u.0123abcd.link; echo '{}' >v.0123abcd.link")
        try held.close()
        let unclean = try status()
        #expect(
            unclean.untracked.paths.map { String(decoding: $0, as: UTF8.self) } == [
                ".intoto-run.0123456789abcdef.tmp", "out/", "t.0123abcd.link", "u.0123abcd.link", "v.0123abcd.link",
            ])
        #expect(unclean.evidence.count == 1)
        try git(
            "rm -r out [t-v].*; git add s.0123abcd.link; git commit -qm evidence; echo '{\"signed\": 1}' >s.0123abcd.link"
        )
        #expect(try status().modified.count == 1, "what is tracked is a file like any other")
    }

    @Test func `what a filter converts may be told as modified, which is said`() throws {
        let git = try GitCommands.repository()
        try git(
            """
            git config filter.up.clean 'tr a-z A-Z'; echo '*.up filter=up' >.gitattributes; echo text >t.up
            git add . 2>/dev/null; git commit -qm 1
            """)
        func state() throws -> GitRepositoryState {
            try GitRepositoryState.read(from: Array(git.directory.path.utf8), GitOptions())
        }
        try git("touch -d 2001-01-01 t.up; git update-index --refresh")
        #expect(try state().status?.isClean == true)
        #expect(try state().notes.isEmpty)
        try git("touch -d 2002-02-02 t.up")
        #expect(try state().status?.modified.count == 1)
        #expect(try state().notes.first?.contains("filter, ident, working-tree-encoding") == true)
        try git("git config core.x y; printf 'b\n' >a")
        #expect(try GitStatusTests.Lists(#require(state().status)).modified == ["a", "t.up"])
    }

    @Test func `that a filter counts for a directory is said where a file there differs`() throws {
        let git = try GitCommands.repository()
        func state() throws -> GitRepositoryState {
            try GitRepositoryState.read(from: Array(git.directory.path.utf8), GitOptions())
        }
        try git(
            """
            echo '*.txt ident' >d/.gitattributes; echo '$Id$' >d/t.txt; git add .; git commit -qm 1
            rm d/t.txt; git checkout -q d/t.txt; touch -d 2001-01-01 d/t.txt; git update-index --refresh
            echo y >src/x.sh
            """)
        #expect(try state().status?.modified.paths == [Array("src/x.sh".utf8)])
        #expect(try state().notes == [], "what differs is elsewhere")
        try git("git checkout -q src/x.sh; touch -d 2002-02-02 d/t.txt")
        #expect(try git(Self.porcelain) == "")
        #expect(try state().status?.modified.paths == [Array("d/t.txt".utf8)])
        #expect(try state().notes.first?.contains("filter, ident, working-tree-encoding") == true)
    }

    @Test func `more paths than are listed are counted`() throws {
        let git = try GitCommands.repository()
        try git("mkdir many; cd many; touch .keep; git add .keep; for i in $(seq 250); do : >f$i; done")
        let untracked = try GitRepositoryState.read(from: Array(git.directory.path.utf8), GitOptions()).status?
            .untracked
        #expect(untracked?.count == 250)
        #expect(untracked?.paths.count == 100)
    }

    @Test func `submodules are those of git submodule status`() throws {
        let sub = try GitCommands.repository("sub")
        let git = try GitCommands.repository()
        for name in ["same", "moved", "dirty", "absent", "new", "gone", "in/gone"] {
            try git("git submodule -q add \(sub.directory.path) \(name)")
        }
        try git(
            """
            git commit -qm subs; cd moved; git commit -q --allow-empty -m more; cd ../dirty; echo x >>a
            cd ../new; echo x >untracked; cd ..; git submodule -q deinit absent; rm -r gone in
            """)
        let state = try GitRepositoryState.read(from: Array(git.directory.path.utf8), GitOptions())
        let status = try #require(state.status)
        #expect(try Lists(status) == Lists(porcelain: git(Self.porcelain)))
        let expected = try git("git submodule status | sed 's/ (.*//'").split(separator: "\n").map(String.init)
        let ours = status.submodules.map { sub in
            let path = String(decoding: sub.path, as: UTF8.self)
            return switch sub.state {
            case .notCheckedOut: "-\(sub.commit.text) \(path)"
            case .checkedOut(let head, _): "\(head == sub.commit ? " " : "+")\(head?.text ?? "") \(path)"
            case .notRead(let reason): reason
            }
        }
        #expect(ours == expected.sorted { $0.dropFirst(41) < $1.dropFirst(41) })
        try git("git add moved; git -C dirty checkout -q a; rm new/untracked; git commit -qm moved")
        try git("git submodule -q update gone in/gone")
        #expect(try GitRepositoryState.read(from: Array(git.directory.path.utf8), GitOptions()).status?.isClean == true)
    }

    @Test func `what is not known of a submodule is not known of the repository around it`() throws {
        let sub = try GitCommands.repository("sub")
        let git = try GitCommands.repository()
        try git(
            """
            git submodule -q add \(sub.directory.path) within; git commit -qm sub; cd within
            git config include.path ../elsewhere; git update-index --assume-unchanged a
            """)
        let state = try GitRepositoryState.read(from: Array(git.directory.path.utf8), GitOptions())
        #expect(state.notes == ["submodule 'within': files that the repository's configuration includes were not read"])
        #expect(
            state.status?.notes == [
                "submodule 'within': 1 files were not compared, which git was told not to look at"
            ])
    }

    @Test func `a work tree that takes too long costs its comparison alone, and its reading ends`() throws {
        let git = try GitCommands.repository()
        // The index remembers sizes modulo 4 GiB: this one is the same, and has to be read.
        try git("git tag here; truncate -s $((2 + (1 << 37))) a")
        var options = GitOptions()
        options.patience = 1
        let observation = GitObservation(of: Array(git.directory.path.utf8), options)
        let state = try observation.result().get()
        #expect(state.status == nil)
        #expect(try state.head.commit?.text.description == git.line("git rev-parse HEAD"))
        #expect(state.tags.count == 1)
        let note = "the work tree was not compared: reading the repository took longer than 1 s"
        #expect(state.notes == [note])
        // The thread's own result: it has ended.
        let ended = ContinuousClock().now.advanced(by: .seconds(20))
        while !observation.hasEnded, ContinuousClock().now < ended { usleep(10_000) }
        #expect(observation.hasEnded)
    }
}
