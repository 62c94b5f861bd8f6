import FoundationEssentials
import InTotoFunctionary
import InTotoMetadata
import Synchronization
import SystemPackage

/// What became of a run, for the program that started it: the object of `--summary json`.
///
/// Members that do not apply are left out; new ones may come, and `schema` changes where one changes its meaning.
struct RunSummary {
    var step: StepName?
    var recorded: RecordedStep?
    var evidence: [WrittenEvidence] = []
    /// Messages that a person was warned with, without their marks.
    var warnings: [String] = []

    /// Version of the object's form.
    private static let schema: Int64 = 1

    /// `status` is the exit status; `failure` says why there is no evidence, or not all.
    func json(status: Int32, failure: Failure? = nil) throws -> JSONObject {
        var object: JSONObject = ["schema": .integer(Self.schema), "status": .integer(Int64(status))]
        if let step { object["step"] = .string(step.text) }
        object["evidence"] = .array(try evidence.map(Self.json))
        object["warnings"] = .array(warnings.map { .string(Text($0)) })
        if let recorded {
            object["materials"] = .integer(Int64(recorded.materials.count))
            object["products"] = .integer(Int64(recorded.products.count))
            object["not-recorded"] = .integer(Int64(Set(recorded.notRecorded).count))
            object["command"] = recorded.execution.map(Self.json)
        }
        if let failure {
            var error: JSONObject = ["message": .string(Text(failure.message))]
            error["hint"] = failure.hint.map { .string(Text($0)) }
            object["error"] = .object(error)
        }
        return object
    }

    private static func json(_ evidence: WrittenEvidence) throws -> JSONValue {
        [
            "path": .string(Text(evidence.path.string)), "format": .string(Text(evidence.format.rawValue)),
            "keyid": .string(evidence.keyID.text), "sha256": .string(try evidence.sha256()),
            "size": .integer(Int64(evidence.size)),
        ]
    }

    private static func json(_ execution: RecordedExecution) -> JSONValue {
        let wall = execution.finished.timeIntervalSince(execution.started)
        return [
            "return-value": .integer(Int64(execution.result.termination.returnValue)),
            "timed-out": .bool(execution.result.hasTimedOut),
            "started": .string(Text(execution.started.formatted(.iso8601))),
            "finished": .string(Text(execution.finished.formatted(.iso8601))),
            "wall-ms": .integer(Int64(wall * 1000)),
            "user-ms": .integer(execution.result.usage.userMilliseconds),
            "system-ms": .integer(execution.result.usage.systemMilliseconds),
        ]
    }
}

/// Hears what is said on standard error, and keeps the warnings.
///
/// The lock is there because `CommandContext.note` may be called from any thread.
final class WarningListener: Sendable {
    private static let mark = "intoto-run: warning: "
    private let heard: Mutex<[String]> = Mutex([])

    var warnings: [String] { heard.withLock { $0 } }

    /// The same context, with us listening.
    func listening(to context: CommandContext) -> CommandContext {
        var listened = context
        let note = context.note
        listened.note = { line in
            if line.hasPrefix(Self.mark) {
                self.heard.withLock { $0.append(String(line.dropFirst(Self.mark.count))) }
            }
            note(line)
        }
        return listened
    }
}
