/// What `run` calls its options, for what has to know an option without the parser: the configuration file, and the
/// record of options in force. A test holds it to the parser's own list.
struct OptionTable {
    struct Row {
        /// The long name without dashes, by which evidence knows it.
        let name: String
        /// Further spellings with their dashes, and switches that mean one of its values.
        let spellings: [String]
        let takesValue: Bool
        /// Evidence says that it was given, not with what: keys and passphrases are found where that says, and what is
        /// said of a step stands in its own place.
        let isPrivate: Bool

        init(_ name: String, _ spellings: [String] = [], takesValue: Bool = true, isPrivate: Bool = false) {
            self.name = name
            self.spellings = ["--\(name)"] + spellings
            self.takesValue = takesValue
            self.isPrivate = isPrivate
        }
    }

    static let run = OptionTable(rows: [
        Row("name", ["-n", "--step-name"]),
        Row("materials", ["-m"]),
        Row("products", ["-p"]),
        Row("key", ["-k", "--signing-key"], isPrivate: true),
        Row("passphrase-file", isPrivate: true),
        Row("passphrase-fd", isPrivate: true),
        Row("no-default-key", takesValue: false),
        Row("keyid-convention"),
        Row("format", ["--use-dsse"]),
        Row("metadata-directory", ["-d"]),
        Row("overwrite", takesValue: false),
        Row("base-path"),
        Row("lstrip-paths"),
        Row("exclude", ["-e"]),
        Row("exclude-from"),
        Row("no-default-excludes", takesValue: false),
        Row("symlinks"),
        Row("normalize-line-endings", takesValue: false),
        Row("digest"),
        Row("allow-missing", takesValue: false),
        Row("compat"),
        Row("follow-symlink-dirs", takesValue: false),
        Row("changed-only", takesValue: false),
        Row("reuse-unchanged", takesValue: false),
        Row("progress"),
        Row("record-streams", ["-s"]),
        Row("pty", takesValue: false),
        Row("redact"),
        Row("timeout", ["--run-timeout"]),
        Row("grace"),
        Row("background-wait"),
        Row("require-success", takesValue: false),
        Row("accept-exit"),
        Row("no-command", ["-x"], takesValue: false),
        Row("run-dir", ["-C", "-r"]),
        Row("dry-run", ["--list"], takesValue: false),
        Row("env"),
        Row("annotate"),
        Row("ci"),
        Row("git"),
        Row("require-clean", takesValue: false),
        Row("git-trust-owner", takesValue: false),
        Row("record-user", takesValue: false),
        Row("tool-digest"),
        Row("config"),
        Row("summary"),
        Row("summary-file"),
        Row("quiet", ["-q"], takesValue: false),
        Row("verbose", ["-v"], takesValue: false),
    ])

    /// `record start` has options of `run` alone.
    static let recordStop = OptionTable(
        rows: run.rows + [
            Row("command", isPrivate: true),
            Row("return-value", isPrivate: true),
            Row("byproduct", isPrivate: true),
            Row("from"),
        ])

    let rows: [Row]

    /// Spellings that are switches, although the option that they belong to takes a value.
    static let switches: Set<String> = ["-s", "--use-dsse", "--record-streams"]

    func row(spelled word: String) -> Row? { rows.first { $0.spellings.contains(word) } }

    /// One option as it was given: the row, the spelling, and its values.
    struct Given {
        let row: Row
        let spelling: String
        var values: [String]
    }

    /// The options among `words`, in their order. What is no option of ours is the parser's to refuse.
    func options(in words: [String]) -> [Given] {
        var given: [Given] = []
        for word in words {
            guard word.hasPrefix("-"), word != "-" else {
                if !given.isEmpty { given[given.count - 1].values.append(word) }
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            for spelling in Self.letters(of: parts[0]) {
                guard let row = row(spelled: spelling) else { continue }
                given.append(Given(row: row, spelling: spelling, values: Array(parts.dropFirst())))
            }
        }
        return given
    }

    /// `-qs` is `-q -s`.
    private static func letters(of word: String) -> [String] {
        word.hasPrefix("--") ? [word] : word.dropFirst().map { "-\($0)" }
    }
}
