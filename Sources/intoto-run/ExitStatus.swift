/// What our own exit statuses mean; `run` otherwise passes on the command's.
enum ExitStatus {
    static let success: Int32 = 0
    /// The answer of a verb is no: rejected, differs.
    static let no: Int32 = 1
    /// A verb other than `run` could not tell.
    static let couldNotTell: Int32 = 2
    /// The command took longer than `--timeout` allows.
    static let timedOut: Int32 = 124
    /// `run` itself failed.
    static let runnerFailed: Int32 = 125
    /// The command was found but cannot be executed.
    static let notExecutable: Int32 = 126
    /// The command was not found.
    static let notFound: Int32 = 127
}

/// What a verb ends with where it cannot answer: one message, a next step where there is one, an exit status.
struct Failure: Error {
    var message: String
    var hint: String?
    /// Nil: the verb's own status for failures.
    var status: Int32?

    init(_ message: String, hint: String? = nil, status: Int32? = nil) {
        self.message = message
        self.hint = hint
        self.status = status
    }
}

extension Failure: CustomStringConvertible {
    var description: String { message }
}
