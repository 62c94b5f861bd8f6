import InTotoCrypto
import InTotoMetadata

/// One worker's dealings with what is no directory: lists it, hashes it, or says why not.
final class FileVisitor {
    private let walk: Walk
    private let notes: WorkerNotes
    private let selection: Selection
    private let reader: ArtifactReader
    private let lanes: LaneHasher?

    init(_ walk: Walk, _ notes: WorkerNotes, _ selection: Selection) throws(CryptoError) {
        self.walk = walk
        self.notes = notes
        self.selection = selection
        reader = try ArtifactReader(walk.rules)
        guard walk.rules.usesLanes, walk.rules.purpose == .hash else {
            lanes = nil
            return
        }
        lanes = LaneHasher(didRead: Self.telling(notes, walk), Self.noting(in: notes, walk))
    }

    /// Whether a file is on a file system without real files.
    func isPseudo(_ descriptor: Int32, _ status: FileStatus) -> Bool { reader.isPseudo(descriptor, status) }

    /// Hashes a little of what is under way; false where that is nothing.
    func hashOn() -> Bool {
        guard let lanes, !lanes.isIdle else { return false }
        lanes.hashOn()
        return true
    }

    /// What is met on a walk, if it is wanted; or what a reference names, wanted or not.
    func visit(_ place: ArtifactPlace, in directory: Int32, _ kind: FileStatus.Kind, _ job: WalkJob) {
        do throws(SystemError) {
            if !place.isNamed {
                let isWanted = try selection.isRecordable(place.path, job) { (condition) throws(SystemError) in
                    guard kind == .regular else { return false }
                    return try condition.holds(
                        for: place.name, in: directory, as: place.path, walk.rules.conditions,
                        { notes.findings.hide(place.path, $0) })
                }
                guard isWanted else { return }
            }
        } catch { return notes.problem(place.path, .init(error)) }
        switch kind {
        case .regular where walk.rules.purpose == .list: plan(place, in: directory, job)
        case .regular: read(place, in: directory)
        case .symbolicLink where walk.rules.symlinks == .refuse: notes.problem(place.path, .linkRefused)
        case .symbolicLink where walk.rules.purpose == .list: list(place, job)
        case .symbolicLink: record(reader.readLink(place.name, in: directory), place)
        case .fifo: notes.notRecorded(place.path, .fifo, isNamed: place.isNamed)
        case .socket: notes.notRecorded(place.path, .socket, isNamed: place.isNamed)
        case .device: notes.notRecorded(place.path, .device, isNamed: place.isNamed)
        case .directory: notes.problem(place.path, .changedWhileRead)
        }
    }

    // MARK: Planning

    /// Lists a file that could be read.
    private func plan(_ place: ArtifactPlace, in directory: Int32, _ job: WalkJob) {
        do throws(FileHasher.Failure) {
            guard let file = try reader.open(place.name, in: directory, { self.record($0, place) }) else { return }
            _ = consume file
            list(place, job)
        } catch {
            switch error {
            case .changed: notes.problem(place.path, .changedWhileRead)
            case .givenUp: notes.givenUp(walk)
            case .crypto(let error): notes.problem(place.path, .failed("\(error)"))
            case .system(let error): notes.problem(place.path, .init(error))
            }
        }
    }

    private func list(_ place: ArtifactPlace, _ job: WalkJob) {
        if walk.rules.recordsNames, !UTF8Validation.isValid(place.path[...]) { notes.problem(place.path, .notUTF8) }
        selection.plan(place.path, job)
    }

    // MARK: Reading

    /// Hashes a file that is wanted; a large one later, where there is something else to do.
    func read(_ place: ArtifactPlace, in directory: Int32) {
        do throws(FileHasher.Failure) {
            guard let file = try reader.open(place.name, in: directory, { self.record($0, place) }) else { return }
            if file.status.size > largeFile, !place.isPutOff {
                var place = place
                place.isPutOff = true
                return walk.queue.push(WalkJob(reading: place), weight: file.status.size)
            }
            if takeOver(file, place) { return }
            var place = place
            place.proof = walk.rules.keepsDigests ? UnchangedProof(of: file) : nil
            if let lanes { return lanes.take(file, place) }
            record(try reader.read(file, didRead: Self.telling(notes, walk)), place)
        } catch { Self.failed(error, place, notes, walk) }
    }

    /// Records a file that is provably what it was when its digest became known, without reading it.
    private func takeOver(_ file: borrowing OpenArtifact, _ place: ArtifactPlace) -> Bool {
        guard let known = walk.rules.knownDigests[file.status.identity], known.proof.holds(for: file) else {
            return false
        }
        notes.findings.reused += 1
        notes.record(place, known.digests, size: 0, isExecutable: file.status.isExecutable)
        return true
    }

    /// Tells of bytes that were read, and ends the reading once the snapshot is given up.
    private static func telling(
        _ notes: WorkerNotes, _ walk: Walk
    ) -> (Int) throws(FileHasher.Failure) -> Void {
        { (count) throws(FileHasher.Failure) in
            notes.didRead(count)
            if walk.rules.isGivenUp() { throw .givenUp }
        }
    }

    /// A file that changed is read again, twice: after everything else, and a little later each time.
    private static func failed(
        _ failure: FileHasher.Failure, _ place: ArtifactPlace, _ notes: WorkerNotes, _ walk: Walk
    ) {
        switch failure {
        case .changed where place.attempts < pauses.count:
            var place = place
            let pause = pauses[place.attempts]
            place.attempts += 1
            walk.queue.push(WalkJob(reading: place), after: pause)
        case .changed: notes.problem(place.path, .changedWhileRead)
        case .givenUp: notes.givenUp(walk)
        case .crypto(let error): notes.problem(place.path, .failed("\(error)"))
        case .system(let error): notes.problem(place.path, .init(error))
        }
    }

    private static func noting(in notes: WorkerNotes, _ walk: Walk) -> (ArtifactPlace, LaneHasher.Outcome) -> Void {
        { place, outcome in
            switch outcome {
            case .digest(let digest, let size, let isExecutable):
                notes.record(place, digest, size: size, isExecutable: isExecutable)
            case .failure(let failure): failed(failure, place, notes, walk)
            }
        }
    }

    private func record(_ outcome: ArtifactReader.Outcome, _ place: ArtifactPlace) {
        switch outcome {
        case .digests(let digests, let size, let isLinkText, let isExecutable):
            notes.record(place, digests, size: size, isLinkText: isLinkText, isExecutable: isExecutable)
        case .notRecorded(let reason): notes.notRecorded(place.path, reason, isNamed: place.isNamed)
        case .problem(let reason): notes.problem(place.path, reason)
        }
    }
}

/// Before a file that changed is read once more, and once more again.
private let pauses = [Duration.milliseconds(10), .milliseconds(50)]
/// A file from this size on, in bytes, is worth being taken up before all others.
private let largeFile: Int64 = 4 << 20
