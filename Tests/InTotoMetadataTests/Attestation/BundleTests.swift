import InTotoMetadata
import TestSupport
import Testing

@Suite struct BundleTests {
    static func isStatement(_ envelope: Envelope) -> Bool {
        guard case .statement? = try? SignedMetadata.envelope(envelope).payload() else { return false }
        return true
    }

    /// Source: the folder's README and `bundle-expectations.json`.
    @Test func `noise in a bundle is counted and passed over`() throws {
        let file = try Vectors.json("attestations/bundle-expectations.json") as? [String: Any]
        guard let expected = file?["hello.intoto.jsonl"] as? [String: Int] else { throw MetadataError.unknownContainer }
        let bundle = Bundle(try Vectors.bytes("attestations/hello.intoto.jsonl"))
        let statements = bundle.envelopes.count(where: Self.isStatement)
        #expect(statements == expected["dsse_envelopes_with_statement_payload"])
        #expect(bundle.envelopes.count - statements == expected["dsse_envelope_with_foreign_payload_type"])
        #expect(bundle.ignoredLineCount == expected["unrecognised_non_empty_lines_to_ignore"])
        print("vectors: attestations bundle \(bundle.envelopes.count) envelopes, \(bundle.ignoredLineCount) ignored")
    }

    @Test func `line ends do not matter`() throws {
        let bundle = Bundle(try Vectors.bytes("attestations/hello.intoto.jsonl"))
        #expect(Bundle(try Vectors.bytes("attestations/crlf-no-final-newline.intoto.jsonl")) == bundle)
    }

    @Test func `what is written is one line each, and reads back`() throws {
        let envelopes = Bundle(try Vectors.bytes("attestations/hello.intoto.jsonl")).envelopes
        let bytes = try Bundle(envelopes).bytes()
        #expect(bytes.count { $0 == UInt8(ascii: "\n") } == envelopes.count)
        #expect(bytes.last == UInt8(ascii: "\n"))
        let read = Bundle(bytes)
        #expect(read.envelopes == envelopes)
        #expect(read.ignoredLineCount == 0)
    }

    @Test func `blank lines are no lines, and a classic link is no envelope`() throws {
        #expect(Bundle([]).envelopes.isEmpty)
        #expect(Bundle(Array("\n\r\n \t\r\n".utf8)) == Bundle([]))
        let classic = Array(#"{"signed":{},"signatures":[]}"#.utf8)
        #expect(Bundle(classic).ignoredLineCount == 1)
        #expect(Bundle([0xEF, 0xBB, 0xBF, 0x7B]).ignoredLineCount == 1)
    }

    @Test func `of the lines that are no envelopes the first is named`() throws {
        let envelope = #"{"payload":"e30=","payloadType":"x","signatures":[]}"#
        let classic = #"{"signed":{},"signatures":[]}"#
        func unknown(_ lines: String...) -> String? {
            Bundle.visit(Array(lines.joined(separator: "\n").utf8)) { _ in }?.description
        }
        #expect(unknown(envelope, "", envelope, "") == nil)
        #expect(unknown() == nil)
        #expect(
            unknown(envelope, " \r", "{", envelope) == "line 3 is no envelope: not valid JSON: ends too early")
        #expect(
            unknown(classic, envelope, "{")
                == "2 lines are no envelopes; the first, line 1: classic metadata, "
                + "which needs a file STEP.KEYID8.link of its own")
    }

    @Test func `a line larger than the limit is passed over`() throws {
        let line = Array(#"{"payload":"e30=","payloadType":"x","signatures":[]}"#.utf8)
        var limits = JSONLimits()
        limits.size = line.count
        #expect(Bundle(line, limits: limits).envelopes.count == 1)
        #expect(Bundle(line + [0x20], limits: limits).ignoredLineCount == 1)
    }
}
