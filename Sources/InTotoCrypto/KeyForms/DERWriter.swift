/// Writes DER (ITU-T X.690); public values only.
enum DERWriter {
    static func element(_ tag: DERReader.Tag, _ content: some Collection<UInt8>) -> [UInt8] {
        [tag.rawValue] + length(content.count) + content
    }

    static func sequence(_ elements: [UInt8]...) -> [UInt8] { element(.sequence, Array(elements.joined())) }

    /// Bytes without unused bits.
    static func bitString(_ bytes: some Collection<UInt8>) -> [UInt8] { element(.bitString, [0] + Array(bytes)) }

    /// A non-negative integer from its big-endian bytes, however many zeros these begin with.
    static func integer(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let digits = Array(bytes.drop { $0 == 0 })
        let isPadded = (digits.first ?? 0x80) >= 0x80
        return element(.integer, isPadded ? [0] + digits : digits)
    }

    /// Definite, in its shortest form.
    private static func length(_ count: Int) -> [UInt8] {
        guard count >= 0x80 else { return [UInt8(count)] }
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) }.drop { $0 == 0 }
        return [0x80 | UInt8(bytes.count)] + bytes
    }
}
