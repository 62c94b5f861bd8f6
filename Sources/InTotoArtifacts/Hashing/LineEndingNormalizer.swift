/// Turns CR LF and CR into LF, chunk after chunk, in place.
struct LineEndingNormalizer {
    /// The last chunk ended in a CR, which is an LF already: an LF that follows belongs to it.
    private var endedInCarriageReturn = false

    /// Returns the part of `chunk` that holds the result.
    mutating func normalize(_ chunk: UnsafeMutableRawBufferPointer) -> UnsafeMutableRawBufferPointer {
        var end = 0
        for byte in chunk {
            if byte == lineFeed, endedInCarriageReturn {
                endedInCarriageReturn = false
                continue
            }
            endedInCarriageReturn = byte == carriageReturn
            chunk[end] = endedInCarriageReturn ? lineFeed : byte
            end += 1
        }
        return UnsafeMutableRawBufferPointer(rebasing: chunk[..<end])
    }
}

private let lineFeed: UInt8 = 0x0A
private let carriageReturn: UInt8 = 0x0D
