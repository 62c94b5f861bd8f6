import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Repositories made to have us execute, read or wait for something.
@Suite(.temporaryDirectory) struct HostileRepositoryTests {
    private let git: GitCommands

    init() throws {
        git = try GitCommands.repository()
        try IntotoRun().makeKey()
    }

    /// What a run in the repository executes and opens, by strace.
    private func trace(_ options: String = "", in folder: String = "repository") throws -> (
        executed: [String], opened: [String], run: Subprocess
    ) {
        let calls = "execve,execveat,open,openat,openat2,connect,readlink,readlinkat"
        let run = try IntotoRun().shell(
            """
            rm -f trace.*; cd \(folder)
            strace -ff -y -s 4096 -o ../trace -e trace=\(calls) "$R" -q -k ../key.pem -n s -d .. --overwrite \\
                --format link -m a \(options) -- true
            """)
        // A file for each thread: in one for all, a call that another thread interrupts stands without its result, and
        // what was only looked for is taken for opened.
        let files = try IntotoRun().list().filter { $0.hasPrefix("trace.") }
        let lines = try files.flatMap {
            String(decoding: try IntotoRun().read($0), as: UTF8.self).split(separator: "\n")
        }
        .map(String.init).filter { !$0.contains("ENOENT") }
        return (
            lines.filter { $0.hasPrefix("execve") }.map(path), lines.filter { $0.hasPrefix("open") }.map(resolved), run
        )
    }

    /// Where the descriptor that a call returned leads, links resolved: strace has it behind the number.
    private func resolved(_ line: String) -> String {
        guard let place = line.range(of: " = ", options: .backwards), line.hasSuffix(">"),
            let start = line[place.upperBound...].firstIndex(of: "<")
        else { return path(line) }
        return String(line[line.index(after: start)...].dropLast())
    }

    private func path(_ line: String) -> String {
        let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
        return parts.count > 1 ? String(parts[1]) : line
    }

    private func record() throws -> JSONObject {
        guard case .object(let object)? = try Evidence.link(of: IntotoRun()).environment["git"] else {
            throw IntotoRun.SetupFailure(reason: "there is no git record")
        }
        return object
    }

    @Test func `nothing is executed, and nothing outside is read`() throws {
        try git(
            """
            mkdir ../outside; O=$(cd ../outside; pwd)
            printf '#!/bin/sh\\ntouch %s/EXECUTED\\ncat\\n' "$O" >../outside/evil.sh; chmod +x ../outside/evil.sh
            printf '[user]\\n name = outside\\n' >../outside/config; echo '*' >../outside/ignore; echo '* text' >../outside/attributes
            git init -q --bare ../outside/objects.git
            echo '* filter=evil diff=evil merge=evil ident' >.gitattributes; git add .; git commit -qm attributes
            for key in core.fsmonitor core.sshCommand core.pager core.editor core.gitProxy core.askPass credential.helper \\
                    filter.evil.clean filter.evil.smudge filter.evil.process diff.evil.textconv diff.evil.command \\
                    merge.evil.driver diff.external gpg.program gpg.ssh.program uploadpack.packObjectsHook alias.status; do
                git config $key "$O/evil.sh"
            done
            git config filter.evil.required true; git config core.worktree /etc; git config core.hooksPath "$O"
            git config include.path "$O/config"; git config "includeIf.gitdir:/.path" "$O/config"
            git config core.excludesFile "$O/ignore"; git config core.attributesFile "$O/attributes"
            git config remote.origin.url "ext::$O/evil.sh"
            for hook in post-checkout post-index-change fsmonitor-watchman pre-commit reference-transaction; do
                cp ../outside/evil.sh .git/hooks/$hook
            done
            echo "$O/objects.git/objects" >.git/objects/info/alternates
            ln -s "$O/ignore" src/.gitignore; ln -s "$O" link2; touch -d 2001-01-01 a d/b; echo more >>d.c
            id=$(git --git-dir=.git --work-tree=. rev-parse HEAD 2>/dev/null || cat .git/refs/heads/main)
            { echo '# pack-refs with: peeled fully-peeled sorted '
              for i in $(seq 100000 199999); do echo "$id refs/tags/t$i"; done; } >.git/packed-refs
            """)
        let start = Date()
        let (executed, opened, run) = try trace()
        #expect(run.status == 0, "\(run.errorText)")
        #expect(Date().timeIntervalSince(start) < 60)
        #expect(
            Set(executed.map { $0.split(separator: "/").last ?? "" }).isSubset(of: ["intoto-run", "exe", "true"]),
            "\(executed)")
        #expect(try !IntotoRun().list("outside").contains("EXECUTED"))
        #expect(opened.filter { $0.contains("outside") } == [])
        #expect(opened.contains { $0.hasSuffix("objects/pack") || $0.hasSuffix("/.git/index") })
        // The dynamic loader's, and what libgit2 reads for connections that are never made.
        let elsewhere = opened.filter { $0.hasPrefix("/etc/") }
        #expect(
            Set(elsewhere).subtracting(["/etc/ld.so.cache", "/etc/localtime", "/etc/ssl/certs/ca-certificates.crt"])
                .isEmpty, "\(elsewhere)")
        let record = try record()
        #expect(record["root"] == .string(Text(git.directory.path)))
        guard case .object(let before)? = record["before"], case .object(let modified)? = before["modified"] else {
            throw IntotoRun.SetupFailure(reason: "nothing is modified")
        }
        #expect(modified["paths"] == ["d.c"])
        #expect(before["untracked"] == ["count": 2, "paths": ["link2", "src/.gitignore"]])
        guard case .array(let tags)? = record["tags"] else { throw IntotoRun.SetupFailure(reason: "no tags") }
        #expect(tags.count == 100)
        #expect(record["tags-omitted"] == 99_900)
        #expect(record["remotes"] == [["name": "origin", "urls": ["ext::"]]])
    }

    @Test func `a git directory elsewhere is not entered`() throws {
        try git(
            """
            git init -q ../victim; mkdir ../trap; echo a >../trap/a; echo 'gitdir: ../victim/.git' >../trap/.git
            mkdir -p ../other/worktrees/x; printf '%s\\n' /nowhere/.git >../other/worktrees/x/gitdir
            echo 'ref: refs/heads/main' >../other/worktrees/x/HEAD; echo ../.. >../other/worktrees/x/commondir
            mkdir ../trap2; echo a >../trap2/a; echo 'gitdir: ../other/worktrees/x' >../trap2/.git
            """)
        // Whether it points back is asked of it.
        func isAsked(_ path: String) -> Bool {
            path.hasSuffix("other/worktrees/x") || path.hasSuffix("other/worktrees/x/gitdir")
        }
        for folder in ["trap", "trap2"] {
            let (_, opened, run) = try trace(in: folder)
            #expect(run.status == 0)
            #expect(run.errorText.contains("which does not point back, which is not followed"))
            #expect(opened.filter { $0.contains("victim") } == [])
            #expect(opened.filter { $0.contains("other/") && !isAsked($0) } == [])
        }
    }

    @Test func `more loose tags than are read and many untracked files end`() throws {
        try git(
            """
            python3 - "$(git rev-parse HEAD)" <<'END'
            import os, sys
            for i in range(30000):
                with open(f".git/refs/tags/t{i}", "w") as f: f.write(sys.argv[1] + "\\n")
            os.mkdir("many")
            for i in range(30000): open(f"many/{i}", "w").close()
            END
            """)
        let run = try IntotoRun(in: git.directory)(
            "-q", "-k", "../key.pem", "-n", "s", "-d", "..", "--format", "link", "-m", "a", "--", "true")
        #expect(run.status == 0)
        let record = try record()
        #expect(record["notes"] == ["not all tags were read"])
        #expect(record["before"] == ["clean": false, "untracked": ["count": 1, "paths": ["many/"]]])
    }

    @Test func `an index cannot lead out of the work tree`() throws {
        try git(
            """
            mkdir ../outside; echo secret >../outside/file; mkdir xx; cp -r ../outside xx; git add xx; git commit -qm 2; rm -r xx
            python3 - <<'END'
            import hashlib
            b = open('.git/index', 'rb').read()[:-20].replace(b'xx/outside/file', b'../outside/file')
            open('.git/index', 'wb').write(b + hashlib.sha1(b).digest())
            END
            """)
        let (_, opened, run) = try trace()
        #expect(run.status == 0)
        #expect(opened.filter { $0.contains("outside") } == [])
        guard case .array(let notes)? = try record()["notes"] else { throw IntotoRun.SetupFailure(reason: "no notes") }
        #expect("\(notes)".contains("git would refuse its path '../outside/file'"), "\(notes)")
    }

    @Test(arguments: [
        #"'**/' * 100000 + 'x\n'"#, #"'**/' * 300 + 'x\n'"#, #"'**/a/' * 200 + 'x\n'"#, #"'*a' * 400 + 'b\n'"#,
        #"'*?' * 500 + '\n'"#, #"'a*/' * 300 + 'x\n'"#,
    ]) func `a file of patterns costs no crash and little time`(pattern: String) throws {
        try git(
            """
            python3 - <<'END'
            import os
            open('.gitignore', 'a').write(\(pattern))
            os.makedirs('a/' * 100, exist_ok=True) if not os.path.isfile('a') else os.makedirs('q/' + 'a/' * 100)
            open('q/' + 'a/' * 100 + 'a' * 255, 'w').close()
            END
            """)
        let start = Date()
        let run = try IntotoRun(in: git.directory)(
            "-q", "-k", "../key.pem", "-n", "s", "-d", "..", "--format", "link", "-m", "a", "--", "true")
        #expect(run.status == 0, "\(run.errorText)")
        #expect(Date().timeIntervalSince(start) < 30)
        guard case .object(let before)? = try record()["before"] else {
            throw IntotoRun.SetupFailure(reason: "no status")
        }
        #expect(before["clean"] == false)
    }

    /// Writes objects to the repository and makes the last one HEAD's commit.
    private static func objects(_ script: String) -> String {
        """
        python3 - <<'END'
        import hashlib, os, zlib
        def put(kind, content):
            raw = kind + b' %d\\0' % len(content) + content
            id = hashlib.sha1(raw).hexdigest()
            os.makedirs('.git/objects/' + id[:2], exist_ok=True)
            open('.git/objects/' + id[:2] + '/' + id[2:], 'wb').write(zlib.compress(raw, 1))
            return bytes.fromhex(id)
        def commit(tree, message):
            who = b'A <a@example.com> 1 +0000'
            id = put(b'commit', b'tree %s\\nauthor %s\\ncommitter %s\\n\\n' % (tree.hex().encode(), who, who) + message)
            open('.git/refs/heads/main', 'w').write(id.hex() + '\\n')
        tree = put(b'tree', b'')
        \(script)
        END
        """
    }

    /// Each takes a few KiB or MiB on disk, and took gigabytes of memory.
    @Test(
        arguments: [
            (
                objects(
                    """
                    for i in range(24): tree = put(b'tree', b'40000 ' + b'n' * 15_000_000 + b'\\0' + tree)
                    commit(tree, b'')
                    """), "has a path of more than 4095 bytes"
            ),
            (
                objects(
                    """
                    for i in range(80): tree = put(b'tree', b'40000 a\\0' + tree + (b'40000 b\\0' + tree) * 400_000)
                    commit(tree, b'')
                    """), "is one of trees within each other of more than 67108864 bytes"
            ),
            (objects("commit(tree, b'\\n' * 16_000_000)"), nil),
            ("yes a | head -c 66000000 >>.git/packed-refs", nil),
        ] as [(String, String?)])
    func `what is small on disk is so in memory`(script: String, note: String?) throws {
        try git(script)
        let run = try IntotoRun(in: git.directory).shell(
            """
            ulimit -v 1000000
            "$R" -q -k ../key.pem -n s -d .. --format link -m a -- sh -c 'echo ran >../ran'
            """)
        #expect(run.status == 0, "\(run.errorText)")
        #expect(try IntotoRun().list().contains("ran"))
        let record = try record()
        // Git itself refuses some of these.
        #expect(record["commit"] == .string(Text(try git.line("cat .git/refs/heads/main"))))
        guard let note else {
            #expect(record["before"] != nil)
            return
        }
        #expect(record["before"] == nil)
        #expect("\(record["notes"] ?? .null)".contains(note), "\(record)")
    }

    @Test func `no more addresses of remotes are in evidence than are listed, and how many there were`() throws {
        try git("for i in $(seq 1234); do printf '[remote \"r%s\"]\\nurl = /%s\\n' $i $i; done >>.git/config")
        let run = try IntotoRun(in: git.directory)(
            "-q", "-k", "../key.pem", "-n", "s", "-d", "..", "--format", "link", "-m", "a", "--", "sh", "-c",
            "printf '[remote \"new\"]\\nurl = /new\\n' >>.git/config")
        #expect(run.status == 0, "\(run.errorText)")
        let record = try record()
        guard case .array(let remotes)? = record["remotes"], case .object(let after)? = record["after"] else {
            throw IntotoRun.SetupFailure(reason: "no remotes")
        }
        #expect(remotes.count == 100)
        #expect(record["remotes-omitted"] == 1134)
        #expect(after["remotes-omitted"] == 1135)
    }

    @Test func `submodules in deep directories cost no crash, nor more descriptors than there are`() throws {
        let depth = 110
        try git(
            """
            at=.; for i in 1 2 3 4; do
                git init -q "$at" 2>/dev/null
                cd "$at"; mkdir -p $(printf 'n/%.0s' $(seq \(depth))); git init -q $(printf 'n/%.0s' $(seq \(depth)))s
                ( cd $(printf 'n/%.0s' $(seq \(depth)))s; echo x >f; git add f; git commit -qm 1 )
                git add n 2>/dev/null; git commit -qm "$i"; at=$(printf 'n/%.0s' $(seq \(depth)))s
            done
            """)
        let run = try IntotoRun(in: git.directory)(
            "-q", "-k", "../key.pem", "-n", "s", "-d", "..", "--format", "link", "-m", "a", "--", "true")
        #expect(run.status == 0, "\(run.errorText)")
        #expect("\(try record())".contains("directories more than 128 deep were not compared"))
    }
}
