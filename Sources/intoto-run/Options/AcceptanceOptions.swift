import ArgumentParser
import InTotoFunctionary

/// Which endings of the command are worth signing.
struct AcceptanceOptions: ParsableArguments {
    @Flag(name: .customLong("require-success"), help: "Sign only when the command's status is accepted.")
    var requiresSuccess = false

    @Option(
        name: .customLong("accept-exit"),
        help: ArgumentHelp("Statuses that --require-success accepts, as in 0,2,100-101.", valueName: "list"))
    var accepted = StatusList(ranges: [0...0])

    /// Whether a step that ended like this is signed.
    func signs(_ result: ExecutedCommand?) -> Bool {
        guard requiresSuccess, let result else { return true }
        guard !result.hasTimedOut, case .exited(let status) = result.termination else { return false }
        return accepted.ranges.contains { $0.contains(status) }
    }
}

/// Exit statuses and ranges of them, separated by commas.
struct StatusList: ExpressibleByArgument, CustomStringConvertible {
    let ranges: [ClosedRange<Int32>]

    init(ranges: [ClosedRange<Int32>]) { self.ranges = ranges }

    init?(argument: String) {
        var ranges: [ClosedRange<Int32>] = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt8($0) }
            guard let first = ends.first.flatMap(\.self), let last = ends.last.flatMap(\.self), ends.count <= 2,
                first <= last
            else { return nil }
            ranges.append(Int32(first)...Int32(last))
        }
        self.ranges = ranges
    }

    var description: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }
}
