/// Steps through DER (ITU-T X.690) without copying, so that it may look into secret memory.
///
/// Valid only inside the `withUnsafeBytes` that gave the bytes. Every access is checked against the bounds, whatever
/// the lengths inside claim.
struct DERReader {
    enum Tag: UInt8 {
        case integer = 0x02
        case bitString = 0x03
        case octetString = 0x04
        case null = 0x05
        case objectIdentifier = 0x06
        case sequence = 0x30
        /// `[0]` and `[1]`, constructed as in SEC1, and `[1]` primitive as in PKCS#8 version 2.
        case context0 = 0xA0
        case context1 = 0xA1
        case primitiveContext1 = 0x81
    }

    let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    /// Nil at the end, and for tags that no key file has.
    var nextTag: Tag? { isAtEnd ? nil : Tag(rawValue: bytes[offset]) }

    /// Enters the next element, which must have this tag.
    mutating func read(_ tag: Tag) -> DERReader? {
        guard nextTag == tag else { return nil }
        var position = offset + 1
        guard let length = length(at: &position), length <= bytes.count - position else { return nil }
        offset = position + length
        return DERReader(UnsafeRawBufferPointer(rebasing: bytes[position..<offset]))
    }

    mutating func objectIdentifier() -> ObjectIdentifier? {
        read(.objectIdentifier).map { ObjectIdentifier(content: $0.bytes) }
    }

    /// A non-negative integer that fits; nil for others.
    mutating func smallInteger() -> Int? {
        guard let content = read(.integer)?.bytes, let first = content.first, first < 0x80, content.count <= 8 else {
            return nil
        }
        return content.reduce(0) { $0 << 8 | Int($1) }
    }

    /// The only element of the bytes, which must have this tag.
    static func only(_ tag: Tag, in bytes: UnsafeRawBufferPointer) -> DERReader? {
        var reader = DERReader(bytes)
        guard let element = reader.read(tag), reader.isAtEnd else { return nil }
        return element
    }

    /// Definite lengths in their shortest form, as DER demands.
    private func length(at position: inout Int) -> Int? {
        guard position < bytes.count else { return nil }
        let first = bytes[position]
        position += 1
        guard first >= 0x80 else { return Int(first) }
        let count = Int(first & 0x7F)
        guard (1...4).contains(count), count <= bytes.count - position else { return nil }
        var length = 0
        for _ in 0..<count {
            length = length << 8 | Int(bytes[position])
            position += 1
        }
        guard length >= 0x80, count == 1 || length >> (8 * (count - 1)) > 0 else { return nil }
        return length
    }
}
