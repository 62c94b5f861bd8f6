import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// `sign` on evidence that is signed already.
@Suite(.temporaryDirectory) struct SignAgainTests {
    /// Evidence by `key.pem`, in a directory `d`; `link` is its path.
    private func project(format: String = "link") throws -> (run: IntotoRun, link: String) {
        let run = IntotoRun()
        try run.makeKey()
        try run.makeKey("other.pem")
        _ = try run.shell("mkdir d")
        _ = try run.run([
            "-q", "-k", "key.pem", "-n", "s", "--format", format, "-d", "d", "-p", "key.pem.pub", "--", "true",
        ])
        return (run, try run.file(endingIn: format == "attestation" ? ".jsonl" : ".link", in: "d"))
    }

    private func object(_ run: IntotoRun, _ name: String) throws -> JSONObject {
        guard case .object(let object) = try JSONReader.read(run.read(name)) else {
            throw IntotoRun.SetupFailure(reason: "no object")
        }
        return object
    }

    private func signatures(_ run: IntotoRun, _ name: String) throws -> [JSONObject] {
        guard case .array(let elements)? = try object(run, name)["signatures"] else { return [] }
        return elements.compactMap { if case .object(let object) = $0 { object } else { nil } }
    }

    /// What go-witness and others put beside signatures, and into envelopes.
    private static let beside: JSONObject = [
        "certificate": "LS0t", "intermediates": ["LS0t"], "timestamps": [["data": "AAAA", "type": "tsp"]],
    ]

    private static let annotations: JSONValue = ["by": "somebody"]

    @Test(arguments: ["link", "dsse-link", "attestation"])
    func `what stands beside other people's signatures stays with --append`(format: String) throws {
        let (run, link) = try project(format: format)
        var file = try object(run, link)
        let first = try #require(try signatures(run, link).first)
        var extended = first
        for member in Self.beside.members { extended[member.name] = member.value }
        file["signatures"] = [.object(extended)]
        file["annotations"] = Self.annotations
        let text = try JSONWriter.bytes(.compact) { $0.object(file) }
        try run.write(String(decoding: text, as: UTF8.self), to: "rich")
        let appended = try run("sign", "rich", "-k", "other.pem", "--append", "-o", "both")
        #expect(appended.status == 0, "\(appended.errorText)")
        let both = try signatures(run, "both")
        #expect(both.count == 2 && both.first == extended)
        #expect(try object(run, "both")["annotations"] == Self.annotations)
        let check = ["--verification-keys", "key.pem.pub", "other.pem.pub"]
        #expect(try run.run(["sign", "--check", "both"] + check).status == 0)
        // Signed anew by its key, a signature has nothing of the former one's.
        #expect(try run("sign", "rich", "-k", "key.pem", "--append", "-o", "anew").status == 0)
        #expect(try signatures(run, "anew") == [first])
        #expect(try run("sign", "rich", "-k", "other.pem", "-o", "alone").status == 0)
        let alone = try signatures(run, "alone")
        #expect(alone.count == 1 && alone.first?["certificate"] == nil)
        #expect(try object(run, "alone")["annotations"] == Self.annotations)
    }

    @Test(arguments: ["./NAME", ".//NAME", "../d/NAME", "PLACE/NAME", "link-to-d/NAME"])
    func `evidence is signed in its place, however that is written`(path: String) throws {
        let (run, link) = try project()
        let name = try #require(link.split(separator: "/").last).description
        _ = try run.shell("ln -s . d/link-to-d")
        var inside = run
        inside.directory = run.directory.appending(path: "d")
        let path = path.replacing("NAME", with: name).replacing("PLACE", with: inside.directory.path)
        let signed = try inside("sign", path, "-k", "../key.pem", "../other.pem", "--append")
        #expect(signed.status == 0, "\(signed.errorText)")
        #expect(try signatures(run, link).count == 2)
        #expect(try inside("sign", path, "-k", "../key.pem", "-o", name).status == 0)
        #expect(try inside("sign", name, "-k", "../key.pem", "-o", path).status == 0)
        #expect(try signatures(run, link).count == 1)
    }

    @Test(arguments: ["cp LINK .", "ln LINK .", "cp LINK d/copy", "ln -s LINK ."])
    func `evidence of the same name elsewhere is not replaced`(make: String) throws {
        let (run, link) = try project()
        let name = try #require(link.split(separator: "/").last).description
        _ = try run.shell(make.replacing("LINK", with: link))
        let target = make.contains("copy") ? "d/copy" : name
        let before = try run.read(target)
        let refused = try run("sign", link, "-k", "key.pem", "other.pem", "--append", "-o", target)
        #expect(refused.status == 2 && refused.errorText.contains("is there already\n"), "\(refused.errorText)")
        #expect(try run.read(target) == before && run.read(link) == before)
    }
}
