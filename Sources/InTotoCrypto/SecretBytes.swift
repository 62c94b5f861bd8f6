private import COpenSSL

/// Key text or a passphrase, in memory that is locked, left out of core dumps, and wiped when the last owner goes.
///
/// Not a Swift array: arrays are copied when written to and leave their copies behind.
// Unchecked, since a pointer is not Sendable; the memory does not change after `init`.
public final class SecretBytes: @unchecked Sendable {
    public let count: Int
    private let memory: UnsafeMutableRawBufferPointer

    /// Gives `fill` memory for `capacity` bytes; it returns how many of them it has written.
    public init<E: Error>(
        capacity: Int, fill: (UnsafeMutableRawBufferPointer) throws(E) -> Int
    ) throws(E) {
        let memory = UnsafeMutableRawBufferPointer(start: SecretMemory.allocate(capacity), count: capacity)
        do {
            count = try fill(memory)
        } catch {
            Self.wipe(memory)
            throw error
        }
        precondition((0...capacity).contains(count), "a secret is longer than its memory")
        self.memory = memory
    }

    /// Gives `fill` memory for exactly `count` bytes, all of which it writes.
    public convenience init<E: Error>(count: Int, fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void) throws(E) {
        try self.init(capacity: count) { memory throws(E) in
            try fill(memory)
            return count
        }
    }

    /// Copies bytes that are no secret elsewhere, such as test data.
    public convenience init(copying bytes: [UInt8]) {
        self.init(count: bytes.count) { $0.copyBytes(from: bytes) }
    }

    /// Copies bytes that their owner wipes.
    public convenience init(copying bytes: UnsafeRawBufferPointer) {
        self.init(count: bytes.count) { $0.copyMemory(from: bytes) }
    }

    deinit { Self.wipe(memory) }

    /// The bytes must not be kept after `body`, nor copied into an array or a string.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }

    private static func wipe(_ memory: UnsafeMutableRawBufferPointer) {
        guard let start = memory.baseAddress else { return }
        OPENSSL_cleanse(start, memory.count)
        SecretMemory.release(start, size: memory.count)
    }
}

extension SecretBytes: CustomStringConvertible, CustomReflectable {
    /// Nothing about the content, so that no log can hold it.
    public var description: String { "(secret)" }

    public var customMirror: Mirror { Mirror(self, children: []) }
}
