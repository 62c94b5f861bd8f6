import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where one output of a verb goes: made sure of before the verb does anything, written when it is done.
struct OutputFile {
    private enum Place {
        case standardOutput
        /// A pipe or a device, which is written to and never replaced.
        case stream(OpenStream)
        case file(EvidenceDirectory, name: String)
    }

    let path: String
    private let place: Place

    /// `-` and `/dev/stdout` are standard output; an existing regular file is replaced as a whole, when there is something to
    /// replace it with.
    ///
    /// Throws where nothing can be written there. Nothing is left there until then: inspections may look.
    init(_ path: String) throws {
        self.path = path
        do { place = try Self.place(path) } catch let error as StorageError { throw Failure.reading(path, error) }
    }

    var isStandardOutput: Bool { if case .standardOutput = place { true } else { false } }

    /// Whether what is written to one mixes with what is written to the other, or replaces it. Devices may show several.
    func isSame(as other: OutputFile) -> Bool {
        switch (place, other.place) {
        case (.standardOutput, .standardOutput): true
        case (.stream(let mine), .stream(let theirs)): mine.isSamePipe(as: theirs)
        case (.file(let mine, let name), .file(let theirs, let otherName)):
            name == otherName && mine.isSame(as: theirs)
        case (.standardOutput, _), (.stream, _), (.file, _): false
        }
    }

    /// What it is called in that directory; nil where it is not in it.
    func name(in directory: EvidenceDirectory) -> String? {
        if case .file(let own, let name) = place, own.isSame(as: directory) { name } else { nil }
    }

    private static func place(_ path: String) throws -> Place {
        if ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].contains(path) { return .standardOutput }
        var (own, target) = (stat(), stat())
        let isThere = path.withCString { lstat($0, &own) } == 0
        let leadsSomewhere = path.withCString { stat($0, &target) } == 0
        switch (isThere ? own.st_mode & S_IFMT : S_IFREG, leadsSomewhere ? target.st_mode & S_IFMT : S_IFREG) {
        case (_, S_IFIFO), (_, S_IFCHR), (_, S_IFSOCK): return .stream(try OpenStream(path))
        case (S_IFREG, _):
            let target = FilePath(path)
            guard let name = target.lastComponent, name.kind == .regular else {
                throw Failure("\(Text(path).escaped): is no name of a file")
            }
            let directory = try EvidenceDirectory(of: target)
            // That writing is possible is all that is asked: what was reserved goes at once.
            _ = try directory.reserve(name.string, overwrite: true)
            return .file(directory, name: name.string)
        default:
            throw Failure(
                "\(Text(path).escaped): is not a regular file", hint: "give another name, or what a link there leads to"
            )
        }
    }

    /// Nobody shall take a file for what it was to become, and did not.
    func warnIfThere(in context: CommandContext) {
        guard case .file(let directory, let name) = place, directory.modified(name) != nil else { return }
        context.note(
            "intoto-run: warning: \(Text(path).escaped) was not written: what stands there was there before"
        )
    }

    func write(_ text: String, in context: CommandContext) throws { try write(Array(text.utf8), in: context) }

    func write(_ bytes: [UInt8], in context: CommandContext) throws {
        switch place {
        case .standardOutput:
            try context.print(
                String(decoding: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...], as: UTF8.self))
        case .stream(let stream):
            let error = CommandContext.write(bytes, to: stream.descriptor)
            guard error == 0 else { throw Failure("\(Text(path).escaped): cannot write: \(systemErrorText(error))") }
        case .file(let directory, let name):
            do { try directory.reserve(name, overwrite: true).commit(bytes) } catch {
                throw Failure.reading(path, error)
            }
        }
    }
}

/// A pipe or device, open for writing; never waits for somebody to read.
private final class OpenStream {
    let descriptor: Int32

    init(_ path: String) throws {
        descriptor = path.withCString { open($0, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) }
        guard descriptor >= 0 else {
            let error = errno
            throw Failure(
                "\(Text(path).escaped): cannot open: \(systemErrorText(error))",
                hint: error == ENXIO ? "start what reads it before" : nil)
        }
    }

    deinit { close(descriptor) }

    func isSamePipe(as other: OpenStream) -> Bool {
        var (mine, theirs) = (stat(), stat())
        return fstat(descriptor, &mine) == 0 && fstat(other.descriptor, &theirs) == 0
            && mine.st_mode & S_IFMT != S_IFCHR && mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino
    }
}
