import ArgumentParser
import CSupport
import InTotoArtifacts
import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Whether and where a summary of the run is written.
struct SummaryOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case json
    }

    @Option(help: "What became of the run, for programs: json.")
    var summary: Format?

    @Option(
        name: .customLong("summary-file"),
        help: ArgumentHelp("Where the summary goes: a file, which is replaced, or fd:N.", valueName: "file"))
    var file: String?

    /// The place for the summary, made sure of before anything runs; nil where none is wanted.
    func place() throws -> SummaryPlace? {
        switch (summary, file) {
        case (nil, nil): return nil
        case (nil, _?): throw Failure("--summary-file: there is no summary", hint: "add --summary json")
        case (_?, nil):
            throw Failure(
                "--summary: no place for it", hint: "give --summary-file FILE or fd:N; stdout belongs to the command")
        case (_?, let file?):
            return file.hasPrefix("fd:")
                ? .descriptor(try Self.descriptor(file)) : .file(try Self.reserve(FilePath(file), file))
        }
    }

    /// Only one that our caller handed down: others are ours, or nobody's.
    private static func descriptor(_ word: String) throws -> Int32 {
        let digits = word.dropFirst("fd:".count)
        guard let number = Int32(digits), digits.allSatisfy(\.isNumber) else {
            throw Failure("--summary-file \(Text(word).escaped): is no descriptor", hint: "write fd:N, as in fd:3")
        }
        let startup = cs_startup_state().pointee
        let inherited = withUnsafeBytes(of: startup.descriptors) { bytes in
            bytes.bindMemory(to: Int32.self).prefix(Int(startup.descriptor_count)).contains(number)
        }
        let isStandard = number == 1 && startup.standard_open.1 != 0 || number == 2 && startup.standard_open.2 != 0
        guard inherited || isStandard, fcntl(number, F_GETFL) & O_ACCMODE != O_RDONLY else {
            throw Failure(
                "--summary-file \(Text(word).escaped): is not open for writing", hint: "open it, as in: 3>summary.json")
        }
        return number
    }

    private static func reserve(_ path: FilePath, _ word: String) throws -> PendingFile {
        guard path.lastComponent?.kind == .regular else {
            throw Failure("--summary-file \(Text(word).escaped): is no name of a file")
        }
        var status = stat()
        let isOther = path.withCString { stat($0, &status) } == 0 && status.st_mode & S_IFMT != S_IFREG
        guard !isOther else {
            throw Failure(
                "--summary-file \(Text(word).escaped): is not a regular file", hint: "give another name, or fd:N")
        }
        do throws(StorageError) {
            return try EvidenceDirectory.reserve(path, overwrite: true)
        } catch { throw Failure("--summary-file: \(error)", hint: "give a directory that exists and may be written") }
    }
}

/// Where a summary goes.
enum SummaryPlace {
    case file(PendingFile)
    case descriptor(Int32)

    /// Our own file, which is nobody's artifact.
    var ownFile: OwnFile? {
        guard case .file(let file) = self else { return nil }
        return OwnFile(file)
    }

    /// Writes one line of JSON.
    func write(_ object: JSONObject) throws {
        let bytes = try JSONWriter.lines(.compact) { $0.object(object) }
        switch self {
        case .file(let file): try file.commit(bytes)
        case .descriptor(let number):
            let error = CommandContext.write(bytes, to: number)
            guard error == 0 else { throw Failure("fd:\(number): cannot write: \(systemErrorText(error))") }
        }
    }
}
