import InTotoCrypto
import InTotoMetadata

/// Hashes files with buffers and digest contexts that are made once per worker.
final class FileHasher {
    private let buffer: UnsafeMutableRawBufferPointer
    private let digests: [RunningDigest]
    private let lineEndings: LineEndings

    /// Why a file has no digest.
    enum Failure: Error {
        case changed
        case system(SystemError)
        case crypto(CryptoError)
        /// Nobody wants to know any more.
        case givenUp
    }

    /// `algorithms` sorted, each once.
    init(_ algorithms: [DigestAlgorithm], _ lineEndings: LineEndings) throws(CryptoError) {
        var digests: [RunningDigest] = []
        for algorithm in algorithms { digests.append(try RunningDigest(algorithm)) }
        self.digests = digests
        self.lineEndings = lineEndings
        buffer = .allocate(byteCount: ReadSize.largest, alignment: 4096)
    }

    deinit { buffer.deallocate() }

    /// Appends the digests of an open file to `output` in hexadecimal, one after the other; `status` is what the
    /// descriptor said before. Throws `.changed` where the file was not the same from beginning to end, and what `didRead`
    /// throws, which hears of each part.
    func hash(
        _ descriptor: Int32, _ status: FileStatus, into output: inout [UInt8], didRead: (Int) throws(Failure) -> Void
    ) throws(Failure) {
        do throws(Failure) {
            try consume(descriptor, status, didRead)
            let now = try Self.wrap { () throws(SystemError) in try SystemCalls.status(descriptor) }
            if now != status { throw Failure.changed }
        } catch {
            // Whatever was hashed so far must not leak into the next file's digest.
            try reset()
            throw error
        }
        try finish(into: &output)
    }

    /// Appends the digests of bytes in memory.
    func hash(_ bytes: [UInt8], into output: inout [UInt8]) throws(Failure) {
        do throws(CryptoError) {
            for digest in digests {
                try digest.begin(size: UInt64(bytes.count))
                try digest.update(bytes)
            }
        } catch { throw .crypto(error) }
        try finish(into: &output)
    }

    private func reset() throws(Failure) {
        do throws(CryptoError) { for digest in digests { _ = try digest.finish() } } catch { throw .crypto(error) }
    }

    private func consume(
        _ descriptor: Int32, _ status: FileStatus, _ didRead: (Int) throws(Failure) -> Void
    ) throws(Failure) {
        var first = try readOnce(descriptor, status, at: 0)
        if lineEndings == .normalized { first = try readPrefix(descriptor, from: first) }
        let isText = lineEndings == .normalized && !buffer[..<min(first, textPrefix)].contains(0)
        guard isText else {
            try begin(size: UInt64(status.size))
            return try pass(descriptor, status, first) { (chunk) throws(Failure) in
                try self.update(chunk)
                try didRead(chunk.count)
            }
        }
        var normalizer = LineEndingNormalizer()
        // A git blob says its size first, so that has to be known before.
        var size: UInt64 = 0
        if digests.contains(where: \.needsSize) {
            var counter = LineEndingNormalizer()
            try pass(descriptor, status, first) { (chunk) throws(Failure) in
                size += UInt64(counter.normalize(chunk).count)
                try didRead(0)
            }
        }
        try begin(size: size)
        let again = size > 0 ? try readOnce(descriptor, status, at: 0) : first
        try pass(descriptor, status, again) { (chunk) throws(Failure) in
            try didRead(chunk.count)
            try self.update(normalizer.normalize(chunk))
        }
    }

    /// Visits the whole content, of which the buffer holds the first `first` bytes; no more is ever read than the
    /// size that the file had, and one byte to see that it grew.
    private func pass(
        _ descriptor: Int32, _ status: FileStatus, _ first: Int,
        _ visit: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var count = first
        var offset: Int64 = 0
        while count > 0 {
            offset += Int64(count)
            if offset > status.size { throw .changed }
            try visit(.init(rebasing: buffer[..<count]))
            // A short read that ends where the size says is the end; files without a size are read until there is nothing.
            if offset == status.size, count < ReadSize.forFile(of: status.size) { return }
            count = try readOnce(descriptor, status, at: offset)
        }
        if offset != status.size { throw .changed }
    }

    /// Reads on until a text can be told from what is none, or the end; returns how many bytes there are then.
    private func readPrefix(_ descriptor: Int32, from count: Int) throws(Failure) -> Int {
        var count = count
        while count > 0, count < textPrefix {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count..<textPrefix])
            let read = try Self.wrap { () throws(SystemError) in
                try SystemCalls.read(descriptor, into: rest, at: Int64(count))
            }
            if read == 0 { break }
            count += read
        }
        return count
    }

    private func readOnce(_ descriptor: Int32, _ status: FileStatus, at offset: Int64) throws(Failure) -> Int {
        let window = UnsafeMutableRawBufferPointer(rebasing: buffer[..<ReadSize.forFile(of: status.size)])
        return try Self.wrap { () throws(SystemError) in try SystemCalls.read(descriptor, into: window, at: offset) }
    }

    private func begin(size: UInt64) throws(Failure) {
        do throws(CryptoError) { for digest in digests { try digest.begin(size: size) } } catch { throw .crypto(error) }
    }

    private func update(_ chunk: UnsafeMutableRawBufferPointer) throws(Failure) {
        do throws(CryptoError) { for digest in digests { try digest.update(.init(chunk)) } } catch {
            throw .crypto(error)
        }
    }

    private func finish(into output: inout [UInt8]) throws(Failure) {
        for digest in digests {
            do throws(CryptoError) { appendHex(try digest.finish(), to: &output) } catch { throw .crypto(error) }
        }
    }

    static func wrap<R>(_ body: () throws(SystemError) -> R) throws(Failure) -> R {
        do { return try body() } catch { throw .system(error) }
    }
}

/// Appends in place: a value of its own per digest would cost more than hashing a small file.
func appendHex(_ bytes: some Collection<UInt8>, to output: inout [UInt8]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * bytes.count) { digits in
        var end = 0
        for byte in bytes {
            digits[end] = digit(byte >> 4)
            digits[end + 1] = digit(byte & 15)
            end += 2
        }
        output.append(contentsOf: UnsafeBufferPointer(digits))
    }
}

/// As `Hex.digit`, which is not inlined from another module.
private func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

/// How much of a file must be free of NUL bytes for it to be text.
private let textPrefix = 8 << 10
