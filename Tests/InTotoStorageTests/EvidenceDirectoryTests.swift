import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import InTotoStorage

@Suite(.temporaryDirectory) struct EvidenceDirectoryTests {
    // MARK: Files that do not show until they are complete

    @Test func `a file shows under its name only when it is complete`() throws {
        let file = try Place.directory().reserve("s.link", overwrite: false)
        #expect(try Place.list().count == 1 && !Place.list().contains("s.link"))
        try file.prepare(Array("evidence".utf8))
        #expect(try !Place.list().contains("s.link"))
        try file.place()
        #expect(try Place.list() == ["s.link"])
        #expect(try Place.read("s.link") == "evidence")
        #expect(try Place.mode("s.link") == 0o644)
    }

    @Test func `a file that is not put in its place leaves nothing`() throws {
        do {
            let file = try Place.directory().reserve("s.link", overwrite: false)
            try file.prepare([1, 2, 3])
        }
        #expect(try Place.list() == [])
    }

    @Test func `evidence longer and shorter than the space set aside is written to the byte`() throws {
        for count in [0, 1, 65_536, 300_001] {
            try Place.directory().reserve("s", overwrite: true).commit([UInt8](repeating: 0x78, count: count))
            #expect(try Place.read("s").utf8.count == count)
        }
    }

    @Test(arguments: ["echo mine >s", "ln -s nowhere s", "mkdir s", "mkfifo s"])
    func `a name that is taken is refused before anything is done`(make: String) throws {
        try Place.shell(make)
        #expect(throws: StorageError.alreadyExists(Place.path("s"))) {
            try Place.directory().reserve("s", overwrite: false)
        }
        #expect(try Place.list() == ["s"])
    }

    @Test func `--overwrite replaces a file, and no directory`() throws {
        try Place.write("old", to: "s")
        try Place.directory().reserve("s", overwrite: true).commit(Array("new".utf8))
        #expect(try Place.read("s") == "new")
        try Place.shell("mkdir d")
        #expect(throws: StorageError.system(Place.path("d"), operation: "replace", errno: .isDirectory)) {
            try Place.directory().reserve("d", overwrite: true)
        }
    }

    @Test func `a file that came in the meantime is not replaced, unless that was asked for`() throws {
        let file = try Place.directory().reserve("s", overwrite: false)
        let other = try Place.directory().reserve("s", overwrite: true)
        try Place.write("mine", to: "s")
        #expect(throws: StorageError.alreadyExists(Place.path("s"))) { try file.commit([1]) }
        #expect(try Place.read("s") == "mine")
        try other.commit(Array("new".utf8))
        #expect(try Place.read("s") == "new")
    }

    @Test func `two hold the same name, and the first has it`() throws {
        let files = try (0..<2).map { _ in try Place.directory().reserve("s", overwrite: false) }
        try files[1].commit(Array("first".utf8))
        #expect(throws: StorageError.alreadyExists(Place.path("s"))) { try files[0].commit(Array("second".utf8)) }
        #expect(try Place.read("s") == "first")
    }

    @Test(arguments: ["ln -s victim s", "mkfifo s", "ln -s nowhere s"])
    func `what is planted and no file is replaced, not followed`(plant: String) throws {
        try Place.write("untouched", to: "victim")
        let file = try Place.directory().reserve("s", overwrite: false)
        try Place.shell(plant)
        try file.commit(Array("evidence".utf8))
        #expect(try Place.read("s") == "evidence")
        #expect(try Place.read("victim") == "untouched")
        #expect(try Place.list() == ["s", "victim"])
    }

    @Test func `a directory at the place is an error, and stays`() throws {
        let file = try Place.directory().reserve("s", overwrite: false)
        try Place.shell("mkdir s")
        #expect(throws: StorageError.system(Place.path("s"), operation: "put in place", errno: .isDirectory)) {
            try file.commit([1])
        }
    }

    @Test func `a directory that is absent, or none, is an error`() throws {
        try Place.write("", to: "file")
        for (name, errno) in [("absent", Errno.noSuchFileOrDirectory), ("file", .notDirectory)] {
            #expect(throws: StorageError.system(Place.path(name), operation: "open", errno: errno)) {
                try EvidenceDirectory(Place.path(name))
            }
        }
    }

    // MARK: Cleaning up

    @Test func `abandoned files go, held ones and those of others stay`() throws {
        let others = [
            ".intoto-run.012345678abcdef.tmp", ".intoto-run.0123456789abcdeg.tmp", ".intoto-run.notes.tmp",
            "x.intoto-run.0123456789abcdef.tmp",
        ]
        for name in others + [".intoto-run.0123456789abcdef.tmp"] { try Place.write("", to: name) }
        let directory = try Place.directory()
        let held = try directory.reserve("s", overwrite: false)
        directory.removeAbandonedFiles()
        let left = try Set(Place.list()).subtracting(others)
        #expect(left.count == 1 && left.isDisjoint(with: [".intoto-run.0123456789abcdef.tmp"]))
        #expect(left.allSatisfy(TemporaryFile.isOwnName))
        try held.commit([1])
        #expect(try Place.list() == (others + ["s"]).sorted())
    }

    @Test func `a run that cleans up never takes another's file, however the two meet`() async throws {
        let directory = try Place.directory()
        let cleaner = Task.detached {
            while !Task.isCancelled { directory.removeAbandonedFiles() }
        }
        for number in 0..<500 { try directory.reserve("s\(number)", overwrite: false).commit([1]) }
        cleaner.cancel()
        await cleaner.value
        #expect(try Place.list().count == 500)
    }
}
