import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// The verifier of the Python implementation judges a chain that our runner has recorded.
@Suite(.temporaryDirectory) struct PythonVerificationTests {
    private static let combinations = ["ed25519", "ecdsa-p256", "rsa"].flatMap { type in
        ["link", "dsse-link"].map { (type, $0) }
    }

    /// One delivery, and what the verifier has to say of it; nil: it accepts.
    private struct Case: Sendable {
        var name: String
        var layout = "classic.layout"
        var refusal: String?
        var spoil: @Sendable (SupplyChain.Delivery, SupplyChain) throws -> Void = { _, _ in }
    }

    private static func unsigned(_ step: String) -> String { "ThresholdVerificationError: Step '\(step)'" }

    private static let cases = [
        Case(name: "good"),
        Case(name: "good, the layout in an envelope", layout: "dsse.layout"),
        Case(name: "product changed", refusal: "RuleVerificationError") { delivery, _ in
            try append("tampered", to: delivery.product)
        },
        Case(name: "product absent", refusal: "BadReturnValueError") { delivery, _ in
            try FileManager.default.removeItem(at: delivery.product)
        },
        Case(name: "additional product", refusal: "RuleVerificationError") { delivery, _ in
            try Data("x".utf8).write(to: delivery.product.deletingLastPathComponent().appending(path: "more"))
        },
        Case(name: "digest edited", refusal: unsigned("build")) { delivery, _ in
            try edit(delivery.link(of: "build")) { $0.replacingFirstDigit(after: "\"sha256\":") }
        },
        Case(name: "name edited", refusal: unsigned("package")) { delivery, _ in
            try edit(delivery.link(of: "package")) { $0.replacingOccurrences(of: "hello.tar", with: "hellO.tar") }
        },
        Case(name: "signature edited", refusal: unsigned("checkout")) { delivery, _ in
            try editSignature(delivery.link(of: "checkout"))
        },
        Case(name: "signed by another functionary", refusal: unsigned("build")) { delivery, chain in
            try resign(delivery, step: "build", with: "package.pem", claiming: nil, chain)
        },
        Case(name: "signed by another, claiming to be the right one", refusal: unsigned("build")) { delivery, chain in
            try resign(delivery, step: "build", with: "package.pem", claiming: "build.pem", chain)
        },
        Case(name: "a step missing", refusal: "LinkNotFoundError") { delivery, _ in
            try FileManager.default.removeItem(at: delivery.link(of: "build"))
        },
        Case(
            name: "a source added between two steps",
            refusal: "RuleVerificationError: 'DISALLOW *' matched the following artifacts: ['src/evil.c']"
        ) {
            try recordWithAnotherSource($0, $1)
        },
        Case(name: "links of two steps exchanged", refusal: unsigned("build")) { delivery, _ in
            let (build, package) = (try delivery.link(of: "build"), try delivery.link(of: "package"))
            try FileManager.default.removeItem(at: build)
            try FileManager.default.copyItem(at: package, to: build)
        },
    ]

    @Test(arguments: combinations)
    func `a real chain is accepted, and refused after each manipulation`(keyType: String, format: String) throws {
        let chain = try SupplyChain(keyType: keyType, format: format)
        var calls = [
            try chain.layout(dsse: false).call(writing: "classic.layout", in: chain.run.directory),
            try chain.layout(dsse: true).call(writing: "dsse.layout", in: chain.run.directory),
        ]
        for (index, item) in Self.cases.enumerated() {
            let delivery = try chain.delivery("delivery-\(index)")
            try item.spoil(delivery, chain)
            calls.append(delivery.verification(layout: item.layout))
        }
        let outcomes = try PythonPeer.run(calls)
        for outcome in outcomes.prefix(2) { #expect(outcome.status == 0, "\(outcome.log)") }
        for (item, outcome) in zip(Self.cases, outcomes.dropFirst(2)) {
            #expect((outcome.status == 0) == (item.refusal == nil), "\(item.name): \(outcome.log)")
            #expect(item.refusal.map(outcome.log.contains) ?? (outcome.log == ""), "\(item.name): \(outcome.log)")
        }
        print("in-toto-verify, \(keyType), \(format): \(outcomes.count - 2) deliveries judged")
    }

    @Test(arguments: combinations)
    func `the other tools of the implementation take our links`(keyType: String, format: String) throws {
        let run = IntotoRun()
        try run.makeKey(type: keyType)
        try run.makeKey("other.pem", type: keyType)
        try run.write("text", to: "dist/file")
        try run("-q", "-k", "key.pem", "-n", "s", "--format", format, "-p", "dist", "--", "true")
        let link = try run.file(endingIn: ".link")
        func sign(_ key: String) -> PythonPeer.Call {
            .init("sign", ["--verify", "-f", link, "-k", key], in: run.directory)
        }
        let match = PythonPeer.Call("match-products", ["-v", "-l", link, "-p", "dist"], in: run.directory)
        let before = try PythonPeer.run([sign("key.pem.pub"), sign("other.pem.pub"), match])
        #expect(before.map { $0.status == 0 } == [true, false, format == "link"], "\(before)")
        #expect(before[1].log.contains("Signature verification failed"), "\(before[1].log)")
        // Its match-products reads no envelopes at all, whoever wrote them.
        if format == "dsse-link" { #expect(before[2].log.contains("'Envelope' object has no attribute 'signed'")) }

        try run.write("changed", to: "dist/file")
        let after = try PythonPeer.run([sign("key.pem.pub"), match])
        #expect(after.map(\.status) == [0, 1])
        if format == "link" { #expect(after[1].log.contains("Hashes differ: dist/file")) }
    }
}
