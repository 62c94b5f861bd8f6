import Foundation
import InTotoArtifacts
import InTotoMetadata
import Synchronization
import SystemPackage
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// What happens while a snapshot is taken.
@Suite(.temporaryDirectory, .serialized) struct ChangingFilesTests {
    /// Runs `change` over and over in a thread of its own while `body` runs; at least once before it.
    private func whileChanging(_ change: @escaping @Sendable (Int) -> Void, _ body: () throws -> Void) rethrows {
        let hasBegun = DispatchSemaphore(value: 0)
        let hasEnded = DispatchSemaphore(value: 0)
        let flag = Flag()
        Thread.detachNewThread {
            var round = 0
            repeat {
                change(round)
                if round == 0 { hasBegun.signal() }
                round += 1
            } while !flag.isSet
            hasEnded.signal()
        }
        hasBegun.wait()
        defer {
            flag.set()
            hasEnded.wait()
        }
        try body()
    }

    private final class Flag: Sendable {
        private let value = Atomic<Bool>(false)
        var isSet: Bool { value.load(ordering: .acquiring) }
        func set() { value.store(true, ordering: .releasing) }
    }

    /// `InterferenceTests` has what becomes of files that change at a given moment; here nobody can say whether they do.
    @Test func `a file that grows for ever ends the reading`() throws {
        let tree = try Tree()
        try tree.shell("head -c 30000000 /dev/zero > f")
        let path = tree.root + "/f"
        let change: @Sendable (Int) -> Void = { _ in
            let file = open(path, O_WRONLY | O_APPEND)
            _ = [UInt8](repeating: 1, count: 4096).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            close(file)
        }
        try whileChanging(change) {
            let problems = try tree.problems(".")
            #expect(problems.isEmpty || problems == ["'f': changed while being read"])
        }
    }

    @Test func `directories swapped for links never lead outside`() throws {
        let tree = try Tree("box/tree")
        try tree.shell("mkdir ../outside d; for i in {1..5}; do echo secret > ../outside/s$i; echo mine > d/m$i; done")
        let root = tree.root
        var complete = 0
        var snapshots = 0
        let count = Counter()
        let change: @Sendable (Int) -> Void = { _ in
            rename(root + "/d", root + "/../kept")
            symlink("../outside", root + "/d")
            unlink(root + "/d")
            rename(root + "/../kept", root + "/d")
            count.increment()
        }
        try whileChanging(change) {
            while count.value < (isLong ? 10_000 : 2_000) || complete == 0 {
                snapshots += 1
                do {
                    let result = try tree.take(".", "**/m1") { $0.allowsMissing = true }
                    #expect(result.names.allSatisfy { $0.hasPrefix("d/m") })
                    complete += result.names.count == 5 ? 1 : 0
                } catch let error as SnapshotError {
                    let expected: [SnapshotProblem.Reason] = [.changedWhileRead, .vanished, .matchesNothing]
                    #expect(error.problems.allSatisfy { expected.contains($0.reason) }, "\(error)")
                }
            }
        }
        print("\(snapshots) snapshots during \(count.value) swaps, \(complete) of them complete")
    }

    private final class Counter: Sendable {
        private let count = Atomic<Int>(0)
        var value: Int { count.load(ordering: .relaxed) }
        func increment() { count.add(1, ordering: .relaxed) }
    }

    @Test func `a tree that is removed meanwhile is an error or what was there`() throws {
        let tree = try Tree()
        for _ in 0..<(isLong ? 1_000 : 20) {
            try tree.shell("mkdir t; for i in {1..30}; do mkdir t/d$i; echo x > t/d$i/f; done")
            let root = tree.root
            let hasRemoved = DispatchSemaphore(value: 0)
            let change: @Sendable (Int) -> Void = { round in
                guard round == 0 else { return }
                Thread.detachNewThread {
                    Self.remove(root + "/t")
                    hasRemoved.signal()
                }
            }
            // It would remove what the next round makes.
            defer { hasRemoved.wait() }
            try whileChanging(change) {
                do {
                    let result = try tree.take("t") { $0.allowsMissing = true }
                    #expect(result.names.count <= 30)
                } catch let error as SnapshotError {
                    let reasons: [SnapshotProblem.Reason] = [.vanished, .changedWhileRead]
                    #expect(error.problems.allSatisfy { reasons.contains($0.reason) }, "\(error)")
                }
            }
            try tree.shell("while [ -e t ]; do rm -rf t 2>/dev/null || :; done")
        }
    }

    private static func remove(_ path: String) {
        for i in 1...30 {
            unlink("\(path)/d\(i)/f")
            rmdir("\(path)/d\(i)")
        }
        rmdir(path)
    }

    /// In a process of its own, as other tests use memory, too.
    @Test func `a large sparse file is read with little memory`() async throws {
        let tree = try Tree()
        try tree.shell("truncate -s 2G sparse")
        await #expect(processExitsWith: .success) { [root = tree.root as String] in
            let before = ChangingFilesTests.peakMemory
            let result = try Tree(existing: root).take("sparse")
            let grown = ChangingFilesTests.peakMemory - before
            guard grown < 64 << 20 else { fail("\(grown) bytes of memory") }
            let digest = "a7c744c13cc101ed66c29f672f92455547889cc586ce6d44fe76ae824958ea51"
            guard result.sha256("sparse") == digest, result.bytes == 2 << 30 else { fail("not what is in it") }
        }
    }

    /// In bytes.
    private static var peakMemory: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }
}
