import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// What inspections' rules do not see: nothing but `.git/` and the evidence that the verification itself has believed.
@Suite(.temporaryDirectory) struct InspectionEvidenceTests {
    typealias Chain = VerifyTests.Chain

    private static let rules = [
        ["MATCH", "*", "WITH", "PRODUCTS", "FROM", "build"], ["ALLOW", "in"], ["DISALLOW", "*"],
    ]

    private static func chain(in folder: String = ".") throws -> Chain {
        try Chain(in: folder, inspections: [Chain.inspection("look", ["true"], rules)])
    }

    @Test(arguments: [
        ("setup.deadbeef.link", #"{"payload":1\necho I-ran\n"#),
        ("setup.deadbeef.link", #"{"signed":{},"signatures":[]}"#),
        ("build.deadbeef.link", #"{"payload":"","payloadType":"$(echo I-ran)","signatures":[]}"#),
        ("x.deadbeef.intoto.jsonl", #"{"payload":"","payloadType":"","signatures":[]}"#),
        (".x.link-unfinished", #"{"payload":"","payloadType":"","signatures":[]}"#),
    ])
    func `a file that was delivered is seen, though it looks like evidence`(name: String, content: String) throws {
        let chain = try Self.chain()
        #expect(try chain.verify().status == 0)
        try chain.run.write(content.replacing(#"\n"#, with: "\n"), to: "product/\(name)")
        // Read as evidence, or not.
        for options in [[], ["--link-dir", "."]] {
            let result = try chain.verify(options)
            #expect(result.status == 1, "\(options): \(result.outputText)")
            #expect(result.outputText.contains("forbids 1 artifact"), "\(result.outputText)")
            #expect(result.outputText.contains("'\(name)'"), "\(result.outputText)")
        }
    }

    @Test func `a file that somebody holds a lock on is seen`() throws {
        let chain = try Self.chain()
        let verify = #""$R" verify -l ../root.layout --verification-keys ../owner.pem.pub --link-dir ../links"#
        #expect(try chain.verify().status == 0)
        let name = ".intoto-run.0123456789abcdef.tmp"
        let result = try chain.run.shell("cd product && echo evil >\(name) && flock \(name) \(verify)")
        #expect(
            result.status == 1 && result.outputText.contains("'\(name)'"), "\(result.outputText)\(result.errorText)")
    }

    @Test func `evidence that was believed may stand beside the product, and a warning says so`() throws {
        let chain = try Self.chain()
        #expect(try chain.run.shell("mkdir product/sub && mv links/* product/sub").status == 0)
        let bundle = try chain.run.file(endingIn: ".intoto.jsonl", in: "product/sub")
        let elsewhere = chain.run.directory.appending(path: "product/sub").path
        for folder in ["sub", "./sub/../sub", "../product/sub", elsewhere, String(bundle.dropFirst("product/".count))] {
            let result = try chain.verify("--link-dir", folder)
            #expect(result.status == 0, "\(folder): \(result.outputText)")
            let warning = "warning: the rules of inspection 'look' do not see 1 path, hidden as *.[0-9a-f]"
            #expect(result.errorText.contains(warning), "\(result.errorText)")
        }
        // The same evidence elsewhere: what stands here was not looked at.
        #expect(try chain.run.shell("cp product/sub/* links").status == 0)
        #expect(try chain.verify().status == 1)
        #expect(try chain.verify("--link-dir", "sub").status == 0)
        // Something beside the envelope.
        #expect(try chain.run.shell("echo 'echo I-ran' >>\(bundle)").status == 0)
        let more = try chain.verify("--link-dir", "sub")
        #expect(more.status == 1 && more.outputText.contains("forbids 1 artifact"), "\(more.outputText)")
    }

    @Test func `evidence is known by where it is, whatever way leads there`() throws {
        let chain = try Self.chain()
        let script =
            "mkdir -p a/b a/product; ln -s product sym; ln -s a/b far; cp links/* a/product; mv links/* product"
        #expect(try chain.run.shell(script).status == 0)
        let bundle = try #require(chain.run.list("product").first { $0.hasSuffix(".intoto.jsonl") })
        let sym = chain.run.directory.appending(path: "sym").path
        for place in ["../sym", sym, "../sym/../product", "\(sym)/\(bundle)"] {
            let result = try chain.verify("--link-dir", place)
            #expect(result.status == 0, "\(place): \(result.outputText)")
        }
        // That is the copy in a/product: what stands here was not read.
        let other = try chain.verify("--link-dir", "../far/../product")
        #expect(other.status == 1 && other.outputText.contains("'\(bundle)'"), "\(other.outputText)")
        // A link below the product's directory: the file has two names there, and both are known.
        #expect(try chain.run.shell("cd product; mkdir sub; mv \(bundle) sub; ln -s sub way").status == 0)
        #expect(try chain.verify("--link-dir", "sub").status == 1)
        #expect(try chain.verify("--link-dir", "way").status == 0)
    }

    @Test func `evidence by a stranger is seen`() throws {
        let chain = try Self.chain()
        try chain.run.makeKey("stranger.pem")
        let bad = try chain.signed(Chain.link(), by: ["stranger.pem"])
        var other = Chain.link()
        other["name"] = "other"
        let hers = try chain.signed(other, by: ["alice.pem"])
        for (name, bytes, status): (String, [UInt8], Int32) in [
            ("build.deadbeef.link", bad, 1), ("x.deadbeef.intoto.jsonl", bad, 1), ("x.deadbeef.intoto.jsonl", hers, 0),
            ("other.deadbeef.link", hers, 1),
        ] {
            try chain.write(bytes, to: "product/\(name)")
            let result = try chain.verify("--link-dir", ".")
            #expect(result.status == status, "\(name): \(result.outputText)")
            _ = try chain.run.shell("rm product/*.deadbeef.*")
        }
    }

    @Test func `one statement of another type is one`() throws {
        let chain = try Self.chain()
        let statement: [String: Any] = [
            "_type": Statement.type.description, "predicateType": "https://example.org/x", "predicate": [String: Any](),
            "subject": [["name": "out", "digest": ["sha256": String(repeating: "a", count: 64)]]],
        ]
        try chain.write(try chain.signed(statement, by: ["alice.pem"]), to: "links/x.intoto.jsonl")
        let result = try chain.verify("--explain")
        #expect(result.status == 0)
        #expect(result.outputText.contains("passed over: 1 statement of other types\n"), "\(result.outputText)")
    }
}
