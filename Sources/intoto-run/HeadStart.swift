import InTotoFunctionary

/// What a run will need is begun before its options are read (5 ms), so that it gets ready on the other core.
struct HeadStart {
    /// Waits for the command; nil where none will come, or where it could not be started, which is tried again when
    /// the options are read, and told then.
    let process: ChildProcess?

    init(options: [[UInt8]], command: [[UInt8]]?) {
        let isRun = command?.isEmpty == false && !Self.asksForAnswer(options)
        process = isRun ? try? ChildProcess() : nil
    }

    /// Whether there is an option of which no run comes.
    private static func asksForAnswer(_ options: [[UInt8]]) -> Bool { options.contains(where: answers.contains) }

    private static let answers = ["--help", "-h", "--version", "--dry-run", "--list"].map { Array($0.utf8) }
}
