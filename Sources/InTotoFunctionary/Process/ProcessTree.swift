internal import CSupport

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A process that the command has left behind, or that is still at work for it.
public struct DescendantProcess: Hashable, Sendable {
    public var processID: Int32
    /// The name that the kernel has for it, of which it keeps `longestName` bytes.
    public var name: [UInt8]
    static let longestName = 15
    /// Clock ticks from the machine's start to the process's: tells it from a later one with the same number.
    var startTime: UInt64
    var parentID: Int32
    var state: UInt8

    var isZombie: Bool { state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") }
}

/// The processes below ours. Since orphans come to us (cs_prepare_runner), these are all that the command started,
/// whatever sessions and groups they made for themselves; and those that a shell had started before it became us by exec,
/// which are left alone.
enum ProcessTree {
    /// Every living descendant that the command started, parents before children.
    static func descendants() -> [DescendantProcess] { below(getpid(), without: inherited) }

    /// To be called before our first child is started.
    static func noteInherited() { _ = inherited }

    /// Start times of the processes that were below us before any of ours, by their numbers.
    ///
    /// What these start later is found below them; where it loses its parent it cannot be told from the command's own.
    private static let inherited: [Int32: UInt64] = {
        guard cs_has_children() != 0 else { return [:] }
        let found = below(getpid(), without: [:])
        cs_note_inherited(found.map(\.processID), found.count)
        return Dictionary(found.map { ($0.processID, $0.startTime) }, uniquingKeysWith: { $1 })
    }()

    private static func below(_ process: Int32, without others: [Int32: UInt64]) -> [DescendantProcess] {
        var found: [DescendantProcess] = []
        var waiting = [process]
        while let parent = waiting.popLast() {
            for child in children(of: parent).compactMap(status(of:))
            where others[child.processID] != child.startTime && cs_is_limit_keeper(child.processID) == 0 {
                if !child.isZombie { found.append(child) }
                waiting.append(child.processID)
            }
        }
        return found
    }

    /// Sends `number` to every descendant that still is the one it was when found.
    static func signal(_ number: Int32) {
        for process in descendants() where status(of: process.processID)?.startTime == process.startTime {
            cs_signal_tree_member(process.processID, number)
        }
    }

    /// Stops those of a process group that SIGTSTP would stop; the kernel itself has it stop no group whose parents are
    /// all in other sessions, as that of a command with a terminal of its own is.
    static func stop(group: Int32) {
        for process in descendants() where getpgid(process.processID) == group && isStoppedByRequest(process.processID)
        {
            kill(process.processID, SIGSTOP)
        }
    }

    /// Whether a process is stopped, as by SIGSTOP.
    static func isStopped(_ processID: Int32) -> Bool { status(of: processID)?.state == UInt8(ascii: "T") }

    #if os(Linux)
        /// The kernel lists children with the thread that has them; without such lists (CONFIG_PROC_CHILDREN), every
        /// process of the system is asked for its parent.
        private static func children(of processID: Int32) -> [Int32] {
            var children: [Int32] = []
            for thread in numbers(in: "/proc/\(processID)/task") {
                guard let list = contents(of: "/proc/\(processID)/task/\(thread)/children") else {
                    // A thread that has ended has no list; a kernel without lists has none for us either.
                    if thread != getpid() { continue }
                    return numbers(in: "/proc").filter { status(of: $0)?.parentID == processID }
                }
                children += list.split(separator: UInt8(ascii: " ")).compactMap {
                    Int32(String(decoding: $0, as: UTF8.self))
                }
            }
            return children
        }

        private static func numbers(in directory: String) -> [Int32] {
            guard let entries = opendir(directory) else { return [] }
            defer { closedir(entries) }
            var numbers: [Int32] = []
            while let entry = readdir(entries) {
                let number = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    Int32(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
                }
                if let number { numbers.append(number) }
            }
            return numbers
        }

        private static func contents(of path: String) -> [UInt8]? {
            let file = open(path, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { return nil }
            defer { close(file) }
            var contents: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(file, &buffer, buffer.count)
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else { return nil }
                if count == 0 { return contents }
                contents += buffer[..<count]
            }
        }

        /// Reads `/proc/N/stat`; the name in it may hold anything, so what follows is found from its last parenthesis.
        static func status(of processID: Int32) -> DescendantProcess? {
            guard let buffer = contents(of: "/proc/\(processID)/stat"),
                let open = buffer.firstIndex(of: UInt8(ascii: "(")), let end = buffer.lastIndex(of: UInt8(ascii: ")"))
            else { return nil }
            let fields = buffer[(end + 1)...].split(separator: UInt8(ascii: " "))
            guard fields.count > 19, let parent = Int32(String(decoding: fields[1], as: UTF8.self)),
                let start = UInt64(String(decoding: fields[19], as: UTF8.self))
            else { return nil }
            return DescendantProcess(
                processID: processID, name: Array(buffer[(open + 1)..<end]), startTime: start, parentID: parent,
                state: fields[0].first ?? 0)
        }

        /// Whether a process neither blocks nor ignores nor catches SIGTSTP.
        private static func isStoppedByRequest(_ processID: Int32) -> Bool {
            guard let status = contents(of: "/proc/\(processID)/status") else { return false }
            let masks = status.split(separator: UInt8(ascii: "\n")).filter { line in
                ["SigBlk:", "SigIgn:", "SigCgt:"].contains { line.starts(with: $0.utf8) }
            }
            return masks.allSatisfy { line in
                let digits = String(decoding: line.dropFirst("SigBlk:\t".utf8.count), as: UTF8.self)
                return UInt64(digits, radix: 16).map { $0 >> UInt64(SIGTSTP - 1) & 1 == 0 } ?? false
            }
        }
    #else
        private static func isStoppedByRequest(_ processID: Int32) -> Bool { true }
        /// Not known on this system: only the command itself is signalled, and nothing is listed.
        private static func children(of processID: Int32) -> [Int32] { [] }
        static func status(of processID: Int32) -> DescendantProcess? { nil }
    #endif

    /// Waits until one of `living` has ended, `descriptor` is readable or `deadline` has come.
    static func awaitEnd(
        ofOneOf living: [DescendantProcess], or descriptor: Int32, until deadline: ContinuousClock.Instant
    ) {
        let left = ContinuousClock.now.duration(to: deadline).pollMilliseconds
        let descriptors = living.map { cs_process_descriptor($0.processID) }.filter { $0 >= 0 }
        defer { for descriptor in descriptors { close(descriptor) } }
        var events = ([descriptor] + descriptors).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        // With fewer, one ended in between, or the system has no descriptors of processes.
        poll(&events, nfds_t(events.count), descriptors.count == living.count ? left : min(20, left))
    }
}

extension Duration {
    /// Whole milliseconds; what is left over is dropped.
    package var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }

    /// Milliseconds for `poll`, rounded up so that it does not spin.
    var pollMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        let milliseconds = seconds.multipliedReportingOverflow(by: 1000)
        guard !milliseconds.overflow, milliseconds.partialValue < Int64(Int32.max) - 1000 else { return .max }
        return Int32(max(0, milliseconds.partialValue + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }
}

extension ContinuousClock.Instant? {
    /// Milliseconds for `poll` until then; negative, which is without end, where there is no such time.
    var pollMilliseconds: Int32 { map { ContinuousClock.now.duration(to: $0).pollMilliseconds } ?? -1 }
}
