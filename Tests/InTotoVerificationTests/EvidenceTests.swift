import Foundation
import InTotoCrypto
import InTotoMetadata
import InTotoVerification
import TestSupport
import Testing

/// Which evidence counts, and for whom.
@Suite(.temporaryDirectory) struct EvidenceTests {
    private static let link = TestChain.link("build", products: ["out": "a"])

    private static func chain(_ people: [TestChain.Person], threshold: Int64) throws -> TestChain {
        try TestChain(steps: [TestChain.step("build", people, threshold: threshold)])
    }

    // MARK: Thresholds

    @Test func `a threshold of two needs two people`() throws {
        var chain = try Self.chain([.alice, .bob], threshold: 2)
        try chain.add(Self.link, by: .alice)
        #expect(try chain.problems() == ["threshold"])
        // Neither a copy of her link under another name, nor both signatures on one piece, is a second one.
        try chain.add(Self.link, by: .bob)
        #expect(try chain.problems() == [])
        let alices = try TestChain.fileName("build", TestChain.Person.alice.keyID)
        chain.files[try TestChain.fileName("build", TestChain.Person.bob.keyID)] = chain.files[alices]
        let twice = try chain.verify()
        #expect(twice.problems.map(\.code) == ["threshold"])
        #expect(twice.findings().contains { $0.contains("who is counted already") })
        #expect(twice.findings().contains { $0.hasSuffix(": counts for '\(try! TestChain.Person.alice.keyID)'") })
        chain.files = [:]
        try chain.add(Self.link, by: .alice, .bob)
        #expect(try chain.problems() == ["threshold"])
    }

    @Test func `one key under two labels is one person`() throws {
        var chain = try Self.chain([.alice, .bob], threshold: 2)
        try chain.add(Self.link, by: .alice)
        try chain.add(Self.link, by: .bob)
        let label = try TestChain.Person.bob.keyID.text
        var object = try TestChain.Person.alice.key.publicKey.keyObject
        object["keyid"] = .string(label)
        var keys = try TestChain.members(of: chain.layout["keys"])
        keys[label] = .object(object)
        chain.layout["keys"] = .object(keys)
        let verdict = try chain.verify()
        #expect(verdict.problems.map(\.code) == ["threshold-impossible"])
        #expect(verdict.text.contains("lists 1 distinct usable key"))

        // It is called by the first of them, whichever the step lists.
        let labels = try [TestChain.Person.alice, .bob].map { try $0.keyID }
        let signed = try JSONReader.read(JSONWriter.bytes(.compact) { $0.object(chain.layout) })
        guard case .object(let written) = signed else { throw IntotoRun.SetupFailure(reason: "no object") }
        let first = try #require(Layout(json: written).keys.map(\.keyID).first(where: labels.contains))
        for listed: TestChain.Person in [.alice, .bob] {
            chain.layout["steps"] = .array([try TestChain.step("build", [listed])])
            #expect(try chain.verify().findings().contains { $0.contains(": counts for '\(first)'") })
        }
    }

    @Test func `a threshold that nobody can meet is told from one that was not met`() throws {
        var chain = try Self.chain([.alice], threshold: 2)
        try chain.add(Self.link, by: .alice)
        #expect(try chain.problems() == ["threshold-impossible"])
    }

    @Test func `who signed one piece only is counted before those who signed several`() throws {
        var chain = try Self.chain([.alice, .bob, .carl], threshold: 2)
        var object = try TestChain.members(of: Self.link)
        object["environment"] = ["run": "another"]
        let other = JSONValue.object(object)
        // Whichever file is looked at first, the piece of two signers may count for the other one of them.
        for pair: [TestChain.Person] in [[.alice, .bob], [.bob, .alice]] {
            for single in pair {
                chain.files = [
                    "build.00000000.link": try TestChain.signed(Self.link, by: pair),
                    "build.11111111.link": try TestChain.signed(other, by: [single]),
                ]
                #expect(try chain.problems() == [])
                // Of one and the same piece the signature of the other one has only been left out.
                chain.files["build.11111111.link"] = try TestChain.signed(Self.link, by: [single])
                #expect(try chain.problems() == ["threshold"])
                chain.files["build.00000000.link"] = chain.files["build.11111111.link"]
                #expect(try chain.problems() == ["threshold"])
            }
        }
    }

    /// A link of a run of its own: the same artifacts, other bytes.
    private static func link(of run: Int, _ byproducts: JSONObject = JSONObject()) -> JSONValue {
        guard case .object(var object) = link else { return link }
        object["environment"] = ["run": .integer(Int64(run))]
        object["byproducts"] = .object(byproducts)
        return .object(object)
    }

    @Test func `pieces count so that as many functionaries do as can`() throws {
        var chain = try Self.chain([.alice, .bob, .carl], threshold: 3)
        let pairs: [[TestChain.Person]] = [[.alice, .bob], [.bob, .carl], [.alice, .bob]]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            for isTurned in [false, true] {
                chain.files = [:]
                for (run, index) in order.enumerated() {
                    let pair: [TestChain.Person] = isTurned ? pairs[index].reversed() : pairs[index]
                    chain.files["build.0000000\(run).link"] = try TestChain.signed(Self.link(of: run), by: pair)
                }
                let verdict = try chain.verify()
                #expect(verdict.outcome == .passed, "\(order): \(verdict.text)")
            }
        }
        // All three by the same two make two.
        chain.files["build.00000001.link"] = try TestChain.signed(Self.link(of: 1), by: [.bob, .alice])
        let two = try chain.verify()
        #expect(two.problems.map(\.code) == ["threshold"])
        #expect(two.text.contains("who are counted already") && !two.text.contains("the same as what is counted"))
        // What two have signed once is one.
        chain.files = [
            "build.00000000.link": try TestChain.signed(Self.link, by: [.alice, .bob]),
            "build.00000001.link": try TestChain.signed(Self.link, by: [.alice, .bob]),
        ]
        #expect(try chain.verify().text.contains("the same as what is counted"))
    }

    @Test func `the bytes of one run count once, together or apart`() throws {
        for (byproducts, isOneRun) in [
            (["started": "2030-01-01T00:00:00Z"], true), (["return-value": 0], false), (["started": 0], false),
        ] as [(JSONObject, Bool)] {
            let link = Self.link(of: 0, byproducts)
            var chain = try Self.chain([.alice, .bob], threshold: 2)
            chain.files["build.00000000.link"] = try TestChain.signed(link, by: [.alice, .bob])
            #expect(try chain.problems() == ["threshold"])
            chain.files = [:]
            try chain.add(link, by: .alice)
            try chain.add(link, by: .bob)
            let verdict = try chain.verify()
            #expect(verdict.problems.map(\.code) == (isOneRun ? ["threshold"] : []), "\(byproducts)")
            #expect(verdict.text.contains("one piece of evidence counts once") == isOneRun, "\(verdict.text)")
            // Another run of Bob's is his own.
            try chain.add(Self.link(of: 1, byproducts), by: .bob)
            #expect(try chain.problems() == [])
        }
    }

    @Test func `one piece in a file and in a bundle counts once, at any threshold`() throws {
        for threshold in [Int64(1), 2] {
            var chain = try Self.chain([.alice, .bob, .carl], threshold: threshold)
            try chain.add(Self.link, by: .alice, .bob)
            chain.files["x.intoto.jsonl"] = try TestChain.signed(Self.link, by: [.bob, .alice])
            try chain.add(Self.link(of: 1), by: .carl)
            let verdict = try chain.verify()
            #expect(verdict.outcome == .passed, "\(verdict.text)")
            let evidence = verdict.layout.steps[0].evidence
            #expect(verdict.layout.steps[0].counted.count == 2 && evidence.count == 3, "\(verdict.findings())")
            #expect(evidence.filter(\.isCopy).count == 1)
        }
    }

    @Test func `who is missing is said, and who only signed what counts already is not`() throws {
        var chain = try Self.chain([.alice, .bob, .carl], threshold: 3)
        try chain.add(Self.link, by: .alice, .bob)
        try chain.add(Self.link(of: 1), by: .stranger)
        let text = try chain.verify().text
        let missing = text.split(separator: "\n").filter { $0.contains("no good link by") }
        #expect(missing == ["  no good link by '\(try TestChain.Person.carl.keyID)'"], "\(text)")
    }

    @Test func `files that are nothing do not hide the one that is something`() throws {
        var chain = try TestChain()
        for number in 0..<30 { chain.files[String(format: "build.%08x.link", number)] = Array("{".utf8) }
        chain.files["build.ffffffff.link"] = try TestChain.signed(Self.link, by: [.bob])
        let lines = try chain.verify().text.split(separator: "\n")
        #expect(lines[1].contains("build.ffffffff.link: does not count: signed by "), "\(lines)")
        #expect(lines.contains("  and 11 more"))
    }

    @Test func `one run whose byproducts have a fraction is one, in whichever form`() throws {
        let byproducts: JSONObject = ["started": "2030-01-01T00:00:00Z", "seconds": .number("1.5")]
        var chain = try Self.chain([.alice, .bob], threshold: 2)
        let link = Self.link(of: 0, byproducts)
        try chain.add(link, by: .alice)
        var envelope = Envelope(payload: try JSONWriter.bytes(.indented) { $0.value(link) })
        let message = Envelope.preAuthenticationEncoding(payloadType: envelope.payloadType, payload: envelope.payload)
        envelope.signatures = [try KeyFileSigner(TestChain.Person.bob.key).signature(over: message)]
        chain.files["x.intoto.jsonl"] = try JSONWriter.bytes(.compact) { envelope.write(to: &$0) }
        #expect(try chain.problems() == ["threshold"])
    }

    // MARK: Signers

    @Test func `a link by whom the layout lists for another step does not count, and that is said`() throws {
        for isBundled in [false, true] {
            var chain = try TestChain()
            if isBundled {
                chain.files["x.intoto.jsonl"] = try TestChain.signed(Self.link, by: [.bob])
            } else {
                try chain.add(Self.link, by: .bob)
            }
            let verdict = try chain.verify()
            #expect(verdict.problems.map(\.code) == ["threshold"])
            #expect(verdict.findings()[0].contains("lists, but not for this step"), "\(verdict.findings())")
            if isBundled {
                chain.files["x.intoto.jsonl"] = try TestChain.signed(Self.link, by: [.bob, .alice])
            } else {
                try chain.add(Self.link, by: .bob, .alice)
            }
            #expect(try chain.problems() == [])
        }
    }

    @Test func `a piece of a bundle counts for its listed signers only`() throws {
        var chain = try Self.chain([.alice, .carl], threshold: 2)
        let pieces = try [[TestChain.Person.alice, .bob], [.bob, .alice]].map {
            try TestChain.signed(Self.link, by: $0)
        }
        chain.files["x.intoto.jsonl"] = pieces[0] + [0x0A] + pieces[1] + [0x0A]
        #expect(try chain.problems() == ["threshold"])
        chain.files["x.intoto.jsonl"]? += try TestChain.signed(Self.link, by: [.carl, .bob])
        #expect(try chain.problems() == [])
    }

    @Test func `a stranger's link does not count, whatever its file is called`() throws {
        for isBundled in [false, true] {
            var chain = try TestChain()
            let name = isBundled ? "x.intoto.jsonl" : try TestChain.fileName("build", TestChain.Person.alice.keyID)
            chain.files[name] = try TestChain.signed(Self.link, by: [.stranger])
            #expect(try chain.problems() == ["threshold"])
        }
    }

    // MARK: What the signature covers

    @Test func `a link of another step does not count`() throws {
        var chain = try TestChain(steps: [TestChain.step("build", [.alice]), TestChain.step("test", [.alice])])
        try chain.add(Self.link, by: .alice)
        try chain.add(Self.link, of: "test", by: .alice)
        let verdict = try chain.verify()
        #expect(verdict.problems.map(\.code) == ["threshold"])
        #expect(verdict.findings(1)[0].contains("the link is of step 'build'"))
        try chain.add(TestChain.link("test"), of: "test", by: .alice)
        #expect(try chain.problems() == [])
    }

    @Test func `a bundle's links of steps that are not there are passed over, and shown`() throws {
        var chain = try TestChain()
        try chain.add(Self.link, by: .alice)
        chain.files["x.intoto.jsonl"] = try TestChain.signed(TestChain.link("other"), by: [.alice])
        let verdict = try chain.verify()
        #expect(verdict.outcome == .passed)
        #expect(
            verdict.layout.otherEvidence.first.map(\.description).contains {
                $0.hasSuffix("the link is of step 'other'")
            })
    }

    @Test func `statements of other types are counted in bundles, and no evidence elsewhere`() throws {
        let statement: JSONValue = [
            "_type": .string(Statement.type), "predicateType": "https://example.org/x", "predicate": [:],
            "subject": [["name": "out", "digest": ["sha256": "00"]]],
        ]
        var chain = try TestChain()
        try chain.add(statement, by: .alice)
        let refused = try chain.verify()
        #expect(refused.problems.map(\.code) == ["threshold"])
        #expect(refused.findings()[0].contains("it is no link: https://example.org/x"))
        try chain.add(Self.link, by: .alice)
        chain.files["x.intoto.jsonl"] = try TestChain.signed(statement, by: [.alice])
        #expect(try chain.verify().outcome == .passed)
        #expect(try chain.verify().layout.otherStatements == 1)
    }

    @Test func `what is no link, and signed, says what it is`() throws {
        var chain = try TestChain()
        for (content, reason): (JSONValue, String) in [
            (["_type": "link"], "has no member"), (["_type": "other"], "unknown kind of metadata 'other'"),
            (TestChain.link("build", products: ["a/../b": "a", "b": "b"]), "are one artifact, 'b'"),
            (TestChain.link("build", products: ["": "a"]), "is no name of an artifact"),
            (["_type": "layout"], "the sublayout is not taken"),
        ] {
            try chain.add(content, by: .alice)
            let verdict = try chain.verify()
            #expect(verdict.problems.map(\.code) == ["threshold"])
            #expect(verdict.findings()[0].contains(reason), "\(verdict.findings())")
            // In a bundle it is no better.
            var bundled = try TestChain()
            bundled.files["x.intoto.jsonl"] = try TestChain.signed(content, by: [.alice])
            #expect(try bundled.problems() == ["threshold"])
        }
    }

    @Test func `malformed pieces of a bundle are shown as what they are`() throws {
        var chain = try TestChain()
        try chain.add(Self.link, by: .alice)
        for (content, reason): (JSONValue, String) in [
            (["_type": "link"], "the link has no member 'name'"),
            (["_type": "other"], "unknown kind of metadata 'other'"),
            (
                .object(chain.layout),
                "a sublayout needs a file STEP.KEYID8.link of its own, beside the directory with its links"
            ),
        ] {
            chain.files["x.intoto.jsonl"] = try TestChain.signed(content, by: [.alice])
            let verdict = try chain.verify()
            #expect(verdict.outcome == .passed)
            // Somebody has signed each of them, so that nothing is said of signatures.
            let shown = verdict.layout.otherEvidence.first.map(\.description)
            #expect(shown.count == 1 && shown[0].hasSuffix("/x.intoto.jsonl, envelope 1: does not count: \(reason)"))
        }
    }

    // MARK: Bounds

    @Test func `a thousand link files of one step are looked at, and no more`() throws {
        var chain = try TestChain()
        try chain.add(Self.link, by: .alice)
        for number in 0..<999 { chain.files[String(format: "build.%08x.link", number)] = Array("{".utf8) }
        #expect(try chain.problems() == [])
        chain.files["build.ffffffff.link"] = Array("{".utf8)
        #expect(try chain.problems() == ["too-many-links"])
    }

    @Test func `files that are not named after step and key are not read`() throws {
        var chain = try TestChain()
        let bytes = try TestChain.signed(Self.link, by: [.alice])
        for name in [
            "build.link", "build.0000000.link", "build.00000000.json", "build.000000000.link", "build.0000000g.link",
            "build-00000000.link",
            ".build.00000000.link", "build.00000000.lin", "build.00000000.link-unfinished", "xbuild.00000000.link",
            "00000000.link", "build.00000000", ".00000000.link",
        ] {
            chain.files = [name: bytes]
            let verdict = try chain.verify()
            #expect(verdict.problems.map(\.code) == ["threshold"], "\(name)")
            #expect(verdict.findings().allSatisfy { $0.contains("it is not read") }, "\(name)")
        }
        chain.files = ["build.00000000.link": bytes]
        #expect(try chain.problems() == [])
        chain.files = ["build.ABCDEF00.link": bytes]
        #expect(try chain.problems() == [])
    }

    @Test func `a container that is called a bundle is read as what it is`() throws {
        var chain = try TestChain()
        let link = try Self.metablock(Self.link, by: .alice)
        chain.files["x.intoto.jsonl"] = link
        #expect(try chain.problems() == [])
        chain.files["x.intoto.jsonl"] = link + [0x0A] + link
        #expect(try chain.problems() == ["threshold"])
    }

    private static func metablock(
        _ link: JSONValue, by person: TestChain.Person, certificate: Text? = nil
    ) throws -> [UInt8] {
        let key = try person.key
        let block = Metablock(signed: link, signatures: [])
        let bytes = try key.sign(try SignedMetadata.metablock(block).signedBytes())
        let signature = Signature(keyID: key.publicKey.keyID(.python), bytes: bytes, certificate: certificate)
        return try JSONWriter.bytes(.compact) {
            Metablock(signed: link, signatures: [signature]).write(to: &$0)
        }
    }
}
