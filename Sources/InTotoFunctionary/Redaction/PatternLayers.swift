/// Several pattern sets that are searched as one.
struct PatternLayers: Sendable {
    /// The first has the marker of announcements.
    var layers: [PatternSet]
    /// Which state of the mask list this is.
    var generation: Int
    /// Whether there is more to find than announcements.
    var hasSecrets: Bool

    /// What was found in a text, as offsets.
    struct Findings {
        /// Ascending, apart from each other.
        var matches: [Range<Int>] = []
        /// Everything before is decided: it matches, or it does not whatever follows.
        var decided: Int
        /// Where an announcement starts, which is as far as `decided` goes then.
        var announcement: Int?
    }

    /// The leftmost matches, at each place the longest, up to the first announcement.
    ///
    /// Where the text may go on, its end is left undecided, by as much as a match might need.
    func search(_ text: UnsafeRawBufferPointer, isLast: Bool, announcements: Bool) -> Findings {
        let end = isLast ? text.count : max(0, text.count - undecidedBytes(of: text))
        var findings = Findings(decided: 0)
        var candidates = [Int](repeating: -1, count: layers.count)
        while findings.decided < end {
            for (index, layer) in layers.enumerated() where candidates[index] < findings.decided {
                candidates[index] = layer.candidate(in: text, findings.decided..<end) ?? end
            }
            let start = candidates.reduce(end) { min($0, $1) }
            findings.decided = start
            guard start < end else { break }
            let block = start..<min(end, start + blockSize)
            replace(in: text, block, announcements: announcements, &findings)
            if findings.announcement != nil { break }
        }
        return findings
    }

    /// Decides a block, exactly.
    private func replace(
        in text: UnsafeRawBufferPointer, _ block: Range<Int>, announcements: Bool, _ findings: inout Findings
    ) {
        var lengths = [Int32](repeating: 0, count: block.count)
        for layer in layers { layer.measure(text, block, into: &lengths) }
        var place = block.lowerBound
        while place < block.upperBound {
            let length = Int(lengths[place - block.lowerBound])
            if length >= MaskAnnouncement.marker.count, isMarker(text, at: place) {
                if announcements {
                    findings.announcement = place
                    break
                }
                // No secret, unless a longer one begins with it.
                if length == MaskAnnouncement.marker.count {
                    place += 1
                    continue
                }
            }
            if length > 0 { findings.matches.append(place..<place + length) }
            place += max(1, length)
        }
        findings.decided = place
    }

    private func isMarker(_ text: UnsafeRawBufferPointer, at place: Int) -> Bool {
        let marker = MaskAnnouncement.marker
        return place + marker.count <= text.count && text[place..<place + marker.count].elementsEqual(marker)
    }

    /// Wide enough that looking ahead by the longest pattern does not more than double the work.
    private var blockSize: Int { max(256, longest) }

    private var longest: Int { layers.reduce(0) { max($0, $1.longest) } }

    private func undecidedBytes(of text: UnsafeRawBufferPointer) -> Int {
        guard !hasSecrets else { return longest - 1 }
        // Only a marker can have begun; most often none has, and nothing is held back.
        let marker = MaskAnnouncement.marker
        return (1..<marker.count).last { text.count >= $0 && text.suffix($0).elementsEqual(marker.prefix($0)) } ?? 0
    }
}
