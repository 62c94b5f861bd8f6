/// Which of the paths that one worker meets are wanted; notes in its findings what is not, and by which pattern.
struct Selection {
    let walk: Walk
    let notes: WorkerNotes

    /// Whether a file's path is to be recorded.
    func isRecordable<E: Error>(
        _ path: [UInt8], _ job: WalkJob, _ holds: (FileCondition) throws(E) -> Bool
    ) throws(E) -> Bool {
        guard isWanted(path, job) else { return false }
        return !(try excludes(path, isDirectory: false, job, holds))
    }

    /// Whether a glob matches, if that is what the path was met for.
    func isWanted(_ path: [UInt8], _ job: WalkJob) -> Bool {
        guard let filter = job.filter else { return true }
        let matches = walk.filters[filter].matches(path[walk.roots[job.root].matchOffset...])
        if matches { notes.findings.matchedFilters.insert(filter) }
        return matches
    }

    /// Whether nothing at this path is to be recorded, whatever it is: a file, a directory, or a link to either.
    func isUnwanted(_ path: [UInt8], _ job: WalkJob) -> Bool {
        let seen = path[walk.roots[job.root].matchOffset...]
        if let filter = job.filter, !isWanted(path, job), !walk.filters[filter].mayMatch(below: seen) { return true }
        let asFile = walk.rules.exclusions.excluding(seen, isDirectory: false, holds: noCondition)
        return asFile != nil && excludes(path, isDirectory: true, job, noCondition)
    }

    /// What a snapshot would record, with the pattern that takes it back, if one does.
    func plan(_ path: [UInt8], _ job: WalkJob) {
        let seen = path[walk.roots[job.root].matchOffset...]
        let index = walk.rules.exclusions.deciding(seen, isDirectory: false, holds: noCondition)
        let pattern = index.map { walk.rules.exclusions.patterns[$0] }.flatMap { $0.isNegated ? $0 : nil }
        notes.findings.planned.append(.init(path: path, reference: job.reference, pattern: pattern))
    }

    func excludes<E: Error>(
        _ path: [UInt8], isDirectory: Bool, _ job: WalkJob, _ holds: (FileCondition) throws(E) -> Bool
    ) throws(E) -> Bool {
        let seen = path[walk.roots[job.root].matchOffset...]
        let exclusions = walk.rules.exclusions
        guard let index = try exclusions.excluding(seen, isDirectory: isDirectory, holds: holds) else {
            return false
        }
        notes.findings.exclude(path, by: index, of: exclusions)
        if walk.rules.purpose == .list {
            let pattern = exclusions.patterns[index]
            notes.findings.planned.append(
                .init(path: path, isDirectory: isDirectory, reference: job.reference, pattern: pattern))
        }
        return true
    }
}
