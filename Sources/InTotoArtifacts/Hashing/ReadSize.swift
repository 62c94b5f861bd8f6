/// How many bytes of a file are read at a time: small reads stay in the processor's cache, large ones save system calls.
enum ReadSize {
    static let largest = 512 << 10

    /// For a file of `size` bytes.
    static func forFile(of size: Int64) -> Int { size > 8 << 20 ? largest : 128 << 10 }
}
