import Foundation
import InTotoMetadata
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct BundleVerbTests {
    /// Two bundles, `a.*` and `b.*`, of one envelope each.
    private func project() throws -> (run: IntotoRun, a: String, b: String) {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("one\n", to: "dist/x")
        for name in ["a", "b"] { try run("-q", "-k", "key.pem", "-n", name, "-p", "dist", "--", "true") }
        let files = try run.list().filter { $0.hasSuffix(".jsonl") }
        return (run, files[0], files[1])
    }

    @Test func `what is put together comes apart again, to the byte`() throws {
        let (run, a, b) = try project()
        let created = try run("bundle", "create", "-o", "all.intoto.jsonl", a, b, a)
        #expect(created.status == 0 && created.errorText == "intoto-run: wrote all.intoto.jsonl: 2 envelopes\n")
        #expect(try run.read("all.intoto.jsonl") == run.read(a) + run.read(b))
        let listed = try run("bundle", "list", "all.intoto.jsonl").outputText
        let id = try run("key", "id", "key.pem").outputText.prefix(8)
        let claims = ["a", "b"].map {
            "https://in-toto.io/attestation/link/v0.3 of step '\($0)' about dist/x, signed by \(id)"
        }
        #expect(listed == "1: \(claims[0])\n2: \(claims[1])\n")
        let json = try run("bundle", "list", "--json", "all.intoto.jsonl").outputText
        #expect(json.matches(of: /"step": "([^"]*)"/).map { String($0.1) } == ["a", "b"])
        _ = try run.shell("mkdir parts")
        let split = try run("bundle", "split", "all.intoto.jsonl", "-d", "parts")
        #expect(split.status == 0 && split.outputText.hasPrefix("parts/all.1.json: \(claims[0])\n"))
        #expect(try run.list("parts") == ["all.1.json", "all.2.json"])
        #expect(try run.read("parts/all.1.json") == run.read(a) && run.read("parts/all.2.json") == run.read(b))
        #expect(try run("bundle", "split", "all.intoto.jsonl", "-d", "parts").status == 2)
        #expect(try run("bundle", "split", "all.intoto.jsonl", "-d", "parts", "--overwrite").status == 0)
    }

    @Test func `an addition leaves what is there, and comes once`() throws {
        let (run, a, b) = try project()
        let before = Array("not an envelope\r\n".utf8) + (try run.read(a)).dropLast()
        try run.write(String(decoding: before, as: UTF8.self), to: "all.jsonl")
        let added = try run("bundle", "add", "all.jsonl", b, a)
        #expect(added.status == 0 && added.errorText == "intoto-run: all.jsonl: 1 envelopes added, 1 were there\n")
        #expect(try run.read("all.jsonl") == before + [0x0A] + run.read(b))
        #expect(try run("bundle", "add", "all.jsonl", b).errorText.contains("0 envelopes added, 2 were there"))
        let json = try run("bundle", "list", "--json", "all.jsonl").outputText
        #expect(json.contains("\"ignoredLines\": 1") && json.contains("\"predicateType\": \"https://in-toto.io"))
    }

    @Test func `what was written is said as JSON, too`() throws {
        let (run, a, b) = try project()
        let created = try run("bundle", "create", "--json", "-o", "all.jsonl", a)
        #expect(created.errors == [] && created.outputText.contains("\"envelopes\": 1"))
        let added = try run("bundle", "add", "--json", "all.jsonl", a, b)
        #expect(
            added.errors == [] && added.outputText.contains("\"added\": 1") && added.outputText.contains("\"known\": 1")
        )
        let split = try run("bundle", "split", "--json", "all.jsonl")
        #expect(split.errors == [] && split.outputText.contains("all.2.json"))
        try run.write(#"{"x": 1}"#, to: "p.json")
        let attested = try run(
            "attest", "--json", "--type", "urn:x", "--predicate", "p.json", "--subject", "dist", "-k", "key.pem")
        #expect(attested.errors == [] && attested.outputText.contains("\"predicateType\": \"urn:x\""))
    }

    @Test func `only links have a step`() throws {
        let (run, _, _) = try project()
        try run.write(#"{"x": 1}"#, to: "p.json")
        // The second is none, whatever its type says.
        for type in ["urn:x", "https://in-toto.io/attestation/link/v0.3"] {
            try run(
                "attest", "--overwrite", "-q", "--type", type, "--predicate", "p.json", "--subject", "dist", "-k",
                "key.pem", "-n", "other")
            let file = try #require(try run.list().first { $0.hasPrefix("other.") })
            #expect(try run("bundle", "list", file).outputText.hasPrefix("1: \(type) about dist/x, signed by "))
            #expect(try !run("bundle", "list", "--json", file).outputText.contains("\"step\""))
        }
    }

    @Test func `members that we do not know, and lines that came over many, are kept on one`() throws {
        let (run, a, _) = try project()
        _ = try run.shell("sed 's/^{/{\"certificate\": \"x\",\\n /' \(a) >wide.json")
        #expect(try run("bundle", "create", "-o", "all.jsonl", "wide.json").status == 0)
        let text = String(decoding: try run.read("all.jsonl"), as: UTF8.self)
        #expect(text.hasPrefix("{\"certificate\":\"x\",") && text.split(separator: "\n").count == 1)
        #expect(try run("sign", "--check", "all.jsonl", "--verification-keys", "key.pem.pub").status == 0)
    }

    @Test func `nothing is added behind an envelope over many lines, which would be neither JSON nor a bundle`() throws
    {
        let (run, a, b) = try project()
        _ = try run.shell("(echo; sed 's/^{/{\\n /' \(a); echo) >wide.json; (echo; cat \(a); echo) >narrow.json")
        let before = try run.read("wide.json")
        let refused = try run("bundle", "add", "wide.json", b)
        #expect(refused.status == 2 && refused.outputText == "")
        #expect(
            refused.errorText == """
                intoto-run: error: wide.json: is one envelope over several lines, and a bundle has each on one
                intoto-run: hint: make a bundle of it: intoto-run bundle create -o NEW wide.json FILE…

                """)
        #expect(try run.read("wide.json") == before)
        #expect(try run("bundle", "create", "-o", "new.jsonl", "wide.json", b).status == 0)
        // What stands on one line may have others around it.
        #expect(try run("bundle", "add", "narrow.json", b).status == 0)
        for bundle in ["new.jsonl", "narrow.json"] {
            #expect(try run("bundle", "list", bundle).outputText.split(separator: "\n").count == 2)
            let check = try run("sign", "--check", bundle, "--verification-keys", "key.pem.pub")
            #expect(check.status == 0, "\(check.errorText)")
        }
    }

    @Test func `an envelope that holds more than another is another`() throws {
        let (run, a, _) = try project()
        _ = try run.shell("sed 's/^{/{\"certificate\": \"x\",/' \(a) >more.json")
        #expect(try run("bundle", "create", "-o", "all.jsonl", a, "more.json", a).status == 0)
        #expect(try run("bundle", "list", "all.jsonl").outputText.split(separator: "\n").count == 2)
    }

    @Test func `additions at one time are all there`() throws {
        let (run, a, _) = try project()
        _ = try run.shell("cp \(a) all.jsonl")
        for number in 0..<6 {
            try run("-q", "-k", "key.pem", "-n", "c\(number)", "-p", "dist", "--", "true")
        }
        _ = try run.shell("for f in c*.jsonl; do \"$R\" bundle add all.jsonl $f & done; wait")
        #expect(try run("bundle", "list", "all.jsonl").outputText.split(separator: "\n").count == 7)
    }

    @Test func `what belongs into no bundle is one error, and nothing is written`() throws {
        let (run, a, _) = try project()
        try run("-q", "-k", "key.pem", "-n", "c", "--format", "link", "-p", "dist", "--", "true")
        let classic = try run.file(endingIn: ".link")
        let before = try run.read(a)
        for (arguments, message) in [
            (["create", "-o", "x", classic], "\(classic): is classic metadata, which stands in no bundle"),
            (["create", "-o", "x", "key.pem"], "key.pem: holds no envelope"),
            (["create", "-o", a, a], "./\(a): is there already"), (["add", a, classic], "\(classic): is classic"),
            (["add", "absent", a], "absent: cannot open"), (["list", "key.pem"], "key.pem: holds no envelope"),
            (["split", a, "-d", "absent"], "absent: cannot open"),
        ] {
            let result = try run.run(["bundle"] + arguments)
            #expect(result.status == 2 && result.outputText == "")
            #expect(result.errorText.hasPrefix("intoto-run: error: \(message)"), "\(result.errorText)")
        }
        #expect(try run.read(a) == before && !run.list().contains("x"))
    }
}
