import InTotoMetadata

/// Whether a file is evidence by its content: a JSON object, perhaps the first of several, that has a member `signed`
/// (classic metadata) or `payload` (an envelope).
///
/// A cheap look at the beginning, not a parse: it decides only whether a file with the name of evidence is hidden from
/// what a run records before its command. Of what that has made, and for inspections, the whole is asked for.
struct EvidenceCheck {
    /// How much of a file is looked at.
    static let prefixLength = 65_536

    /// Most bytes of a file that is read whole.
    static let sizeLimit: Int64 = 1 << 30

    /// The same of a file that a command has made, and how much there may be in it: more is recorded, as other files are.
    /// Four million values are a link of a million artifacts.
    static let newSizeLimit: Int64 = 256 << 20
    static var newLimits: JSONLimits {
        var limits = JSONLimits()
        limits.values = 4 << 20
        return limits
    }

    /// Whether this is one container, or a bundle without any other line: a parse of everything.
    static func isWhole(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) -> Bool {
        do {
            _ = try SignedMetadata(bytes, limits: limits)
            return true
        } catch {
            var envelopes = 0
            return Bundle.visit(bytes, limits: limits, { _ in envelopes += 1 }) == nil && envelopes > 0
        }
    }

    private let bytes: ArraySlice<UInt8>

    static func holds(_ prefix: ArraySlice<UInt8>) -> Bool { EvidenceCheck(bytes: prefix).hasSignedContent() }

    private func hasSignedContent() -> Bool {
        let start = bytes.firstIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        guard let start, bytes[start] == UInt8(ascii: "{") else { return false }
        var depth = 0
        var index = start
        while index < bytes.endIndex {
            switch bytes[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return false }
            case UInt8(ascii: "\""):
                guard let end = stringEnd(after: index) else { return false }
                if depth == 1, isMemberName(endingAt: end), names.contains(Array(bytes[index + 1..<end])) {
                    return true
                }
                index = end
            default: break
            }
            index += 1
        }
        return false
    }

    private func stringEnd(after start: Int) -> Int? {
        var index = start + 1
        while index < bytes.endIndex {
            if bytes[index] == UInt8(ascii: "\"") { return index }
            index += bytes[index] == backslash ? 2 : 1
        }
        return nil
    }

    private func isMemberName(endingAt end: Int) -> Bool {
        bytes[(end + 1)...].first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: ":")
    }

    private var names: [[UInt8]] { [Array("signed".utf8), Array("payload".utf8)] }
}
