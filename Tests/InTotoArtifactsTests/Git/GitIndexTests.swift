import Foundation
import InTotoMetadata
import TestSupport
import Testing

@testable import InTotoArtifacts

@Suite(.temporaryDirectory) struct GitIndexTests {
    private func index(_ git: GitCommands) throws -> GitIndex {
        try GitIndex(GitLocation.find(from: Array(git.directory.path.utf8)))
    }

    @Test(arguments: [
        "true", "git commit -q --allow-empty -m 2", "echo b >a; git commit -qam 2", "git checkout -qb other",
        "rm -rf ../clone; git clone -q . ../clone; mv .git ../old; mv ../clone/.git .git",
        "echo b >a; git add a; git write-tree >/dev/null; git commit -qm 2", "git rm -qr .; git commit -qm empty",
        "git sparse-checkout set d; git commit -q --allow-empty -m 2",
        "git update-index --index-version 4; git commit -q --allow-empty -m 2",
        "for n in $(seq 30); do touch $(printf 'f%.0s' $(seq $n)); done; git add .; git commit -qm names",
    ])
    func `the noted tree is that of the commit`(change: String) throws {
        let git = try GitCommands.repository()
        try git(change)
        #expect(try index(git).tree?.text.description == git.line("git rev-parse 'HEAD^{tree}'"))
    }

    @Test func `the noted tree of an index with a path of more than 4095 bytes`() throws {
        let git = try GitCommands.repository()
        let path = String(repeating: "n/", count: 2100)
        try git("git update-index --add --cacheinfo 100644,$(git rev-parse HEAD:a),\(path)f; git write-tree >tree")
        #expect(try index(git).tree?.text.description == git.line("cat tree"))
    }

    @Test(arguments: [
        "echo b >a; git add a", "git rm -q --cached a", "echo n >n; git add -N n",
        "git checkout -qb o; echo 1 >a; git commit -qam 1; git checkout -q main; echo 2 >a; git commit -qam 2; git merge -q o || true",
        "rm .git/index",
    ])
    func `none is noted where the index has anything else, or another form`(change: String) throws {
        let git = try GitCommands.repository()
        #expect(try index(git).tree != nil)
        try git(change)
        #expect(try index(git).tree == nil)
    }

    @Test func `a damaged extension notes none`() throws {
        let content = Array("\0\(7) 2\n".utf8) + Array(repeating: 0xAB, count: 20) + Array("d\u{0}".utf8)
        #expect(GitCacheTree.root(of: content[...], count: 7)?.text.description == String(repeating: "ab", count: 20))
        #expect(GitCacheTree.root(of: content[...], count: 6) == nil)
        for length in 0..<25 { #expect(GitCacheTree.root(of: content[..<length], count: 7) == nil) }
    }

    // MARK: Entries

    @Test(arguments: [2, 3, 4]) func `entries are those of git ls-files`(version: Int) throws {
        let git = try GitCommands.repository()
        // An entry that is only intended needs version 3 at least.
        try git(
            """
            \(version == 3 ? "echo n >n; git add -N n" : "true")
            for n in $(seq 70); do touch $(printf 'f%.0s' $(seq $n)); done; mkdir -p src/deep/er; touch src/deep/er/f
            git add f* src; git update-index --chmod=+x a; git update-index --index-version \(version)
            """)
        let index = try index(git)
        let lines = index.entries.map { entry in
            let path = String(decoding: index.path(entry), as: UTF8.self)
            return "\(String(entry.mode, radix: 8)) \(entry.objectID.text) \(entry.stage)\t\(path)"
        }
        #expect(try lines == git("git ls-files -s").split(separator: "\n").map(String.init))
        #expect(index.entries.count > 70)
    }

    /// Changes an index by a program of Python that has its bytes, without the checksum, in `b`.
    private func change(_ git: GitCommands, _ program: String, sum: String = "hashlib.sha1(b).digest()") throws {
        try git(
            """
            python3 - <<'END'
            import hashlib, struct
            b = bytearray(open('.git/index', 'rb').read()[:-20])
            def put(old, new):
                global b
                assert len(old) == len(new) and old in b, b
                b = b.replace(old, new)
            \(program)
            open('.git/index', 'wb').write(b + \(sum))
            END
            """)
    }

    @Test(arguments: [
        (#"put(b'd/b', b'../')"#, "git would refuse its path '../'"),
        (#"put(b'd/e/e', b'd/../')"#, "git would refuse its path 'd/../'"),
        (#"put(b'd/b', b'./b')"#, "git would refuse its path './b'"),
        (#"put(b'd/b', b'//b')"#, "git would refuse its path '//b'"),
        (#"put(b'd/e/e', b'.git/')"#, "git would refuse its path '.git/'"),
        (#"put(b'link', b'aink')"#, "its paths are not in order, as of 'aink'"),
        (#"b[4:8] = struct.pack('>I', 5)"#, "its version is 5"),
        (#"b[8:12] = struct.pack('>I', 1 << 31)"#, "it ends too early"),
        (#"b[8:12] = struct.pack('>I', 9)"#, "cannot be read"),
        (#"b += b'link' + struct.pack('>I', 0)"#, "its extension 'link' is not supported"),
        (#"b += b'ABCD' + struct.pack('>I', 99)"#, "it ends too early"),
        (#"b = b[:40]"#, "it ends too early"),
    ])
    func `an index that git would not have written is refused`(program: String, reason: String) throws {
        let git = try GitCommands.repository()
        try change(git, program)
        do {
            let index = try index(git)
            Issue.record("it was read: \(index.entries.count)")
        } catch let error as GitError { #expect(error.description.contains(reason), "\(error)") }
    }

    @Test func `unknown extensions that may be passed over are, and a checksum is checked where there is one`() throws {
        let git = try GitCommands.repository()
        try change(git, "b += b'UNTR' + struct.pack('>I', 2) + b'xx'")
        #expect(try index(git).entries.count == 7)
        // As `index.skipHash` has it.
        try change(git, "pass", sum: "bytes(20)")
        #expect(try index(git).entries.count == 7)
        try change(git, "pass", sum: "bytes(19) + b'x'")
        #expect(throws: GitError.self) { try index(git) }
        try git("git config core.splitIndex true; rm .git/index; git reset -q; git update-index --split-index")
        #expect(throws: GitError.self) { try index(git) }
    }
}
