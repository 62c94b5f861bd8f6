import Foundation
import InTotoMetadata
import TestSupport
import Testing

@testable import InTotoArtifacts

@Suite(.temporaryDirectory) struct WholeDirectoryTests {
    private static func vectorTree() throws -> Tree {
        let tree = try Tree()
        try tree.shell("mkdir mod; tar xf '\(Vectors.url("digest-set/tree.tar").path)' -C mod --no-same-owner")
        return tree
    }

    @Test func `dirHash and gitTree are those that Go, Python and git find`() throws {
        let tree = try Self.vectorTree()
        let vectors = try #require(try Vectors.json("digest-set/digests.json") as? [String: Any])
        let git = try #require(vectors["sha1"] as? [String: Any])
        let result = try tree.take("dir:mod", "tree:./mod/", "tree:mod/sub", "dir:mod/empty", "dir:mod")
        #expect(result.names == ["dir:mod", "dir:mod/empty", "tree:mod", "tree:mod/sub"])
        #expect(result.artifacts["dir:mod"]?[.dirHash]?.description == vectors["go_dirhash_hex"] as? String)
        #expect(
            result.artifacts["dir:mod/empty"]?[.dirHash]?.description == vectors["empty_directory_dirHash"] as? String)
        #expect(result.artifacts["tree:mod"]?[.gitTree]?.description == git["gitTree"] as? String)
        #expect(result.artifacts["tree:mod/sub"]?[.gitTree]?.description == git["gitTree sub"] as? String)
    }

    @Test func `gitTree is what git write-tree says of a larger tree`() throws {
        let tree = try Tree()
        try tree.shell(
            """
            for d in a a-b a.b ab a/b/c z/y/x; do mkdir -p $d; for i in {1..9}; do echo $d$i > $d/f$i; done; done
            chmod +x a/f1; chmod o+x a/f2; ln -s ../f a/l; mkdir empty; touch 'é' z.txt a0; ln -s z zl
            git init -q . && git -c core.autocrlf=false add -A
            """)
        let expected = try tree.shell("git write-tree").dropLast()
        #expect(try tree.take("tree:.").artifacts["tree:."]?[.gitTree]?.description == String(expected))
    }

    @Test func `what cannot be one digest is refused`() throws {
        let tree = try Tree()
        try tree.shell("mkdir d; touch $'d/a\\nb' f; ln -s /etc out")
        #expect(
            try tree.problems("dir:d") == [
                "'d/a\\nb': has a line feed in its name, which a directory digest cannot hold"
            ])
        #expect(
            try tree.problems("dir:f", "tree:none") == ["'dir:f': is not a directory", "'tree:none': does not exist"])
        #expect(try tree.problems("dir:out") == ["'dir:out': is a link that leaves the base path"])
        #expect(try tree.take("tree:none") { $0.allowsMissing = true }.names.isEmpty)
    }

    @Test func `links to directories are listed, not part of dirHash`() throws {
        let tree = try Tree()
        try tree.shell("mkdir -p d/e; touch d/e/f; ln -s e d/l")
        #expect(try tree.take("dir:d").leftOut == ["d/l: a link to a directory"])
    }

    @Test func `a file and a whole directory of one name are told apart`() throws {
        let tree = try Tree()
        try tree.shell(
            "mkdir -p d sub; touch dir:d sub/dir:d; git init -q d; git -C d -c user.name=x -c user.email=x@example.com commit -q --allow-empty -m x"
        )
        let problem = "'dir:./d': has the same name in evidence as"
        #expect(try tree.problems("dir:./d", "./dir:d") == ["\(problem) './dir:d'"])
        #expect(
            try tree.problems("dir:./d", "sub") { $0.stripPrefixes = [Array("sub".utf8)] } == [
                "\(problem) './sub/dir:d'"
            ])
        try tree.shell("touch d@HEAD")
        let commit = "'git:d@HEAD': has the same name in evidence as './d@HEAD'"
        #expect(try tree.problems("git:d@HEAD", "d@HEAD") == [commit])
        #expect(try tree.take("dir:./d", "dir:d/", "git:d@HEAD", "sub").names == ["d@HEAD", "dir:d", "sub/dir:d"])
    }

    @Test func `a whole directory that is named twice must not change between`() throws {
        let tree = try Tree()
        try tree.shell("mkdir d; echo 1 > d/f")
        func digest(_ reference: String) throws -> WholeDirectory.Digest {
            WholeDirectory(try ArtifactReference(parsing: reference.utf8), tree.options).digest { _ in }
        }
        var assembler = RecordAssembler(tree.options, [.sha256], begun: SystemCalls.fileClock())
        assembler.append(try digest("dir:d"))
        assembler.append(try digest("dir:./d"))
        var unchanged = assembler
        #expect(try unchanged.finish().names == ["dir:d"])
        try tree.shell("echo 2 > d/f")
        assembler.append(try digest("dir:d/"))
        #expect { try assembler.finish() } throws: { "\($0)" == "'dir:d/': changed while being read" }
    }

    @Test func `names below a whole directory may be any bytes, its own may not`() throws {
        let tree = try Tree()
        try tree.shell(
            """
            mkdir -p $'d/bad\\xfe'; echo 1 > $'d/bad\\xff'; echo 2 > $'d/bad\\xfe/f'; echo 3 > d/good; cp -r d $'own\\xff'
            git init -q d && git -C d add -A
            """)
        let expected = try tree.shell(
            "cd d; export LC_ALL=C; git ls-files -z | sort -z | xargs -0 sha256sum -z | tr '\\0' '\\n' | sha256sum")
        let written = try tree.shell("git -C d write-tree").dropLast()
        let result = try tree.take("dir:d", "tree:d")
        #expect(result.artifacts["dir:d"]?[.dirHash]?.description == String(expected.prefix(64)))
        #expect(result.artifacts["tree:d"]?[.gitTree]?.description == String(written))
        #expect(try tree.problems("d").count == 2)
        for scheme in ["dir:", "tree:"] {
            let own = try ArtifactReference(parsing: Array("\(scheme)own".utf8) + [0xFF])
            #expect { try Snapshot.take(of: [own], options: tree.options) } throws: { error in
                "\(error)" == "'\(scheme)own\\xFF': the name is not UTF-8, which evidence cannot hold"
            }
        }
    }
}
