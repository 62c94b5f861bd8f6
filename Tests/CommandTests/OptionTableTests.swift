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
}
