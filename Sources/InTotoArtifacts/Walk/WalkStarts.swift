import InTotoMetadata
import SystemPackage

/// Where a walk begins: references, looked up once.
struct WalkStarts {
    private(set) var roots: [WalkRoot] = []
    private(set) var filters: [GlobFilter] = []
    private(set) var jobs: [WalkJob] = []
    /// Problems, and references that a pattern excludes.
    private(set) var findings = Findings()
    private let options: SnapshotOptions
    /// Names of directories that are walked whole, no link on the way to them.
    private var covered: Set<[UInt8]> = []

    init(_ references: [ArtifactReference], _ options: SnapshotOptions) {
        self.options = options
        // Directories first and short names first, so that what is below them is seen to be covered.
        let relative = references.filter { !$0.isAbsolute }
        if !relative.isEmpty { addRelative(relative.sorted { $0.path.count < $1.path.count }) }
        for reference in references where reference.isAbsolute { addAbsolute(reference) }
    }

    // MARK: Below the base path

    private mutating func addRelative(_ references: [ArtifactReference]) {
        guard let root = openRoot(options.base, matchOffset: 0, named: Array(options.base.string.utf8)) else { return }
        for reference in references {
            do { try add(reference, below: root) } catch { problem(reference, .init(error)) }
        }
    }

    private mutating func add(_ reference: ArtifactReference, below root: Int) throws(SystemError) {
        let outcome = try resolver(root).resolve(reference.path, from: [])
        if case .absent = outcome { return try addGlobOrMissing(reference, below: root) }
        if isCovered(reference.path) && isPlain(outcome, reference.path) { return }
        if try excludes(reference, outcome, root) { return }
        switch outcome {
        case .directory(let real):
            if real == reference.path { covered.insert(real) }
            jobs.append(WalkJob(root: root, real: real, name: reference.path, links: LinkChain(startingAt: real)))
        case .file(let directory, let name, let status):
            addFile(reference, root, directory, name, status)
        case .notRecorded(let reason): problem(reference, .notRegular(reason))
        case .absent: break
        }
    }

    private mutating func addFile(
        _ reference: ArtifactReference, _ root: Int, _ directory: [UInt8], _ name: [UInt8], _ status: FileStatus
    ) {
        if status.kind == .symbolicLink {
            if options.symlinks == .refuse { return problem(reference, .linkRefused) }
            if PathBytes.join(directory, name) != reference.path { return problem(reference, .beyondLink) }
        }
        jobs.append(WalkJob(root: root, real: directory, name: reference.path, work: .file(name, status.kind)))
    }

    private mutating func addGlobOrMissing(_ reference: ArtifactReference, below root: Int) throws(SystemError) {
        guard reference.hasGlobCharacters else { return missing(reference) }
        let start = GlobFilter.split(reference.path).directory
        guard case .directory(let real) = try resolver(root).resolve(start, from: []) else { return missing(reference) }
        if try excludes(start, isDirectory: true, root, { () throws(SystemError) in false }) { return }
        filters.append(GlobFilter(source: reference.source, pattern: reference.path))
        let links = LinkChain(startingAt: real)
        jobs.append(WalkJob(root: root, real: real, name: start, links: links, filter: filters.count - 1))
    }

    private func resolver(_ root: Int) -> LinkResolver {
        LinkResolver(
            trail: DirectoryTrail(root: roots[root].descriptor.number, capacity: 2),
            absoluteRoot: roots[root].absolutePath,
            linkLimit: options.symlinks == .follow ? 40 : nil
        )
    }

    private func isCovered(_ path: [UInt8]) -> Bool {
        if covered.contains([]) { return true }
        return path.indices.contains { path[$0] == slash && covered.contains(Array(path[..<$0])) }
            || covered.contains(path)
    }

    /// Whether the path is what it says, without links: a walk from above finds it too.
    private func isPlain(_ outcome: LinkResolver.Outcome, _ path: [UInt8]) -> Bool {
        switch outcome {
        case .directory(let real): real == path
        case .file(let directory, let name, let status):
            status.kind == .regular && PathBytes.join(directory, name) == path
        case .notRecorded, .absent: false
        }
    }

    // MARK: Exclusion

    private mutating func excludes(
        _ reference: ArtifactReference, _ outcome: LinkResolver.Outcome, _ root: Int
    ) throws(SystemError) -> Bool {
        guard case .file(let directory, let name, _) = outcome else {
            return try excludes(reference.path, isDirectory: true, root) { () throws(SystemError) in false }
        }
        return try excludesFile(reference.path, root, directory, name)
    }

    private mutating func excludesFile(
        _ path: [UInt8], _ root: Int, _ directory: [UInt8], _ name: [UInt8]
    ) throws(SystemError) -> Bool {
        let trail = DirectoryTrail(root: roots[root].descriptor.number, capacity: 2)
        return try excludes(path, isDirectory: false, root) { () throws(SystemError) in
            let parent = try trail.descriptor(of: directory)
            return try EvidenceCheck.isEvidence(name[...], in: parent)
        }
    }

    /// Asks for the path and, before it, for each directory that it is in.
    private mutating func excludes(
        _ path: [UInt8], isDirectory: Bool, _ root: Int, _ isEvidence: () throws(SystemError) -> Bool
    ) throws(SystemError) -> Bool {
        guard path.count > roots[root].matchOffset else { return false }
        let seen = path[roots[root].matchOffset...]
        for end in seen.indices where seen[end] == slash {
            if count(options.exclusions.excluding(seen[..<end], isDirectory: true, isEvidence: { false }), path) {
                return true
            }
        }
        return count(
            try options.exclusions.excluding(seen, isDirectory: isDirectory, isEvidence: isEvidence), path
        )
    }

    private mutating func count(_ pattern: Int?, _ path: [UInt8]) -> Bool {
        guard let pattern else { return false }
        findings.excluded[pattern, default: 0] += 1
        findings.planned.append(
            .init(path: path, isDirectory: false, excludedBy: options.exclusions.patterns[pattern])
        )
        return true
    }

    // MARK: Absolute paths

    /// The reference is its own root, and where it is itself a link, what that leads to; below it nothing leaves it.
    private mutating func addAbsolute(_ reference: ArtifactReference) {
        do {
            let (parent, name) = PathBytes.split(reference.path)
            let kind = try name.isEmpty ? .directory : status(of: name, in: parent).kind
            if kind != .symbolicLink { return add(absolute: reference, at: reference.path, kind) }
            guard options.symlinks == .follow else {
                if options.symlinks == .refuse { return problem(reference, .linkRefused) }
                return add(absolute: reference, at: reference.path, kind)
            }
            guard let real = SystemCalls.realPath(FilePath(bytes: reference.path)) else {
                return problem(reference, .notRegular(.danglingLink))
            }
            let (realParent, realName) = PathBytes.split(real)
            let realKind = try realName.isEmpty ? .directory : status(of: realName, in: realParent).kind
            add(absolute: reference, at: real, realKind)
        } catch {
            if error.code == .noSuchFileOrDirectory || error.code == .notDirectory {
                addAbsoluteGlob(reference)
            } else {
                problem(reference, .init(error))
            }
        }
    }

    private func status(of name: ArraySlice<UInt8>, in parent: [UInt8]) throws(SystemError) -> FileStatus {
        let directory = try SystemCalls.openDirectory(FilePath(bytes: parent))
        return try SystemCalls.status(name, in: directory.number)
    }

    private mutating func add(absolute reference: ArtifactReference, at real: [UInt8], _ kind: FileStatus.Kind) {
        let name = reference.path
        if kind == .directory {
            let offset = name == [slash] ? 1 : name.count + 1
            guard let root = openRoot(FilePath(bytes: real), matchOffset: offset, named: reference.source) else {
                return
            }
            return jobs.append(WalkJob(root: root, real: [], name: name))
        }
        let offset = name.count - PathBytes.split(name).name.count
        let (parent, realName) = PathBytes.split(real)
        guard let root = openRoot(FilePath(bytes: parent), matchOffset: offset, named: reference.source) else { return }
        do {
            if try excludesFile(reference.path, root, [], Array(realName)) { return }
            jobs.append(WalkJob(root: root, real: [], name: name, work: .file(Array(realName), kind)))
        } catch { problem(reference, .init(error)) }
    }

    private mutating func addAbsoluteGlob(_ reference: ArtifactReference) {
        guard reference.hasGlobCharacters else { return missing(reference) }
        let (start, pattern) = GlobFilter.split(reference.path)
        let offset = start == [slash] ? 1 : start.count + 1
        guard let root = try? WalkRoot(FilePath(bytes: start), matchOffset: offset) else { return missing(reference) }
        roots.append(root)
        filters.append(GlobFilter(source: reference.source, pattern: pattern))
        jobs.append(WalkJob(root: roots.count - 1, real: [], name: start, filter: filters.count - 1))
    }

    // MARK: Failures

    private mutating func openRoot(_ path: FilePath, matchOffset: Int, named name: [UInt8]) -> Int? {
        do {
            roots.append(try WalkRoot(path, matchOffset: matchOffset))
            return roots.count - 1
        } catch {
            let isMissing = error.code == .noSuchFileOrDirectory
            findings.problems.append(name, isMissing ? .doesNotExist : .init(error))
            return nil
        }
    }

    private mutating func missing(_ reference: ArtifactReference) {
        if !options.allowsMissing { problem(reference, .doesNotExist) }
    }

    private mutating func problem(_ reference: ArtifactReference, _ reason: SnapshotProblem.Reason) {
        findings.problems.append(reference.source, reason)
    }
}

extension FilePath {
    /// The bytes are those of a path and hold no NUL.
    init(bytes: [UInt8]) {
        self = (bytes.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { FilePath(platformString: $0) } ?? ""
        }
    }
}
