/// The name of an artifact as metadata has it: any UTF-8, whatever its spelling.
///
/// Compared, hashed and sorted by bytes, as file systems and `LC_ALL=C sort` do. It is not a path on disk: where
/// a file is, a `FilePath` says.
public struct ArtifactName: Hashable, Comparable, Sendable {
    public let text: Text

    public init(_ text: Text) { self.text = text }

    public static func < (a: Self, b: Self) -> Bool { a.text < b.text }
}

extension ArtifactName: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(Text(value)) }
}

extension ArtifactName: CustomStringConvertible {
    /// The name, safe to print.
    public var description: String { text.escaped }
}
