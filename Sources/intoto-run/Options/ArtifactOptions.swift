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

    @Option(help: "Symbolic links: follow (never out of the base path), record (the link's text) or refuse.")
    var symlinks: SymlinkPolicy = .follow

    @Flag(name: .customLong("normalize-line-endings"), help: "Hash CRLF and CR as LF, in text files.")
    var normalizesLineEndings = false

    @Option(
        help: ArgumentHelp(
            "Digests, from one read: sha256, sha384, sha512, gitBlob (default: sha256).", valueName: "alg[,alg]"),
        transform: DigestList.init)
    var digest = DigestList.standard

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

    /// Nothing of this was given.
    var isDefault: Bool {
        basePath == nil && stripPrefixes.isEmpty && exclude.isEmpty && excludeFrom.isEmpty && !withoutDefaults
            && symlinks == .follow && !normalizesLineEndings && digest.algorithms == DigestList.standard.algorithms
            && !allowsMissing && compat == nil
    }

    /// What is recorded where the user names nothing: the current directory, or nothing as Python has it.
    func orDefault(_ references: [String]) -> [String] {
        references.isEmpty && compat != .python ? ["."] : references
    }

    /// `files` are those of `--exclude-from`, where somebody has read them already.
    func snapshotOptions(ignoring files: [IgnoreFile]? = nil) throws -> SnapshotOptions {
        var options = SnapshotOptions()
        if let basePath { options.base = FilePath(basePath) }
        options.exclusions = try exclusions(files ?? ignoreFiles())
        options.symlinks = symlinks
        options.digests = digest.algorithms
        options.stripPrefixes = try stripPrefixes.map(Self.prefix)
        options.allowsMissing = allowsMissing || compat == .python
        options.lineEndings = normalizesLineEndings ? .normalized : .verbatim
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

    private func exclusions(_ files: [IgnoreFile]) throws -> ExclusionPatterns {
        var patterns = standardExclusions
        do {
            for file in files { try patterns.append(contentsOfFile: file.content) }
            for pattern in exclude { try patterns.append(Array(pattern.utf8)) }
        } catch { throw Failure("\(error)", hint: "patterns are written as in .gitignore") }
        return patterns
    }

    /// Python's are replaced by what the user excludes.
    private var standardExclusions: ExclusionPatterns {
        if withoutDefaults { return .none }
        switch compat {
        case nil: return .standard
        case .python: return exclude.isEmpty ? .python : .none
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
    static let standard = DigestList(algorithms: [.sha256])

    let algorithms: [DigestAlgorithm]

    private init(algorithms: [DigestAlgorithm]) { self.algorithms = algorithms }

    init(_ argument: String) throws {
        let offered: [DigestAlgorithm] = [.sha256, .sha384, .sha512, .gitBlob]
        algorithms = try argument.split(separator: ",", omittingEmptySubsequences: false).map { word in
            guard let algorithm = offered.first(where: { $0.name.utf8.elementsEqual(word.utf8) }) else {
                throw ValidationError("'\(escapedForTerminal(word.utf8))' is none of sha256, sha384, sha512, gitBlob")
            }
            return algorithm
        }
    }
}
