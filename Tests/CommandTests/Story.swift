import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport

/// The directory of a story: `upstream` and `work` of the steps, `evidence`, `product`, keys, layout and bundle.
struct Story {
    let run: IntotoRun

    static let people = ["owner", "alice", "rita", "tess", "bob", "mallory", "verifier"]
    static let uri = "https://example.org/app"

    init() throws {
        run = IntotoRun()
        let directory = run.directory
        for name in Self.people { try run.makeKey("\(name).pem") }
        let upstream = try GitCommands(in: directory.appending(path: "upstream"))
        try upstream("git init -q . && echo 'say hello' >app.src && git add . && git commit -qm first")
        // An earlier run of the same people, whose evidence is genuine and of another product.
        try tell(compiler: "1")
        try shell("mv evidence earlier && rm -r work product")
        try upstream("echo 'say goodbye' >>app.src && git commit -qam second")
        try tell(compiler: "2")
        try run.write(layout(), to: "layout.yaml")
        try shell(#""$R" layout sign layout.yaml -k owner.pem -o root.layout"#)
        try bundle()
        try shell("cp story.intoto.jsonl good.intoto.jsonl; cp -r evidence genuine")
    }

    private func shell(_ script: String) throws {
        let result = try run.shell("set -e; \(script)")
        guard result.status == 0 else { throw IntotoRun.SetupFailure(reason: result.errorText + result.outputText) }
    }

    /// Four steps by four people, with `run` and `attest` alone.
    private func tell(compiler version: String) throws {
        let predicates = [
            "review": #"{"result": "PASSED", "reviewLink": "https://review.example.com/42"}"#,
            "result": #"{"result": "PASSED", "configuration": [{"uri": "https://ci.example.com/7"}]}"#,
            "provenance": """
            {"buildDefinition": {"buildType": "https://example.com/builds/sh", "externalParameters": {"target": "app"}},
             "runDetails": {"builder": {"id": "https://ci.example.com/builder"}}}
            """,
            "trace": """
            {"monitor": {"type": "https://example.com/monitors/strace"},
             "monitoredProcess": {"hostID": "https://ci.example.com/runner/3", "type": "https://example.com/sh",
             "event": "build 7"}, "monitorLog": {"process": [{"argv": ["sh", "../compiler", "foo/app.src"]}]}}
            """,
            "attributes": """
            {"attributes": [{"attribute": "REPRODUCIBLE_OUTPUT", "evidence": {"uri": "https://example.com/proof"}}],
             "producer": {"uri": "https://example.com/compilers"}}
            """,
        ]
        for (name, predicate) in predicates { try run.write(predicate, to: "predicates/\(name).json") }
        try run.write("#!/bin/sh\n# \(version)\ntr a-z A-Z <\"$1\" >\"$2\"\n", to: "work/compiler")
        try shell(
            """
            mkdir evidence product; cd work; p=../predicates
            "$R" -q -n checkout -k ../alice.pem -d ../evidence -p git:foo -- git clone -q ../upstream foo
            "$R" -q -n review -x -k ../rita.pem -d ../evidence -m git:foo -p git:foo
            "$R" attest --type human-review --predicate $p/review.json --subject git:foo -k ../rita.pem -d ../evidence
            "$R" -q -n test -k ../tess.pem -d ../evidence -m git:foo -p git:foo -- grep -q say foo/app.src
            "$R" attest --type test-result --predicate $p/result.json --subject git:foo -k ../tess.pem -d ../evidence
            "$R" -q -n build -k ../bob.pem -d ../evidence -m git:foo compiler -p app -- sh compiler foo/app.src app
            "$R" attest --type provenance --predicate $p/provenance.json --subject app -k ../bob.pem -d ../evidence
            "$R" attest --type runtime-trace --predicate $p/trace.json --subject app -k ../bob.pem -d ../evidence
            "$R" attest --type scai --predicate $p/attributes.json --subject app compiler -k ../bob.pem -d ../evidence
            cp app ../product
            """)
    }

    /// Everything in `evidence`, in one file.
    func bundle() throws {
        try shell(#""$R" bundle create --overwrite -o story.intoto.jsonl evidence/*.intoto.jsonl"#)
    }

    private func layout() throws -> String {
        func key(_ name: String) throws -> PublicKey { try PublicKey(file: run.read("\(name).pem.pub")) }
        func step(_ name: String, _ functionary: String, materials: String, products: String) throws -> String {
            """
              - name: \(name)
                threshold: 1
                pubkeys: [\(try key(functionary).keyID(.python))]
                expected_materials: [\(materials)[DISALLOW, "*"]]
                expected_products: [\(products)[DISALLOW, "*"]]

            """
        }
        let keys = try ["alice", "rita", "tess", "bob"].map { name in
            let key = try key(name)
            let object = String(
                decoding: try JSONWriter.bytes(.compact) { $0.object(key.keyObject) }, as: UTF8.self)
            return "  \(key.keyID(.python)): \(object)\n"
        }
        let source = "[MATCH, foo, WITH, PRODUCTS, FROM, checkout], "
        return """
            # Who does what to whose sources.
            expires: 2099-01-01T00:00:00Z
            keys:
            \(keys.joined())steps:
            \(try step("checkout", "alice", materials: "", products: "[CREATE, foo], "))\
            \(try step("review", "rita", materials: source, products: source))\
            \(try step("test", "tess", materials: source, products: source))\
            \(try step("build", "bob", materials: source + "[ALLOW, compiler], ", products: "[CREATE, app], "))\
            inspect:
              - name: untouched
                run: ["true"]
                expected_materials: [[MATCH, app, WITH, PRODUCTS, FROM, build], [DISALLOW, "*"]]
                expected_products: [[MATCH, app, WITH, PRODUCTS, FROM, build], [DISALLOW, "*"]]

            """
    }

    var publicKeys: [String] { ["alice", "rita", "tess", "bob"].map { "\($0).pem.pub" } }

    static let required = [
        "review=human-review", "test=test-result", "build=provenance", "build=runtime-trace", "build=scai",
    ]

    func verify(require required: [String] = required, _ options: String...) throws -> Subprocess {
        _ = try run.shell("rm -f vsa.intoto.jsonl")
        return try IntotoRun(in: run.directory.appending(path: "product")).run(
            ["verify", "-l", "../root.layout", "--verification-keys", "../owner.pem.pub"]
                + ["--link-dir", "../story.intoto.jsonl", "--require-attestation"] + required
                + ["--vsa", "../vsa.intoto.jsonl", "--vsa-key", "../verifier.pem", "--resource-uri", Self.uri]
                + ["--vsa-subject", "app", "--vsa-level", "SLSA_BUILD_LEVEL_1"] + options)
    }

    func checkSummary() throws -> Subprocess {
        try run.run(
            ["sign", "--check", "vsa.intoto.jsonl", "--verification-keys", "verifier.pem.pub"]
                + ["--expect-subject", "product/app", "--expect-resource", Self.uri]
                + ["--expect-verifier", "https://in-toto.io/verifiers/intoto-run"]
                + ["--expect-level", "SLSA_BUILD_LEVEL_1"])
    }
}

// MARK: Tampering

extension Story {
    typealias Piece = StoryTests.Piece

    private func file(_ piece: Piece, in folder: String = "evidence") throws -> String {
        let names = try run.list(folder).filter { $0.hasPrefix("\(piece).") }
        guard names.count == 1 else { throw IntotoRun.SetupFailure(reason: "\(piece): \(names)") }
        return "\(folder)/\(names[0])"
    }

    func tamper(with piece: Piece, _ tampering: StoryTests.Tampering) throws {
        try shell("rm -r evidence; cp -r genuine evidence")
        let file = try file(piece)
        switch tampering {
        case .changedByte: try rewrite(file) { $0.replacing("\"_type\":", with: "\"_type\" :") }
        case .swappedSubject:
            try rewrite(file, signedBy: piece.functionary) { payload in
                try Self.withOtherSubject(payload)
            }
        case .anotherStepsEnvelope:
            // The next one of another step: the bundle has it twice, and this one not at all.
            let others = Piece.allCases.filter { $0.step != piece.step && $0.isLink == piece.isLink }
            try shell("cp \(try self.file(others[0])) \(file)")
        case .anotherStepsFunctionary: try rewrite(file, signedBy: piece.otherFunctionary) { $0 }
        case .strangersKey: try rewrite(file, signedBy: "mallory") { $0 }
        case .earlierRun: try shell("cp \(try self.file(piece, in: "earlier")) \(file)")
        case .dropped: try shell("rm \(file)")
        }
        try bundle()
    }

    /// Changes the payload of the envelope; without somebody who signs it, the old signatures stay.
    private func rewrite(_ file: String, signedBy signer: String? = nil, _ change: (String) throws -> String) throws {
        let json = try JSONSerialization.jsonObject(with: Data(try run.read(file)))
        guard var envelope = json as? [String: Any], let payload = envelope["payload"] as? String,
            let bytes = Data(base64Encoded: payload)
        else { throw IntotoRun.SetupFailure(reason: "\(file) is no envelope") }
        let changed = try change(String(decoding: bytes, as: UTF8.self))
        envelope["payload"] = Data(changed.utf8).base64EncodedString()
        if signer != nil { envelope["signatures"] = [Any]() }
        try JSONSerialization.data(withJSONObject: envelope).write(to: run.directory.appending(path: file))
        if let signer { try shell(#""$R" sign \#(file) -k \#(signer).pem -o \#(file) --overwrite"#) }
    }

    /// The same claim about something else, well formed.
    private static func withOtherSubject(_ payload: String) throws -> String {
        let json = try JSONSerialization.jsonObject(with: Data(payload.utf8))
        guard var statement = json as? [String: Any], var subjects = statement["subject"] as? [[String: Any]],
            let digests = subjects[0]["digest"] as? [String: String]
        else { throw IntotoRun.SetupFailure(reason: payload) }
        subjects[0]["digest"] = digests.mapValues { String($0.reversed()) }
        statement["subject"] = subjects
        return String(decoding: try JSONSerialization.data(withJSONObject: statement), as: UTF8.self)
    }
}
