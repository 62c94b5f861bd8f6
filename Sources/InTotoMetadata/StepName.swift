/// The name of a step: what a layout calls it, and the first part of an evidence file's name.
///
/// 1 to 200 bytes of UTF-8 without `/`, control, bidirectional or glob characters (`*?[]`), not starting with a dot
/// or a dash. Reading is as strict as writing, since verifiers build file names from it. Spec: in-toto v1.0, 4.4.
public struct StepName: Hashable, Comparable, Sendable {
    public let text: Text

    public init(_ text: Text) throws(StepNameError) {
        if let problem = Self.problem(in: text) { throw StepNameError(name: text, problem: problem) }
        self.text = text
    }

    public static func < (a: Self, b: Self) -> Bool { a.text < b.text }

    /// Largest name, in bytes; with key id and suffix it still fits a 255-byte file name.
    public static let maximumLength = 200

    private static func problem(in text: Text) -> StepNameError.Problem? {
        if text.isEmpty { return .empty }
        if text.utf8.count > maximumLength { return .tooLong }
        if text.utf8[0] == UInt8(ascii: ".") || text.utf8[0] == UInt8(ascii: "-") { return .leadingDotOrDash }
        for scalar in text.description.unicodeScalars {
            switch scalar {
            case "/", "*", "?", "[", "]": return .character(String(scalar))
            default:
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator:
                    return .character(Text(String(scalar)).escaped)
                default: break
                }
            }
        }
        return nil
    }
}

extension StepName: CustomStringConvertible {
    public var description: String { text.escaped }
}

/// Why a text cannot name a step.
public struct StepNameError: Error, Hashable, CustomStringConvertible {
    public enum Problem: Hashable, Sendable {
        case empty, tooLong, leadingDotOrDash
        case character(String)
    }

    public let name: Text
    public let problem: Problem

    public var description: String {
        switch problem {
        case .empty: "a step name may not be empty"
        case .tooLong: "step name '\(shortened)…' has \(name.utf8.count) bytes, more than \(StepName.maximumLength)"
        case .leadingDotOrDash: "step name '\(name.escaped)' may not start with a dot or a dash"
        case .character(let character): "step name '\(name.escaped)' may not contain '\(character)'"
        }
    }

    private var shortened: String { escapedForTerminal(name.utf8.prefix(40)) }
}
