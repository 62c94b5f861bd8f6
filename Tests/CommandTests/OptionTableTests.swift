import Foundation
import TestSupport
import Testing

@testable import intoto_run

@Suite(.temporaryDirectory) struct OptionTableTests {
    /// What a newcomer adds to the parser has to be added to the table as well.
    @Test func `the table of options is the parser's`() throws {
        let dump = try TestSupport.IntotoRun()("run", "--experimental-dump-help").output
        let tool = try JSONSerialization.jsonObject(with: Data(dump)) as? [String: Any]
        let command = try #require(tool?["command"] as? [String: Any])
        let arguments = try #require(command["arguments"] as? [[String: Any]])
        var found: [String: (spellings: Set<String>, takesValue: Bool)] = [:]
        for argument in arguments {
            let names = (argument["names"] as? [[String: String]] ?? []).map { name in
                (name["kind"] == "long" ? "--" : "-") + (name["name"] ?? "")
            }
            guard let row = names.lazy.compactMap({ OptionTable.run.row(spelled: $0) }).first else {
                #expect(names.contains("--help") || names.contains("--version"), "\(names) is in no row")
                continue
            }
            found[row.name, default: ([], false)].spellings.formUnion(names)
            if argument["kind"] as? String == "option" { found[row.name]?.takesValue = true }
        }
        #expect(Set(found.keys) == Set(OptionTable.run.rows.map(\.name)))
        for row in OptionTable.run.rows {
            #expect(found[row.name]?.spellings == Set(row.spellings), "\(row.name)")
            #expect(found[row.name]?.takesValue == row.takesValue, "\(row.name)")
        }
    }

    /// What is recorded of the options of `record` comes from the same table.
    @Test(arguments: [("start", OptionTable.run), ("stop", OptionTable.recordStop)])
    func `the table knows every option of both halves of record`(half: String, table: OptionTable) throws {
        let dump = try TestSupport.IntotoRun()("record", half, "--experimental-dump-help").output
        let tool = try JSONSerialization.jsonObject(with: Data(dump)) as? [String: Any]
        let command = try #require(tool?["command"] as? [String: Any])
        for argument in try #require(command["arguments"] as? [[String: Any]]) {
            for name in argument["names"] as? [[String: String]] ?? [] {
                let spelling = (name["kind"] == "long" ? "--" : "-") + (name["name"] ?? "")
                let row = table.row(spelled: spelling)
                // How the answer is given is no part of the step.
                #expect(row != nil || ["--json", "--help", "-h", "--version"].contains(spelling), "\(spelling)")
            }
        }
    }
}
