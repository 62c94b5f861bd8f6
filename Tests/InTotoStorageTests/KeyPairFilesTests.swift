import InTotoStorage
import SystemPackage
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct KeyPairFilesTests {
    private func write(_ text: String, replacing: Bool) throws {
        let files = KeyPairFiles(privatePath: Place.path("k"), publicPath: Place.path("k.pub"))
        try Array("\(text) private".utf8).withUnsafeBytes { secret in
            try Array("\(text) public".utf8).withUnsafeBytes { try files.write(secret, $0, replacing: replacing) }
        }
    }

    /// Names, and what stands in the files.
    private func content() throws -> [String: String] {
        var content: [String: String] = [:]
        for name in try Place.list() { content[name] = try? Place.read(name) }
        return content
    }

    @Test func `both halves come, and are replaced, together`() throws {
        try write("first", replacing: false)
        #expect(try content() == ["k": "first private", "k.pub": "first public"])
        #expect(try Place.mode("k") == 0o600)
        #expect(throws: StorageError.alreadyExists(Place.path("k"))) { try write("second", replacing: false) }
        #expect(try content() == ["k": "first private", "k.pub": "first public"])
        try write("third", replacing: true)
        #expect(try content() == ["k": "third private", "k.pub": "third public"])
        #expect(try Place.list() == ["k", "k.pub"])
    }

    @Test(arguments: [false, true])
    func `where the public half has no place, the private one leaves its own`(replacing: Bool) throws {
        try Place.shell("mkdir -p k.pub/full")
        #expect(throws: StorageError.self) { try write("new", replacing: replacing) }
        #expect(try Place.list() == ["k.pub"])
    }

    @Test(arguments: ["echo former >k; chmod 640 k", "ln -s former k; echo former >former"])
    func `the key that was there comes back, as it was`(make: String) throws {
        try Place.shell("mkdir -p k.pub/full; \(make)")
        let before = try Place.shell("ls -lai k").output
        #expect(throws: StorageError.self) { try write("new", replacing: true) }
        #expect(try Place.read("k") == "former\n")
        #expect(try Place.shell("ls -lai k").output == before)
        #expect(try Place.list().filter { $0 != "former" } == ["k", "k.pub"])
    }

    @Test func `where nothing can be written, nothing changes`() throws {
        try Place.shell("mkdir k; echo former >k.pub")
        #expect(throws: StorageError.system(Place.path("k"), operation: "create", errno: .isDirectory)) {
            try write("new", replacing: true)
        }
        #expect(try Place.read("k.pub") == "former\n" && Place.list() == ["k", "k.pub"])
    }
}
