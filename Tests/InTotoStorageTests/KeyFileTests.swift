import InTotoStorage
import SystemPackage
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct KeyFileTests {
    private func create(_ name: String, _ text: String, mode: UInt16 = 0o600, replacing: Bool = false) throws {
        try Array(text.utf8).withUnsafeBytes {
            try KeyFile.create(Place.path(name), $0, mode: mode, replacing: replacing)
        }
    }

    private func secret(_ name: String) throws -> (result: Int, isReadableByOthers: Bool) {
        try KeyFile.withSecret(at: Place.path(name), limit: 65_536) { $0.count }
    }

    @Test func `a new key file has its mode and nothing beside it`() throws {
        try create("k", "secret")
        #expect(try Place.list() == ["k"])
        #expect(try Place.read("k") == "secret")
        #expect(try Place.mode("k") == 0o600)
    }

    @Test(arguments: ["echo mine >k", "ln -s nowhere k", "ln -s victim k", "mkdir k"])
    func `nothing is written over what is there`(make: String) throws {
        try Place.write("untouched", to: "victim")
        try Place.shell(make)
        #expect(throws: StorageError.alreadyExists(Place.path("k"))) { try create("k", "secret") }
        #expect(try Place.read("victim") == "untouched")
        #expect(try Place.list() == ["k", "victim"])
    }

    @Test func `replacing takes away a link, not what it leads to`() throws {
        try Place.write("untouched", to: "victim")
        try Place.shell("ln -s victim k")
        try create("k", "secret", replacing: true)
        #expect(try Place.read("k") == "secret")
        #expect(try Place.read("victim") == "untouched")
    }

    @Test func `a name of the greatest length is fine, one byte more is an error`() throws {
        let name = String(repeating: "k", count: 255)
        try create(name, "secret")
        #expect(try Place.list() == [name])
        #expect(throws: StorageError.system(Place.path(name + "k"), operation: "create", errno: .fileNameTooLong)) {
            try create(name + "k", "secret")
        }
        #expect(try Place.list() == [name])
    }

    @Test func `directories for keys are the owner's alone, and those that are there stay as they are`() throws {
        try Place.shell("mkdir -m 755 there; touch file")
        for _ in 0..<2 { try KeyFile.createDirectories(Place.path("there/a/b")) }
        #expect(try [Place.mode("there"), Place.mode("there/a"), Place.mode("there/a/b")] == [0o755, 0o700, 0o700])
        #expect(throws: StorageError.system(Place.path("file/a"), operation: "create", errno: .notDirectory)) {
            try KeyFile.createDirectories(Place.path("file/a"))
        }
    }

    @Test func `who else may read a secret is told`() throws {
        for (mode, isReadable) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
            try Place.write("secret", to: "k\(mode)", mode: mode)
            let found = try secret("k\(mode)")
            #expect(found.result == 6 && found.isReadableByOthers == isReadable)
        }
    }

    @Test(arguments: [0o620, 0o602, 0o666])
    func `a secret that others may write is refused`(mode: Int) throws {
        try Place.write("secret", to: "k", mode: mode)
        #expect(throws: StorageError.unsafeKeyFile(Place.path("k"), reason: .writableByOthers)) { try secret("k") }
    }

    @Test func `a secret up to the limit is read, one byte more is refused`() throws {
        try Place.write(String(repeating: "x", count: 65_536), to: "k", mode: 0o600)
        #expect(try secret("k").result == 65_536)
        try Place.write(String(repeating: "x", count: 65_537), to: "k", mode: 0o600)
        #expect(throws: StorageError.tooLarge(Place.path("k"), limit: 65_536)) { try secret("k") }
    }

    @Test(arguments: ["fifo", "device", "directory"])
    func `what is no regular file holds no secret`(name: String) throws {
        try Place.shell("mkfifo fifo; ln -s /dev/zero device; mkdir directory")
        #expect(throws: StorageError.notRegularFile(Place.path(name))) { try secret(name) }
    }
}
