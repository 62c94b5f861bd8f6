import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Commits as artifacts.
extension GitTests {
    @Test func `a clone is a subject with its commit`() throws {
        let outside = IntotoRun()
        let result = try outside(
            "-k", "key.pem", "-n", "checkout", "-p", "git:foo", "--format", "attestation,link", "--", "git", "clone",
            "-q",
            "repository", "foo")
        #expect(result.status == 0, "\(result.errorText)")
        let link = try evidence
        #expect(link.productNames == ["foo"])
        #expect(link.products["foo"]?[.gitCommit]?.description == (try git.line("git rev-parse HEAD")))
        #expect(link.products["foo"]?[.gitTree]?.description == (try git.line("git rev-parse 'HEAD^{tree}'")))
        #expect(link.products["foo"]?.entries.count == 2)
        #expect(try Evidence.link(endingIn: ".jsonl", of: outside).products == link.products)
        // The same tree outside of a repository.
        let tree = try outside.shell(
            "rm -rf foo/.git; \"$R\" -k key.pem -n t --format link -p tree:foo -- true; cat t.*.link")
        #expect(tree.outputText.contains("\"gitTree\": \"\(try git.line("git rev-parse 'HEAD^{tree}'"))\""))
    }

    @Test func `of a clone that borrows its objects the commit alone is a subject, which is said`() throws {
        try git("git tag v1; git tag -am x v2; git clone -q --shared . ../shared")
        let outside = IntotoRun()
        let sign = ["-k", "key.pem", "-n", "s", "--format", "link", "--overwrite"]
        for revision in ["", "@main", "@HEAD"] {
            let result = try outside.run(sign + ["-p", "git:shared\(revision)", "--", "true"])
            #expect(result.status == 0)
            #expect(result.errorText.contains("'shared\(revision)': its commit alone is recorded"))
            let digests = try evidence.products[ArtifactName(Text("shared\(revision)"))]
            #expect(digests == DigestSet(.gitCommit, Text(try git.line("git rev-parse HEAD"))))
        }
        // What a tag names, only its object tells.
        for revision in ["@v1", "@v2"] {
            let refused = try outside.run(sign + ["-m", "git:shared\(revision)", "--", "touch", "ran"])
            #expect(refused.status == 125)
            #expect(refused.errorText.contains("does not hold the object"))
            #expect(try !outside.list().contains("ran"))
        }
    }

    @Test(arguments: [
        ("main", "main", false), ("side/branch", "side/branch", false), ("refs/heads/main", "main", false),
        ("refs/remotes/origin/x", "origin/x", false), ("origin/x", "origin/x", false), ("light", "light", false),
        ("v1", "v1", true), ("refs/tags/v1", "v1", true), ("HEAD", "HEAD", false), ("both", "refs/tags/both", false),
    ])
    func `a revision is a branch, a tag or a full name`(revision: String, same: String, isTag: Bool) throws {
        try git(
            """
            git branch side/branch; git tag light; git tag -am v v1; git update-ref refs/remotes/origin/x HEAD
            git branch both; git commit -q --allow-empty -m 2; git tag both; git pack-refs --all
            git update-ref refs/remotes/origin/x HEAD
            """)
        #expect(try execute("-m", "git:.@\(revision)").status == 0)
        let digests = try evidence.materials[ArtifactName(Text(".@\(revision)"))]
        #expect(digests?[.gitCommit]?.description == (try git.line("git rev-parse '\(same)^{commit}'")))
        #expect(digests?[.gitTree]?.description == (try git.line("git rev-parse '\(same)^{tree}'")))
        #expect(digests?[.gitTag]?.description == (isTag ? try git.line("git rev-parse '\(same)'") : nil))
    }

    @Test func `a full object id is a revision, of a commit or a tag`() throws {
        try git("git tag -am v v1")
        let commit = try git.line("git rev-parse HEAD")
        let tag = try git.line("git rev-parse v1")
        #expect(try execute("-m", "git:.@\(commit)", "git:.@\(tag)").status == 0)
        let materials = try evidence.materials
        #expect(materials.map { $0.digests[.gitCommit]?.description } == [commit, commit])
        #expect(Set(materials.map { $0.digests[.gitTag]?.description }) == [nil, tag])
    }

    @Test(arguments: [
        ("git:.@HEAD~1", "there is no branch, tag, reference or object 'HEAD~1'"),
        ("git:.@main^{tree}", "there is no branch"), ("git:.@", "there is no branch"),
        ("git:.@abcdef1", "there is no branch"),
        ("git:.@../../x", "there is no branch"), ("git:.@refs/heads/../../HEAD", "there is no branch"),
        ("git:.@0123456789012345678901234567890123456789", "does not hold the object"),
        ("git:d", "not in a git repository"), ("git:nowhere", "not in a git repository"),
        ("git:../x", "leaves the base path"), ("git:.@filetag", "has no commit under"),
    ])
    func `what names no commit is an error before anything runs`(reference: String, reason: String) throws {
        try git("git tag filetag HEAD:a; git commit -q --allow-empty -m 2")
        let refused = try execute("-m", reference, command: ["touch", "ran"])
        #expect(refused.status == 125)
        #expect(refused.errorText.contains(reason), "\(refused.errorText)")
        #expect(try !run.list().contains("ran"))
    }

    @Test func `an absent repository may be allowed, and a path may look like a reference`() throws {
        #expect(try execute("-m", "git:nowhere", "--allow-missing").status == 0)
        #expect(try evidence.materials.isEmpty)
        try git("echo x >git:a")
        #expect(try execute("-m", "./git:a").status == 0)
        #expect(try evidence.materialNames == ["git:a"])
    }

    @Test func `a dry run names it`() throws {
        let result = try run("--dry-run", "-n", "s", "-p", "git:foo@v1", "--", "true")
        #expect(result.outputText.contains("not there: product git:foo@v1\n"))
    }
}
