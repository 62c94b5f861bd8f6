public import ArgumentParser
public import InTotoFunctionary

/// How long the command may take, and what it may leave behind.
struct LimitOptions: ParsableArguments {
    @Option(
        name: [.customLong("timeout"), .customLong("run-timeout")],
        help: ArgumentHelp("End the command after this time: 90, 90s, 30m, 2h (default: never).", valueName: "time"))
    var timeout: TimeSpan?

    @Option(help: ArgumentHelp("From the request to end to the end by force.", valueName: "time"))
    var grace = TimeSpan(.seconds(10))

    @Option(
        name: .customLong("background-wait"),
        help: ArgumentHelp(
            """
            How long processes that outlive the command are waited for; where its output goes through intoto-run (-s, \
            --pty), nobody reads what they write later.
            """,
            valueName: "time"))
    var backgroundWait = TimeSpan(.zero)

    var limits: CommandLimits {
        var limits = CommandLimits()
        limits.timeout = timeout?.duration
        limits.grace = grace.duration
        limits.backgroundWait = backgroundWait.duration
        return limits
    }
}

/// A time as the user writes it: a whole number of seconds, or of `s`, `m` or `h`.
struct TimeSpan: ExpressibleByArgument, CustomStringConvertible {
    let duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600]
        let unit = argument.last.flatMap { units[$0] }
        let digits = unit == nil ? argument[...] : argument.dropLast()
        // A year is no time to wait for a command; beyond it numbers are slips.
        guard let number = Int64(digits), digits.allSatisfy(\.isASCII), number >= 0,
            case (let seconds, let overflow) = number.multipliedReportingOverflow(by: unit ?? 1), !overflow,
            seconds <= 366 * 86_400
        else { return nil }
        duration = .seconds(seconds)
    }

    var description: String { "\(duration.components.seconds)s" }
}

extension StreamPolicy: ExpressibleByArgument {}
