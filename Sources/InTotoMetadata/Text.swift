/// Text as metadata holds it: valid UTF-8, compared, hashed and sorted by its bytes.
///
/// A Swift `String` compares by canonical equivalence: the composed and the decomposed "é", two distinct file
/// names and two distinct JSON members, would be one. Whatever is signed is therefore a `Text`.
public struct Text: Hashable, Comparable, Sendable {
    /// The bytes; always valid UTF-8.
    public let utf8: [UInt8]

    public init(_ string: String) { utf8 = Array(string.utf8) }

    /// Nil where `bytes` are not valid UTF-8 (surrogates and overlong forms are not).
    public init?(validating bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        guard UTF8Validation.isValid(bytes[...]) else { return nil }
        utf8 = bytes
    }

    /// Replaces each invalid sequence by U+FFFD.
    public init(repairing bytes: some Collection<UInt8>) {
        utf8 = Array(String(decoding: bytes, as: UTF8.self).utf8)
    }

    /// For bytes that are known to be valid UTF-8, such as hexadecimal digits.
    package init(trusted bytes: [UInt8]) { utf8 = bytes }

    public static func == (a: Self, b: Self) -> Bool { a.utf8 == b.utf8 }

    public static func < (a: Self, b: Self) -> Bool { a.utf8.precedesBytewise(b.utf8) }

    public func hash(into hasher: inout Hasher) {
        utf8.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    public var isEmpty: Bool { utf8.isEmpty }
}

extension Text: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(value) }
}

extension Text: CustomStringConvertible {
    /// The text as it is: for a terminal or a log use `escaped`.
    public var description: String { String(decoding: utf8, as: UTF8.self) }

    /// The text with control, bidirectional and other invisible characters escaped; of a very long one the beginning.
    public var escaped: String {
        guard utf8.count > Self.shownLength else { return escapedForTerminal(utf8) }
        var end = Self.shownLength
        while utf8[end] & 0xC0 == 0x80 { end -= 1 }
        return escapedForTerminal(utf8[..<end]) + "… (\(utf8.count) bytes)"
    }

    /// In bytes: longer than any path, and short enough for a message.
    private static let shownLength = 4096
}

extension [UInt8] {
    /// The order of `memcmp` and of `LC_ALL=C sort`; a prefix comes first.
    package func precedesBytewise(_ other: [UInt8]) -> Bool {
        withUnsafeBufferPointer { a in
            other.withUnsafeBufferPointer { b in
                a.lexicographicallyPrecedes(b)
            }
        }
    }
}

/// Strict UTF-8 (RFC 3629) over byte slices.
package enum UTF8Validation {
    package static func isValid(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBufferPointer { buffer in
            isValid(buffer)
        }
    }

    package static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 0
        while index < bytes.count {
            if bytes[index] < 0x80 {
                index += 1
                continue
            }
            guard let length = sequenceLength(bytes, at: index) else { return false }
            index += length
        }
        return true
    }

    /// The length in bytes of the well-formed multi-byte sequence that starts at `index`, or nil.
    static func sequenceLength(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Int? {
        func continues(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            index + offset < bytes.count && range.contains(bytes[index + offset])
        }
        switch bytes[index] {
        case 0xC2...0xDF: return continues(1) ? 2 : nil
        case 0xE0: return continues(1, 0xA0...0xBF) && continues(2) ? 3 : nil
        case 0xED: return continues(1, 0x80...0x9F) && continues(2) ? 3 : nil
        case 0xE1...0xEC, 0xEE...0xEF: return continues(1) && continues(2) ? 3 : nil
        case 0xF0: return continues(1, 0x90...0xBF) && continues(2) && continues(3) ? 4 : nil
        case 0xF1...0xF3: return continues(1) && continues(2) && continues(3) ? 4 : nil
        case 0xF4: return continues(1, 0x80...0x8F) && continues(2) && continues(3) ? 4 : nil
        default: return nil
        }
    }
}
