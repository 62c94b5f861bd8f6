import Foundation
import InTotoStorage
import SystemPackage
import Testing

@Suite struct RescueFileTests {
    /// Rescues in the working directory of the tests, and takes it away again.
    private func rescued(_ name: String) throws -> (path: FilePath, bytes: [UInt8], mode: Int?) {
        let path = try RescueFile.write(Array("evidence".utf8), named: name)
        defer { KeyFile.remove(path) }
        let attributes = try FileManager.default.attributesOfItem(atPath: path.string)
        return (path, try BoundedReader.contents(of: path), attributes[.posixPermissions] as? Int)
    }

    @Test func `what is rescued is whole, its owner's alone, and keeps its name`() throws {
        let (path, bytes, mode) = try rescued("s.12345678.link")
        #expect(bytes == Array("evidence".utf8) && mode == 0o600)
        #expect(path.isAbsolute && path.lastComponent?.string.hasPrefix("kept-") == true)
        #expect(path.lastComponent?.string.hasSuffix(".s.12345678.link") == true)
    }

    @Test(arguments: ["n", "é", "😀"])
    func `of the longest names the end is kept, between characters`(letter: String) throws {
        let name = String(repeating: letter, count: 200 / letter.utf8.count) + ".12345678.intoto.jsonl"
        let kept = try #require(try rescued(name).path.lastComponent?.string)
        #expect(kept.utf8.count <= 143)
        #expect(kept.hasSuffix("\(letter).12345678.intoto.jsonl"))
    }

    @Test func `the same name is rescued twice`() throws {
        let first = try RescueFile.write([1], named: "s")
        defer { KeyFile.remove(first) }
        #expect(try rescued("s").path != first)
    }
}
