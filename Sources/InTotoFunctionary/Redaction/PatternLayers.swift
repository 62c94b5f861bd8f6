/// Several pattern sets that are searched as one.
struct PatternLayers: Sendable {
    var layers: [PatternSet]
    /// Which state of the mask list this is.
    var generation: Int

    /// Length in bytes of the longest pattern; 0 where there are none.
    var longest: Int { layers.reduce(0) { max($0, $1.longest) } }

    /// What was found in a text, as offsets.
    struct Findings {
        /// Ascending, apart from each other.
        var matches: [Range<Int>] = []
        /// Everything before is decided: it matches, or it does not whatever follows.
        var decided = 0
    }

    /// The leftmost matches that start before `end`, at each place the longest.
    func search(_ text: UnsafeRawBufferPointer, startingBefore end: Int) -> Findings {
        var findings = Findings()
        var candidates = [Int](repeating: -1, count: layers.count)
        while findings.decided < end {
            for (index, layer) in layers.enumerated() where candidates[index] < findings.decided {
                candidates[index] = layer.candidate(in: text, findings.decided..<end) ?? end
            }
            let start = candidates.reduce(end) { min($0, $1) }
            findings.decided = start
            // Wide enough that looking ahead by the longest pattern does not more than double the work.
            decide(text, start..<min(end, start + max(256, longest)), &findings)
        }
        return findings
    }

    private func decide(_ text: UnsafeRawBufferPointer, _ block: Range<Int>, _ findings: inout Findings) {
        guard !block.isEmpty else { return }
        var lengths = [Int32](repeating: 0, count: block.count)
        for layer in layers { layer.measure(text, block, into: &lengths) }
        var place = block.lowerBound
        while place < block.upperBound {
            let length = Int(lengths[place - block.lowerBound])
            if length > 0 { findings.matches.append(place..<place + length) }
            place += max(1, length)
        }
        findings.decided = place
    }
}
