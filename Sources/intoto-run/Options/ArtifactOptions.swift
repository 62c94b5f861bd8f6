public import ArgumentParser
public import InTotoArtifacts
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// How artifacts are found, read and named: the options that `run` and `match-products` share.
struct ArtifactOptions: ParsableArguments {
    @Option(
        name: .customLong("base-path"),
        help: ArgumentHelp("References and names are relative to this directory.", valueName: "dir"))
    var basePath: String?

    @Option(
        name: .customLong("lstrip-paths"), parsing: .upToNextOption,
        help: ArgumentHelp("Cut from the front of names, by whole path components.", valueName: "prefix"))
    var stripPrefixes: [String] = []

    @Option(
        name: [.customShort("e"), .customLong("exclude")], parsing: .upToNextOption,
        help: ArgumentHelp("Not recorded, in the language of .gitignore; adds to the defaults.", valueName: "pattern"))
    var exclude: [String] = []

    @Option(
        name: .customLong("exclude-from"), parsing: .upToNextOption,
        help: ArgumentHelp("Files of such patterns, read once before the command.", valueName: "file"))
    var excludeFrom: [String] = []

    @Flag(
        name: .customLong("no-default-excludes"),
        help: "Also record what is left out otherwise: .git/, evidence files, and .intoto-run.*.tmp of other runs.")
    var withoutDefaults = false

    @Option(
        help: "Symbolic links: follow (never out of the base path; default), record (the link's text) or refuse.")
    var symlinks: SymlinkPolicy?

    @Flag(name: .customLong("normalize-line-endings"), help: "Hash CRLF and CR as LF, in text files.")
    var normalizesLineEndings = false

    @Option(
        help: ArgumentHelp(
            "Digests, from one read: sha256, sha384, sha512, gitBlob (default: sha256).", valueName: "alg[,alg]"),
        transform: DigestList.init)
    var digest: DigestList?

    @Flag(name: .customLong("allow-missing"), help: "A reference to nothing, or a link to nothing, is no error.")
    var allowsMissing = false

    @Option(
        help: ArgumentHelp(
            "python: hide what in-toto for Python hides, and skip what is missing, as it does.", valueName: "tool"))
    var compat: Compatibility?

    @Flag(
        name: .customLong("follow-symlink-dirs"),
        help: ArgumentHelp("The default; other tools need to be told.", visibility: .hidden))
    var followsDirectories = false

    /// What is recorded where the user names nothing: the current directory, or nothing as Python has it.
    func orDefault(_ references: [String]) -> [String] {
        references.isEmpty && compat != .python ? ["."] : references
    }

    /// `files` are those of `--exclude-from`, where somebody has read them already. What is not given is as in `beginning`,
    /// the options that a step was begun with; patterns are added to its patterns.
    func snapshotOptions(
        ignoring files: [IgnoreFile]? = nil, over beginning: SnapshotOptions = SnapshotOptions()
    ) throws -> SnapshotOptions {
        var options = beginning
        if let basePath { options.base = FilePath(basePath) }
        options.exclusions = try exclusions(files ?? ignoreFiles(), after: beginning.exclusions)
        if let symlinks { options.symlinks = symlinks }
        if let digest { options.digests = digest.algorithms }
        if !stripPrefixes.isEmpty { options.stripPrefixes = try stripPrefixes.map(Self.prefix) }
        if allowsMissing || compat == .python { options.allowsMissing = true }
        if normalizesLineEndings { options.lineEndings = .normalized }
        return options
    }

    /// Throws for a prefix that no name can have, which would otherwise cut nothing without a word.
    private static func prefix(_ text: String) throws -> [UInt8] {
        var depth = 0
        for part in text.utf8.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
            depth += part.elementsEqual("..".utf8) ? -1 : 1
            if depth < 0 && text.hasPrefix("/") { depth = 0 }
            guard depth >= 0 else { break }
        }
        guard depth > 0 else {
            throw Failure(
                "--lstrip-paths '\(Text(text).escaped)': no recorded name can begin with this",
                hint: "give the leading directories of names, as in src/ or build/out")
        }
        return Array(text.utf8)
    }

    private func exclusions(_ files: [IgnoreFile], after beginning: ExclusionPatterns) throws -> ExclusionPatterns {
        var patterns = standardExclusions(or: beginning)
        do {
            for file in files { try patterns.append(contentsOfFile: file.content) }
            for pattern in exclude { try patterns.append(Array(pattern.utf8)) }
        } catch { throw Failure("\(error)", hint: "patterns are written as in .gitignore") }
        return patterns
    }

    /// Python's are replaced by what the user excludes.
    private func standardExclusions(or beginning: ExclusionPatterns) -> ExclusionPatterns {
        let own = beginning.withoutDefaults
        if withoutDefaults { return own }
        switch compat {
        case nil: return beginning
        case .python: return exclude.isEmpty ? .python.adding(own) : own
        }
    }

    /// The files of `--exclude-from`, read once.
    func ignoreFiles() throws -> [IgnoreFile] {
        try excludeFrom.map { path in
            do {
                return IgnoreFile(
                    path: path, content: try BoundedReader.contents(of: FilePath(path), limit: IgnoreFile.sizeLimit))
            } catch { throw Failure.reading(path, error) }
        }
    }

    static func references(_ words: [String]) throws -> [ArtifactReference] {
        do { return try words.map { try ArtifactReference(parsing: Array($0.utf8)) } } catch let error as SnapshotError
        {
            throw Failure("\(error)")
        }
    }
}

extension SymlinkPolicy: ExpressibleByArgument {
    public init?(argument: String) {
        switch argument {
        case "follow": self = .follow
        case "record": self = .record
        case "refuse": self = .refuse
        default: return nil
        }
    }

    public static var allValueStrings: [String] { ["follow", "record", "refuse"] }
}

/// Whose ways are followed where they differ from ours.
enum Compatibility: String, ExpressibleByArgument, CaseIterable {
    case python
}

/// A file of exclusion patterns.
struct IgnoreFile {
    let path: String
    let content: [UInt8]

    /// Largest one in bytes.
    static let sizeLimit = 1 << 20
}

/// Digest algorithms by their names, commas between.
struct DigestList {
    /// What files are hashed with here.
    static let offered: [DigestAlgorithm] = [.sha256, .sha384, .sha512, .gitBlob]

    let algorithms: [DigestAlgorithm]

    init(_ argument: String) throws {
        algorithms = try argument.split(separator: ",", omittingEmptySubsequences: false).map { word in
            guard let algorithm = Self.offered.first(where: { $0.name.utf8.elementsEqual(word.utf8) }) else {
                throw ValidationError("'\(escapedForTerminal(word.utf8))' is none of sha256, sha384, sha512, gitBlob")
            }
            return algorithm
        }
    }
}
