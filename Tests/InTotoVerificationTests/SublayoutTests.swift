import Foundation
import InTotoCrypto
import InTotoMetadata
import InTotoVerification
import TestSupport
import Testing

/// Layouts in the place of links, and inspections: what comes after everything else, and in which order.
@Suite(.temporaryDirectory) struct SublayoutTests {
    /// A layout with one step `inner` that Alice may do.
    private static func inner(_ name: Text = "inner", inspections: [JSONValue] = []) throws -> TestChain {
        try TestChain(
            steps: [TestChain.step(name, [.alice], products: [["DISALLOW", "bad"]])], inspections: inspections)
    }

    /// The folder of the sublayout that Alice signs for a step, below another one.
    private static func folder(_ step: String = "build", below parent: String = "") throws -> String {
        "\(parent)\(step).\(try TestChain.Person.alice.keyID.prefix8)/"
    }

    private static func chain(
        _ inner: TestChain, products: [Text: Character] = ["out": "a"], rules: [[Text]] = []
    ) throws -> TestChain {
        var chain = try TestChain(steps: [TestChain.step("build", [.alice, .bob], products: rules)])
        try chain.add(.object(inner.layout), by: .alice)
        try chain.add(
            TestChain.link("inner", materials: ["in": "a"], products: products), of: "inner", by: .alice,
            folder: Self.folder())
        return chain
    }

    // MARK: What a sublayout stands for

    @Test func `a sublayout stands for its first materials and its last products`() throws {
        let chain = try Self.chain(Self.inner(), rules: [["ALLOW", "out"], ["DISALLOW", "*"]])
        let verdict = try chain.verify()
        #expect(verdict.outcome == .passed, "\(verdict.text)")
        #expect(verdict.usedEvidence.count == 2)
        let more = try Self.chain(Self.inner(), products: ["other": "a"], rules: [["DISALLOW", "other"]])
        #expect(try more.problems() == ["rule"])
    }

    @Test func `a sublayout has to hold itself`() throws {
        #expect(try Self.chain(Self.inner(), products: ["bad": "a"]).problems() == ["rule"])

        var chain = try Self.chain(Self.inner())
        chain.files[try Self.folder() + TestChain.fileName("inner", TestChain.Person.alice.keyID)] = nil
        #expect(try chain.problems() == ["sublayout-links"])
        chain.files[try Self.folder()] = []
        #expect(try chain.problems() == ["threshold"])

        var expired = try Self.inner()
        expired.layout["expires"] = "2029-12-31T23:59:59Z"
        #expect(try Self.chain(expired).problems() == ["layout-expired"])
        let empty = try TestChain(steps: [])
        #expect(try Self.chain(empty).problems() == ["layout-empty"])
    }

    @Test func `who signed a sublayout is asked to mend it, and the owner of the layout is not`() throws {
        var expired = try Self.inner()
        expired.layout["expires"] = "2029-12-31T23:59:59Z"
        let alice = try TestChain.Person.alice.keyID
        for inner in [expired, try TestChain(steps: [])] {
            let verdict = try Self.chain(inner).verify()
            let sublayout = try #require(verdict.layout.steps[0].sublayouts.first)
            #expect(sublayout.layout != nil && sublayout.signedBy.map(\.label) == [alice])
            let hint = try #require(verdict.problems[0].hint)
            #expect(hint.hasPrefix("ask '\(alice)', who signed the sublayout, for a layout with"), "\(hint)")
        }
        var outer = try TestChain()
        outer.now = "2099-01-01T00:00:00Z"
        #expect(try outer.verify().problems[0].hint == "ask the project owner for a layout with a later 'expires'")
    }

    @Test func `a sublayout that does not hold is no matter of the others' links`() throws {
        // Bob's link alone would be enough: but who signs a layout stands for it.
        var chain = try Self.chain(Self.inner(), products: ["bad": "a"])
        try chain.add(TestChain.link("build"), by: .bob)
        #expect(try chain.problems() == ["rule"])
    }

    @Test func `a sublayout's folder may be no link`() throws {
        var chain = try TestChain()
        try chain.add(.object(Self.inner().layout), by: .alice)
        let folder = TemporaryDirectory.current.appending(path: "elsewhere")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        chain.links = [String(try Self.folder().dropLast()): folder.path]
        let verdict = try chain.verify()
        #expect(verdict.problems.map(\.code) == ["sublayout-links"])
        #expect(verdict.text.contains("cannot open"))
    }

    // MARK: Bounds

    /// Layouts within each other, the innermost with a link; `depth` counts those within the first.
    private static func nested(_ depth: Int) throws -> TestChain {
        var chain = try TestChain()
        var folder = ""
        for _ in 0..<depth {
            try chain.add(.object(TestChain().layout), by: .alice, folder: folder)
            folder = try Self.folder(below: folder)
        }
        try chain.add(TestChain.link("build"), by: .alice, folder: folder)
        return chain
    }

    @Test func `layouts stand within eight others at most`() throws {
        #expect(try Self.nested(8).problems() == [])
        let verdict = try Self.nested(9).verify()
        #expect(verdict.problems.map(\.code) == ["sublayout-limit"])
        #expect(verdict.text.contains("within more than 8 others"))
    }

    @Test func `there are 64 sublayouts at most`() throws {
        for (count, problems) in [(64, []), (65, ["sublayout-limit"])] {
            let names = (0..<count).map { "step\($0)" }
            var chain = try TestChain(steps: names.map { try TestChain.step(Text($0), [.alice]) })
            for name in names {
                try chain.add(.object(TestChain().layout), of: name, by: .alice)
                try chain.add(TestChain.link("build"), by: .alice, folder: Self.folder(name))
            }
            #expect(try chain.problems() == problems)
        }
    }

    // MARK: Inspections

    /// Says what was run, and gives each inspection the same artifacts and status.
    private final class Runs {
        var announcements = 0
        var announced: [String] = []
        var names: [String] = []
        var byproducts: JSONObject = ["return-value": 0]
        var products: ArtifactSet
        var failing = false
        var fault: InspectionFault?

        init() throws {
            products = try ArtifactSet([
                Artifact(name: "out", digests: DigestSet(.sha256, Text(String(repeating: "a", count: 64))))
            ])
        }

        struct Failure: Error {}

        var runner: InspectionRunner {
            InspectionRunner { reports in
                self.announcements += 1
                self.announced += reports.map { "\($0.inspection.name)" }
            } run: { inspection, _, _ in
                self.names.append("\(inspection.name)")
                if self.failing { throw Failure() }
                if let fault = self.fault { throw fault }
                return InspectionRecord(
                    link: Link(name: inspection.name, products: self.products, byproducts: self.byproducts))
            }
        }
    }

    private static func inspected(_ rules: [[Text]] = []) throws -> TestChain {
        var chain = try TestChain(
            steps: [TestChain.step("build", [.alice], products: [["DISALLOW", "bad"]])],
            inspections: [TestChain.inspection("look", products: rules), TestChain.inspection("again")])
        try chain.add(TestChain.link("build", products: ["out": "a"]), by: .alice)
        return chain
    }

    @Test func `inspections are announced all together, and run in order`() throws {
        let runs = try Runs()
        #expect(try Self.inspected().verify(runs.runner).outcome == .passed)
        #expect(runs.announced == ["look", "again"] && runs.names == ["look", "again"])
        let none = try Runs()
        var chain = try TestChain()
        try chain.add(TestChain.link("build"), by: .alice)
        #expect(try chain.verify(none.runner).outcome == .passed)
        #expect(none.announcements == 0)
    }

    @Test func `without a runner, or where none shall run, the verdict is incomplete`() throws {
        var chain = try Self.inspected()
        #expect(try chain.verify().outcome == .incomplete)
        let runs = try Runs()
        chain.policy.inspections = .skip
        let verdict = try chain.verify(runs.runner)
        #expect(verdict.outcome == .incomplete && verdict.inspections.map(\.hasRun) == [false, false])
        #expect(runs.names == [] && runs.announced == [])
    }

    @Test func `nothing is run, or listed, where something fails before`() throws {
        var chain = try Self.inspected()
        try chain.add(TestChain.link("build", products: ["bad": "a"]), by: .alice)
        let runs = try Runs()
        let verdict = try chain.verify(runs.runner)
        #expect(verdict.problems.map(\.code) == ["rule"])
        #expect(runs.names == [] && runs.announced == [] && verdict.inspections.isEmpty)
    }

    @Test func `after the first that fails no other is run`() throws {
        for byproducts: JSONObject in [["return-value": 1], ["return-value": -9], [:], ["return-value": "0"]] {
            let runs = try Runs()
            runs.byproducts = byproducts
            let verdict = try Self.inspected().verify(runs.runner)
            #expect(verdict.problems.map(\.code) == ["inspection"])
            #expect(verdict.outcome == .failed && runs.names == ["look"])
            #expect(verdict.inspections.map(\.hasRun) == [true, false])
        }
        let runs = try Runs()
        runs.failing = true
        #expect(try Self.inspected().verify(runs.runner).problems.map(\.code) == ["inspection"])
        #expect(runs.names == ["look"])
    }

    @Test func `an inspection has run once its command was begun, however it ended`() throws {
        for (fault, hasRun): (InspectionFault, Bool) in [
            (.notRun("x"), false), (.notRecordable("x"), true), (.tookLonger(than: .seconds(1)), true),
        ] {
            let runs = try Runs()
            runs.fault = fault
            let verdict = try Self.inspected().verify(runs.runner)
            #expect(verdict.problems.map(\.code) == ["inspection"])
            #expect(verdict.inspections.map(\.hasRun) == [hasRun, false], "\(fault)")
        }
    }

    @Test func `the rules of an inspection decide, with the links of the steps and of the inspections before it`()
        throws
    {
        let match: [Text] = ["MATCH", "*", "WITH", "PRODUCTS", "FROM", "build"]
        let runs = try Runs()
        #expect(try Self.inspected([match, ["DISALLOW", "*"]]).verify(runs.runner).outcome == .passed)
        #expect(try Self.inspected([["DISALLOW", "*"]]).verify(runs.runner).problems.map(\.code) == ["rule"])
        #expect(runs.names == ["look", "again", "look"])

        var chain = try Self.inspected()
        let earlier: [[Text]] = [["MATCH", "*", "WITH", "PRODUCTS", "FROM", "look"], ["DISALLOW", "*"]]
        chain.layout["inspect"] = .array([
            TestChain.inspection("look"), TestChain.inspection("again", products: earlier),
        ])
        #expect(try chain.verify(runs.runner).outcome == .passed)

        runs.products = try ArtifactSet([Artifact(name: "a", digests: DigestSet())])
        #expect(try Self.inspected().verify(runs.runner).problems.map(\.code) == ["inspection"])
    }

    @Test func `a sublayout's inspections need two permissions`() throws {
        var chain = try Self.chain(Self.inner(inspections: [TestChain.inspection("look")]))
        let runs = try Runs()
        let refused = try chain.verify(runs.runner)
        #expect(refused.problems.map(\.code) == ["sublayout-inspections"])
        #expect(runs.names == [] && refused.inspections.isEmpty)

        chain.policy.inspections = .skip
        #expect(try chain.verify(runs.runner).outcome == .incomplete)
        chain.policy.sublayoutInspections = .run
        #expect(try chain.verify(runs.runner).outcome == .incomplete)
        #expect(runs.names == [])
        chain.policy.inspections = .run
        #expect(try chain.verify(runs.runner).outcome == .passed)
        #expect(runs.names == ["look"])
        // What is wrong with it, and what is odd, is said to be the sublayout's.
        runs.byproducts = ["return-value": 1]
        #expect(
            try chain.verify(runs.runner).text
                == "in the sublayout of step 'build': inspection 'look' ended with status 1")
        let warnings = try chain.verify(runs.runner).warnings.map(\.description)
        #expect(
            warnings.contains { $0.hasPrefix("in the sublayout of step 'build': the layout expires only at") },
            "\(warnings)")
        // A sublayout without any needs no permission.
        #expect(try Self.chain(Self.inner()).problems() == [])
    }

    @Test func `inspections of a sublayout's sublayout are said to be just that`() throws {
        let inner = try Self.chain(Self.inner(inspections: [TestChain.inspection("look")]))
        var chain = try TestChain(steps: [TestChain.step("outer", [.alice])])
        try chain.add(.object(inner.layout), of: "outer", by: .alice)
        for (name, bytes) in inner.files { chain.files[try Self.folder("outer") + name] = bytes }
        chain.policy.sublayoutInspections = .run
        let runs = try Runs()
        runs.byproducts = ["return-value": 1]
        let verdict = try chain.verify(runs.runner)
        #expect(
            verdict.text == "in the sublayout of step 'outer': in the sublayout of step 'build': "
                + "inspection 'look' ended with status 1")
        #expect(verdict.inspections[0].sublayoutPath.map(\.description) == ["outer", "build"])
        #expect(verdict.inspections[0].owner == " of the sublayout of 'build' of the sublayout of 'outer'")
    }
}
