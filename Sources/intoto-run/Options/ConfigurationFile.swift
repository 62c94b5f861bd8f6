import ArgumentParser
import InTotoCrypto
import InTotoFunctionary
import InTotoMetadata
import InTotoStorage
import SystemPackage

/// Options from a file that the user names with `--config`.
///
/// Each line is an option by its long name without dashes and, after white space, its one value, which goes to the end
/// of the line as it is; options that take several have a line for each. Empty lines and lines that begin with `#` say
/// nothing. No option takes a secret itself, so that none can stand here.
struct ConfigurationFile {
    struct Line {
        let number: Int
        let option: OptionTable.Row
        let value: String?

        /// As it would stand on the command line.
        var word: String { "--\(option.name)" + (value.map { "=\($0)" } ?? "") }
    }

    let path: String
    let lines: [Line]
    /// SHA-256 of the file, as hexadecimal digits.
    let sha256: Text

    /// Largest file in bytes.
    private static let sizeLimit = 1 << 20

    init(reading path: String) throws {
        let bytes: [UInt8]
        do { bytes = try BoundedReader.contents(of: FilePath(path), limit: Self.sizeLimit) } catch {
            throw Failure.reading(path, error)
        }
        self.path = path
        sha256 = Hex.encode(try MessageDigest.digest(.sha256, of: bytes))
        var lines: [Line] = []
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            do throws(Defect) {
                if let line = try Self.parse(line, number: index + 1) { lines.append(line) }
            } catch { throw Self.failure(path, index + 1, error.reason) }
        }
        self.lines = lines
    }

    private struct Defect: Error {
        let reason: String
    }

    private static func parse(_ bytes: ArraySlice<UInt8>, number: Int) throws(Defect) -> Line? {
        guard let text = Text(validating: bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes) else {
            throw Defect(reason: "is not UTF-8")
        }
        guard !text.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else {
            throw Defect(reason: "holds a control character")
        }
        let trimmed = text.utf8.drop(while: isSpace)
        guard let first = trimmed.first, first != UInt8(ascii: "#") else { return nil }
        let name = trimmed.prefix { !isSpace($0) }
        let rest = trimmed.dropFirst(name.count).drop(while: isSpace)
        let value = rest.prefix(rest.count - rest.reversed().prefix(while: isSpace).count)
        return try line(
            number, String(decoding: name, as: UTF8.self),
            value.isEmpty ? nil : String(decoding: value, as: UTF8.self))
    }

    private static func line(_ number: Int, _ name: String, _ value: String?) throws(Defect) -> Line {
        let shown = Text(name).escaped
        guard let option = OptionTable.run.row(spelled: "--\(name)"), option.name == name else {
            let isDashed = name.hasPrefix("-") ? ": write it without dashes" : ""
            throw Defect(reason: "'\(shown)' is no option of run by its long name\(isDashed)")
        }
        guard name != "config" else { throw Defect(reason: "a configuration names no other") }
        guard option.takesValue || value == nil else { throw Defect(reason: "'\(shown)' takes no value") }
        guard !option.takesValue || value != nil || OptionTable.switches.contains("--\(name)") else {
            throw Defect(reason: "'\(shown)' needs a value")
        }
        return Line(number: number, option: option, value: value)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func failure(_ path: String, _ line: Int, _ reason: String) -> Failure {
        Failure(
            "\(Text(path).escaped):\(line): \(reason)",
            hint: "one option a line, as in: exclude *.o; see intoto-run run --help")
    }

    /// The first line that the parser refuses by itself, as a failure that names it: the parser knows of no lines.
    func failure(of verb: any ParsableCommand.Type) -> Failure? {
        for line in lines {
            do { _ = try verb.parse(OptionSpelling.normalized([line.word])) } catch {
                return Self.failure(path, line.number, escapedForTerminal(verb.message(for: error).utf8))
            }
        }
        return nil
    }

    /// The file that `words` name, if they do.
    init?(namedIn words: [String]) throws {
        let named = OptionTable.run.options(in: words).filter { $0.row.name == "config" }
        guard let path = named.first?.values.first else { return nil }
        guard named.count == 1 else { throw Failure("--config: given twice", hint: "give one file") }
        try self.init(reading: path)
    }
}
