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
        ignoredLineCount = Self.visit(bytes, limits: limits) { read.append($0) }?.count ?? 0
        envelopes = read
    }

    /// Visits the envelopes of a bundle, of which no more than one is held; returns what lines are none, or nil.
    package static func visit<E: Error>(
        _ bytes: [UInt8], limits: JSONLimits = JSONLimits(), _ body: (Envelope) throws(E) -> Void
    ) throws(E) -> UnknownLines? {
        var unknown: UnknownLines?
        var rest = bytes[...]
        var number = 0
        while !rest.isEmpty {
            // Not `split`: a hostile file has hundreds of millions of lines.
            let line = rest[..<(rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex)]
            rest = rest[line.endIndex...].dropFirst()
            number += 1
            if line.allSatisfy({ $0 == 0x0D || $0 == 0x20 || $0 == 0x09 }) { continue }
            switch Result(catching: { () throws(MetadataError) in try SignedMetadata(Array(line), limits: limits) }) {
            case .success(.envelope(let envelope)): try body(envelope)
            case .success(.metablock): UnknownLines.add(number, because: nil, to: &unknown)
            case .failure(let error): UnknownLines.add(number, because: error, to: &unknown)
            }
        }
        return unknown
    }

    /// One compact envelope a line, each ending in LF.
    public func bytes() throws(JSONError) -> [UInt8] {
        var bytes: [UInt8] = []
        for envelope in envelopes { bytes += try JSONWriter.lines(.compact) { envelope.write(to: &$0) } }
        return bytes
    }
}

/// Lines of a bundle that are no envelopes: how many, and what the first of them is.
public struct UnknownLines: Hashable, Sendable {
    public private(set) var count = 1
    /// Counted from 1, empty lines, too.
    public let first: Int
    /// Why that is none; nil for classic metadata, which is none though it is sound.
    public let reason: MetadataError?

    fileprivate static func add(_ line: Int, because reason: MetadataError?, to lines: inout Self?) {
        if lines == nil { lines = Self(first: line, reason: reason) } else { lines?.count += 1 }
    }

    private init(first: Int, reason: MetadataError?) {
        self.first = first
        self.reason = reason
    }
}

extension UnknownLines: CustomStringConvertible {
    public var description: String {
        let what = reason?.description ?? "classic metadata, which needs a file STEP.KEYID8.link of its own"
        return count == 1
            ? "line \(first) is no envelope: \(what)"
            : "\(count) lines are no envelopes; the first, line \(first): \(what)"
    }
}
