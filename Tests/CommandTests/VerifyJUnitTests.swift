import Foundation
import TestSupport
import Testing

/// The report that CI shows: what it must hold so that Jenkins' schema (junit-10.xsd) takes it, and that nothing is green
/// that was not looked at.
@Suite(.temporaryDirectory) struct VerifyJUnitTests {
    private typealias Chain = VerifyTests.Chain

    private func report(_ chain: Chain, status: Int32, _ options: String...) throws -> Report {
        let result = try chain.verify(options + ["--junit", "../report.xml"])
        #expect(result.status == status, "\(result.outputText)\(result.errorText)")
        return try Report(chain.run.read("report.xml"))
    }

    @Test func `a case has one failure with all that failed, and what to do`() throws {
        var chain = try Chain()
        try chain.change("expected_materials", to: [["DISALLOW", "*"]])
        try chain.change("expected_products", to: [["REQUIRE", "none"], ["DISALLOW", "*"]])
        let report = try report(chain, status: 1)
        #expect(report.suite["failures"] == "1" && report.suite["errors"] == "0" && report.suite["skipped"] == "0")
        let step = try #require(report.cases.first { $0.name == "step build" })
        #expect(step.results.map(\.element) == ["failure"])
        let failure = try #require(step.results.first)
        #expect(failure.attributes["type"] == "rule")
        let message = try #require(failure.attributes["message"])
        #expect(message.hasPrefix("the materials of 'build': ") && message.hasSuffix(" (and 1 more)"), "\(message)")
        #expect(!message.contains("\n"))
        #expect(failure.text.hasPrefix("the materials of 'build': "), "\(failure.text)")
        #expect(failure.text.contains("\nthe products of 'build': "), "\(failure.text)")
        #expect(failure.text.components(separatedBy: "\nwhat to do: ").count == 3, "\(failure.text)")
        #expect(failure.text.components(separatedBy: "the materials of 'build': ").count == 2, "\(failure.text)")
    }

    @Test func `a message is the first line, and the evidence stands below it`() throws {
        let chain = try Chain()
        _ = try chain.run.shell("sed -i 's/\"sig\":\"/&AAAA/' links/*")
        let failure = try #require(
            try report(chain, status: 1).cases.first { $0.name == "step build" }?.results.first)
        let message = try #require(failure.attributes["message"])
        #expect(message == "step 'build' needs links from 1 functionary, found 0")
        #expect(failure.text.hasPrefix("\(message)\n  "), "\(failure.text)")
        #expect(failure.text.contains("\nwhat to do: "), "\(failure.text)")
    }

    @Test func `an inspection that was left out is an error, and one behind a failure is skipped`() throws {
        var chain = try Chain(
            inspections: [Chain.inspection("look", ["true"]), Chain.inspection("see", ["true"])])
        let passed = try report(chain, status: 0)
        #expect(passed.suite["errors"] == "0" && passed.cases.allSatisfy(\.results.isEmpty))
        let incomplete = try report(chain, status: 2, "--no-inspections")
        #expect(incomplete.suite["tests"] == "4" && incomplete.suite["errors"] == "2")
        #expect(incomplete.suite["failures"] == "0" && incomplete.suite["skipped"] == "0")
        for name in ["inspection look", "inspection see"] {
            let error = try #require(incomplete.cases.first { $0.name == name }?.results.first)
            #expect(error.element == "error" && error.attributes["type"] == "incomplete")
            #expect(error.attributes["message"] == "not run, so nobody can tell")
            #expect(error.text.hasPrefix("what to do: verify without --no-inspections, "), "\(error.text)")
        }
        try chain.change("expected_products", to: [["DISALLOW", "*"]])
        let failed = try report(chain, status: 1, "--no-inspections")
        #expect(failed.suite["failures"] == "1" && failed.suite["errors"] == "0" && failed.suite["skipped"] == "2")
        #expect(failed.cases.suffix(2).map { $0.results.map(\.element) } == [["skipped"], ["skipped"]])
    }

    /// What a reader of XML finds.
    private struct Report {
        struct Result {
            let element: String
            let attributes: [String: String]
            let text: String
        }

        let suite: [String: String]
        let cases: [(name: String, results: [Result])]

        init(_ bytes: [UInt8]) throws {
            let script = """
                import json, sys, xml.etree.ElementTree as tree
                suite = tree.parse(sys.stdin.buffer).getroot()
                print(json.dumps([suite.attrib, [[c.get("name"), [[r.tag, r.attrib, r.text or ""] for r in c]] for c in suite]]))
                """
            let read = try Subprocess.run("/usr/bin/env", ["python3", "-c", script], input: bytes)
            let json = try #require(try JSONSerialization.jsonObject(with: Data(read.output)) as? [Any])
            suite = try #require(json[0] as? [String: String])
            cases = try #require(json[1] as? [[Any]]).map { item in
                let results = try #require(item[1] as? [[Any]])
                return (
                    try #require(item[0] as? String),
                    try results.map {
                        Result(
                            element: try #require($0[0] as? String),
                            attributes: try #require($0[1] as? [String: String]), text: try #require($0[2] as? String))
                    }
                )
            }
        }
    }
}
