/// Replaces secrets in a stream by `***`, which tells nothing of their length.
///
/// Leftmost first, at one place the longest; a secret that comes in many pieces is found all the same. What passes is
/// the same however the stream is cut into pieces. Up to the longest secret is held back until more comes.
public struct StreamRedactor {
    public static let mask = Array("***".utf8)

    private let masks: MaskList
    private let takesAnnouncements: Bool
    private var patterns: PatternLayers
    /// What is not decided yet.
    private var held: [UInt8] = []
    /// From how many held bytes on it is worth searching: a multiple of what was left undecided, so that neither many
    /// small pieces nor a long line are searched over and over.
    private var searchedFrom = 0
    /// The byte before `held`, for quotes around announcements.
    private var lastByte: UInt8 = 0
    /// In an announcement too long to keep: masked already, the rest of the line is dropped.
    private var isDroppingLine = false
    /// Replacements so far.
    public private(set) var count = 0

    public init(values: SecretValues) { self.init(masks: MaskList(values)) }

    /// Both streams of a command take the same list: what one announces is masked in the other from then on.
    public init(masks: MaskList) { self.init(masks: masks, takesAnnouncements: true) }

    private init(masks: MaskList, takesAnnouncements: Bool) {
        self.masks = masks
        self.takesAnnouncements = takesAnnouncements
        patterns = masks.patterns(after: nil) ?? PatternLayers(layers: [], generation: 0)
    }

    /// Masks `value` in what comes from now on, and in what is still held back.
    public func addMask(_ value: [UInt8]) { masks.add(value) }

    /// Takes the next piece, and passes on what is decided by it. The slices are valid beyond the call.
    public mutating func append(_ bytes: ArraySlice<UInt8>, into output: (ArraySlice<UInt8>) -> Void) {
        guard !held.isEmpty else { return keep(bytes, from: process(bytes, isLast: false, into: output)) }
        held += bytes
        guard held.count >= searchedFrom else { return }
        let text = held[...]
        held = []
        keep(text, from: process(text, isLast: false, into: output))
    }

    /// The stream has ended: passes on the rest.
    public mutating func finish(into output: (ArraySlice<UInt8>) -> Void) {
        let text = held[...]
        held = []
        _ = process(text, isLast: true, into: output)
    }

    /// An argument of the command, redacted like the streams; announcements in it are only text.
    public static func redacted(_ argument: [UInt8], masks: MaskList) -> (bytes: [UInt8], count: Int) {
        var redactor = StreamRedactor(masks: masks, takesAnnouncements: false)
        var bytes: [UInt8] = []
        redactor.append(argument[...]) { bytes += $0 }
        redactor.finish { bytes += $0 }
        return (bytes, redactor.count)
    }

    private mutating func keep(_ text: ArraySlice<UInt8>, from index: Int) {
        held = Array(text[index...])
        searchedFrom = 2 * held.count
    }

    /// Passes on what can be decided; returns where the undecided begins.
    private mutating func process(
        _ text: ArraySlice<UInt8>, isLast: Bool, into output: (ArraySlice<UInt8>) -> Void
    ) -> Int {
        var start = text.startIndex
        while start < text.endIndex {
            if isDroppingLine {
                start = lineEnd(of: text[start...]) ?? text.endIndex
                isDroppingLine = start == text.endIndex
                continue
            }
            if let newer = masks.patterns(after: patterns.generation) { patterns = newer }
            let (findings, marker) = search(text[start...], isLast: isLast)
            emit(text[start...], findings, into: output)
            start += findings.decided
            guard let marker else { break }
            guard let end = announcement(in: text, at: marker, isLast: isLast, into: output) else { break }
            start = end
        }
        return start
    }

    /// Searches up to the first announcement, whose marker's index is returned: what stands before it is decided without
    /// it, so that it is masked the same whenever the announcement arrives.
    private func search(_ text: ArraySlice<UInt8>, isLast: Bool) -> (PatternLayers.Findings, marker: Int?) {
        text.withUnsafeBytes { bytes in
            if takesAnnouncements, let marker = MaskAnnouncement.first(in: bytes) {
                let before = UnsafeRawBufferPointer(rebasing: bytes[..<marker])
                return (patterns.search(before, startingBefore: marker), text.startIndex + marker)
            }
            let end = isLast ? bytes.count : max(0, bytes.count - undecidedLength(of: bytes))
            return (patterns.search(bytes, startingBefore: end), nil)
        }
    }

    /// How much of the text's end cannot be decided before more has come: what a match, and a marker that begins in
    /// it, may need. With nothing to mask that is a marker already begun, most often none.
    private func undecidedLength(of text: UnsafeRawBufferPointer) -> Int {
        patterns.longest == 0
            ? MaskAnnouncement.begun(in: text) : patterns.longest + MaskAnnouncement.marker.count - 2
    }

    private mutating func emit(
        _ text: ArraySlice<UInt8>, _ findings: PatternLayers.Findings, into output: (ArraySlice<UInt8>) -> Void
    ) {
        var passed = text.startIndex
        for match in findings.matches {
            pass(text[passed..<text.startIndex + match.lowerBound], into: output)
            pass(Self.mask[...], into: output)
            passed = text.startIndex + match.upperBound
        }
        count += findings.matches.count
        pass(text[passed..<text.startIndex + findings.decided], into: output)
    }

    private mutating func pass(_ bytes: ArraySlice<UInt8>, into output: (ArraySlice<UInt8>) -> Void) {
        guard let last = bytes.last else { return }
        lastByte = last
        output(bytes)
    }

    /// Takes the announcement at `marker`, and passes it on masked. Returns where the text goes on; nil where more of
    /// its line has to come.
    private mutating func announcement(
        in text: ArraySlice<UInt8>, at marker: Int, isLast: Bool, into output: (ArraySlice<UInt8>) -> Void
    ) -> Int? {
        let end = lineEnd(of: text[marker...]) ?? text.endIndex
        if end - marker > MaskAnnouncement.limit {
            masks.refuseTooLong()
            isDroppingLine = true
            count += 1
            pass((MaskAnnouncement.marker + Self.mask)[...], into: output)
            return end
        }
        guard end < text.endIndex || isLast else { return nil }
        let value = MaskAnnouncement.value(in: text[marker..<end], after: lastByte)
        let meanings = MaskAnnouncement.meanings(of: text[value], after: lastByte)
        pass(text[marker..<value.lowerBound], into: output)
        guard !value.isEmpty else { return value.upperBound }
        count += 1
        pass(Self.mask[...], into: output)
        for meaning in meanings { masks.add(meaning) }
        return value.upperBound
    }

    private func lineEnd(of text: ArraySlice<UInt8>) -> Int? { text.firstIndex(of: UInt8(ascii: "\n")) }
}
