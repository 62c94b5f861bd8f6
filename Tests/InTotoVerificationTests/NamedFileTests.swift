import InTotoCrypto
import InTotoMetadata
import InTotoVerification
import TestSupport
import Testing

/// Files of evidence that are named themselves, as a shell does for `links/*.link`.
@Suite(.temporaryDirectory) struct NamedFileTests {
    @Test func `a sublayout that is named counts with the folder beside it`() throws {
        let alice = try TestChain.Person.alice.keyID
        let name = TestChain.fileName("build", alice)
        let inner = try TestChain(steps: [TestChain.step("inner", [.bob], products: [["DISALLOW", "bad"]])])
        for (product, problems): (Text, [String]) in [("out", []), ("bad", ["rule"])] {
            var chain = try TestChain()
            try chain.add(.object(inner.layout), by: .alice)
            try chain.add(
                TestChain.link("inner", products: [product: "a"]), of: "inner", by: .bob,
                folder: "build.\(alice.prefix8)/")
            #expect(try chain.problems() == problems)
            chain.named = [name]
            let verdict = try chain.verify()
            #expect(verdict.problems.map(\.code) == problems, "\(verdict.text)")
        }
    }

    @Test func `a link whose signer has a certificate counts where it is named`() throws {
        let authority = try CertifiedEvidenceTests.Authority()
        try authority.makeLeaf()
        var chain = try authority.chain()
        #expect(try chain.problems() == [])
        chain.named = chain.files.keys.sorted()
        #expect(try chain.problems() == [])
        // Under another name it is one of many containers, in which a certificate says nothing.
        chain.files = ["x.link": try authority.link()]
        chain.named = ["x.link"]
        #expect(try chain.problems() == ["threshold"])
    }

    @Test func `a link is of the step that its file is named after, there as in a folder`() throws {
        let name = TestChain.fileName("build", try TestChain.Person.alice.keyID)
        var chain = try TestChain(steps: [TestChain.step("build", [.alice]), TestChain.step("test", [.alice])])
        try chain.add(TestChain.link("test"), by: .alice)
        chain.named = [name]
        let verdict = try chain.verify()
        #expect(verdict.problems.map(\.code) == ["threshold", "threshold"])
        #expect(verdict.findings(0)[0].contains("the link is of step 'test'"), "\(verdict.text)")
        // One that is named after no step of the layout is any container.
        chain.files = [
            "build": try TestChain.signed(TestChain.link("build"), by: [.alice]),
            "other.00000000.link": try TestChain.signed(TestChain.link("test"), by: [.alice]),
        ]
        chain.named = ["build", "other.00000000.link"]
        #expect(try chain.problems() == [])
    }

    @Test func `a named link counts once, however often it is named`() throws {
        let name = TestChain.fileName("build", try TestChain.Person.alice.keyID)
        for (threshold, problems) in [(Int64(1), []), (2, ["threshold"])] {
            var chain = try TestChain(steps: [TestChain.step("build", [.alice, .bob], threshold: threshold)])
            try chain.add(TestChain.link("build"), by: .alice)
            chain.named = [name, name]
            #expect(try chain.problems() == problems)
        }
    }
}
