import InTotoMetadata
import InTotoStorage
import SystemPackage

/// A file as `sha256sum` and its like write it: `DIGEST  NAME`, `DIGEST *NAME`, or `ALGORITHM (NAME) = DIGEST`.
///
/// A backslash before the line says that `\\`, `\n` and `\r` stand for a backslash and line ends in the name.
enum ChecksumFile {
    /// Largest one read, in bytes.
    private static let sizeLimit = 64 << 20

    static func artifacts(_ path: String) throws -> ArtifactSet {
        let bytes: [UInt8]
        do { bytes = try BoundedReader.contents(of: FilePath(path), limit: sizeLimit) } catch {
            throw Failure.reading(path, error)
        }
        var builder = ArtifactSet.Builder()
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        where !line.isEmpty {
            guard let artifact = artifact(line.last == UInt8(ascii: "\r") ? line.dropLast() : line) else {
                throw Failure(
                    "\(Text(path).escaped):\(index + 1): is no line of checksums",
                    hint: "lines are as sha256sum, sha384sum or sha512sum write them")
            }
            builder.append(artifact.name, artifact.digests)
        }
        do { return try builder.finish() } catch { throw Failure("\(Text(path).escaped): \(error)") }
    }

    private static func artifact(_ line: ArraySlice<UInt8>) -> Artifact? {
        let isEscaped = line.first == UInt8(ascii: "\\")
        let rest = isEscaped ? line.dropFirst() : line
        if let artifact = taggedArtifact(rest, isEscaped: isEscaped) { return artifact }
        let digits = rest.prefix { Hex.value(of: $0) != nil }
        let marks = rest.dropFirst(digits.count).prefix(2)
        guard marks.elementsEqual("  ".utf8) || marks.elementsEqual(" *".utf8) else { return nil }
        let name = Array(rest.dropFirst(digits.count + 2))
        return artifact(name: isEscaped ? unescaped(name) : name, digits, algorithm(ofLength: digits.count))
    }

    /// `SHA256 (NAME) = DIGEST`
    private static func taggedArtifact(_ line: ArraySlice<UInt8>, isEscaped: Bool) -> Artifact? {
        let tags: [(String, DigestAlgorithm)] = [("SHA256", .sha256), ("SHA384", .sha384), ("SHA512", .sha512)]
        for (tag, algorithm) in tags where line.starts(with: "\(tag) (".utf8) {
            let rest = line.dropFirst(tag.utf8.count + 2)
            let digits = rest.reversed().prefix { Hex.value(of: $0) != nil }.count
            let name = rest.dropLast(digits)
            guard name.suffix(4).elementsEqual(") = ".utf8), algorithm == self.algorithm(ofLength: digits) else {
                return nil
            }
            let bytes = Array(name.dropLast(4))
            return artifact(name: isEscaped ? unescaped(bytes) : bytes, rest.suffix(digits), algorithm)
        }
        return nil
    }

    private static func artifact(
        name: [UInt8]?, _ digits: ArraySlice<UInt8>, _ algorithm: DigestAlgorithm?
    ) -> Artifact? {
        guard let algorithm, let name = name.flatMap({ Text(validating: $0) }), !name.isEmpty else { return nil }
        let lowercased = digits.map { (0x41...0x46).contains($0) ? $0 + 0x20 : $0 }
        return Artifact(name: ArtifactName(name), digests: DigestSet(algorithm, Text(repairing: lowercased)))
    }

    private static func algorithm(ofLength digits: Int) -> DigestAlgorithm? {
        switch digits {
        case 64: .sha256
        case 96: .sha384
        case 128: .sha512
        default: nil
        }
    }

    private static func unescaped(_ name: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = name[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "\\"): result.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            default: return nil
            }
        }
        return result
    }
}
