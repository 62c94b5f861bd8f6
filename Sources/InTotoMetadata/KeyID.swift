/// What a signature says about which key made it: a hint for finding the key, never a proof.
///
/// Ours are 64 lower-case hexadecimal digits; others write fingerprints, URIs or nothing at all.
public struct KeyID: Hashable, Comparable, Sendable {
    public let text: Text

    public init(_ text: Text) { self.text = text }

    public static func < (a: Self, b: Self) -> Bool { a.text < b.text }

    /// The first eight characters, as evidence files are named. Spec: in-toto v1.0, 4.4.
    public var prefix8: Text { Text(repairing: text.utf8.prefix(8)) }
}

extension KeyID: CustomStringConvertible {
    public var description: String { text.escaped }
}
