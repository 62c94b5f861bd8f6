/// Attestations as JSON Lines, one envelope a line. Spec: in-toto attestation v1, Bundle.
///
/// The bundle itself is not authenticated, its order means nothing, and lines that are no envelope are counted and
/// passed over, as the specification asks.
public struct Bundle: Hashable, Sendable {
    public var envelopes: [Envelope]
    public private(set) var ignoredLineCount = 0

    public init(_ envelopes: [Envelope]) { self.envelopes = envelopes }

    /// Reads the lines of a bundle; LF or CRLF, empty lines and a missing last newline are fine.
    public init(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) {
        var read: [Envelope] = []
        ignoredLineCount = Self.visit(bytes, limits: limits) { read.append($0) }
        envelopes = read
    }

    /// Visits the envelopes of a bundle, of which no more than one is held; returns how many lines are none.
    package static func visit<E: Error>(
        _ bytes: [UInt8], limits: JSONLimits = JSONLimits(), _ body: (Envelope) throws(E) -> Void
    ) throws(E) -> Int {
        var ignored = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"))
        where !line.allSatisfy({ $0 == 0x0D || $0 == 0x20 || $0 == 0x09 }) {
            if case .envelope(let envelope)? = try? SignedMetadata(Array(line), limits: limits) {
                try body(envelope)
            } else {
                ignored += 1
            }
        }
        return ignored
    }

    /// One compact envelope a line, each ending in LF.
    public func bytes() throws(JSONError) -> [UInt8] {
        var bytes: [UInt8] = []
        for envelope in envelopes { bytes += try JSONWriter.lines(.compact) { envelope.write(to: &$0) } }
        return bytes
    }
}
