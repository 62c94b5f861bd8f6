internal import InTotoMetadata

/// Names of environment variables as options give them: `NAME`, or `PREFIX_*` for all that begin so.
public struct VariablePattern: Hashable, Sendable {
    private let text: [UInt8]
    private let isPrefix: Bool

    /// Throws where nothing but a star is left, a star stands elsewhere than at the end, or `=` or NUL occur.
    public init(_ pattern: some Sequence<UInt8>) throws(VariablePatternError) {
        var text = Array(pattern)
        isPrefix = text.last == UInt8(ascii: "*")
        if isPrefix { text.removeLast() }
        let isOdd = text.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "=") || $0 == 0 }
        guard !text.isEmpty, !isOdd else { throw VariablePatternError(pattern: Array(pattern)) }
        self.text = text
    }

    /// Whether this is an exact name: only such a one may ask for what looks secret.
    public var isExact: Bool { !isPrefix }

    /// The one name that this is; nil for a pattern.
    public var exactName: [UInt8]? { isPrefix ? nil : text }

    /// As it was given.
    var source: [UInt8] { isPrefix ? text + [UInt8(ascii: "*")] : text }

    public func matches(_ name: some Sequence<UInt8>) -> Bool {
        isPrefix ? name.starts(with: text) : name.elementsEqual(text)
    }
}

/// What was given is neither `NAME` nor `PREFIX_*`.
public struct VariablePatternError: Error, Hashable, CustomStringConvertible {
    public let pattern: [UInt8]

    public var description: String {
        "'\(escapedForTerminal(pattern))' names no environment variables: write NAME, or PREFIX_* for all that begin so"
    }
}
