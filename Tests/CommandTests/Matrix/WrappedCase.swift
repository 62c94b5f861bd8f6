import Testing

/// One command, and what must be the same with us and without us.
///
/// The script is run twice by a shell in a fresh directory: once with `$W` empty, once with `$W` being the runner and its
/// options. Status, both streams and the files that are left must be the same. `$B` is the directory above, with
/// `key.pem` and the evidence in `out`; `$ID` the start of the key's id. Where the command's standard output is not the
/// script's, the script puts it into `$B/command.out`, or makes `$B/cut` where it varies.
struct WrappedCase: Sendable {
    enum Mode: String, CaseIterable, Sendable {
        case unrecorded = "off"
        case recorded = "full"
    }

    /// What the evidence says of the end.
    enum End: Sendable {
        case none
        case returns(Int)
        /// One file for each step of this name, with this return value.
        case each([String: Int])
    }

    var name: String
    var script: String
    var end: End
    var modes = Mode.allCases
    /// Our own status, where it differs by design, and what is said of it on standard error, which then is not compared.
    var ours: (status: Int32?, message: String)?
    /// Streams that evidence does not have, since they were closed.
    var closed: Set<String> = []
    /// Processes outlive the command, are named on standard error and in evidence.
    var leavesProcesses = false

    init(_ name: String, _ script: String, _ end: End = .returns(0)) {
        self.name = name
        self.script = script
        self.end = end
    }

    /// Where the order of both streams, or what becomes of them behind us, counts.
    func unrecordedOnly() -> WrappedCase {
        var copy = self
        copy.modes = [.unrecorded]
        return copy
    }

    /// Where a pipe hides from the command what we say in its place.
    func recordedOnly() -> WrappedCase {
        var copy = self
        copy.modes = [.recorded]
        return copy
    }

    func ours(_ status: Int32? = nil, _ message: String) -> WrappedCase {
        var copy = self
        copy.ours = (status, message)
        return copy
    }

    func closed(_ streams: String...) -> WrappedCase {
        var copy = self
        copy.closed = Set(streams)
        return copy
    }

    func leavingProcesses() -> WrappedCase {
        var copy = self
        copy.leavesProcesses = true
        return copy
    }
}

extension WrappedCase {
    static let all = statuses + signals + programs + streams + processes + forwarded + surroundings + hostile

    /// The runner under the name of another step.
    static func step(_ name: String) -> String { "${W:+${W% s --} \(name) --}" }

    /// Python, without children of its own: makes `ready`, and ends with this status when the signal comes.
    static func leaving(_ signal: String, _ status: Int) -> String {
        "import os, signal; signal.signal(signal.SIG\(signal), lambda *_: os._exit(\(status))); open(\"ready\", \"w\"); "
            + "signal.pause()"
    }
}

extension WrappedCase: CustomTestStringConvertible {
    var testDescription: String { name }
}
