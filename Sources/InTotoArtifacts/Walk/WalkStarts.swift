import InTotoMetadata
import SystemPackage

/// Where a walk begins: references, looked up once.
struct WalkStarts {
    private(set) var roots: [WalkRoot] = []
    private(set) var filters: [GlobFilter] = []
    private(set) var jobs: [WalkJob] = []
    /// Problems, and references that are not recorded.
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

    /// What is wrong with relative references wherever they lead: there is no base path, or a link leads out of it.
    static func problemsOutside(_ references: [ArtifactReference], _ options: SnapshotOptions) -> ProblemList {
        var starts = WalkStarts([], options)
        guard let root = starts.openBase() else { return starts.findings.problems }
        let resolver = starts.resolver(root)
        for reference in references {
            // What cannot be looked at now may be once the command has run.
            let outcome = try? Self.resolve(reference, with: resolver)
            if case .notRecorded(.linkOutsideBase)? = outcome {
                starts.problem(reference, .notRegular(.linkOutsideBase))
            }
        }
        return starts.findings.problems
    }

    // MARK: Below the base path

    private mutating func addRelative(_ references: [ArtifactReference]) {
        guard let root = openBase() else { return }
        for reference in references {
            do { try add(reference, below: root) } catch { problem(reference, .init(error)) }
        }
    }

    private mutating func add(_ reference: ArtifactReference, below root: Int) throws(SystemError) {
        let outcome = try Self.resolve(reference, with: resolver(root))
        if case .absent = outcome { return try addGlobOrMissing(reference, below: root) }
        if try excludes(reference, outcome, root) { return }
        switch outcome {
        case .directory(let real):
            let trail = DirectoryTrail(root: roots[root].descriptor.number, capacity: 2)
            if PseudoFileSystem.holds(try trail.descriptor(of: real)) {
                return problem(reference, .notRegular(.pseudoFileSystem))
            }
            if isCovered(reference.path), real == reference.path { return }
            if real == reference.path { covered.insert(real) }
            let links = LinkChain(startingAt: real)
            jobs.append(
                WalkJob(root: root, real: real, name: reference.path, reference: reference.source, links: links))
        case .file(let directory, let name, let status):
            let isPlain = status.kind == .regular && PathBytes.join(directory, name) == reference.path
            if !isPlain || !isCovered(reference.path) { addFile(reference, root, directory, name, status) }
        case .notRecorded(.danglingLink) where options.allowsMissing: leadsNowhere(reference)
        case .notRecorded(let reason): problem(reference, .notRegular(reason))
        case .absent: break
        }
    }

    /// What a reference leads to as it is written; a pattern behind a link is absent, not what the link leads to.
    private static func resolve(
        _ reference: ArtifactReference, with resolver: LinkResolver
    ) throws(SystemError) -> LinkResolver.Outcome {
        let outcome = try resolver.resolve(reference.path, from: [])
        guard reference.hasGlobCharacters, case .notRecorded(let reason) = outcome,
            reason == .danglingLink || reason == .linkOutsideBase
        else { return outcome }
        // A link that bears the very name is meant.
        let (parent, name) = PathBytes.split(reference.path)
        if case .directory(let real) = try resolver.resolve(parent, from: []) {
            let directory = try resolver.trail.descriptor(of: real)
            do throws(SystemError) {
                _ = try SystemCalls.status(name, in: directory)
                return outcome
            } catch { if !error.isAbsence { throw error } }
        }
        guard case .directory = try resolver.resolve(GlobFilter.split(reference.path).directory, from: []) else {
            return outcome
        }
        return .absent
    }

    private mutating func addFile(
        _ reference: ArtifactReference, _ root: Int, _ directory: [UInt8], _ name: [UInt8], _ status: FileStatus
    ) {
        if status.kind == .symbolicLink {
            if options.symlinks == .refuse { return problem(reference, .linkRefused) }
            if PathBytes.join(directory, name) != reference.path { return problem(reference, .beyondLink) }
        }
        jobs.append(
            WalkJob(
                root: root, real: directory, name: reference.path, reference: reference.source,
                work: .file(name, status.kind)))
    }

    private mutating func addGlobOrMissing(_ reference: ArtifactReference, below root: Int) throws(SystemError) {
        guard reference.hasGlobCharacters else { return missing(reference) }
        let start = GlobFilter.split(reference.path).directory
        guard case .directory(let real) = try resolver(root).resolve(start, from: []) else { return missing(reference) }
        if excludesDirectory(reference, start[...]) { return }
        filters.append(GlobFilter(source: reference.source, pattern: reference.path))
        let links = LinkChain(startingAt: real)
        jobs.append(
            WalkJob(
                root: root, real: real, name: start, reference: reference.source, links: links,
                filter: filters.count - 1))
    }

    private func resolver(_ root: Int) -> LinkResolver {
        LinkResolver(
            trail: DirectoryTrail(root: roots[root].descriptor.number, capacity: 2),
            absoluteRoot: roots[root].absolutePath,
            linkLimit: options.symlinks == .follow ? 40 : nil
        )
    }

    /// Whether a walk of another reference finds the path, if no link leads there.
    private func isCovered(_ path: [UInt8]) -> Bool {
        if covered.contains([]) { return true }
        return path.indices.contains { path[$0] == slash && covered.contains(Array(path[..<$0])) }
            || covered.contains(path)
    }

    // MARK: Exclusion

    /// Whether a pattern hides what a reference names, or a directory that is in; noted then, since somebody asked for
    /// it by name.
    private mutating func excludes(
        _ reference: ArtifactReference, _ outcome: LinkResolver.Outcome, _ root: Int
    ) throws(SystemError) -> Bool {
        guard case .file(let directory, let name, let status) = outcome else {
            return excludesDirectory(reference, reference.path[...])
        }
        let trail = DirectoryTrail(root: roots[root].descriptor.number, capacity: 2)
        let conditions = options.conditions
        var hidden: FileCondition.Hidden?
        let isExcluded = try excludes(reference, reference.path[...], isDirectory: false) {
            (condition) throws(SystemError) in
            guard status.kind == .regular else { return false }
            return try condition.holds(
                for: name, in: trail.descriptor(of: directory), as: reference.path, conditions, { hidden = $0 })
        }
        if let hidden { findings.hide(reference.path, hidden) }
        return isExcluded
    }

    private mutating func excludesDirectory(_ reference: ArtifactReference, _ path: ArraySlice<UInt8>) -> Bool {
        excludes(reference, path, isDirectory: true, noCondition)
    }

    /// Asks for the path and, before it, for each directory that it is in; `path` is what patterns see of it.
    private mutating func excludes<E: Error>(
        _ reference: ArtifactReference, _ path: ArraySlice<UInt8>, isDirectory: Bool,
        _ holds: (FileCondition) throws(E) -> Bool
    ) throws(E) -> Bool {
        guard !path.isEmpty else { return false }
        let exclusions = options.exclusions
        let parent = path.indices.lazy.filter { path[$0] == slash }
            .compactMap { exclusions.excluding(path[..<$0], isDirectory: true, holds: noCondition) }.first
        let own = parent == nil ? try exclusions.excluding(path, isDirectory: isDirectory, holds: holds) : nil
        guard let index = parent ?? own else { return false }
        let pattern = exclusions.patterns[index]
        if reference.isAbsolute || !isCovered(reference.path) {
            findings.exclude(reference.path, by: index, of: exclusions)
        }
        findings.notRecorded.append(NotRecorded(path: reference.name, reason: .excluded(pattern)))
        findings.planned.append(
            .init(path: reference.path, isDirectory: isDirectory, reference: reference.source, pattern: pattern))
        return true
    }

    // MARK: Absolute paths

    /// The reference is its own root, and where it is itself a link, what that leads to; below it nothing leaves it.
    private mutating func addAbsolute(_ reference: ArtifactReference) {
        do {
            let (parent, name) = PathBytes.split(reference.path)
            let kind = try name.isEmpty ? .directory : status(of: name, in: parent).kind
            switch (kind, options.symlinks) {
            case (.symbolicLink, .follow): addTarget(of: reference)
            case (.symbolicLink, .refuse): problem(reference, .linkRefused)
            case (let kind, _): add(absolute: reference, at: reference.path, kind)
            }
        } catch {
            if error.isAbsence { return addAbsoluteGlob(reference) }
            problem(reference, .init(resolving: error))
        }
    }

    private mutating func addTarget(of reference: ArtifactReference) {
        do {
            let real = try SystemCalls.resolvedPath(FilePath(bytes: reference.path))
            let (parent, name) = PathBytes.split(real)
            add(absolute: reference, at: real, try name.isEmpty ? .directory : status(of: name, in: parent).kind)
        } catch {
            if error.isAbsence, options.allowsMissing { return leadsNowhere(reference) }
            problem(reference, error.isAbsence ? .notRegular(.danglingLink) : .init(resolving: error))
        }
    }

    private func status(of name: ArraySlice<UInt8>, in parent: [UInt8]) throws(SystemError) -> FileStatus {
        let directory = try SystemCalls.openDirectory(FilePath(bytes: parent))
        return try SystemCalls.status(name, in: directory.number)
    }

    private mutating func add(absolute reference: ArtifactReference, at real: [UInt8], _ kind: FileStatus.Kind) {
        let name = reference.path
        let (parent, realName) = PathBytes.split(real)
        let seen = PathBytes.split(name).name
        if kind == .directory {
            if excludesDirectory(reference, seen) { return }
            let offset = name == [slash] ? 1 : name.count + 1
            guard let root = openRoot(FilePath(bytes: real), matchOffset: offset, named: reference.source) else {
                return
            }
            if PseudoFileSystem.holds(roots[root].descriptor.number) {
                return problem(reference, .notRegular(.pseudoFileSystem))
            }
            return jobs.append(WalkJob(root: root, real: [], name: name, reference: reference.source))
        }
        let offset = name.count - seen.count
        guard let root = openRoot(FilePath(bytes: parent), matchOffset: offset, named: reference.source) else { return }
        let directory = roots[root].descriptor.number
        let conditions = options.conditions
        do {
            var hidden: FileCondition.Hidden?
            let isExcluded = try excludes(reference, seen, isDirectory: false) { (condition) throws(SystemError) in
                guard kind == .regular else { return false }
                return try condition.holds(
                    for: Array(realName), in: directory, as: reference.path, conditions, { hidden = $0 })
            }
            if let hidden { findings.hide(reference.path, hidden) }
            if isExcluded { return }
            jobs.append(
                WalkJob(
                    root: root, real: [], name: name, reference: reference.source, work: .file(Array(realName), kind)))
        } catch { problem(reference, .init(error)) }
    }

    private mutating func addAbsoluteGlob(_ reference: ArtifactReference) {
        guard reference.hasGlobCharacters else { return missing(reference) }
        let (start, pattern) = GlobFilter.split(reference.path)
        if excludesDirectory(reference, PathBytes.split(start).name) { return }
        let offset = start == [slash] ? 1 : start.count + 1
        do { roots.append(try WalkRoot(FilePath(bytes: start), matchOffset: offset)) } catch {
            return error.isAbsence ? missing(reference) : problem(reference, .init(resolving: error))
        }
        filters.append(GlobFilter(source: reference.source, pattern: pattern))
        jobs.append(
            WalkJob(
                root: roots.count - 1, real: [], name: start, reference: reference.source, filter: filters.count - 1))
    }

    // MARK: Failures

    private mutating func openBase() -> Int? {
        do {
            roots.append(try WalkRoot(options.base, matchOffset: 0))
            return roots.count - 1
        } catch {
            findings.problems.append(options.base.bytes, .basePath(.init(resolving: error)))
            return nil
        }
    }

    private mutating func openRoot(_ path: FilePath, matchOffset: Int, named name: [UInt8]) -> Int? {
        do {
            roots.append(try WalkRoot(path, matchOffset: matchOffset))
            return roots.count - 1
        } catch {
            findings.problems.append(name, .init(resolving: error))
            return nil
        }
    }

    private mutating func missing(_ reference: ArtifactReference) {
        findings.miss(reference.source, isAllowed: options.allowsMissing)
    }

    private mutating func leadsNowhere(_ reference: ArtifactReference) {
        findings.notRecorded.append(NotRecorded(path: reference.name, reason: .danglingLink))
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
