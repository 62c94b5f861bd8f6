/// One of the two files that a worker has under way: what it is, and the part of its content that is hashed next.
final class HashLane {
    private(set) var place: ArtifactPlace?
    private(set) var size: UInt64 = 0
    private(set) var isExecutable = false
    private var file: OpenArtifact?
    private var offset: Int64 = 0
    private let buffer: UnsafeMutableRawBufferPointer

    init() { buffer = .allocate(byteCount: ReadSize.largest, alignment: 4096) }

    deinit { buffer.deallocate() }

    var isFree: Bool { place == nil }

    /// The last part was read.
    var hasEnded: Bool { file == nil }

    func take(_ file: consuming OpenArtifact, _ place: ArtifactPlace) {
        size = UInt64(file.status.size)
        isExecutable = file.status.isExecutable
        offset = 0
        self.file = consume file
        self.place = place
    }

    func free() {
        place = nil
        file = nil
    }

    /// Reads on, no more than the size that the file had and one byte to see that it grew.
    ///
    /// With the last part the file is looked at again and closed. Throws `.changed` where it was not the same from
    /// beginning to end.
    func readOn() throws(FileHasher.Failure) -> (part: UnsafeRawBufferPointer, isLast: Bool) {
        guard let length = file?.status.size, let number = file?.descriptor.number else { return (.init(buffer), true) }
        let window = ReadSize.forFile(of: length)
        var count = 0
        while count < window {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count..<window])
            let read = try FileHasher.wrap { () throws(SystemError) in
                try SystemCalls.read(number, into: rest, at: offset)
            }
            offset += Int64(read)
            count += read
            if offset > length { throw .changed }
            // A short read that ends where the size says is the end; what has no size is read until nothing comes.
            if read == 0 || offset == length, count < window {
                if offset != length { throw .changed }
                try file?.checkUnchanged()
                file = nil
                return (.init(rebasing: buffer[..<count]), true)
            }
        }
        return (.init(rebasing: buffer[..<count]), false)
    }
}
