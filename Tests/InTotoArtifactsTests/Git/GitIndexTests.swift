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
        "echo b >a; git add a", "git rm -q --cached a", "echo n >n; git add -N n", "git update-index --index-version 4",
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
        let git = try GitCommands.repository()
        let whole = Array(try Data(contentsOf: git.directory.appending(path: ".git/index")))
        let count = try index(git).entries.count
        #expect(GitCacheTree.root(in: whole, count: count) != nil)
        #expect(GitCacheTree.root(in: whole, count: count - 1) == nil)
        for length in stride(from: 0, to: whole.count - 1, by: 3) {
            #expect(GitCacheTree.root(in: Array(whole[..<length]), count: count) == nil)
        }
    }
}
