import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Evidence whose temporary file, or whose file system, is not what it was taken for.
@Suite(.temporaryDirectory) struct TouchedEvidenceTests {
    private let signed = ["-q", "-k", "../key.pem", "-n", "s", "--format", "link"]

    /// A work tree with a commit, in which the runs take place; the key is beside it.
    private func project() throws -> IntotoRun {
        var run = IntotoRun()
        try run.makeKey()
        let made = try run.shell(
            """
            mkdir w; cd w; git init -q; echo x >f; git add f
            git -c user.name=n -c user.email=e@example.com commit -q -m m
            """)
        guard made.status == 0 else { throw IntotoRun.SetupFailure(reason: made.errorText) }
        run.directory.append(path: "w")
        return run
    }

    private func isSigned(_ name: String, _ run: IntotoRun) throws -> Bool {
        try run("sign", "--check", name, "--verification-keys", "../key.pem.pub").status == 0
    }

    @Test(arguments: [
        ["git", "clean", "-fdxq"],
        ["find", ".", "-path", "./.git", "-prune", "-o", "-type", "f", "-exec", "sed", "-i", "s/zz/y/", "{}", "+"],
    ])
    func `a command that goes over every file leaves evidence whole`(command: [String]) throws {
        let run = try project()
        for round in 0..<2 {
            let result = try run.run(signed + ["-m", "f", "-p", ".", "--overwrite", "--"] + command)
            #expect(result.status == 0, "\(result.errorText)")
            // The evidence of the first is written anew by `sed`.
            let isTold = result.errorText.contains("1 new or changed file is not recorded, being evidence: 's.")
            #expect(isTold ? round == 1 && command[0] == "find" : result.errors.isEmpty, "\(result.errorText)")
            let name = try run.file(endingIn: ".link")
            #expect(try isSigned(name, run))
            #expect(try Evidence.link(name, of: run).productNames == ["f"])
            #expect(try run.list() == [".git", "f", name])
        }
    }

    @Test(arguments: ["ln .intoto-run.*.tmp dist/app", "cd dist; ln -s ../.intoto-run.*.tmp app"])
    func `a product that is our own file is an error, or listed`(script: String) throws {
        let run = try project()
        let command = ["--", "sh", "-c", "mkdir -p dist; rm -f dist/app; \(script)"]
        let named = try run.run(signed + ["-p", "dist/app"] + command)
        #expect(named.status == 125)
        let reason = "'dist/app': is another name for a file that intoto-run is writing"
        #expect(
            named.errorText.hasPrefix("intoto-run: error: no evidence was written: \(reason)"), "\(named.errorText)")
        #expect(try !run.list().contains { $0.hasPrefix("s.") })

        let met = try run.run(signed + ["-p", "dist"] + command)
        #expect(met.status == 0, "\(met.errorText)")
        let link = try Evidence.link(of: run)
        #expect(link.products.isEmpty)
        let expected = "another name for a file that intoto-run is writing"
        #expect(link.environment["not-recorded"] == [["path": "dist/app", "reason": .string(Text(expected))]])
    }

    /// As file systems without hard links and without exclusive renames have it.
    private let lacking = "-e inject=renameat2:error=EINVAL -e inject=linkat:error=EPERM"

    private func shell(_ run: IntotoRun, injecting fault: String, _ arguments: String) throws -> Subprocess {
        let tracer = "strace -f -b execve -o /dev/null -e trace=renameat,renameat2,linkat \(lacking) \(fault)"
        return try run.shell("timeout 60 \(tracer) \"$R\" \(signed.joined(separator: " ")) -m f \(arguments); exit $?")
    }

    @Test func `without hard links evidence takes a free name, and no other`() throws {
        let run = try project()
        let first = try shell(run, injecting: "", "-- sh -c 'exit 3'")
        #expect(first.status == 3, "\(first.errorText)")
        let name = try run.file(endingIn: ".link")
        #expect(try isSigned(name, run))
        let taken = try shell(run, injecting: "", "-- sh -c 'echo mine >$0; exit 3' $(ls s.*.link; rm s.*.link)")
        #expect(taken.status == 125)
        #expect(
            taken.errorText.contains("is there already")
                && taken.errorText.contains("it is kept, signed, in \(run.directory.path)/kept-"))
        #expect(try run.read(name) == Array("mine\n".utf8))
    }

    @Test(arguments: [("error=EIO", 125), ("signal=KILL", 137)] as [(String, Int32)])
    func `without hard links no empty evidence is left behind`(fault: String, status: Int32) throws {
        let run = try project()
        let failed = try shell(run, injecting: "-e inject=renameat:\(fault)", "-- sh -c 'exit 3'")
        #expect(failed.status == status, "\(failed.errorText)")
        #expect(try !run.list().contains { $0.hasSuffix(".link") })
        #expect(try run.shell("find . -path ./.git -prune -o -type f -size 0 -print").outputText == "")
        #expect(try run.run(signed + ["-m", "f", "--", "sh", "-c", "exit 3"]).status == 3)
        #expect(try isSigned(run.file(endingIn: ".link"), run))
    }
}
