// Takes the place of Synchronization's `Mutex` in a build for the thread sanitizer, which knows of pthread's locks but
// not of those that Swift makes of a futex, and would call everything behind them a race.

import Foundation

final class Mutex<Value>: @unchecked Sendable {
    private var value: Value
    private let lock = NSLock()

    init(_ value: sending Value) { self.value = value }

    func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
