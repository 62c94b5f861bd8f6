import Foundation
import TestSupport
import Testing

/// Drafts as YAML that people go on writing, and what becomes of files that are there already.
@Suite(.temporaryDirectory) struct LayoutDraftTests {
    private static let drafting = ["layout", "init", "--verification-keys", "alice.pem.pub", "-o"]

    /// One step that makes files of these names.
    private func recorded(_ names: [String]) throws -> IntotoRun {
        let run = IntotoRun()
        for key in ["owner.pem", "alice.pem"] { try run.makeKey(key) }
        for name in names { try run.write("x", to: "product/\(name)") }
        let made = try run.shell(
            #"mkdir links && cd product && "$R" -q -n build -k ../alice.pem -d ../links --format link -p . -- true"#)
        guard made.status == 0 else { throw IntotoRun.SetupFailure(reason: made.errorText) }
        return run
    }

    private func draft(_ run: IntotoRun, _ output: String, _ options: String...) throws -> Subprocess {
        try run.run(Self.drafting + [output] + options + ["--"] + run.list("links").map { "links/\($0)" })
    }

    private func verify(_ run: IntotoRun) throws -> Subprocess {
        try IntotoRun(in: run.directory.appending(path: "product"))(
            "verify", "-l", "../root.layout", "--verification-keys", "../owner.pem.pub", "--link-dir", "../links")
    }

    @Test(arguments: ["draft.yaml", "draft.yml"]) func `a draft in YAML can be looked over, signed and verified`(
        name: String
    ) throws {
        let run = try recorded(["out", "*", "yes", "1"])
        let drafted = try draft(run, name)
        #expect(drafted.status == 0, "\(drafted.errorText)")
        #expect(drafted.errorText.contains("\nintoto-run: no inspection: `verify` looks at evidence only; "))
        let text = String(decoding: try run.read(name), as: UTF8.self)
        #expect(text.hasPrefix("# ") && text.contains("\n#   intoto-run layout sign "), "\(text)")
        #expect(text.contains("\n  - name: \"build\"\n    threshold: 1\n    pubkeys: [\""), "\(text)")
        #expect(
            text.contains(
                """

                    expected_products:
                      - ["CREATE", "[*]"]
                      - ["CREATE", "1"]
                      - ["CREATE", "out"]
                      - ["CREATE", "yes"]
                      - ["DISALLOW", "*"]

                """), "\(text)")
        let lint = try run("layout", "lint", name)
        #expect(lint.status == 0, "\(lint.outputText)\(lint.errorText)")
        #expect(try run("layout", "sign", name, "-k", "owner.pem", "-o", "root.layout").status == 0)
        #expect(try verify(run).status == 0)
        // The rules are those that were written there.
        try run.write(text.replacing(#"["CREATE", "yes"]"#, with: #"["CREATE", "no"]"#), to: name)
        #expect(try run("layout", "sign", name, "-k", "owner.pem", "-o", "root.layout", "--overwrite").status == 0)
        let refused = try verify(run)
        #expect(refused.status == 1 && refused.outputText.contains("the products of 'build'"), "\(refused.outputText)")
    }

    @Test(arguments: [
        "a\"b", "a#b", " # b", "c: d", "- x", "&anchor", "a &b", "x && y", "*alias", "!tag", "|", "%", "@", "~", "null",
        "0x1F", "it's", "back\\slash", " lead", "trail ", "tab\tb", "line\nfeed", "\r", "\u{1B}[31m", "a\u{7F}b", "é",
        "e\u{301}", "\u{85}x", "\u{2028}", "x\u{FEFF}", "\u{E000}", "\u{E0001}", "😀", "👨\u{200D}👩", "🏳\u{FE0F}",
    ])
    func `a draft in YAML is the draft in JSON, whatever files are called`(file: String) throws {
        let run = try recorded([file])
        #expect(try draft(run, "draft.yaml").status == 0)
        #expect(try draft(run, "draft.layout").status == 0)
        func shown(_ name: String) throws -> String {
            let json = try run("layout", "show", "--json", name)
            #expect(json.status == 0, "\(json.errorText)")
            // The second may be another one.
            return json.outputText.replacing(#/"expires": "[^"]*"/#, with: "")
        }
        let fromYAML = try shown("draft.yaml")
        #expect(Array(fromYAML.utf8) == Array(try shown("draft.layout").utf8))
        // A backslash is read differently by others.
        #expect(try run("layout", "lint", "draft.yaml").output == run("layout", "lint", "draft.layout").output)
    }

    /// Which the parser takes for a mark of its byte order, and leaves out.
    @Test func `a draft that YAML would change is not written as such`() throws {
        let run = try recorded(["\u{FEFF}x"])
        let refused = try draft(run, "draft.yaml")
        #expect(refused.status == 2 && refused.errorText.contains("draft.yaml: YAML as we read it cannot hold"))
        #expect(refused.errorText.contains("hint: have it written as JSON"))
        #expect(try !run.list().contains("draft.yaml"))
        #expect(try draft(run, "draft.layout").status == 0)
    }

    @Test func `what is there is replaced where that is asked for, and only then`() throws {
        let run = try recorded(["out"])
        let hint = "is there already\nintoto-run: hint: give --overwrite to replace it\n"
        for name in ["draft.yaml", "draft.layout"] {
            try run.write("mine", to: name)
            let refused = try draft(run, name)
            #expect(refused.status == 2 && refused.errorText.hasSuffix(hint), "\(refused.errorText)")
            #expect(try run.read(name) == Array("mine".utf8))
            #expect(try draft(run, name, "--overwrite").status == 0)
            try run.write("mine", to: "root.layout")
            let signing = ["layout", "sign", name, "-k", "owner.pem", "-o", "root.layout"]
            let kept = try run.run(signing)
            #expect(kept.status == 2 && kept.errorText.hasSuffix(hint), "\(kept.errorText)")
            #expect(try run.read("root.layout") == Array("mine".utf8))
            #expect(try run.run(signing + ["--overwrite"]).status == 0)
            #expect(try verify(run).status == 0)
        }
    }

    @Test func `a layout that has expired is not signed`() throws {
        let run = try recorded(["out"])
        #expect(try draft(run, "draft.yaml").status == 0)
        let text = String(decoding: try run.read("draft.yaml"), as: UTF8.self)
        let expired = text.replacing(#/expires: "[^"]*"/#, with: #"expires: "2020-01-01T00:00:00Z""#)
        try run.write(expired, to: "draft.yaml")
        let signing = ["layout", "sign", "draft.yaml", "-k", "owner.pem", "-o", "root.layout"]
        let refused = try run.run(signing)
        #expect(
            refused.status == 2
                && refused.errorText == "intoto-run: error: draft.yaml: it has expired, at 2020-01-01T00:00:00Z\n"
                    + "intoto-run: hint: give it a later 'expires'\n",
            "\(refused.errorText)")
        #expect(try !run.list().contains("root.layout"))
        // What else is wrong with it is a warning.
        try run.write(expired.replacing("2020-", with: "2099-"), to: "draft.yaml")
        let signed = try run.run(signing)
        #expect(signed.status == 0 && signed.errorText.contains("warning: it expires only at 2099-"))
    }
}
