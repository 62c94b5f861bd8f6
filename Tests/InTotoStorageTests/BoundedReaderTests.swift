import InTotoStorage
import SystemPackage
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct BoundedReaderTests {
    @Test func `a file up to the limit is read whole, one byte more is refused`() throws {
        try Place.write(String(repeating: "x", count: 1000), to: "file")
        #expect(try BoundedReader.contents(of: Place.path("file"), limit: 1000).count == 1000)
        #expect(throws: StorageError.tooLarge(Place.path("file"), limit: 999)) {
            try BoundedReader.contents(of: Place.path("file"), limit: 999)
        }
    }

    @Test func `no room is made for what is too large`() throws {
        try Place.shell("truncate -s 4T file")
        #expect(throws: StorageError.tooLarge(Place.path("file"), limit: 1000)) {
            try BoundedReader.contents(of: Place.path("file"), limit: 1000)
        }
    }

    @Test func `an empty file has no bytes`() throws {
        try Place.write("", to: "file")
        #expect(try BoundedReader.contents(of: Place.path("file"), limit: 0) == [])
    }

    @Test func `a file whose size says nothing is read to its end, and no further than the limit`() throws {
        // The kernel says that these are empty.
        #expect(try BoundedReader.contents(of: "/proc/self/status").count > 100)
        #expect(throws: StorageError.tooLarge("/proc/self/status", limit: 100)) {
            try BoundedReader.contents(of: "/proc/self/status", limit: 100)
        }
    }

    @Test(arguments: ["fifo", "directory", "device", "link"])
    func `what is no regular file is refused at once, behind a link too`(name: String) throws {
        try Place.shell("mkfifo fifo; mkdir directory; ln -s /dev/zero device; ln -s fifo link")
        #expect(throws: StorageError.notRegularFile(Place.path(name))) {
            try BoundedReader.contents(of: Place.path(name))
        }
    }

    @Test func `a file that cannot be read is an error that names it`() throws {
        // Nothing is mapped at its beginning.
        #expect(throws: StorageError.system("/proc/self/mem", operation: "read", errno: .ioError)) {
            try BoundedReader.contents(of: "/proc/self/mem")
        }
    }

    @Test func `a file that is not there is an error that names it`() throws {
        #expect(throws: StorageError.system(Place.path("absent"), operation: "open", errno: .noSuchFileOrDirectory)) {
            try BoundedReader.contents(of: Place.path("absent"))
        }
    }
}
