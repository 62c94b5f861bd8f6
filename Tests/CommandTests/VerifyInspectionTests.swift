import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// What a layout's inspections may do, and what becomes of what they do.
@Suite(.temporaryDirectory) struct VerifyInspectionTests {
    typealias Chain = VerifyTests.Chain

    @Test func `inspections run where the product is, listed first, and leave nothing behind`() throws {
        let rules = [["MATCH", "out", "WITH", "PRODUCTS", "FROM", "build"], ["ALLOW", "in"], ["DISALLOW", "*"]]
        let chain = try Chain(inspections: [Chain.inspection("compare", ["cmp", "in", "out"], rules)])
        let result = try chain.verify()
        #expect(result.status == 0, "\(result.outputText)\(result.errorText)")
        #expect(result.errorText.contains("compare: cmp in out"))
        #expect(try chain.run.list("product") == ["in", "out"])

        try chain.run.write("tampered", to: "product/out")
        let tampered = try chain.verify()
        #expect(tampered.status == 1)
        #expect(tampered.outputText.contains("inspection 'compare' ended with status 1"))
    }

    @Test func `without inspections the verdict is incomplete, never a pass`() throws {
        let chain = try Chain(inspections: [Chain.inspection("touch", ["touch", "ran"])])
        let result = try chain.verify("--no-inspections")
        #expect(result.status == 2)
        #expect(result.outputText.hasPrefix("incomplete: "))
        #expect(try chain.run.list("product") == ["in", "out"])
        #expect(try chain.verify("--save-inspections", "..").status == 0)
        #expect(try chain.run.list().contains("touch.link"))
    }

    /// Rules that forbid everything but the products, against what no rule sees.
    @Test(arguments: [
        "ln -s ../owner.pem more", "ln -s nowhere more", "ln -s . more", "mkfifo more", "rm out; ln -s ../in out",
    ])
    func `what an inspection cannot record fails it`(script: String) throws {
        let rules = [["MATCH", "*", "WITH", "PRODUCTS", "FROM", "build"], ["ALLOW", "in"], ["DISALLOW", "*"]]
        var chain = try Chain(inspections: [Chain.inspection("look", ["true"], rules)])
        #expect(try chain.verify().status == 0)
        #expect(try chain.run.shell("cp product/out in && cd product && \(script)").status == 0)
        let met = try chain.verify("--json")
        #expect(met.status == 1, "\(met.outputText)\(met.errorText)")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(met.output)) as? [String: Any])
        let problem = try #require((object["problems"] as? [[String: Any]])?.first)
        let name = script.hasSuffix("out") ? "out" : "more"
        #expect(problem["code"] as? String == "not-recorded")
        #expect((problem["message"] as? String)?.contains("\n  '\(name)': a ") == true, "\(problem)")
        let inspection = try #require((object["inspections"] as? [[String: Any]])?.first)
        #expect((inspection["notRecorded"] as? [[String: Any]])?.first?["path"] as? String == name)

        // The same where the inspection itself brings it there.
        #expect(try chain.run.shell("cd product && rm -f more && rm -rf out && cp in out").status == 0)
        chain.layout["inspect"] = [Chain.inspection("look", ["sh", "-c", script], rules)]
        let brought = try chain.verify()
        #expect(brought.status == 1 && brought.outputText.contains("met what is no artifact"), "\(brought.outputText)")
    }

    @Test func `what the default excludes hide from inspections is told`() throws {
        let chain = try Chain(inspections: [Chain.inspection("look", ["true"])])
        #expect(!(try chain.verify("--explain").outputText.contains("not looked at")))
        #expect(try chain.run.shell("mkdir product/.git && echo x >product/.git/x").status == 0)
        let result = try chain.verify("--explain")
        #expect(result.status == 0)
        #expect(result.outputText.contains("not looked at: 1 path, as .git/"), "\(result.outputText)")
        let warning = "warning: the rules of inspection 'look' do not see 1 path, hidden as .git/\n"
        #expect(result.errorText.contains(warning), "\(result.errorText)")
        #expect(try chain.verify("--json").outputText.contains(#""pattern": ".git/""#))
    }

    @Test func `a MATCH from an inspection that has not run yet is told from one from nowhere`() throws {
        var chain = try Chain()
        for (source, isThere) in [("look", true), ("none", false)] {
            let rules = [["MATCH", "*", "WITH", "PRODUCTS", "FROM", source], ["DISALLOW", "*"]]
            try chain.change("expected_products", to: rules)
            chain.layout["inspect"] = [Chain.inspection("look", ["true"])]
            let step = try chain.verify("--explain").outputText
            try chain.change("expected_products", to: [["CREATE", "out"], ["DISALLOW", "*"]])
            chain.layout["inspect"] = [
                Chain.inspection("first", ["true"], rules), Chain.inspection("look", ["true"]),
            ]
            let inspection = try chain.verify("--explain").outputText
            for text in [step, inspection] {
                #expect(text.contains("'look' is an inspection that has not run yet\n") == isThere, "\(text)")
                #expect(text.contains("there is no step or inspection 'none'\n") != isThere, "\(text)")
                #expect(text.contains("it is from an inspection that has not run yet\n") == isThere, "\(text)")
                #expect(text.contains("consumes nothing: no such step\n") != isThere, "\(text)")
                #expect(text.contains("what to do: have the layout changed: steps are matched") == isThere, "\(text)")
            }
        }
    }

    @Test func `nothing is run where a rule is not kept`() throws {
        var chain = try Chain(inspections: [Chain.inspection("touch", ["touch", "ran"])])
        try chain.change("expected_products", to: [["DISALLOW", "*"]])
        #expect(try chain.verify().status == 1)
        #expect(try chain.run.list("product") == ["in", "out"])
    }

    @Test func `an inspection has no input, no terminal, no descriptors and no variables of ours`() throws {
        let script = """
            [ -z "$(cat)" ] && [ -z "$SECRET" ] && [ "$LANG" = C.UTF-8 ] && [ "$(ls /proc/self/fd | wc -l)" -le 4 ] &&
            ! (: </dev/tty) 2>/dev/null && printf '\\033]0;title\\007'
            """
        let chain = try Chain(inspections: [Chain.inspection("look", ["sh", "-c", script])])
        let result = try chain.verify(environment: ["PATH": "/usr/bin:/bin:.", "SECRET": "x", "HOME": "/"])
        #expect(result.status == 0, "\(result.outputText)\(result.errorText)")
        // The command is listed, escaped; what it prints is not shown.
        #expect(!result.errors.contains(0x1B) && !result.output.contains(0x1B))
        #expect(!result.output.contains(0x07))
    }

    /// Shells, and the verb `run`, would give such a program to a shell.
    @Test(arguments: ["../tool", "tool"])
    func `a program without an interpreter line is none`(name: String) throws {
        let chain = try Chain(inspections: [Chain.inspection("look", [name])])
        let environment = ["PATH": "\(chain.run.directory.path):/usr/bin:/bin"]
        for (text, status) in [(": >ran\n", Int32(1)), ("", 1), ("#!/bin/sh\n: >ran\n", 0)] {
            try chain.run.write(text, to: "tool")
            _ = try chain.run.shell("chmod +x tool")
            let result = try chain.verify(environment: environment)
            #expect(result.status == status, "\(text): \(result.outputText)")
            let isRefused = result.outputText.contains("tool: cannot be executed: Exec format error\n")
            #expect(isRefused == (status == 1), "\(result.outputText)")
            #expect(try chain.run.list("product").contains("ran") == (status == 0))
        }
    }

    @Test func `an inspection that takes too long, or leaves processes behind, is ended`() throws {
        let slow = try Chain(inspections: [Chain.inspection("slow", ["sleep", "600"])])
        let start = Date()
        let result = try slow.verify("--inspection-timeout", "1")
        #expect(result.status == 1)
        #expect(result.outputText.contains("inspection 'slow' took longer than 1 second, and"))
        #expect(result.outputText.contains("what to do: give it more time with --inspection-timeout"))
        #expect(result.outputText.contains("\n  inspection 'slow': failed\n"), "\(result.outputText)")
        #expect(Date().timeIntervalSince(start) < 120)
    }

    @Test func `an inspection that was run and left what cannot be recorded is not called unrun`() throws {
        let script = #"touch ran; touch "$(printf 'bad\377')""#
        let chain = try Chain(inspections: [Chain.inspection("look", ["sh", "-c", script])])
        let result = try chain.verify("--explain")
        #expect(result.status == 1)
        #expect(result.outputText.contains("inspection 'look' was run, and what it left cannot be recorded: "))
        #expect(result.outputText.contains("what to do: look at what it has left here"), "\(result.outputText)")
        #expect(!result.outputText.contains("not run"), "\(result.outputText)")
        #expect(try chain.run.list("product").contains("ran"))
        // What was there before keeps it from running.
        let again = try chain.verify("--explain")
        #expect(again.status == 1 && again.outputText.contains("inspection 'look' could not be run: "))
        #expect(again.outputText.contains("    not run\n"), "\(again.outputText)")
    }

    @Test func `a layout that is believed and has expired is explained as what it is`() throws {
        var chain = try Chain()
        chain.layout["expires"] = "2025-01-01T00:00:00Z"
        let owner = try chain.key("owner.pem").keyID(.python)
        let result = try chain.verify("--explain")
        #expect(result.status == 1)
        #expect(result.outputText.contains("\n  signed by: \(owner)\n  expires: 2025-01-01T00:00:00Z (checked at "))
        #expect(!result.outputText.contains("not believed"), "\(result.outputText)")
        let json = try chain.verify("--json").outputText
        #expect(json.contains(#""expires": "2025-01-01T00:00:00Z""#) && json.contains("\(owner)"))
        let stranger = try chain.run(
            "verify", "-l", "root.layout", "--verification-keys", "alice.pem.pub", "--link-dir", "links", "--explain")
        #expect(stranger.outputText.contains("\n  not believed\n"), "\(stranger.outputText)")
    }

    @Test func `a process that an inspection leaves behind is ended`() throws {
        let marker = "9\(UInt32.random(in: 10_000...99_999))"
        let script = "setsid sleep \(marker) >/dev/null 2>&1 & echo"
        let chain = try Chain(inspections: [Chain.inspection("leave", ["sh", "-c", script])])
        #expect(try chain.verify().status == 0)
        let found = try Subprocess.run("/bin/sh", ["-c", "ps -eo args | grep -c '^sleep \(marker)'"])
        #expect(found.outputText == "0\n")
    }

    @Test func `a sublayout's inspections are run only where that is allowed`() throws {
        var chain = try Chain()
        let alice = try PublicKey(file: chain.run.read("alice.pem.pub")).keyID(.python)
        let made = try chain.run.shell(
            """
            mkdir -p links/build.\(alice.prefix8) && rm links/*.jsonl && cd product && rm out &&
            "$R" -q -n build -k ../alice.pem --format link -d ../links/build.\(alice.prefix8) -m in -p out -- cp in out
            """)
        #expect(made.status == 0, "\(made.errorText)")
        chain.layout["inspect"] = [Chain.inspection("inner", ["touch", "inner-ran"])]
        let sublayout: [String: Any] = ["signed": chain.layout, "signatures": []]
        try JSONSerialization.data(withJSONObject: sublayout).write(
            to: chain.run.directory.appending(path: "unsigned"))
        let signed = try chain.run(
            "sign", "unsigned", "-k", "alice.pem", "-o", "links/build.\(alice.prefix8).link")
        #expect(signed.status == 0, "\(signed.errorText)")
        chain.layout["inspect"] = [Any]()

        let refused = try chain.verify()
        #expect(refused.status == 1)
        #expect(refused.outputText.contains("the sublayout of step 'build' wants to run commands here"))
        #expect(refused.outputText.contains("inner: touch inner-ran"))
        #expect(try chain.verify("--no-inspections").status == 2)
        #expect(try chain.run.list("product") == ["in", "out"])
        chain.layout["inspect"] = [Chain.inspection("inner", ["true"])]
        let skipped = try chain.verify("--no-inspections").outputText
        let undecided = "inspection 'inner' of the sublayout of 'build', inspection 'inner'"
        #expect(
            skipped.contains("nobody can tell: \(undecided)\nwhat to do: verify without --no-inspections"), "\(skipped)"
        )
        let allowed = try chain.verify("--allow-sublayout-inspections", "--save-inspections", "..")
        #expect(try chain.run.list().filter { $0.hasSuffix("inner.link") } == ["build.inner.link", "inner.link"])
        #expect(allowed.status == 0, "\(allowed.outputText)\(allowed.errorText)")
        #expect(try chain.run.list("product") == ["in", "inner-ran", "out"])
        // Both are called the same, and told apart wherever they are named.
        let listed = "  inner of the sublayout of 'build': touch inner-ran\n  inner: true\n"
        #expect(allowed.errorText.contains(listed), "\(allowed.errorText)")
        let passed = "  inspection 'inner' of the sublayout of 'build': passed\n  inspection 'inner': passed\n"
        #expect(allowed.outputText.contains(passed), "\(allowed.outputText)")

        #expect(try chain.run.shell("cd product && rm inner-ran && ln -s none/x inner-ran").status == 0)
        let failed = try chain.verify("--allow-sublayout-inspections", "--junit", "../report.xml")
        let problem = "in the sublayout of step 'build': inspection 'inner' ended with status 1"
        #expect(failed.status == 1 && failed.outputText.contains(problem), "\(failed.outputText)")
        let xml = String(decoding: try chain.run.read("report.xml"), as: UTF8.self)
        let named =
            #"name="inspection inner of the sublayout of 'build'">\#n    <failure type="inspection" message="\#(problem)""#
        #expect(xml.contains(named), "\(xml)")
        #expect(xml.contains("name=\"inspection inner\">\n    <skipped message=\"not run\"/>"), "\(xml)")
    }
}
