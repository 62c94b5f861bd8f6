import FoundationEssentials
import InTotoArtifacts
import InTotoFunctionary
import InTotoMetadata
import InTotoVerification
import SystemPackage

/// Runs the commands of inspections: a stranger's commands, on a stranger's files.
///
/// As an argument vector, without a shell; with a clean environment, no input and no terminal; what they print is shown
/// to nobody; they have a time limit, and no process outlives them.
struct InspectionCommand {
    let timeout: Duration
    let context: CommandContext

    /// Records what is here, runs the command, and records again. Throws where it cannot be run, or ran too long.
    func run(
        _ inspection: Inspection, _ digests: [DigestAlgorithm], _ evidence: Set<FilePath>
    ) throws -> InspectionRecord {
        let runner: StepRunner
        do {
            var request = try request(inspection, digests)
            request.snapshot.exclusions = .inspection
            request.snapshot.know(evidence: evidence, in: context.workingDirectory)
            runner = try StepRunner(request)
        } catch { throw InspectionFault.notRun(Self.reason(error)) }
        let recorded: RecordedStep
        do { recorded = try runner.run(workDirectory: context.workingDirectory, now: context.now) } catch {
            throw Self.fault(error)
        }
        if recorded.execution?.result.hasTimedOut == true {
            throw InspectionFault.tookLonger(than: timeout)
        }
        return InspectionRecord(
            link: LinkBuilder.current.link(of: recorded), notRecorded: Self.distinct(recorded.notRecorded),
            hidden: recorded.excludedProducts.map { (escapedForTerminal($0.pattern.source), $0.count) })
    }

    private func request(_ inspection: Inspection, _ digests: [DigestAlgorithm]) throws -> StepRequest {
        var command = Command(arguments: inspection.command.map(\.utf8), environment: try environment())
        command.surroundings = .none
        command.usesShell = false
        let here = [try ArtifactReference(parsing: ".".utf8)]
        var request = StepRequest(
            name: inspection.name, command: command, materials: here, products: here, streams: .tail)
        let comparable: [DigestAlgorithm] = [.sha256, .sha384, .sha512, .gitBlob].filter(digests.contains)
        request.snapshot.digests = comparable.isEmpty ? [.sha256] : comparable
        request.limits.timeout = timeout
        request.limits.grace = .seconds(2)
        request.limits.endsLeftovers = true
        request.limits.endsUsWhenAsked = true
        request.toolDigest = .never
        return request
    }

    /// Where programs are, as far as no directory is relative; the home directory; a locale that is everywhere.
    ///
    /// Throws where no directory is left: an empty PATH is the current directory, for whatever an inspection starts, too.
    private func environment() throws -> [[UInt8]] {
        let path = context.variable("PATH") ?? Array("/usr/local/bin:/usr/bin:/bin".utf8)
        let absolute = path.split(separator: UInt8(ascii: ":")).filter { $0.first == UInt8(ascii: "/") }
        guard !absolute.isEmpty else { throw Failure("PATH has no absolute directory") }
        let home = context.variable("HOME").map { [Array("HOME=".utf8) + $0] } ?? []
        return [Array("PATH=".utf8) + absolute.joined(separator: [UInt8(ascii: ":")]), Array("LANG=C.UTF-8".utf8)]
            + home
    }

    /// What was there before and after is told once.
    private static func distinct(_ entries: [NotRecorded]) -> [InspectionRecord.NotRecorded] {
        var seen: Set<NotRecorded> = []
        return entries.filter { seen.insert($0).inserted }.map {
            InspectionRecord.NotRecorded(path: escapedForTerminal($0.path), reason: $0.reason.description)
        }
    }

    private static func fault(_ error: StepError) -> InspectionFault {
        switch error {
        case .materials, .launch, .repository: .notRun(reason(error))
        case .products, .recording, .internal: .notRecordable(reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case StepError.launch(let error): Failure(error).message
        case StepError.materials(let error), StepError.products(let error, _): "\(error)"
        case StepError.recording(let reason, _), StepError.internal(let reason): reason
        default: "\(error)"
        }
    }
}
