import InTotoCrypto
import InTotoMetadata
import InTotoVerification
import TestSupport
import Testing

/// The layout itself, the rules, and what comes after them: each accept beside its rejects.
@Suite(.temporaryDirectory) struct VerifierTests {
    private static func accepted() throws -> TestChain {
        var chain = try TestChain()
        try chain.add(TestChain.link("build"), by: .alice)
        return chain
    }

    @Test func `a link by whom the step lists is enough`() throws {
        let verdict = try Self.accepted().verify()
        #expect(verdict.outcome == .passed)
        #expect(verdict.usedEvidence.count == 1)
    }

    // MARK: The owner

    @Test func `every one of the owners has to have signed the layout`() throws {
        var chain = try Self.accepted()
        chain.owners = [.owner, .carl]
        #expect(try chain.problems() == ["layout-signature"])
        chain.signedBy = [.owner, .carl]
        #expect(try chain.problems() == [])
        chain.signedBy = [.owner, .owner]
        #expect(try chain.problems() == ["layout-signature"])
        chain.signedBy = []
        #expect(try chain.problems() == ["layout-signature"])
    }

    @Test func `what the owner signed has to be a layout`() throws {
        var chain = try Self.accepted()
        chain.layout["steps"] = "none"
        #expect(try chain.problems() == ["layout-malformed"])
        guard case .object(let link) = TestChain.link("build") else { return }
        chain.layout = link
        let verdict = try chain.verify()
        #expect(verdict.problems.map(\.code) == ["layout-malformed"])
        #expect(verdict.text.contains("unknown kind of metadata 'link'"))
        chain.layout["_type"] = "other"
        #expect(try chain.problems() == ["layout-malformed"])
    }

    @Test func `another layout than the expected one is refused, whoever signed it`() throws {
        var chain = try Self.accepted()
        let sha256 = try chain.verify().layout.sha256
        chain.policy.layoutDigest = sha256
        #expect(try chain.problems() == [])
        chain.layout["readme"] = "another"
        #expect(try chain.problems() == ["layout-digest"])
    }

    @Test func `of several owners it is said who has not signed`() throws {
        var chain = try Self.accepted()
        chain.owners = [.owner, .carl]
        chain.signedBy = [.owner, .bob]
        let text = try chain.verify().text
        #expect(text.hasSuffix("\n  no good signature by '\(try TestChain.Person.carl.keyID)'"), "\(text)")
        #expect(!text.contains("'\(try TestChain.Person.owner.keyID)'"))
    }

    // MARK: Time

    @Test func `a layout is valid until the second before it expires, and never before clocks are set`() throws {
        var chain = try Self.accepted()
        for (now, problems): (Text, [String]) in [
            ("2098-12-31T23:59:59Z", []), ("2099-01-01T00:00:00Z", ["layout-expired"]),
            ("2099-01-01T00:00:01Z", ["layout-expired"]), ("2020-01-01T00:00:00Z", []),
            ("2019-12-31T23:59:59Z", ["clock"]), ("1970-01-01T00:00:00Z", ["clock"]),
        ] {
            chain.now = now
            #expect(try chain.problems() == problems, "\(now)")
        }
    }

    @Test func `of an expired layout no parameter is filled in`() throws {
        var chain = try Self.accepted()
        chain.layout["steps"] = .array([try TestChain.step("build", [.alice], products: [["ALLOW", "{NAME}"]])])
        chain.parameters = try ParameterSubstitution(["OTHER": "x"])
        #expect(try chain.problems() == ["parameters"])
        chain.now = "2099-01-01T00:00:00Z"
        #expect(try chain.problems() == ["layout-expired"])
    }

    @Test func `of a layout that is believed and refused, signer and content are kept`() throws {
        var expired = try Self.accepted()
        expired.now = "2099-01-01T00:00:00Z"
        var unfilled = try Self.accepted()
        unfilled.layout["steps"] = .array([try TestChain.step("build", [.alice], products: [["ALLOW", "{NAME}"]])])
        unfilled.parameters = try ParameterSubstitution(["OTHER": "x"])
        for chain in [expired, unfilled, try TestChain(steps: [])] {
            let verdict = try chain.verify()
            #expect(verdict.outcome == .failed && verdict.problems.count == 1)
            #expect(verdict.layout.signedBy.map(\.key) == [try TestChain.Person.owner.key.publicKey])
            #expect(verdict.layout.layout?.expires.description == "2099-01-01T00:00:00Z", "\(verdict.text)")
        }
        var strange = try Self.accepted()
        strange.signedBy = [.stranger]
        let refused = try strange.verify().layout
        #expect(refused.signedBy.isEmpty && refused.layout == nil)
    }

    // MARK: What is not there

    @Test func `a layout without steps and inspections is refused`() throws {
        #expect(try TestChain(steps: []).problems() == ["layout-empty"])
        let inspected = try TestChain(steps: [], inspections: [TestChain.inspection("look")])
        #expect(try inspected.verify().outcome == .incomplete)
    }

    @Test func `no rule is looked at while evidence is missing`() throws {
        let materials: [[Text]] = [["DISALLOW", "*"]]
        var chain = try TestChain(steps: [
            TestChain.step("build", [.alice], materials: materials), TestChain.step("test", [.bob]),
        ])
        try chain.add(TestChain.link("build", materials: ["in": "a"]), by: .alice)
        let verdict = try chain.verify()
        #expect(verdict.problems.map(\.code) == ["threshold"])
        #expect(verdict.layout.steps[0].materials == nil)
        try chain.add(TestChain.link("test"), of: "test", by: .bob)
        #expect(try chain.problems() == ["rule"])
    }

    // MARK: Rules

    @Test func `the rules of both sides of every step decide`() throws {
        for (materials, products): ([[Text]], [[Text]]) in [
            ([["DISALLOW", "in"]], []), ([], [["DISALLOW", "out"]]), ([["REQUIRE", "x"]], []),
            ([], [["REQUIRE", "x"]]),
        ] {
            var chain = try TestChain(steps: [
                TestChain.step("first", [.alice]),
                TestChain.step("build", [.alice], materials: materials, products: products),
            ])
            try chain.add(TestChain.link("first"), of: "first", by: .alice)
            try chain.add(TestChain.link("build", materials: ["in": "a"], products: ["out": "b"]), by: .alice)
            #expect(try chain.problems() == ["rule"], "\(materials) \(products)")
        }
    }

    @Test func `what to do about a REQUIRE is to have the artifact recorded, or earlier`() throws {
        func hint(_ products: [[Text]]) throws -> String {
            var chain = try TestChain(steps: [TestChain.step("build", [.alice], products: products)])
            try chain.add(TestChain.link("build", products: ["out": "a"]), by: .alice)
            return try #require(try chain.verify().problems.first?.hint)
        }
        let absent = try hint([["REQUIRE", "foo"], ["ALLOW", "*"]])
        #expect(absent.hasPrefix("see that it is there, and that the step's -m or -p names it, "), "\(absent)")
        #expect(try hint([["ALLOW", "*"], ["REQUIRE", "out"]]).hasPrefix("move the REQUIRE before "))
        #expect(try hint([["DISALLOW", "*"]]).hasPrefix("if the artifact belongs there, "))
    }

    @Test func `names are matched as they are written where that is asked for`() throws {
        let rules: [[Text]] = [["ALLOW", "f"], ["DISALLOW", "*"]]
        var chain = try TestChain(steps: [TestChain.step("build", [.alice], products: rules)])
        try chain.add(TestChain.link("build", products: ["./f": "a"]), by: .alice)
        // DISALLOW sees both spellings, and ALLOW the normal one.
        #expect(try chain.problems() == [])
        chain.policy.names = .asWritten
        #expect(try chain.problems() == ["rule"])
        try chain.add(TestChain.link("build", products: ["./f": "a", "f": "b"]), by: .alice)
        chain.policy.names = .normalized
        #expect(try chain.verify().text.contains("are one artifact, 'f'"))
    }

    @Test func `a rest that begins with a slash is below no directory`() throws {
        for (prefix, products, problems): ([Text], [Text: Character], [String]) in [
            (["IN", "dst"], ["dst//abs": "a"], ["rule"]), ([], ["/abs": "a"], []), ([], ["dst//abs": "a"], ["rule"]),
        ] {
            let match: [Text] = ["MATCH", "*", "WITH", "PRODUCTS"] + prefix + ["FROM", "before"]
            var chain = try TestChain(steps: [
                TestChain.step("before", [.bob]),
                TestChain.step("build", [.alice], materials: [match, ["DISALLOW", "*"]]),
            ])
            chain.policy.names = .asWritten
            try chain.add(TestChain.link("before", products: products), of: "before", by: .bob)
            try chain.add(TestChain.link("build", materials: ["/abs": "a"]), by: .alice)
            #expect(try chain.problems() == problems, "\(products)")
        }
    }

    // MARK: Commands

    @Test func `another command warns, or fails where that is asked for`() throws {
        var chain = try TestChain()
        for (expected, recorded, differs): (JSONValue, JSONValue, Bool) in [
            (["make"], ["make"], false), (["make"], ["cmake"], true), (["make"], [], true), ([], ["make"], false),
        ] {
            guard case .object(var step) = try TestChain.step("build", [.alice]),
                case .object(var link) = TestChain.link("build")
            else { return }
            step["expected_command"] = expected
            link["command"] = recorded
            chain.layout["steps"] = .array([.object(step)])
            try chain.add(.object(link), by: .alice)
            chain.policy.commands = .warns
            let verdict = try chain.verify()
            let warnings = verdict.warnings.filter { if case .farExpiry = $0 { false } else { true } }
            #expect(verdict.outcome == .passed && warnings.isEmpty == !differs)
            chain.policy.commands = .fails
            #expect(try chain.problems() == (differs ? ["command"] : []))
        }
    }

    @Test func `commands are shown so that other words read otherwise`() throws {
        guard case .object(var step) = try TestChain.step("build", [.alice]),
            case .object(var link) = TestChain.link("build")
        else { throw IntotoRun.SetupFailure(reason: "no objects") }
        step["expected_command"] = ["cp", "a b"]
        link["command"] = ["cp", "a", "b"]
        var chain = try TestChain(steps: [.object(step)])
        try chain.add(.object(link), by: .alice)
        chain.policy.commands = .fails
        let text = try chain.verify().text
        #expect(text.contains("ran another command: expected cp 'a b', recorded cp a b, in "), "\(text)")
    }

    @Test func `a program beside the product is warned of, others are not`() throws {
        for (program, isRelative): (JSONValue, Bool) in [("./x", true), ("a/x", true), ("/bin/x", false), ("x", false)]
        {
            guard case .object(var inspection) = TestChain.inspection("look") else { return }
            inspection["run"] = .array([program])
            let verdict = try TestChain(steps: [], inspections: [.object(inspection)]).verify()
            #expect(verdict.warnings.contains { $0.description.contains("that is inspected") } == isRelative)
        }
    }
}
