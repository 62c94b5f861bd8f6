import Foundation
import InTotoArtifacts
import InTotoCrypto
import InTotoMetadata
import Synchronization
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Changes at an exact moment of a snapshot: whenever it asks whether it is still wanted, which it does before each piece
/// of its work and after each part of a file.
@Suite(.temporaryDirectory) struct InterferenceTests {
    /// Takes a snapshot on one thread, `interfere` being called with how often it was asked before.
    private func take(
        _ tree: Tree, _ references: [String] = ["."], interfere: @escaping @Sendable (Int) throws -> Void
    ) throws -> SnapshotResult {
        let count = Counter()
        var options = tree.options
        options.threads = 1
        options.isGivenUp = {
            do { try interfere(count.next()) } catch { Issue.record(error) }
            return false
        }
        return try Snapshot.take(of: references.map { try ArtifactReference(parsing: $0.utf8) }, options: options)
    }

    private final class Counter: Sendable {
        private let count = Atomic<Int>(0)
        func next() -> Int { count.add(1, ordering: .relaxed).oldValue }
    }

    private func reasons(_ body: () throws -> SnapshotResult) throws -> [String] {
        do {
            let result = try body()
            Issue.record("it was recorded: \(result.names)")
            return []
        } catch let error as SnapshotError { return error.problems.map(\.description) }
    }

    /// What may be done to a file of 9 MB, `f`, which is read in 18 parts; `new` is another.
    private static let changes = [
        "printf x >> f", "cp new f; truncate -s 8500000 f", "cp new new2; mv new2 f", "rm f; cp new f",
        "printf x | dd of=f bs=1 seek=8500000 conv=notrunc status=none; touch -d '2001-01-01' f",
    ]

    @Test(arguments: changes + ["truncate -s 100 f", ": > f"])
    func `a file that changes once is read again and has the digest of what it became`(
        change: String
    ) throws {
        let tree = try Tree()
        try tree.shell("head -c 9000000 /dev/urandom > f; head -c 9000000 /dev/urandom > new")
        let result = try take(tree, ["f"]) { round in if round == 3 { try tree.shell(change) } }
        #expect(result.sha256("f") == (try tree.shell("sha256sum < f | cut -c1-64 | tr -d '\\n'")))
    }

    @Test(arguments: changes) func `a file that changes each time it is read has no digest`(change: String) throws {
        let tree = try Tree()
        try tree.shell("head -c 9000000 /dev/urandom > f; head -c 9000000 /dev/urandom > new")
        let problems = try reasons {
            try take(tree, ["f"]) { round in
                if round % 4 == 2 { try tree.shell(change) }
            }
        }
        #expect(problems == ["'f': changed while being read"])
    }

    /// 400 parts and more, of which many are read within one tick of the clock that files have their times from.
    @Test(arguments: [(O_APPEND, 4_096), (0, 1)])
    func `a file that is written all the time is an error, never a digest of no state`(
        flag: Int32, bytes: Int
    ) throws {
        let tree = try Tree()
        try tree.shell("truncate -s 200M f")
        let path = tree.root + "/f"
        let rounds = Counter()
        let problems = try reasons {
            try take(tree, ["f"]) { round in
                let file = open(path, O_WRONLY | flag)
                let content = [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: bytes)
                #expect(pwrite(file, content, bytes, 19_000_000) == bytes)
                close(file)
                _ = rounds.next()
            }
        }
        #expect(problems == ["'f': changed while being read"])
        #expect(rounds.next() > 3)
        #expect(try tree.problems("f").isEmpty)
    }

    @Test(arguments: [1, 2, 4, 9, 30]) func `a file that changes in one lane does not disturb the other`(
        moment: Int
    ) throws {
        try #require(SHA256Lanes.isAvailable, "this processor has no SHA instructions, so there are no lanes")
        let tree = try Tree()
        try tree.shell("truncate -s 20M grows; head -c 30000000 /dev/urandom > still")
        let still = try tree.shell("sha256sum < still | cut -c1-64 | tr -d '\\n'")
        let path = tree.root + "/grows"
        let append: @Sendable () -> Void = {
            let file = open(path, O_WRONLY | O_APPEND)
            #expect(write(file, "x", 1) == 1)
            close(file)
        }
        // Both are under way when it grows once, and is read again.
        let once = try take(tree) { round in if round == moment { append() } }
        #expect(once.sha256("still") == still)
        #expect(once.sha256("grows") == (try tree.shell("sha256sum < grows | cut -c1-64 | tr -d '\\n'")))
        // What grows without an end fails alone.
        #expect(try reasons { try take(tree) { _ in append() } } == ["'grows': changed while being read"])
        #expect(try tree.take("still").sha256("still") == still)
    }

    @Test(arguments: [(40, true), (Int.max, false)])
    func `a file that settles within milliseconds is read again late enough`(
        milliseconds: Int, isRecorded: Bool
    ) throws {
        let tree = try Tree()
        try tree.shell("head -c 9000000 /dev/zero > f")
        let first = Mutex<ContinuousClock.Instant?>(nil)
        let take = {
            try self.take(tree, ["f"]) { _ in
                let began = first.withLock { first in
                    first = first ?? .now
                    return first ?? .now
                }
                guard milliseconds == .max || began.duration(to: .now) < .milliseconds(milliseconds) else { return }
                let file = open(tree.root + "/f", O_WRONLY | O_APPEND)
                #expect(write(file, "x", 1) == 1)
                close(file)
            }
        }
        if isRecorded {
            #expect(try take().sha256("f") == (try tree.shell("sha256sum < f | cut -c1-64 | tr -d '\\n'")))
        } else {
            #expect(try reasons(take) == ["'f': changed while being read"])
        }
    }

    @Test func `a file that goes while it is read has vanished`() throws {
        let tree = try Tree()
        try tree.shell("head -c 9000000 /dev/zero > f; touch g")
        #expect(
            try reasons { try take(tree) { round in if round == 3 { unlink(tree.root + "/f") } } }
                == ["'f': vanished while being read"])
    }

    /// What a name that was listed as one kind of thing is when it is opened.
    @Test(arguments: [
        (": > NAME", "rm NAME; mkfifo NAME"), (": > NAME", "rm NAME; mkdir NAME"),
        (": > NAME", "rm NAME; ln -s other NAME"), (": > NAME", "rm NAME; ln -s /dev/zero NAME"),
        ("mkdir NAME", "rmdir NAME; : > NAME"), ("mkdir NAME", "rmdir NAME; mkfifo NAME"),
        ("mkdir NAME", "rmdir NAME; ln -s /etc NAME"),
    ])
    func `what changes its kind between listing and opening is an error, never opened as something else`(
        before: String, after: String
    ) throws {
        let tree = try Tree()
        let all = { @Sendable (script: String) in
            "touch other; for i in {101..200}; do \(script.replacing("NAME", with: "f$i")); done"
        }
        try tree.shell(all(before))
        // All names are listed in the first piece of work, and most of them looked at in the next ones.
        let start = ContinuousClock.now
        let result = Result {
            try take(tree) { round in if round == 1 { try tree.shell(all(after)) } }
        }
        #expect(start.duration(to: .now) < .seconds(30))
        switch result {
        case .success(let result): Issue.record("nothing was noticed: \(result.names.count)")
        case .failure(let error as SnapshotError):
            #expect(error.count >= 60)
            #expect(error.problems.allSatisfy { $0.reason == .changedWhileRead }, "\(error)")
        case .failure(let error): throw error
        }
    }

    @Test func `a link that turns into a file is that file or an error`() throws {
        let tree = try Tree()
        try tree.shell("echo x > other; for i in {101..200}; do ln -s other f$i; done")
        let result = try take(tree) { round in
            if round == 1 { try tree.shell("for i in {101..200}; do rm f$i; echo y > f$i; done") }
        }
        let digests = Set(result.names.map { result.sha256($0) ?? "" })
        #expect(result.names.count == 101 && digests.count == 2)
    }

    @Test func `a snapshot that is given up says so of all that was asked for, and ends at once`() throws {
        let tree = try Tree()
        try tree.shell("mkdir d e; truncate -s 1T d/f e/g; touch small")
        for threads in [1, 4] {
            for references in [["d", "e", "small"], ["small", "dir:d"], ["tree:e"]] {
                let count = Counter()
                var options = tree.options
                options.threads = threads
                options.isGivenUp = { count.next() > 20 }
                let start = ContinuousClock.now
                let problems = try reasons {
                    try Snapshot.take(of: references.map { try ArtifactReference(parsing: $0.utf8) }, options: options)
                }
                #expect(problems == references.sorted().map { "'\($0)': its reading was given up on request" })
                #expect(start.duration(to: .now) < .seconds(20))
            }
        }
    }
}
