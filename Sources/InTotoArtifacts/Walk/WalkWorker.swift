import InTotoMetadata
import Synchronization

/// One thread's part of a walk: directories and links; what is in them is its `FileVisitor`'s.
final class WalkWorker {
    private let walk: Walk
    private let notes: WorkerNotes
    private let selection: Selection
    private var files: FileVisitor?
    private var place: Place?

    /// The directories that are open under one root.
    private struct Place {
        let root: Int
        let trail: DirectoryTrail
        let links: LinkResolver
    }

    init(_ walk: Walk) {
        self.walk = walk
        notes = WorkerNotes(walk.rules, walk.report)
        selection = Selection(walk: walk, notes: notes)
    }

    func run() -> Findings {
        do { files = try FileVisitor(walk, notes, selection) } catch {
            notes.problem([UInt8(ascii: ".")], .failed("\(error)"))
        }
        walk.queue.work {
            if let files { perform($0, files) }
        } rest: {
            files?.hashOn() ?? false
        }
        notes.reportProgress(atLeast: 1)
        notes.findings.sortRecords()
        return notes.findings
    }

    private func perform(_ job: WalkJob, _ files: FileVisitor) {
        if walk.rules.isGivenUp() { return notes.givenUp(walk) }
        do throws(SystemError) {
            let directory = try place(at: job.root).trail.descriptor(of: job.real)
            switch job.work {
            case .list: try list(directory, job, files)
            case .entries(let entries): visit(entries, in: directory, job, files)
            case .file(let name, let kind):
                let place = ArtifactPlace(
                    root: job.root, directory: job.real, name: name, path: job.name, isNamed: true)
                files.visit(place, in: directory, kind, job)
            case .read(let place): files.read(place, in: directory)
            }
        } catch {
            notes.problem(job.name.isEmpty ? [UInt8(ascii: ".")] : job.name, .init(error))
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

    private func list(_ directory: Int32, _ job: WalkJob, _ files: FileVisitor) throws(SystemError) {
        if files.isPseudo(directory, try SystemCalls.status(directory)) {
            return notes.notRecorded(job.name, .pseudoFileSystem)
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
        visit(entries, in: directory, job, files)
    }

    /// False where there are too many, which the first to notice reports; nothing more is worth looking at then.
    private func countEntry(_ job: WalkJob) -> Bool {
        let rules = walk.rules
        let count = walk.entries.add(1, ordering: .relaxed).newValue
        guard count <= rules.entryLimit else {
            return tooMany(.tooManyEntries(limit: rules.entryLimit), isFirst: count == rules.entryLimit + 1)
        }
        if job.links.count == 0 { return true }
        let linked = walk.linkedEntries.add(1, ordering: .relaxed).newValue
        let limit = rules.linkedEntryLimit
        return linked <= limit || tooMany(.tooManyLinkedEntries(limit: limit), isFirst: linked == limit + 1)
    }

    private func tooMany(_ reason: SnapshotProblem.Reason, isFirst: Bool) -> Bool {
        if isFirst {
            notes.problem([UInt8(ascii: ".")], reason)
            walk.queue.giveUp()
        }
        return false
    }

    private func push(_ entries: EntryBatch, _ job: WalkJob) {
        var part = job
        part.work = .entries(entries)
        walk.queue.push(part)
    }

    private func visit(_ entries: EntryBatch, in directory: Int32, _ job: WalkJob, _ files: FileVisitor) {
        var entries = entries
        while let (name, kind) = entries.popFirst() {
            let path = PathBytes.join(job.name, name)
            guard path.count <= nameLimit else {
                notes.problem(path, .nameTooLong)
                continue
            }
            do throws(SystemError) {
                let found = try actual(kind, name, in: directory)
                if found != .directory, try walk.rules.ownFiles.have(name, in: directory) { continue }
                switch found {
                case .directory: enter(PathBytes.join(job.real, name), path, job.links, job)
                case .symbolicLink: try link(name, in: directory, path, job, files)
                case .regular, .fifo, .socket, .device:
                    let place = ArtifactPlace(
                        root: job.root, directory: job.real, name: name, path: path, isNamed: false)
                    files.visit(place, in: directory, found, job)
                }
            } catch { missed(path, .init(error), job) }
        }
    }

    /// Something that cannot be looked at, which matters only where it could be wanted.
    private func missed(_ path: [UInt8], _ reason: SnapshotProblem.Reason, _ job: WalkJob) {
        if !selection.isUnwanted(path, job) { notes.problem(path, reason) }
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
            if selection.isWanted(path, job) {
                filter = nil
            } else if !walk.filters[wanted].mayMatch(below: seen) {
                return
            }
        }
        if selection.excludes(path, isDirectory: true, job, noCondition) { return }
        walk.queue.push(
            WalkJob(root: job.root, real: real, name: path, reference: job.reference, links: links, filter: filter))
    }

    // MARK: Links

    private var linkLimit: Int? { walk.rules.symlinks == .follow ? 40 : nil }

    private func link(
        _ name: [UInt8], in directory: Int32, _ path: [UInt8], _ job: WalkJob, _ files: FileVisitor
    ) throws(SystemError) {
        var file = ArtifactPlace(root: job.root, directory: job.real, name: name, path: path, isNamed: false)
        guard walk.rules.symlinks == .follow else { return files.visit(file, in: directory, .symbolicLink, job) }
        switch try place(at: job.root).links.resolve(name, from: job.real) {
        case .directory(let target): enterLink(to: target, path, job)
        case .file(let parent, let target, let status):
            file.directory = parent
            file.name = target
            let parent = try place(at: job.root).links.trail.descriptor(of: parent)
            files.visit(file, in: parent, status.kind, job)
        case .notRecorded(let reason):
            if selection.isRecordable(path, job, noCondition) { notes.notRecorded(path, reason) }
        case .absent: missed(path, .vanished, job)
        }
    }

    private func enterLink(to target: [UInt8], _ path: [UInt8], _ job: WalkJob) {
        let leadsBack = job.links.leadsBack(to: target, from: job.real)
        if leadsBack || !walk.rules.followsLinksToDirectories {
            guard selection.isWanted(path, job) else { return }
            guard !selection.excludes(path, isDirectory: true, job, noCondition) else { return }
            return notes.notRecorded(path, leadsBack ? .linkCycle : .linkToDirectory)
        }
        guard job.links.count < LinkChain.longest else {
            if selection.isRecordable(path, job, noCondition) { notes.notRecorded(path, .tooManyLinks) }
            return
        }
        enter(target, path, LinkChain(job.links, followedTo: target, from: job.real), job)
    }
}

private let batchSize = 64
/// In bytes; longer recorded names are refused, which also bounds the depth of a walk.
private let nameLimit = 65_536
