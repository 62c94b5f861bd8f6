import Foundation
import InTotoArtifacts
import InTotoMetadata
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// A digest is taken over only where the file is provably what it was: every way to change bytes behind its back.
@Suite(
    .enabled(if: SoundFileSystem.directory != nil, SoundFileSystem.isMissing),
    .temporaryDirectory(in: SoundFileSystem.directory))
struct DigestReuseTests {
    /// A tree with one large file, `f`, and what a snapshot of it keeps.
    private func kept(_ tree: Tree, _ size: Int = 300_000) throws -> ReusableDigests {
        try tree.shell("head -c \(size) /dev/urandom > f; cp f other; touch -d '1 hour ago' f other")
        let known = try kept(again: tree)
        #expect(known.count == 1)
        return known
    }

    /// A file that was changed a moment ago is too young: it is asked for again until it is not.
    private func kept(again tree: Tree) throws -> ReusableDigests {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let known = try tree.take("f") { $0.reuse = .keeping }.reusable
            if known.count == 1 || ContinuousClock.now > deadline { return known }
        }
    }

    /// The snapshot with what is known has the digest of what is there.
    private func checkTrue(_ tree: Tree, _ known: ReusableDigests, reused: Int, _ what: String = "") throws {
        let after = try tree.take("f") { $0.reuse = .from(known) }
        #expect(after.sha256("f") == (try tree.shell("sha256sum f | cut -c1-64 | tr -d '\\n'")), "\(what)")
        #expect(after.reused == reused, "\(what)")
    }

    @Test func `what did not change is not read again, whatever else changed`() throws {
        let tree = try Tree()
        let known = try kept(tree)
        #expect(known.count == 1)
        try tree.shell("echo x >> other; cat f > /dev/null")
        try checkTrue(tree, known, reused: 1)
        #expect(try tree.take("f") { $0.reuse = .from(known) }.bytes == 0)
    }

    @Test(arguments: [
        (Int64.max, Int64(0)), (.max - 1, 999_999_999), (.min, 0), (0, .max), (0, .min), (0, -1), (0, 1_000_000_000),
    ])
    func `no time that a file system claims proves anything where it cannot be`(seconds: Int64, nanoseconds: Int64) {
        let clock = ClockReading(now: 1_000_000_000_000_000_000, sinceBoot: 0)
        #expect(!clock.isWellAfter(seconds: seconds, nanoseconds: nanoseconds))
        #expect(clock.isWellAfter(seconds: 0, nanoseconds: 999_999_999))
    }

    @Test func `small files are always read`() throws {
        let tree = try Tree()
        try tree.shell("head -c 262143 /dev/urandom > f; touch -d '1 hour ago' f")
        for _ in 0..<20 { #expect(try tree.take("f") { $0.reuse = .keeping }.reusable.count == 0) }
    }

    @Test(
        arguments: [
            "printf x | dd of=f bs=1 seek=1000 conv=notrunc status=none",
            "printf x | dd of=f bs=1 seek=1000 conv=notrunc status=none; touch -r other f",
            "head -c 4096 /dev/zero | dd of=f bs=4096 conv=notrunc oflag=direct status=none",
            "cp other new; printf x | dd of=new bs=1 conv=notrunc status=none; touch -r f new; mv new f",
            "truncate -s 100000 f; truncate -s 300000 f; touch -r other f",
            "fallocate -p -o 4096 -l 8192 f; touch -r other f",
            "ln f g; printf x | dd of=g bs=1 seek=5 conv=notrunc status=none; touch -r other f; rm g",
            "rm f; cp -p other f",
            "mv f g; ln -s g f; printf x | dd of=g bs=1 seek=5 conv=notrunc status=none; touch -r other g",
            """
            python3 -c 'import os; a = os.open("other", 0); b = os.open("f", 1); os.copy_file_range(a, b, 8192, 50000, 0)'
            touch -r other f
            """,
        ])
    func `a change by system calls is seen, though the time is set back`(change: String) throws {
        let tree = try Tree()
        let known = try kept(tree)
        try tree.shell(change)
        try checkTrue(tree, known, reused: 0, change)
    }

    @Test(arguments: [false, true]) func `a store through a new mapping is seen`(readsFirst: Bool) throws {
        let tree = try Tree()
        let known = try kept(tree)
        try withMapping(tree.root + "/f") { page in
            if readsFirst { #expect(page[0] == page[0] &+ 0) }
            page[0] = page[0] &+ 1
        }
        try tree.shell("touch -r other f")
        try checkTrue(tree, known, reused: 0)
    }

    @Test func `a file that somebody has mapped and dirty, or open for writing, is not kept`() throws {
        let tree = try Tree()
        try tree.shell("head -c 300000 /dev/urandom > f; touch -d '1 hour ago' f")
        try withMapping(tree.root + "/f") { page in
            page[0] = page[0] &+ 1
            try tree.shell("touch -d '1 hour ago' f")
            for _ in 0..<50 {
                let known = try tree.take("f") { $0.reuse = .keeping }.reusable
                #expect(known.count == 0)
                page[1] = page[1] &+ 1
                try checkTrue(tree, known, reused: 0)
            }
        }
        let writer = open(tree.root + "/f", O_WRONLY)
        for _ in 0..<50 { #expect(try tree.take("f") { $0.reuse = .keeping }.reusable.count == 0) }
        close(writer)
        #expect(try kept(again: tree).count == 1)
    }

    @Test func `a file from the future is not kept`() throws {
        let tree = try Tree()
        try tree.shell("head -c 300000 /dev/urandom > f; touch -d '1 hour' f")
        for _ in 0..<20 { #expect(try tree.take("f") { $0.reuse = .keeping }.reusable.count == 0) }
    }

    @Test func `other digests, or other line endings, are computed anew`() throws {
        let tree = try Tree()
        let known = try kept(tree)
        let other = try tree.take("f") {
            $0.reuse = .from(known)
            $0.digests = [.sha512]
        }
        #expect(other.reused == 0)
        let normalized = try tree.take("f") {
            $0.reuse = .from(known)
            $0.lineEndings = .normalized
        }
        #expect(normalized.reused == 0)
    }

    @Test func `on tmpfs nothing is taken over, since a mapping there changes bytes unseen`() throws {
        let shared = "/dev/shm/intoto-run-test-\(UUID())"
        try FileManager.default.createDirectory(atPath: shared, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: shared) }
        let tree = Tree(existing: shared)
        try #require(try tree.shell("stat -f -c %T . | tr -d '\\n'") == "tmpfs")
        try tree.shell("head -c 300000 /dev/urandom > f; touch -d '1 hour ago' f")
        for _ in 0..<20 {
            let known = try tree.take("f") { $0.reuse = .keeping }.reusable
            #expect(known.count == 0)
            try withMapping(shared + "/f") { page in
                #expect(page[0] == page[0] &+ 0)
                page[0] = page[0] &+ 1
            }
            try checkTrue(tree, known, reused: 0)
        }
    }

    @Test func `a wall clock that was set between two readings is seen, and one that ran on is not`() {
        let first = ClockReading(now: 1_000_000_000_000, sinceBoot: 5_000_000_000)
        #expect(first.agrees(with: ClockReading(now: 1_003_000_000_000, sinceBoot: 8_000_000_000)))
        #expect(first.agrees(with: ClockReading(now: 1_003_020_000_000, sinceBoot: 8_000_000_000)))
        #expect(!first.agrees(with: ClockReading(now: 1_003_020_000_001, sinceBoot: 8_000_000_000)))
        #expect(!first.agrees(with: ClockReading(now: 999_000_000_000, sinceBoot: 8_000_000_000)))
    }

    @Test func `a time is old enough 20 milliseconds later, and not at that very moment`() {
        let clock = ClockReading(now: 100_020_000_000, sinceBoot: 0)
        #expect(clock.isWellAfter(seconds: 99, nanoseconds: 999_999_999))
        #expect(!clock.isWellAfter(seconds: 100, nanoseconds: 0))
        #expect(!clock.isWellAfter(seconds: .max, nanoseconds: 0))
    }

    private func withMapping(_ path: String, _ body: (UnsafeMutablePointer<UInt8>) throws -> Void) throws {
        let file = open(path, O_RDWR)
        let memory = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        close(file)
        let page = try #require(memory != MAP_FAILED ? memory : nil)
        defer { munmap(page, 4096) }
        try body(page.assumingMemoryBound(to: UInt8.self))
    }
}
