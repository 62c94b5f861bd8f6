import InTotoMetadata
import TestSupport
import Testing

@testable import InTotoVerification

/// What does not count is named, with its reason, where it is missed; and costs little, however much there is.
@Suite(.temporaryDirectory) struct RefusedEvidenceTests {
    private static let link = TestChain.link("build", products: ["out": "a"])
    private static let newline = [UInt8(ascii: "\n")]
    /// An envelope, which nobody has signed.
    private static let junk = Array(#"{"payload":"","payloadType":"","signatures":[]}"#.utf8) + newline

    /// One step, whose only evidence is this file; the text of what is said of it.
    private static func refusal(_ name: String, _ bytes: [UInt8]) throws -> String {
        var chain = try TestChain()
        chain.files[name] = bytes
        let verdict = try chain.verify()
        #expect(verdict.problems.map(\.code) == ["threshold"])
        return verdict.text
    }

    // MARK: Bundles

    @Test func `a bundle that was altered, cut off or signed by a stranger says so where it is missed`() throws {
        let name = "build.00000000.intoto.jsonl"
        let good = try TestChain.signed(Self.link, by: [.alice])
        var chain = try TestChain()
        chain.files[name] = good
        #expect(try chain.problems() == [])

        var envelope = try TestChain.envelope(Self.link, by: [.alice])
        envelope.payload[20] ^= 1
        let altered = try Self.refusal(name, JSONWriter.bytes(.compact) { envelope.write(to: &$0) })
        #expect(altered.contains("\(name), envelope 1: does not count: none of the layout's keys has signed it"))
        #expect(altered.contains("is bad: altered content, or another key"), "\(altered)")
        let strangers = try Self.refusal(name, TestChain.signed(Self.link, by: [.stranger]))
        #expect(strangers.contains("none of the layout's keys has signed it"), "\(strangers)")
        #expect(strangers.contains("the signature '\(try TestChain.Person.stranger.keyID)' is by none"))
        let cut = try Self.refusal(name, good.dropLast(60) + Self.newline)
        #expect(cut.contains("\(name): does not count: not valid JSON: "), "\(cut)")
        let other = try TestChain.signed(TestChain.link("biuld", products: ["out": "a"]), by: [.alice])
        #expect(try Self.refusal(name, other).contains("the link is of step 'biuld'"))
    }

    @Test func `lines of a bundle that are no envelopes are named, missed or not`() throws {
        let good = try TestChain.signed(Self.link, by: [.alice])
        let classic = Array(#"{"signed":{"_type":"link"},"signatures":[]}"#.utf8)
        let cut = good.dropLast(60)
        let cases: [(lines: [[UInt8]], said: String)] = [
            ([Self.junk, Array(cut)], "x.intoto.jsonl: line 3 is no envelope: not valid JSON: ends too early"),
            (
                [Self.junk, classic, Array(cut)],
                "x.intoto.jsonl: 2 lines are no envelopes; the first, line 3: classic metadata, which needs a file"
            ),
            ([classic, classic], "x.intoto.jsonl: 2 lines are no envelopes; the first, line 1: classic metadata"),
        ]
        for (lines, said) in cases {
            let bytes = Array(lines.joined(separator: Self.newline))
            #expect(try Self.refusal("x.intoto.jsonl", bytes).contains(said), "\(said)")
            var chain = try TestChain()
            try chain.add(Self.link, by: .alice)
            chain.files["x.intoto.jsonl"] = bytes
            let verdict = try chain.verify()
            #expect(verdict.outcome == .passed)
            #expect(verdict.layout.otherEvidence.first.contains { $0.description.contains(said) }, "\(said)")
        }
        var chain = try TestChain()
        chain.files["x.intoto.jsonl"] = good + Self.newline + Self.newline
        #expect(try chain.verify().layout.otherEvidence.count == 0)
    }

    @Test func `of very many pieces the first are kept, and all are counted`() throws {
        var chain = try TestChain()
        try chain.add(Self.link, by: .alice)
        for count in [OtherEvidence.limit, OtherEvidence.limit + 200] {
            chain.files["x.intoto.jsonl"] = Array(repeatElement(Self.junk, count: count).joined())
            let verdict = try chain.verify()
            #expect(verdict.outcome == .passed)
            let other = verdict.layout.otherEvidence
            #expect(other.first.count == OtherEvidence.limit && other.count == count)
            #expect(other.rest == count - OtherEvidence.limit)
        }
    }

    @Test func `a few pieces of no step are shown where evidence is missing, those named after the step first`() throws
    {
        var chain = try TestChain()
        chain.files["a.intoto.jsonl"] = Array(repeatElement(Self.junk, count: 7).joined())
        chain.files["build.00000000.intoto.jsonl"] = Self.junk
        let verdict = try chain.verify()
        let lines = verdict.text.split(separator: "\n").filter { $0.contains(".intoto.jsonl, envelope") }
        #expect(lines.count == 5)
        #expect(lines[0].contains("build.00000000.intoto.jsonl, envelope 1: does not count"))
        #expect(lines[1].contains("a.intoto.jsonl, envelope 1: does not count"))
        #expect(verdict.text.hasSuffix("\n  and 3 more of no step: --explain shows them"), "\(verdict.text)")
    }

    // MARK: Names

    @Test(arguments: [
        ("build.link", "build.KEYID8.link"), ("build.alice.link", "build.KEYID8.link"),
        ("build.json", "build.KEYID8.link"), ("attestations.jsonl", "NAME.intoto.jsonl"),
    ])
    func `a file whose name nearly fits is named where evidence is missing`(name: String, wanted: String) throws {
        let bytes = try TestChain.signed(Self.link, by: [.alice])
        let said = "\(name): does not count: it is not read, since it is not called \(wanted)"
        #expect(try Self.refusal(name, bytes).contains(said))
        // Nobody misses it.
        var chain = try TestChain()
        try chain.add(Self.link, by: .alice)
        chain.files[name] = bytes
        let verdict = try chain.verify()
        #expect(verdict.outcome == .passed && verdict.findings().count == 1)
    }

    @Test(arguments: ["builder.link", "build.debug.00000000.link", "build.o", "build", "x.link", "x.json"])
    func `a file that means something else is not named`(name: String) throws {
        #expect(!(try Self.refusal(name, [0x7B]).contains("not read")))
    }
}
