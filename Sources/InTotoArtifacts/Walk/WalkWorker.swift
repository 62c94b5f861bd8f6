import InTotoMetadata
import Synchronization

/// One thread's part of a walk.
final class WalkWorker {
    private let walk: Walk
    private var findings = Findings()
    private var reader: ArtifactReader?
    private var place: Place?
    /// What is left of the batch under work; others may take it over.
    private var batch = EntryBatch()
    private var batchJob: WalkJob?
    private var files = 0
    private var bytes: UInt64 = 0

    /// The directories that are open under one root.
    private struct Place {
        let root: Int
        let trail: DirectoryTrail
        let links: LinkResolver
    }

    init(_ walk: Walk) { self.walk = walk }

    func run() -> Findings {
        do { reader = try ArtifactReader(walk.rules) } catch {
            findings.problems.append([UInt8(ascii: ".")], .failed("\(error)"))
        }
        walk.queue.work { job in
            if reader != nil { perform(job) }
        }
        reportProgress(atLeast: 1)
        return findings
    }

    private func perform(_ job: WalkJob) {
        do throws(SystemError) {
            let place = place(at: job.root)
            let directory = try place.trail.descriptor(of: job.real)
            switch job.work {
            case .list: try list(directory, job)
            case .entries(let entries): visit(entries, in: directory, job)
            case .file(let name, let kind): file(name, in: directory, kind, job.name, job, isNamed: true)
            }
        } catch {
            findings.problems.append(job.name.isEmpty ? [UInt8(ascii: ".")] : job.name, .init(error))
        }
    }

    private func place(at root: Int) -> Place {
        if let place, place.root == root { return place }
        let descriptor = walk.roots[root].descriptor.number
        let links = LinkResolver(
            trail: DirectoryTrail(root: descriptor, capacity: 2),
            absoluteRoot: walk.roots[root].absolutePath,
            linkLimit: linkLimit
        )
        let trail = DirectoryTrail(root: descriptor, capacity: walk.budget.openDirectories)
        let new = Place(root: root, trail: trail, links: links)
        place = new
        return new
    }

    // MARK: Directories

    private func list(_ directory: Int32, _ job: WalkJob) throws(SystemError) {
        if let reader, reader.isPseudo(try SystemCalls.status(directory)) {
            return notRecorded(job.name, .pseudoFileSystem)
        }
        var entries = EntryBatch()
        var listing = try DirectoryReader(directory)
        while let (name, kind) = try listing.next() {
            guard countEntry(job) else { return }
            entries.append(name, kind)
            if entries.count == batchSize {
                push(entries, job)
                entries = EntryBatch()
            }
        }
        visit(entries, in: directory, job)
    }

    /// False where there are too many, which the first to notice reports.
    private func countEntry(_ job: WalkJob) -> Bool {
        let count = walk.entries.add(1, ordering: .relaxed).newValue
        let limit = walk.rules.entryLimit
        if count == limit + 1 { findings.problems.append([UInt8(ascii: ".")], .tooManyEntries(limit: limit)) }
        return count <= limit
    }

    private func push(_ entries: EntryBatch, _ job: WalkJob) {
        var part = job
        part.work = .entries(entries)
        walk.queue.push(part)
    }

    private func visit(_ entries: EntryBatch, in directory: Int32, _ job: WalkJob) {
        batch = entries
        batchJob = job
        while let (name, kind) = batch.popFirst() { visit(name, kind, in: directory, job) }
    }

    private func visit(_ name: [UInt8], _ kind: FileStatus.Kind?, in directory: Int32, _ job: WalkJob) {
        let path = PathBytes.join(job.name, name)
        guard path.count <= nameLimit else { return findings.problems.append(path, .nameTooLong) }
        do throws(SystemError) {
            switch try actual(kind, name, in: directory) {
            case .directory: enter(PathBytes.join(job.real, name), path, job.links, job)
            case .symbolicLink: try link(name, in: directory, path, job)
            case let kind: file(name, in: directory, kind, path, job, isNamed: false)
            }
        } catch { findings.problems.append(path, .init(error)) }
    }

    /// Not every file system tells the kind in its listings.
    private func actual(
        _ kind: FileStatus.Kind?, _ name: [UInt8], in directory: Int32
    ) throws(SystemError) -> FileStatus.Kind {
        if let kind { return kind }
        return try SystemCalls.status(name[...], in: directory).kind
    }

    private func enter(_ real: [UInt8], _ path: [UInt8], _ links: LinkChain, _ job: WalkJob) {
        var filter = job.filter
        if let wanted = filter {
            let seen = path[walk.roots[job.root].matchOffset...]
            if isWanted(path, job) { filter = nil } else if !walk.filters[wanted].mayMatch(below: seen) { return }
        }
        if excludes(path, isDirectory: true, job, noEvidence) { return }
        walk.queue.push(WalkJob(root: job.root, real: real, name: path, links: links, filter: filter))
    }

    // MARK: Links

    private var linkLimit: Int? { walk.rules.symlinks == .follow ? 40 : nil }

    private func link(_ name: [UInt8], in directory: Int32, _ path: [UInt8], _ job: WalkJob) throws(SystemError) {
        guard walk.rules.symlinks == .follow else {
            return file(name, in: directory, .symbolicLink, path, job, isNamed: false)
        }
        switch try place(at: job.root).links.resolve(name, from: job.real) {
        case .directory(let target): enterLink(to: target, path, job)
        case .file(let parent, let target, let status):
            let parent = try place(at: job.root).links.trail.descriptor(of: parent)
            file(target, in: parent, status.kind, path, job, isNamed: false)
        case .notRecorded(let reason):
            if isRecordable(path, job, noEvidence) { notRecorded(path, reason) }
        case .absent: findings.problems.append(path, .vanished)
        }
    }

    private func enterLink(to target: [UInt8], _ path: [UInt8], _ job: WalkJob) {
        let leadsBack = job.links.leadsBack(to: target, from: job.real)
        if leadsBack || !walk.rules.followsLinksToDirectories {
            guard isWanted(path, job), !excludes(path, isDirectory: true, job, noEvidence) else { return }
            return notRecorded(path, leadsBack ? .linkCycle : .linkToDirectory)
        }
        enter(target, path, job.links.following(to: target, from: job.real), job)
    }

    // MARK: Files

    private func file(
        _ name: [UInt8], in directory: Int32, _ kind: FileStatus.Kind, _ path: [UInt8], _ job: WalkJob, isNamed: Bool
    ) {
        guard let reader else { return }
        do throws(SystemError) {
            let isEvidence = { () throws(SystemError) -> Bool in
                guard kind == .regular else { return false }
                return try reader.isEvidence(name, in: directory)
            }
            if !isNamed {
                let isWanted = try isRecordable(path, job, isEvidence)
                guard isWanted else { return }
            }
            if walk.rules.purpose == .list {
                let isOurs = try plan(name, in: directory, kind, path)
                if isOurs { return }
            }
        } catch { return findings.problems.append(path, .init(error)) }
        switch kind {
        case .regular where walk.rules.purpose == .hash:
            record(reader.read(name, in: directory, self.willRead), path, isNamed)
        case .symbolicLink where walk.rules.symlinks == .refuse: findings.problems.append(path, .linkRefused)
        case .symbolicLink where walk.rules.purpose == .hash:
            record(reader.readLink(name, in: directory), path, isNamed)
        case .fifo: notRecorded(path, .fifo, isNamed)
        case .socket: notRecorded(path, .socket, isNamed)
        case .device: notRecorded(path, .device, isNamed)
        case .directory: findings.problems.append(path, .changedWhileRead)
        case .regular, .symbolicLink: break
        }
    }

    /// Lists a path; true where it is ours.
    private func plan(
        _ name: [UInt8], in directory: Int32, _ kind: FileStatus.Kind, _ path: [UInt8]
    ) throws(SystemError) -> Bool {
        guard kind == .regular || kind == .symbolicLink else { return false }
        if !walk.rules.ownFiles.isEmpty {
            let identity = try SystemCalls.status(name[...], in: directory).identity
            if walk.rules.ownFiles.contains(identity) { return true }
        }
        if Text(validating: path) == nil { findings.problems.append(path, .notUTF8) }
        findings.planned.append(.init(path: path, isDirectory: false, excludedBy: nil))
        return false
    }

    private func record(_ outcome: ArtifactReader.Outcome, _ path: [UInt8], _ isNamed: Bool) {
        switch outcome {
        case .digests(let digests, let size, let isLinkText, let isExecutable):
            guard UTF8Validation.isValid(path[...]) else { return findings.problems.append(path, .notUTF8) }
            findings.records.append(
                .init(
                    start: findings.arena.count, length: path.count, isLinkText: isLinkText, isExecutable: isExecutable
                )
            )
            findings.arena += path
            findings.arena += digests
            findings.bytes += size
            files += 1
            bytes += size
            reportProgress(atLeast: 1024)
        case .notRecorded(let reason): notRecorded(path, reason, isNamed)
        case .own: break
        case .problem(let reason): findings.problems.append(path, reason)
        }
    }

    /// Gives the rest of the batch away before something that takes long.
    private func willRead(_ size: Int64) {
        guard size > largeFile, batch.count > 0, let batchJob else { return }
        push(batch, batchJob)
        batch = EntryBatch()
    }

    // MARK: What is wanted

    private func isRecordable<E: Error>(
        _ path: [UInt8], _ job: WalkJob, _ isEvidence: () throws(E) -> Bool
    ) throws(E) -> Bool {
        guard isWanted(path, job) else { return false }
        return !(try excludes(path, isDirectory: false, job, isEvidence))
    }

    private func isWanted(_ path: [UInt8], _ job: WalkJob) -> Bool {
        guard let filter = job.filter else { return true }
        let matches = walk.filters[filter].matches(path[walk.roots[job.root].matchOffset...])
        if matches { findings.matchedFilters.insert(filter) }
        return matches
    }

    private func excludes<E: Error>(
        _ path: [UInt8], isDirectory: Bool, _ job: WalkJob, _ isEvidence: () throws(E) -> Bool
    ) throws(E) -> Bool {
        let seen = path[walk.roots[job.root].matchOffset...]
        let exclusions = walk.rules.exclusions
        guard let index = try exclusions.excluding(seen, isDirectory: isDirectory, isEvidence: isEvidence) else {
            return false
        }
        findings.excluded[index, default: 0] += 1
        if walk.rules.purpose == .list {
            let pattern = exclusions.patterns[index]
            findings.planned.append(.init(path: path, isDirectory: isDirectory, excludedBy: pattern))
        }
        return true
    }

    private func notRecorded(_ path: [UInt8], _ reason: NotRecorded.Reason, _ isNamed: Bool = false) {
        if isNamed { return findings.problems.append(path, .notRegular(reason)) }
        let entry = NotRecorded(path: path, reason: reason)
        findings.notRecorded.append(entry)
        walk.report(.notRecorded(entry))
    }

    private func reportProgress(atLeast count: Int) {
        guard files >= count || bytes >= 64 << 20 else { return }
        walk.report(.progress(files: files, bytes: bytes))
        files = 0
        bytes = 0
    }
}

private let batchSize = 64
/// In bytes; longer recorded names are refused, which also bounds the depth of a walk.
private let nameLimit = 65_536
/// A file from this size on, in bytes, is worth handing the rest of the batch to others.
private let largeFile: Int64 = 4 << 20

/// For what cannot be evidence.
private func noEvidence() -> Bool { false }
