import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// The verb `verify` on chains that our own runner has recorded, against layouts that are written and signed here.
@Suite(.temporaryDirectory) struct VerifyTests {
    // MARK: Verdicts

    @Test func `an attestation in a bundle meets the layout`() throws {
        let chain = try Chain()
        let result = try chain.verify()
        #expect(result.status == 0, "\(result.outputText)\(result.errorText)")
        #expect(result.outputText.contains("step 'build': by "))
        #expect(result.errorText.hasPrefix("intoto-run: warning: the layout expires only at 2099-01-01T00:00:00Z"))
        let later = try chain.verify("--now", "2098-01-01T00:00:00Z")
        #expect(later.errorText == "")
        let headline = ", judged at 2098-01-01T00:00:00Z\n"
        #expect(later.outputText.contains(headline), "\(later.outputText)")
        #expect(!result.outputText.contains("judged at"))
        for (options, isGiven) in [([], false), (["--now", "2098-01-01T00:00:00Z"], true)] {
            let json = try chain.verify(options + ["--json"]).outputText
            #expect(json.contains(#""timeGiven": \#(isGiven)"#), "\(json)")
        }
    }

    @Test func `a rule that is not kept is refused, and why is said`() throws {
        var chain = try Chain()
        try chain.change("expected_products", to: [["MODIFY", "out"], ["DISALLOW", "*"]])
        let result = try chain.verify("--explain")
        #expect(result.status == 1)
        #expect(result.outputText.contains("rule 2, DISALLOW *, forbids 1 artifact"))
        #expect(result.outputText.contains("MODIFY does not cover it: it is not there both before and after"))
        #expect(result.outputText.contains("what to do: "))
    }

    @Test func `another command warns, and fails with --strict-commands`() throws {
        var chain = try Chain()
        try chain.change("expected_command", to: ["cp", "in", "elsewhere"])
        let lenient = try chain.verify()
        #expect(lenient.status == 0)
        #expect(lenient.errorText.contains("warning: step 'build' ran another command"))
        #expect(try chain.verify("--strict-commands").status == 1)
    }

    /// Two functionaries, of whom one, whichever comes first, ran something else.
    @Test(arguments: [["true"], ["cp", "in", "out"]])
    func `the command of every functionary is looked at`(first: [String]) throws {
        let chain = try Chain.handmade(threshold: 2, command: ["true"])
        let second = first == ["true"] ? ["cp", "in", "out"] : ["true"]
        try chain.add(by: "alice.pem", command: first)
        try chain.add(by: "bob.pem", command: second)
        let lenient = try chain.verify()
        #expect(lenient.status == 0, "\(lenient.outputText)\(lenient.errorText)")
        let name = try chain.linkName(of: first == ["true"] ? "bob.pem" : "alice.pem")
        #expect(lenient.errorText.contains("recorded cp in out, in ../links/\(name)"), "\(lenient.errorText)")
        #expect(try chain.verify("--strict-commands").status == 1)
        try chain.add(by: first == ["true"] ? "bob.pem" : "alice.pem", command: ["true"])
        #expect(try chain.verify("--strict-commands").status == 0)
    }

    /// Alice's link, with a digest that both share, agrees with Bob's and with Carl's, which differ.
    @Test func `links that agree with a third one only do not agree`() throws {
        let chain = try Chain.handmade(threshold: 3)
        func digest(_ digit: Character) -> String { String(repeating: digit, count: 128) }
        let shared = String(repeating: "a", count: 64)
        for people in [["alice.pem", "bob.pem", "carl.pem"], ["carl.pem", "alice.pem", "bob.pem"]] {
            try chain.add(by: people[0], products: ["out": ["sha256": shared]])
            try chain.add(by: people[1], products: ["out": ["sha256": shared, "sha512": digest("1")]])
            try chain.add(by: people[2], products: ["out": ["sha256": shared, "sha512": digest("2")]])
            let apart = try chain.verify()
            #expect(apart.status == 1)
            #expect(apart.outputText.contains("the links of step 'build' disagree"), "\(apart.outputText)")
            for person in people[1...] { #expect(apart.outputText.contains(try chain.linkName(of: person))) }
            try chain.add(by: people[2], products: ["out": ["sha256": shared, "sha512": digest("1")]])
            #expect(try chain.verify().status == 0)
        }
    }

    @Test func `a layout's own digest may be asked for`() throws {
        let chain = try Chain()
        #expect(try chain.verify().status == 0)
        let digest = Hex.encode(try MessageDigest.digest(.sha256, of: chain.run.read("root.layout"))).description
        // Signing again gives the same bytes: Ed25519 is deterministic.
        #expect(try chain.verify("--expect-layout-digest", digest).status == 0)
        let other = String(repeating: "0", count: 64)
        #expect(try chain.verify("--expect-layout-digest", other).status == 1)
        #expect(try chain.verify("--expect-layout-digest", "xyz").status == 2)
    }

    @Test(arguments: [
        ("2098-12-31T23:59:59Z", Int32(0)), ("2099-01-01T00:00:00Z", Int32(1)), ("1970-01-01T00:00:00Z", Int32(1)),
    ])
    func `expiry is judged at one time`(now: String, status: Int32) throws {
        #expect(try Chain().verify("--now", now).status == status)
    }

    @Test func `parameters are filled in, and must be there`() throws {
        var chain = try Chain()
        try chain.change("expected_products", to: [["CREATE", "{NAME}"], ["DISALLOW", "*"]])
        #expect(try chain.verify().status == 1)
        #expect(try chain.verify("--parameter", "NAME=out").status == 0)
        #expect(try chain.verify("--parameter", "NAME=other").status == 1)
        let unknown = try chain.verify("--parameter", "OTHER=out")
        #expect(unknown.status == 1)
        #expect(unknown.outputText.contains("needs a parameter 'NAME', which was not given"))
        #expect(try chain.verify("--parameter", "a.b=out").status == 2)
        try chain.run.write(#"{"NAME": "out"}"#, to: "product/parameters")
        #expect(try chain.verify("--parameters", "parameters").status == 0)
    }

    @Test(arguments: [
        (["DISALLOW", "{BAD}*"], "'{BAD}' stands for itself"), (["DISALLOW", "./secret"], "'./secret' matches none"),
        (["DISALLOW", "x//y"], "'x//y' matches none"), (["DISALLOW", "dir/"], "'dir/' matches none"),
        (["MATCH", "*", "IN", "./x", "WITH", "PRODUCTS", "FROM", "build"], "'./x' matches none"),
    ])
    func `a rule that forbids less than it seems to is told`(rule: [String], warning: String) throws {
        var chain = try Chain()
        try chain.change("expected_products", to: [rule, ["ALLOW", "*"]])
        let warned = try chain.verify()
        #expect(warned.status == 0 && warned.errorText.contains(warning), "\(warned.errorText)")
        try chain.change(
            "expected_products",
            to: [["MATCH", "*", "IN", "x/", "WITH", "PRODUCTS", "FROM", "build"], ["ALLOW", "*"]])
        #expect(!(try chain.verify().errorText.contains("rule ")))
        // As they are written, names may have such parts.
        try chain.change("expected_products", to: [rule, ["ALLOW", "*"]])
        let asWritten = try chain.verify("--allow-unsafe-names").errorText
        #expect(asWritten.contains("matches none") == false)
    }

    @Test func `what is missing or wrong on the command line could not be told`() throws {
        let run = IntotoRun()
        try run.makeKey("owner.pem")
        #expect(try run("verify", "-l", "none", "--verification-keys", "owner.pem.pub").status == 2)
        #expect(try run("verify", "-l", "none").status == 2)
        #expect(try run("verify", "-l", "none", "--verification-keys", "none").status == 2)
    }

    // MARK: Reports

    @Test func `the verdict as JSON and as JUnit`() throws {
        let chain = try Chain(inspections: [Chain.inspection("look", ["true"])])
        let result = try chain.verify("--json", "--junit", "../report.xml")
        #expect(result.status == 0, "\(result.errorText)")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
        #expect(object["verdict"] as? String == "passed")
        #expect(object["schema"] as? String == "intoto-run verdict 1")
        let layout = try #require(object["layout"] as? [String: Any])
        let step = try #require((layout["steps"] as? [[String: Any]])?.first)
        let products = try #require(step["products"] as? [String: Any])
        let rules = try #require(products["rules"] as? [[String: Any]])
        #expect(rules[0]["consumed"] as? [String] == ["out"])
        let evidence = try #require((step["evidence"] as? [[String: Any]])?.first)
        #expect(evidence["standing"] as? String == "counted" && evidence["envelope"] as? Int == 1)
        let xml = String(decoding: try chain.run.read("report.xml"), as: UTF8.self)
        #expect(xml.contains(#"tests="3" failures="0" skipped="0""#))
        let time = try #require(object["checkedAt"] as? String)
        #expect(xml.contains(#"timestamp="\#(time)""#), "\(xml)")

        try chain.run.write("x", to: "product/more")
        let failed = try chain.verify("--json", "../verdict.json", "--no-inspections")
        #expect(failed.status == 2 && failed.outputText.hasPrefix("incomplete"))
        #expect(
            String(decoding: try chain.run.read("verdict.json"), as: UTF8.self).contains(#""verdict": "incomplete""#))
    }

    @Test func `what was not come to is no pass`() throws {
        var chain = try Chain(inspections: [Chain.inspection("look", ["true"])])
        try chain.change("expected_products", to: [["DISALLOW", "*"]])
        let steps = try #require(chain.layout["steps"] as? [[String: Any]])
        var missing = steps[0]
        missing["name"] = "test"
        func verify() throws -> (text: String, xml: String) {
            let options = ["--explain", "--junit", "../report.xml", "--require-attestation", "build=provenance"]
            let result = try chain.verify(options)
            #expect(result.status == 1, "\(result.errorText)")
            return (result.outputText, String(decoding: try chain.run.read("report.xml"), as: UTF8.self))
        }
        chain.layout["steps"] = steps + [missing]
        let apart = try verify()
        let reason = "rules not applied: the evidence of another step is missing or fails"
        #expect(apart.text.components(separatedBy: "    \(reason)\n").count == 2, "\(apart.text)")
        #expect(apart.xml.contains(#"tests="5" failures="1" skipped="3""#), "\(apart.xml)")
        #expect(
            apart.xml.contains("name=\"step build\">\n    <skipped message=\"\(reason)\"/>\n"), "\(apart.xml)")
        for name in ["attestation build=provenance", "inspection look"] {
            let skipped = "name=\"\(name)\">\n    <skipped message=\"not looked at: something failed before\"/>\n"
            #expect(apart.xml.contains(skipped), "\(apart.xml)")
        }
        chain.layout["steps"] = steps
        let broken = try verify()
        #expect(!broken.text.contains("not applied"), "\(broken.text)")
        #expect(broken.xml.contains(#"tests="4" failures="1" skipped="2""#), "\(broken.xml)")
    }

    @Test(arguments: ["--json", "--junit", "--vsa", "--save-inspections"])
    func `where output goes is looked at before anything is verified`(option: String) throws {
        let chain = try Chain(inspections: [Chain.inspection("touch", ["touch", "ran"])])
        let others = option == "--vsa" ? ["--vsa-key", "../owner.pem", "--resource-uri", "https://example.org/x"] : []
        for target in ["/nonexistent/x", "../dangling", "../pipe", ".."] where target != ".." || others.isEmpty {
            guard option != "--save-inspections" || target != ".." else { continue }
            #expect(try chain.run.shell("rm -f dangling pipe; ln -s nowhere dangling; mkfifo pipe").status == 0)
            let result = try chain.verify([option, target] + others)
            #expect(result.status == 2 && result.outputText == "", "\(target): \(result.outputText)\(result.errorText)")
            #expect(try chain.run.list("product") == ["in", "out"])
        }
    }

    @Test func `output goes through a pipe, and a device stays one`() throws {
        let chain = try Chain()
        let now = ["--now", "2030-01-01T00:00:00Z"]
        #expect(try chain.verify(now + ["--json", "-"]).output == chain.verify(now + ["--json"]).output)
        let direct = try chain.verify("--json", "/dev/stdout")
        #expect(direct.status == 0)
        #expect(try JSONSerialization.jsonObject(with: Data(direct.output)) is [String: Any])
        let piped = try chain.run.shell(
            """
            mkfifo pipe; cat pipe >copy & exec 3<>pipe
            (cd product && "$R" verify -l ../root.layout --verification-keys ../owner.pem.pub --link-dir ../links \\
                --json ../pipe --junit /dev/null >/dev/null) || exit 9
            exec 3>&-; wait; [ -p pipe ] && [ -c /dev/null ] && grep -c '"verdict": "passed"' copy
            """)
        #expect(piped.outputText == "1\n", "\(piped.status) \(piped.errorText)")
    }

    // MARK: Hostile input

    @Test(arguments: ["fifo", "device", "link to a device", "directory", "huge", "empty", "nested", "control"])
    func `hostile evidence is refused within bounds, without a signal or a control byte`(kind: String) throws {
        let chain = try Chain()
        let link = try chain.run.file(endingIn: ".intoto.jsonl", in: "links")
        let name = "links/build.\(link.split(separator: ".")[1]).link"
        let script =
            switch kind {
            case "fifo": "rm links/*; mkfifo \(name)"
            case "device": "rm links/*; mknod \(name) c 1 5 || mkfifo \(name)"
            case "link to a device": "rm links/*; ln -s /dev/zero \(name)"
            case "directory": "rm links/*; mkdir \(name)"
            case "huge": "rm links/*; truncate -s 2G \(name)"
            case "empty": "rm links/*; : >\(name)"
            case "nested": "rm links/*; head -c 1000000 /dev/zero | tr '\\0' '[' >\(name)"
            default: #"rm links/*; printf '{"signed": {"_type": "\033]0;x\007"}, "signatures": []}' >\#(name)"#
            }
        let made = try chain.run.shell(script)
        #expect(made.status == 0, "\(made.errorText)")
        let start = Date()
        let result = try chain.verify()
        #expect(result.status == 1, "\(result.outputText)\(result.errorText)")
        #expect(result.outputText.contains("build."))
        #expect(Date().timeIntervalSince(start) < 60)
        #expect(!(result.output + result.errors).contains { ($0 < 0x20 && $0 != 0x0A) || $0 == 0x7F })
    }

    /// Names and labels of megabytes, in files that nobody believes.
    @Test(arguments: [
        #"{"signatures": [{"keyid": "LONG", "sig": "00"}, {"keyid": "LONG", "sig": "00"}], "signed": {"_type": "link"}}"#,
        #"{"LONG": 1, "LONG": 2}"#, #"{"signatures": [], "signed": {"_type": "LONG"}}"#,
        #"{"signatures": [MANY], "signed": {"_type": "link"}}"#,
    ])
    func `what nobody believes is not printed at length`(text: String) throws {
        let chain = try Chain.handmade(threshold: 1)
        let many = Array(repeating: #"{"keyid": "\#(String(repeating: "a", count: 250))", "sig": "00"}"#, count: 250)
        let content = text.replacing("LONG", with: String(repeating: "b", count: 500_000))
            .replacing("MANY", with: many.joined(separator: ","))
        for number in 1...5 { try chain.run.write(content, to: "links/build.0000000\(number).link") }
        let result = try chain.verify("--junit", "../report.xml")
        #expect(result.status == 1)
        #expect(result.output.count < 100_000, "\(result.output.count)")
        #expect(try chain.run.read("report.xml").count < 200_000)
    }

    @Test func `the verdict as JSON drives no terminal, and says the same`() throws {
        var chain = try Chain.handmade(threshold: 1)
        try chain.change("expected_products", to: [["DISALLOW", "*"]])
        let name = "a\u{202E}gpj.\u{9B}31m\u{200B}\u{1B}]0;x\u{7}\u{E0041}é"
        try chain.add(by: "alice.pem", products: [name: ["sha256": String(repeating: "a", count: 64)]])
        let result = try chain.verify("--json")
        #expect(result.status == 1)
        for scalar in result.outputText.unicodeScalars where scalar != "\n" {
            #expect(!["\u{202E}", "\u{9B}", "\u{200B}", "\u{1B}", "\u{7}", "\u{E0041}"].contains(scalar))
        }
        #expect(result.outputText.contains(#"a\u202egpj.\u009b31m\u200b"#) && result.outputText.contains("é"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
        let layout = try #require(object["layout"] as? [String: Any])
        let step = try #require((layout["steps"] as? [[String: Any]])?.first)
        let products = try #require(step["products"] as? [String: Any])
        #expect(products["unconsumed"] as? [String] == [name])
    }

    @Test func `hostile layouts are refused, not misused`() throws {
        let chain = try Chain()
        #expect(try chain.verify().status == 0)
        for script in [
            "truncate -s 100M root.layout", "rm root.layout; mkfifo root.layout",
            "rm root.layout; echo '{' >root.layout",
        ] {
            #expect(try chain.run.shell(script).status == 0)
            let runner = IntotoRun(in: chain.run.directory.appending(path: "product"))
            let result = try runner("verify", "-l", "../root.layout", "--verification-keys", "../owner.pem.pub")
            #expect(result.status == 1, "\(script): \(result.outputText)\(result.errorText)")
        }
    }
}
