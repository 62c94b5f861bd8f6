/// Steps through the fields of OpenSSH's formats without copying, so that it may look into secret memory.
///
/// Valid only inside the `withUnsafeBytes` that gave the bytes. Spec: RFC 4251, 5.
struct WireReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[offset...]) }

    mutating func skip(_ prefix: [UInt8]) throws(KeyError) {
        guard rest.starts(with: prefix) else { throw .damaged }
        offset += prefix.count
    }

    mutating func number() throws(KeyError) -> Int {
        guard bytes.count - offset >= 4 else { throw .damaged }
        defer { offset += 4 }
        return bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    /// A string: bytes behind their length.
    mutating func string() throws(KeyError) -> UnsafeRawBufferPointer {
        let count = try number()
        guard count <= bytes.count - offset else { throw .damaged }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    /// A string that names something.
    mutating func name() throws(KeyError) -> String {
        let name = try string()
        guard name.count <= 64, name.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw .damaged }
        return String(decoding: name, as: UTF8.self)
    }

    /// A positive number in its shortest form, as DER has it too.
    mutating func positiveInteger() throws(KeyError) -> UnsafeRawBufferPointer {
        let number = try string()
        guard let first = number.first, first < 0x80 else { throw .damaged }
        guard first != 0 || (number.count > 1 && number[1] >= 0x80) else { throw .damaged }
        return number
    }
}

/// Writes the fields of OpenSSH's formats; public ones only.
enum WireWriter {
    static func string(_ bytes: some Collection<UInt8>) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: bytes.count >> (24 - 8 * $0)) } + bytes
    }
}
