import InTotoCrypto

/// SHA-256 of files, two at a time side by side, which is twice as fast as one after the other.
///
/// When a file is done the next goes into its lane, whatever the other lane is doing.
final class LaneHasher {
    /// What became of a file.
    enum Outcome {
        /// The digest in hexadecimal.
        case digest([UInt8], size: UInt64, isExecutable: Bool)
        case failure(FileHasher.Failure)
    }

    private var lanes: SHA256Lanes
    private let first = HashLane()
    private let second = HashLane()
    /// Hears of each file that was taken, once.
    private let finished: (ArtifactPlace, Outcome) -> Void
    /// Hears of each part, and may end the reading.
    private let didRead: (Int) throws(FileHasher.Failure) -> Void

    /// Nil where the processor has no instructions for it.
    init?(
        didRead: @escaping (Int) throws(FileHasher.Failure) -> Void,
        _ finished: @escaping (ArtifactPlace, Outcome) -> Void
    ) {
        guard let lanes = SHA256Lanes() else { return nil }
        self.lanes = lanes
        self.finished = finished
        self.didRead = didRead
    }

    /// No file is under way.
    var isIdle: Bool { first.isFree && second.isFree }

    /// Takes a file, and hashes until there is room for another.
    func take(_ file: consuming OpenArtifact, _ place: ArtifactPlace) {
        if first.isFree {
            first.take(file, place)
            feed(first, .first)
        } else {
            second.take(file, place)
            feed(second, .second)
        }
        while !first.isFree && !second.isFree { hashOn() }
    }

    /// Hashes what is at hand, and reads on.
    func hashOn() {
        lanes.run()
        if !first.isFree, lanes.isIdle(.first) { proceed(first, .first) }
        if !second.isFree, lanes.isIdle(.second) { proceed(second, .second) }
    }

    private func proceed(_ lane: HashLane, _ side: SHA256Lanes.Lane) {
        if lane.hasEnded { finish(lane, side) } else { feed(lane, side) }
    }

    private func feed(_ lane: HashLane, _ side: SHA256Lanes.Lane) {
        do throws(FileHasher.Failure) {
            let (part, isLast) = try lane.readOn()
            lanes.feed(part, to: side)
            try didRead(part.count)
            if isLast { lanes.end(side) }
        } catch {
            lanes.restart(side)
            end(lane, .failure(error))
        }
    }

    private func finish(_ lane: HashLane, _ side: SHA256Lanes.Lane) {
        var digest: [UInt8] = []
        withUnsafeTemporaryAllocation(byteCount: SHA256Lanes.digestLength, alignment: 8) { bytes in
            lanes.finish(side, into: bytes)
            digest.reserveCapacity(2 * bytes.count)
            appendHex(bytes, to: &digest)
        }
        end(lane, .digest(digest, size: lane.size, isExecutable: lane.isExecutable))
    }

    private func end(_ lane: HashLane, _ outcome: Outcome) {
        let place = lane.place
        lane.free()
        if let place { finished(place, outcome) }
    }
}
