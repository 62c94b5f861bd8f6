import Foundation
import TestSupport
import Testing

/// What a command makes under the names of evidence, which the default excludes hide.
@Suite(.temporaryDirectory) struct HiddenProductsTests {
    /// An envelope that nobody signed, which is evidence by its form.
    private static let sound = #"{"payload":"","payloadType":"","signatures":[]}"#

    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        return run
    }

    @Test func `a product under the name of evidence that is none is recorded, and new evidence is told`() throws {
        let run = try project()
        try run.write(
            """
            printf '{"signed":1}}}} #!/bin/sh evil\\n' | tee payload.deadbeef.link >payload.deadbeef.intoto.jsonl
            for i in 01 02 03 04 05 06 07 08 09 10 11 12; do echo '\(Self.sound)' >e$i.0123abcd.intoto.jsonl; done
            """, to: "make.sh")
        let made = try run("-n", "s", "-k", "key.pem", "--format", "link", "--", "sh", "make.sh")
        let names = (1...10).map { "'e\($0 < 10 ? "0" : "")\($0).0123abcd.intoto.jsonl'" }.joined(separator: ", ")
        let link = try run.list().filter { $0.hasPrefix("s.") }
        #expect(
            made.errorText == """
                intoto-run: warning: products: 12 new or changed files are not recorded, being evidence: \(names), …
                intoto-run: hint: --no-default-excludes records them
                intoto-run: wrote ./\(link.joined())

                """)
        let products = try Evidence.link(link.joined(), of: run).productNames
        #expect(
            products == ["key.pem", "key.pem.pub", "make.sh", "payload.deadbeef.intoto.jsonl", "payload.deadbeef.link"])
        // Whoever compares with the record sees the same files.
        #expect(try run("match-products", "-l", link.joined()).status == 0)
        // What was there before is nothing to tell of, whether the materials' pass came by or not.
        for arguments in [[], ["-m", "key.pem", "-p", "."], ["-p", "."]] {
            let next = try run.run(["-q", "-n", "t", "--overwrite", "-k", "key.pem"] + arguments + ["--", "true"])
            #expect(next.status == 0 && next.errorText == "", "\(arguments)")
        }
        let changed = try run(
            "-q", "-n", "t", "--overwrite", "-k", "key.pem", "--", "sh", "-c", "echo >>e01.0123abcd.intoto.jsonl")
        #expect(
            changed.errorText == """
                intoto-run: warning: products: 1 new or changed file is not recorded, being evidence: 'e01.0123abcd.intoto.jsonl'
                intoto-run: hint: --no-default-excludes records it

                """)
    }

    @Test func `the second half of a step tells of what came since the first, and not of its own record`() throws {
        let run = try project()
        try run.write(Self.sound, to: "old.0123abcd.intoto.jsonl")
        // The beginning is known to the second.
        Thread.sleep(forTimeInterval: 1.1)
        let silent = try run.shell(
            "\"$R\" record start -q -n s -k key.pem && \"$R\" record stop -q -n s -k key.pem --format link")
        #expect(silent.status == 0 && silent.errorText == "")
        Thread.sleep(forTimeInterval: 1.1)
        let told = try run.shell(
            """
            "$R" record start -q -n t -k key.pem; echo '\(Self.sound)' >new.0123abcd.intoto.jsonl
            echo '{"signed":1}}}} evil' >payload.deadbeef.link; "$R" record stop -q -n t -k key.pem --format link
            """)
        #expect(
            told.errorText == """
                intoto-run: warning: products: 1 new or changed file is not recorded, being evidence: 'new.0123abcd.intoto.jsonl'
                intoto-run: hint: --no-default-excludes records it

                """)
        let link = try run.list().filter { $0.hasPrefix("t.") }.joined()
        #expect(try Evidence.link(link, of: run).productNames == ["key.pem", "key.pem.pub", "payload.deadbeef.link"])
    }

    @Test func `a time beyond all times, as a file system may claim it, is no time at which a run came by`() throws {
        var run = try project()
        // Not where evidence goes: what nobody holds there is cleared away.
        try run.write("", to: "src/.intoto-run.0123456789abcdef.tmp")
        try run.write("", to: "out/other")
        try PreloadedLibrary.install(PreloadedLibrary.endOfTime, in: &run)
        let result = try run(
            "-q", "-n", "s", "-k", "key.pem", "-d", "out", "--format", "link", "-m", "src", "-p", "src", "--", "true")
        #expect(result.status == 0 && result.errorText == "")
        let link = try Evidence.link(try run.file(endingIn: ".link", in: "out"), of: run)
        #expect(link.productNames == ["src/.intoto-run.0123456789abcdef.tmp"])
        #expect(link.materialNames == link.productNames)
    }
}
