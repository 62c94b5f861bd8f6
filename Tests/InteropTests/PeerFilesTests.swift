import Foundation
import TestSupport
import Testing

/// Links that Go's and Python's runners have written, through the built executable. Source: the folders' READMEs.
@Suite(.temporaryDirectory) struct PeerFilesTests {
    struct PeerLink: Sendable, CustomStringConvertible {
        var path: String
        /// The name of the key in `keys` that signed it.
        var key: String
        var keyID: String

        var description: String { path }
        var file: String { Vectors.url(path).path }
    }

    /// Every link of a folder that its results.json tells the key of.
    private static func links(_ folder: String) throws -> [PeerLink] {
        let results = try #require(try Vectors.json("\(folder)/results.json") as? [String: [String: Any]])
        return try results.sorted { $0.key < $1.key }.map { name, result in
            PeerLink(
                path: "\(folder)/\(name)", key: try #require(result["key"] as? String),
                keyID: try #require(result["keyid"] as? String))
        }
    }

    /// Go leaves control characters unescaped in the payload, which then is no JSON. Source: dsse-links/README.md.
    private static func isBrokenByGo(_ link: PeerLink) -> Bool { link.path.contains("dsse-links/golang/") }

    private static let all = Result { try links("classic-links") + links("dsse-links") }
    private static let readable = (try? all.get().filter { !isBrokenByGo($0) }) ?? []
    private static let broken = (try? all.get().filter(isBrokenByGo)) ?? []

    private func publicKey(_ name: String) -> String { Vectors.url("keys/\(name).spki.pem").path }

    @Test func `every link of the vectors is in one of the two lists`() throws {
        let files =
            try ["classic-links/golang", "classic-links/python", "dsse-links/golang", "dsse-links/python"]
            .flatMap { try Vectors.list($0) } + Vectors.list("dsse-links/golang-no-control-characters")
        #expect(try Self.all.get().count == files.count)
        #expect(Self.readable.count == 19 && Self.broken.count == 6)
        print("vectors: \(Self.readable.count) readable links of peers, \(Self.broken.count) broken ones")
    }

    @Test(arguments: readable)
    func `inspect shows a peer's link, and what its signature is worth`(link: PeerLink) throws {
        let run = IntotoRun()
        let plain = try run("inspect", link.file)
        #expect(plain.status == 0 && plain.errorText == "")
        #expect(plain.outputText.contains("signature: \(link.keyID), not checked"))
        #expect(plain.outputText.contains("products: 1"))
        let good = try run("inspect", link.file, "--verification-keys", publicKey(link.key))
        #expect(good.status == 0)
        #expect(good.outputText.contains("signature: \(link.keyID), good, by "))
        let other = try run("inspect", link.file, "--verification-keys", publicKey("ed25519-carl"))
        #expect(other.status == 0)
        #expect(other.outputText.contains("signature: \(link.keyID), by none of the given keys"))
        let bytes = try run("inspect", "--json", link.file).output
        let json = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        #expect((json?["payload"] as? [String: Any])?["_type"] as? String == "link")
    }

    @Test(arguments: readable)
    func `sign --check believes the right key, and no other`(link: PeerLink) throws {
        let run = IntotoRun()
        let good = try run("sign", "--check", link.file, "--verification-keys", publicKey(link.key))
        #expect(good.status == 0 && good.outputText.hasPrefix("good: "), "\(good.outputText)\(good.errorText)")
        let other = try run("sign", "--check", link.file, "--verification-keys", publicKey("ed25519-carl"))
        #expect(other.status == 1 && other.outputText.hasPrefix("not good: "), "\(other.outputText)\(other.errorText)")
        #expect(good.errorText == "" && other.errorText == "")
    }

    /// The files that the peers recorded: their digests are those of the links.
    private static let products = ["out.bin": "int main(void){return 0;}\n", "out.txt": "a\n"]

    @Test(arguments: readable)
    func `match-products compares the files that a peer recorded`(link: PeerLink) throws {
        let run = IntotoRun()
        let name = link.path.contains("copy.") ? "out.txt" : "out.bin"
        try run.write(try #require(Self.products[name]), to: name)
        let arguments = ["match-products", "-l", link.file, "--verification-keys"]
        let good = try run.run(arguments + [publicKey(link.key), "-p", name])
        #expect(good.status == 0 && good.outputText == "1 product matches\n", "\(good.outputText)\(good.errorText)")
        #expect(try run.run(arguments + [publicKey("ed25519-carl"), "-p", name]).status == 1)
        try run.write("changed", to: name)
        let changed = try run.run(arguments + [publicKey(link.key), "-p", name])
        #expect(changed.status == 1 && changed.outputText.hasPrefix("differs: \(name): "))
    }

    @Test(arguments: broken)
    func `an envelope whose payload is no JSON is refused, and says so`(link: PeerLink) throws {
        let run = IntotoRun()
        let expected = "intoto-run: error: \(link.file): the payload is not valid JSON: unexpected '\\n' at byte 61\n"
        for arguments in [
            ["inspect", link.file], ["inspect", "--json", link.file],
            ["sign", "--check", link.file, "--verification-keys", publicKey(link.key)],
            ["match-products", "-l", link.file],
            ["match-products", "-l", link.file, "--verification-keys", publicKey(link.key)],
        ] {
            let result = try run.run(arguments)
            #expect(result.status == 2 && result.outputText == "", "\(arguments): \(result.outputText)")
            #expect(result.errorText == expected, "\(arguments)")
        }
    }
}
