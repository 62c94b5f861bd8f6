internal import CSupport
public import FoundationEssentials
public import InTotoArtifacts
internal import InTotoMetadata
internal import SystemPackage

/// Carries out a step: materials, command, products.
public struct StepRunner {
    private let request: StepRequest
    private let execution: CommandExecution?
    private let report: @Sendable (SnapshotEvent) -> Void

    /// Checks what can be checked before anything runs: the program, the references, the patterns. Must be called on the
    /// main thread, which the command lives and dies with.
    ///
    /// Throws `StepError.launch` and `.materials`.
    public init(
        _ request: StepRequest, report: @escaping @Sendable (SnapshotEvent) -> Void = { _ in }
    ) throws(StepError) {
        try self.init(request, in: nil, report: report)
    }

    /// The same with a process that was started beforehand.
    package init(
        _ request: StepRequest, in process: ChildProcess?, report: @escaping @Sendable (SnapshotEvent) -> Void
    ) throws(StepError) {
        self.request = request
        self.report = report
        do {
            execution = try request.command.map {
                try CommandExecution($0, in: process, request.streams, usesTerminal: request.usesTerminal)
            }
        } catch { throw (error as? LaunchError).map(StepError.launch) ?? .internal("\(error)") }
        do { try Snapshot.preflight(request.products, options: request.snapshot) } catch { throw .materials(error) }
    }

    /// Runs the step, once. `now` is asked at the command's start and end.
    public func run(workDirectory: [UInt8], now: () -> Date) throws(StepError) -> RecordedStep {
        var (step, before, repository) = try begin(workDirectory: workDirectory)
        let tool = ToolDigest(request.toolDigest)
        tool.start()
        try execute(&step, now)
        step.tool = tool.finish()
        // Whoever asks us to end meanwhile ends the reading, and what is known by then is not lost.
        cs_begin_reading()
        let isGivenUp: @Sendable () -> Bool = { cs_reading_is_over() != 0 }
        let (products, repositoryAfter) = observing(request.git != .off && step.execution != nil, isGivenUp) {
            () throws(SnapshotError) in
            try snapshot(
                request.products, reusesDigests ? .from(before.reusable) : .never, isGivenUp, since: before.hidden)
        }
        cs_end_reading()
        step.git = repository.map { RecordedRepository(before: $0, after: repositoryAfter) }
        let after: SnapshotResult
        do { after = try products.get() } catch { throw .products(error, soFar: step) }
        step.addProducts(after, changedOnly: request.recordsChangedProductsOnly)
        step.notRecorded = step.notRecorded.merged(with: after.notRecorded)
        step.excludedProducts = after.excluded
        step.newlyHidden = after.newlyHidden
        step.reusedDigests = reusesDigests ? after.reused : nil
        return step
    }

    /// The first half of the step: its materials, and no products.
    ///
    /// Throws `.materials` and `.repository`.
    public func recordMaterials(workDirectory: [UInt8]) throws(StepError) -> RecordedStep {
        var step = try begin(workDirectory: workDirectory).step
        step.tool = ToolDigest(.never).finish()
        return step
    }

    private func begin(workDirectory: [UInt8]) throws(StepError) -> (
        step: RecordedStep, before: SnapshotResult, repository: Result<GitRepositoryState, GitError>?
    ) {
        let never: @Sendable () -> Bool = { false }
        let (materials, repository) = observing(request.git != .off, never) { () throws(SnapshotError) in
            try snapshot(request.materials, reusesDigests ? .keeping : .never, never)
        }
        let before: SnapshotResult
        do { before = try materials.get() } catch { throw .materials(error) }
        do { try request.git.check(repository) } catch { throw .repository(error) }
        var step = RecordedStep(
            name: request.name, materials: before.artifacts, products: ArtifactSet(), notRecorded: before.notRecorded,
            materialLinkTexts: before.linkTexts, git: repository.map { RecordedRepository(before: $0, after: nil) },
            execution: nil, workDirectory: Self.absolute(request.command?.directory, from: workDirectory))
        step.excludedMaterials = before.excluded
        return (step, before, repository)
    }

    /// Reads the repository beside the artifacts.
    private func observing(
        _ readsRepository: Bool, _ isGivenUp: () -> Bool, _ snapshot: () throws(SnapshotError) -> SnapshotResult
    ) -> (Result<SnapshotResult, SnapshotError>, Result<GitRepositoryState, GitError>?) {
        var options = request.snapshot.git
        options.ownFiles = request.snapshot.ownFiles
        let base = Array(request.snapshot.base.string.utf8)
        let observation = readsRepository ? GitObservation(of: base, options) : nil
        return (Result(catching: snapshot), observation?.result(unless: isGivenUp))
    }

    /// Where the command ran, as its own `pwd -L` would have it.
    private static func absolute(_ directory: [UInt8]?, from workDirectory: [UInt8]) -> [UInt8] {
        guard let directory else { return workDirectory }
        guard directory.first != UInt8(ascii: "/"), !workDirectory.isEmpty else { return directory }
        return workDirectory + [UInt8(ascii: "/")] + directory
    }

    private var reusesDigests: Bool { request.reusesUnchangedDigests }

    private func snapshot(
        _ references: [ArtifactReference], _ reuse: DigestReuse, _ isGivenUp: @escaping @Sendable () -> Bool,
        since before: HiddenFiles? = nil
    ) throws(SnapshotError) -> SnapshotResult {
        var options = request.snapshot
        options.hiddenBefore = before
        options.reuse = reuse
        options.isGivenUp = isGivenUp
        return try Snapshot.take(of: references, options: options, report: report)
    }

    private func execute(_ step: inout RecordedStep, _ now: () -> Date) throws(StepError) {
        guard let execution else { return }
        let started = now()
        let start = ContinuousClock.now
        func recorded(_ result: ExecutedCommand) -> RecordedExecution {
            let (arguments, redactions) = execution.recordedArguments
            return RecordedExecution(
                arguments: arguments, argumentRedactions: redactions, executables: execution.recordedExecutables,
                started: started, finished: now(), elapsed: start.duration(to: .now), result: result)
        }
        do {
            step.execution = recorded(
                try execution.run(request.streams, usesTerminal: request.usesTerminal, request.limits))
        } catch {
            switch error {
            case let error as LaunchError: throw .launch(error)
            case let error as RecordingFailure:
                step.execution = recorded(error.command)
                throw .recording(error.reason, soFar: step)
            default: throw .internal("\(error)")
            }
        }
    }
}

extension RecordedStep {
    /// A file that is a link now, or the other way round, has changed, though its digest may be the same.
    fileprivate mutating func addProducts(_ after: SnapshotResult, changedOnly: Bool) {
        let turned = Set(materialLinkTexts).symmetricDifference(after.linkTexts)
        products = changedOnly ? after.artifacts.changed(since: materials, otherKind: turned) : after.artifacts
        productLinkTexts = after.linkTexts.filter { products[$0] != nil }
    }
}

/// Why a step has no record.
public enum StepError: Error {
    /// Nothing ran.
    case materials(SnapshotError)
    /// Nothing ran.
    case launch(LaunchError)
    /// The repository is not as the request demands; nothing ran.
    case repository(RepositoryRefusal)
    /// The command, if there was one, has ended; what it made could not be recorded, everything else was.
    case products(SnapshotError, soFar: RecordedStep)
    /// The command has ended; its output could not be recorded, and products were not looked at.
    case recording(String, soFar: RecordedStep)
    case `internal`(String)
}
