#if canImport(Glibc)
    private import Glibc
#else
    private import Darwin
#endif

/// The wall clock, and how it stands to one that nobody can set. All in nanoseconds.
package struct ClockReading: Sendable {
    private let now: Int64
    /// Since start-up, whatever is done to the wall clock.
    private let sinceBoot: Int64

    package init(now: Int64, sinceBoot: Int64) {
        self.now = now
        self.sinceBoot = sinceBoot
    }

    init() {
        #if canImport(Glibc)
            let steady = CLOCK_BOOTTIME
        #else
            let steady = CLOCK_MONOTONIC
        #endif
        self.init(now: Self.read(CLOCK_REALTIME), sinceBoot: Self.read(steady))
    }

    /// By more than any file system's tick and any lag of the time that it writes.
    package func isWellAfter(seconds: Int64, nanoseconds: Int64) -> Bool {
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow, (0..<1_000_000_000).contains(nanoseconds) else { return false }
        return whole < now - tolerance - nanoseconds
    }

    /// Whether the wall clock ran on between the two as the other clock did: times may repeat where it was set.
    package func agrees(with other: Self) -> Bool {
        abs((other.now - now) - (other.sinceBoot - sinceBoot)) <= tolerance
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        // Zero makes everything look too young to be proved.
        guard clock_gettime(clock, &time) == 0 else { return 0 }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// 20 ms, in nanoseconds.
private let tolerance: Int64 = 20_000_000
