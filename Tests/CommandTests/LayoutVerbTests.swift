import Foundation
import TestSupport
import Testing

/// Layouts drafted from what was recorded, looked over, signed and shown.
@Suite(.temporaryDirectory) struct LayoutVerbTests {
    /// Two steps by two functionaries; the second uses what the first made.
    private func recorded() throws -> IntotoRun {
        let run = IntotoRun()
        for key in ["owner.pem", "alice.pem", "bob.pem"] { try run.makeKey(key) }
        let made = try run.shell(
            """
            mkdir product links && cd product && echo 'int x;' >main.c && echo '[x]' >'odd[1].txt' &&
            "$R" -q -n write -k ../alice.pem -d ../links -p . -- true &&
            "$R" -q -n build -k ../bob.pem -d ../links --format link -m main.c 'odd\\[1].txt' -p main.o -- cp main.c main.o
            """)
        guard made.status == 0 else { throw IntotoRun.SetupFailure(reason: made.errorText) }
        return run
    }

    private func draft(_ run: IntotoRun) throws -> Subprocess {
        let files = try run.list("links").map { "links/\($0)" }
        return try run.run(
            ["layout", "init"] + files + ["--verification-keys", "alice.pem.pub", "bob.pem.pub", "-o", "draft"])
    }

    @Test(arguments: [[], ["--dsse"]]) func `what was recorded keeps the layout that is drafted from it`(form: [String])
        throws
    {
        let run = try recorded()
        let drafted = try draft(run)
        #expect(drafted.status == 0, "\(drafted.errorText)")
        let signed = try run.run(["layout", "sign", "draft", "-k", "owner.pem", "-o", "root.layout"] + form)
        #expect(signed.status == 0, "\(signed.errorText)")
        let product = IntotoRun(in: run.directory.appending(path: "product"))
        func verify() throws -> Subprocess {
            try product(
                "verify", "-l", "../root.layout", "--verification-keys", "../owner.pem.pub", "--link-dir", "../links")
        }
        let good = try verify()
        #expect(good.status == 0, "\(good.outputText)\(good.errorText)")

        let again = try product.shell(
            #"echo more >>main.c; "$R" -q -n build -k ../bob.pem -d ../links --overwrite --format link -m main.c -p main.o -- cp main.c main.o"#
        )
        #expect(again.status == 0, "\(again.errorText)")
        let bad = try verify()
        #expect(bad.status == 1)
        #expect(bad.outputText.contains("same path, other digest"))
    }

    @Test func `one run that two signed asks for one functionary, two runs for two`() throws {
        let chain = try VerifyTests.Chain.handmade(threshold: 1)
        let run = chain.run
        func draftAndVerify() throws -> (drafted: Subprocess, verified: Subprocess?) {
            _ = try run.shell("rm -f draft root.layout")
            let files = try run.list("links").map { "links/\($0)" }
            let keys = ["alice.pem.pub", "bob.pem.pub"]
            let drafted = try run.run(["layout", "init"] + files + ["--verification-keys"] + keys + ["-o", "draft"])
            guard drafted.status == 0 else { return (drafted, nil) }
            let signed = try run("layout", "sign", "draft", "-k", "owner.pem", "-o", "root.layout")
            #expect(signed.status == 0, "\(signed.errorText)")
            let verified = try run(
                "verify", "-l", "root.layout", "--verification-keys", "owner.pem.pub", "--link-dir", "links")
            return (drafted, verified)
        }
        let digest = ["sha256": String(repeating: "a", count: 64)]
        // Names that are no pattern as they are written, and what rules make of them.
        let products = ["./a/../b": digest, "c//d": digest, "[x]": digest, "e*": digest]
        try chain.add(by: "alice.pem", "bob.pem", products: products)
        let once = try draftAndVerify()
        #expect(once.verified?.status == 0, "\(once.drafted.errorText)\(once.verified?.outputText ?? "")")
        #expect(try run("layout", "show", "draft").outputText.contains("threshold 1 of "))

        try chain.add(by: "alice.pem", products: products)
        try chain.add(by: "bob.pem", products: products)
        let twice = try draftAndVerify()
        #expect(twice.verified?.status == 0, "\(twice.verified?.outputText ?? "")")
        #expect(try run("layout", "show", "draft").outputText.contains("threshold 2 of "))

        try chain.add(by: "bob.pem", products: ["other": digest])
        let apart = try draftAndVerify().drafted
        #expect(
            apart.status == 2 && apart.errorText.contains("the links of step 'build' disagree"), "\(apart.errorText)")
        try chain.add(by: "bob.pem", products: ["f": digest, "./f": digest])
        #expect(try draftAndVerify().drafted.status == 2)
    }

    /// A stand-in for `gpg` that knows one key; whatever it would sign, an envelope cannot hold it.
    @Test func `a draft has nothing wrong with it, and shows how artifacts flow`() throws {
        let run = try recorded()
        #expect(try draft(run).status == 0)
        let lint = try run("layout", "lint", "draft")
        #expect(lint.status == 0, "\(lint.outputText)")
        let shown = try run("layout", "show", "draft")
        #expect(shown.outputText.contains("step 'build': threshold 1 of "))
        #expect(shown.outputText.contains("MATCH * WITH PRODUCTS FROM write"))
        #expect(try run("layout", "show", "--graph", "dot", "draft").outputText.contains(#""write" -> "build""#))
        #expect(try run("layout", "show", "--graph", "mermaid", "draft").outputText.contains(##"n0 -- "#42;" --> n1"##))
        // A draft is not written over something else.
        #expect(try draft(run).status == 2)
    }

    private struct Finding: Decodable {
        let code: String
        let message: String
    }

    private func findings(_ result: Subprocess) throws -> [Finding] {
        try JSONDecoder().decode([Finding].self, from: Data(result.outputText.utf8))
    }

    @Test func `what is wrong with a layout is found`() throws {
        let run = IntotoRun()
        try run.write(
            """
            {"signatures": [], "signed": {"_type": "layout", "expires": "2020-01-01T00:00:00Z", "readme": "", "keys": {},
            "inspect": [], "steps": [{"_type": "step", "name": "s", "threshold": 1, "pubkeys": ["aa"],
            "expected_command": [], "expected_materials": [["CREATE", "x"], ["MATCH", "*", "WITH", "PRODUCTS", "FROM", "t"]],
            "expected_products": [["ALLOW", "*"], ["DISALLOW", "[a"], ["REQUIRE", "a"]]}]}}
            """, to: "layout")
        let result = try run("layout", "lint", "layout")
        #expect(result.status == 1)
        for finding in [
            "it has expired", "lists the key 'aa', which the layout does not have", "can never be met",
            "materials of 's': no DISALLOW * at the end", "rule 1, CREATE x: it can never consume anything here",
            "there is no step 't'", "rules behind number 1, ALLOW *, have nothing left to decide",
            "'[' without ']'",
        ] {
            #expect(result.outputText.contains(finding), "\(finding) is not in:\n\(result.outputText)")
        }
        let found = try findings(run("layout", "lint", "--json", "layout"))
        #expect(
            found.map { "\($0.code): \($0.message.prefix(24))" } == [
                "layout-expired: it has expired, at 2020-", "unknown-key: step 's' lists the key '",
                "threshold-impossible: step 's' can never be me", "open-rules: materials of 's': no DIS",
                "dead-rule: materials of 's', rule 1", "unknown-source: materials of 's', rule 2",
                "dead-rule: products of 's': rules b",
                "impossible-rule: products of 's', rule 3,", "allows-everything: products of 's', rule 1,",
                "read-differently: products of 's', rule 2,",
            ])
        #expect(result.outputText == found.map { $0.message + "\n" }.joined())
        try run.write(#"{"signatures": [], "signed": {"_type": "layout"}}"#, to: "broken")
        #expect(try run("layout", "lint", "broken").status == 1)
        #expect(try findings(run("layout", "lint", "--json", "broken")).map(\.code) == ["not-taken"])
        #expect(try run("layout", "lint", "none").status == 2)
    }

    @Test func `keys, times and steps have codes of their own`() throws {
        let run = IntotoRun()
        for (expires, code) in [("2099-01-01T00:00:00Z", "far-expiry"), (Self.soon, "early-expiry")] {
            try run.write(
                """
                {"signatures": [], "signed": {"_type": "layout", "expires": "\(expires)", "readme": "", "keys": {"aa":
                {"keyid": "aa", "keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "\(Self.lowOrder)"}}},
                "inspect": [], "steps": []}}
                """, to: "layout")
            let found = try findings(run.run(["layout", "lint", "--json", "layout"]))
            #expect(found.map(\.code) == [code, "unusable-key", "unused-key", "layout-empty"], "\(found)")
        }
    }

    private static let lowOrder = String(repeating: "0", count: 64)
    /// In three days.
    private static let soon = Date(timeIntervalSinceNow: 3 * 86_400).ISO8601Format()

    @Test func `a MATCH from what is run only later is found`() throws {
        let run = IntotoRun()
        func inspection(_ name: String, from source: String) -> String {
            #"{"_type": "inspection", "name": "\#(name)", "run": ["true"], "expected_materials": [["DISALLOW", "*"]], "#
                + #""expected_products": [["MATCH", "*", "WITH", "PRODUCTS", "FROM", "\#(source)"], ["DISALLOW", "*"]]}"#
        }
        func findings(step: String, first: String, second: String) throws -> [String] {
            try run.write(
                """
                {"signatures": [], "signed": {"_type": "layout", "expires": "2099-01-01T00:00:00Z", "readme": "",
                "keys": {}, "steps": [{"_type": "step", "name": "s", "threshold": 1, "pubkeys": [],
                "expected_command": [], "expected_materials": [["DISALLOW", "*"]],
                "expected_products": [["MATCH", "*", "WITH", "PRODUCTS", "FROM", "\(step)"], ["DISALLOW", "*"]]}],
                "inspect": [\(inspection("i", from: first)), \(inspection("j", from: second))]}}
                """, to: "layout")
            return try run("layout", "lint", "layout").outputText.split(separator: "\n").map(String.init)
                .filter { $0.contains("MATCH") }
        }
        #expect(try findings(step: "s", first: "s", second: "i") == [])
        #expect(try findings(step: "s", first: "i", second: "j") == [])
        let early = try findings(step: "i", first: "j", second: "k")
        #expect(
            early == [
                "products of 's', rule 1, MATCH * WITH PRODUCTS FROM i: the inspection 'i' is run only later",
                "products of 'i', rule 1, MATCH * WITH PRODUCTS FROM j: the inspection 'j' is run only later",
                "products of 'j', rule 1, MATCH * WITH PRODUCTS FROM k: there is no step 'k'",
            ])
    }

    @Test func `rules that an earlier ALLOW leaves nothing are found, and one that allows everything`() throws {
        let run = IntotoRun()
        func findings(_ materials: String, end: String = #"["DISALLOW", "*"]"#) throws -> [String] {
            try run.write(
                """
                {"signatures": [], "signed": {"_type": "layout", "expires": "2020-01-01T00:00:00Z", "readme": "",
                "keys": {}, "inspect": [], "steps": [{"_type": "step", "name": "s", "threshold": 1, "pubkeys": ["aa"],
                "expected_command": [], "expected_materials": [\(materials), \(end)],
                "expected_products": [["DISALLOW", "*"]]}]}}
                """, to: "layout")
            let result = try run("layout", "lint", "layout")
            #expect(result.status == 1, "\(result.errorText)")
            return result.outputText.split(separator: "\n").map(String.init).filter { $0.contains("materials of 's'") }
        }
        let allow = #"["ALLOW", "foo*"]"#
        for covered in [
            #"["ALLOW", "foo"]"#, #"["ALLOW", "foo/[ab]"]"#, #"["ALLOW", "foo*"]"#, #"["DISALLOW", "foo.o"]"#,
            #"["DELETE", "foo*.c"]"#, #"["MATCH", "foo", "WITH", "PRODUCTS", "FROM", "s"]"#,
            #"["MATCH", "*", "IN", "foo/x", "WITH", "PRODUCTS", "FROM", "s"]"#,
        ] {
            let found = try findings("\(allow), \(covered)")
            #expect(
                found.count == 1 && found[0].contains("nothing is left for it, for rule 1, ALLOW foo*, covers it"),
                "\(found)")
        }
        let required = try findings(#"\#(allow), ["REQUIRE", "foo.c"]"#)
        #expect(required.count == 1 && required[0].contains("it can never be met, for rule 1"), "\(required)")
        for kept in [
            #"["ALLOW", "fo"]"#, #"["ALLOW", "*foo"]"#, #"["DISALLOW", "fo*"]"#, #"["REQUIRE", "fo"]"#,
            #"["MATCH", "foo*", "IN", "src", "WITH", "PRODUCTS", "FROM", "s"]"#, #"["ALLOW", "[f]oo*"]"#,
        ] {
            #expect(try findings("\(allow), \(kept)") == [], "\(kept)")
        }
        // Of patterns with more than a beginning, what they plainly match, and no guess.
        #expect(try findings(#"["ALLOW", "*.c"], ["DISALLOW", "x.c"]"#).count == 1)
        #expect(try findings(#"["ALLOW", "*.c"], ["DISALLOW", "x*.c"]"#) == [])
        #expect(try findings(#"["MATCH", "foo*", "WITH", "PRODUCTS", "FROM", "s"], ["ALLOW", "foo"]"#) == [])
        // Before other rules it is only the first of two things that are wrong.
        let everything = #"["ALLOW", "*"]"#
        let open = try findings(allow, end: everything)
        #expect(
            open.count == 1 && open[0].contains("rule 2, ALLOW *: whatever no rule before it consumes is allowed"),
            "\(open)")
        #expect(try findings(everything).count == 2)
    }

    @Test func `rules that an earlier one of their kind leaves nothing are found`() throws {
        let run = IntotoRun()
        func findings(_ rules: String) throws -> [String] {
            try run.write(
                """
                {"signatures": [], "signed": {"_type": "layout", "expires": "2099-01-01T00:00:00Z", "readme": "",
                "keys": {}, "inspect": [], "steps": [{"_type": "step", "name": "s", "threshold": 1, "pubkeys": ["aa"],
                "expected_command": [], "expected_materials": [["DISALLOW", "*"]],
                "expected_products": [\(rules), ["DISALLOW", "*"]]}]}}
                """, to: "layout")
            return try run("layout", "lint", "layout").outputText.split(separator: "\n").map(String.init)
                .filter { $0.contains("products of 's', rule 2") }
        }
        func match(_ pattern: String, _ from: String = "s", _ source: String = "", _ destination: String = "") -> String
        {
            #"["MATCH", "\#(pattern)", \#(source)"WITH", "PRODUCTS", \#(destination)"FROM", "\#(from)"]"#
        }
        let (into, twice) = (#""IN", "a", "#, match("foo/*"))
        for rules in [
            #"["CREATE", "foo/*"], ["CREATE", "foo/bar"]"#, #"["MODIFY", "foo/*"], ["MODIFY", "foo/*"]"#,
            #"["DISALLOW", "foo/*"], ["ALLOW", "foo/bar"]"#, #"["DISALLOW", "foo/*"], ["CREATE", "foo/*"]"#,
            "\(twice), \(twice)", "\(twice), \(match("foo/bar"))", "\(match("*", "s", into)), \(match("x", "s", into))",
        ] {
            let found = try findings(rules)
            #expect(found.count == 1 && found[0].contains("nothing is left for it, for rule 1, "), "\(rules): \(found)")
        }
        for rules in [
            #"["CREATE", "foo/bar"], ["CREATE", "foo/*"]"#, #"["CREATE", "foo/*"], ["MODIFY", "foo/bar"]"#,
            #"["CREATE", "foo/*"], ["ALLOW", "foo/bar"]"#, #"["CREATE", "foo/*"], ["REQUIRE", "foo/bar"]"#,
            "\(twice), [\"ALLOW\", \"foo/*\"]", "\(match("foo/bar")), \(twice)", "\(twice), \(match("foo/*", "t"))",
            "\(twice), \(match("foo/*", "s", into))", "\(twice), \(match("foo/*", "s", "", into))",
        ] {
            let found = try findings(rules).filter { $0.contains("rule 1") }
            #expect(found == [], "\(rules)")
        }
    }

    @Test func `what certificates have to say, and roots that are not there, are shown and found`() throws {
        let run = IntotoRun()
        let path = Vectors.url("x509/accepted-exact/root.layout").path
        let shown = try run("layout", "show", path).outputText
        #expect(shown.contains(", 1 root\n") && shown.contains("': threshold 1 of certificates\n"), "\(shown)")
        #expect(shown.contains("\n  certificates: common name 'bob', "), "\(shown)")
        #expect(try !run("layout", "lint", path).outputText.contains("certificates"))
        func layout(roots: String) throws {
            try run.write(
                """
                {"signatures": [], "signed": {"_type": "layout", "expires": "2099-01-01T00:00:00Z", "readme": "",
                "keys": {}, "inspect": [], "steps": [{"_type": "step", "name": "s", "threshold": 1, "pubkeys": [],
                "cert_constraints": [{"common_name": "*", "dns_names": ["*"], "emails": ["*"], "organizations": ["*"],
                "roots": [\(roots)], "uris": ["*"]}],
                "expected_command": ["make", "a b"], "expected_materials": [["DISALLOW", "*"]],
                "expected_products": [["DISALLOW", "*"]]}]}}
                """, to: "layout")
        }
        for (roots, finding, words) in [
            (#""nope""#, "takes certificates of the root 'nope', which the layout does not have", "roots 'nope'"),
            (#""*""#, "takes certificates, and the layout has no roots: none counts", "of anybody under any root"),
            ("", "takes certificates of no root: none counts", "roots none"),
        ] {
            try layout(roots: roots)
            #expect(try findings(run("layout", "lint", "--json", "layout")).map(\.code).contains("unknown-root"))
            let found = try run("layout", "lint", "layout")
            #expect(found.status == 1 && found.outputText.contains("step 's' \(finding)\n"), "\(found.outputText)")
            #expect(found.outputText.contains("step 's' can never be met: "), "\(found.outputText)")
            let shown = try run("layout", "show", "layout").outputText
            #expect(shown.contains("  certificates: \(words)\n  command: make 'a b'\n"), "\(shown)")
        }
        #expect(
            try run("layout", "show", "--graph", "dot", "layout").outputText.contains("(1 of 0 or certificates)"))
    }

    @Test func `what was written, and the layout itself, are said as JSON, too`() throws {
        let run = try recorded()
        let files = try run.list("links").map { "links/\($0)" }
        let keys = ["--verification-keys", "alice.pem.pub", "bob.pem.pub"]
        let drafted = try run.run(["layout", "init", "--json", "-o", "draft"] + keys + ["--"] + files)
        #expect(drafted.errors == [])
        #expect(drafted.outputText == "{\n  \"steps\": 2,\n  \"written\": [\n    \"draft\"\n  ]\n}\n")
        let signed = try run("layout", "sign", "draft", "-k", "owner.pem", "-o", "root.layout", "--json")
        #expect(signed.errors == [] && signed.outputText == "{\n  \"written\": [\n    \"root.layout\"\n  ]\n}\n")
        func json(_ bytes: [UInt8]) throws -> NSDictionary {
            try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? NSDictionary)
        }
        let shown = try run("layout", "show", "--json", "root.layout")
        #expect(try json(shown.output) == json(run.read("root.layout"))["signed"] as? NSDictionary)
        #expect(try run("layout", "show", "--json", "--graph", "dot", "root.layout").status == 2)
        #expect(try run("layout", "show", "--json", "alice.pem.pub").status == 2)
    }
}
