import SystemPackage

/// Follows links as the kernel does, but one at a time and never outside the root. Where a link's text leads out, the
/// kernel is asked where that ends: through another name of the root, or past it and back, it is within.
///
/// What it finds is a path without links, to be walked again by `DirectoryTrail`, which follows none: a link that
/// changes meanwhile leads to an error, not outside.
struct LinkResolver {
    enum Outcome {
        case directory([UInt8])
        case file(directory: [UInt8], name: [UInt8], FileStatus)
        case notRecorded(NotRecorded.Reason)
        /// Nothing is there, and no link was on the way.
        case absent
    }

    let trail: DirectoryTrail
    /// Where the root is, with every link resolved, so that links back into it can be followed.
    let absoluteRoot: [UInt8]?
    /// Nil: links are not followed; the first one met is returned as a file of that kind.
    let linkLimit: Int?

    /// Resolves `path`, a relative one, which starts at `directory`, a path without links.
    func resolve(_ path: [UInt8], from directory: [UInt8]) throws(SystemError) -> Outcome {
        var here = directory
        var links = 0
        var rest = Self.parts(path)
        while let part = rest.popLast() {
            if part == [UInt8(ascii: ".")] { continue }
            if part == [UInt8(ascii: "."), UInt8(ascii: ".")] {
                if !here.isEmpty {
                    here = PathBytes.split(here).directory
                } else if links > 0, let absoluteRoot, let back = wayBack(absoluteRoot, rest + [part]) {
                    rest = back
                } else {
                    return .notRecorded(.linkOutsideBase)
                }
                continue
            }
            let parent = try trail.descriptor(of: here)
            let status: FileStatus
            do { status = try SystemCalls.status(part[...], in: parent) } catch {
                guard error.code == .noSuchFileOrDirectory else { throw error }
                return links > 0 ? .notRecorded(.danglingLink) : .absent
            }
            switch status.kind {
            case .directory: here = PathBytes.join(here, part)
            case .symbolicLink:
                guard let linkLimit else { return .file(directory: here, name: part, status) }
                links += 1
                if links > linkLimit { return .notRecorded(.linkCycle) }
                let target = try SystemCalls.linkTarget(part[...], in: parent)
                guard target.first == slash else {
                    rest += Self.parts(target)
                    continue
                }
                here = []
                guard let inside = belowRoot(target).map({ rest + $0 }) ?? wayBack(target, rest) else {
                    return .notRecorded(.linkOutsideBase)
                }
                rest = inside
            case .regular, .fifo, .socket, .device:
                // As the kernel has it, nothing is below a file.
                guard rest.isEmpty else { return links > 0 ? .notRecorded(.danglingLink) : .absent }
                return .file(directory: here, name: part, status)
            }
        }
        return .directory(here)
    }

    /// The parts, last first, of an absolute path below the root; nil where it does not begin there.
    private func belowRoot(_ path: [UInt8]) -> [[UInt8]]? {
        guard let absoluteRoot else { return nil }
        let root = absoluteRoot == [slash] ? [] : absoluteRoot
        return PathBytes.isWithin(path, root) ? Self.parts(Array(path.dropFirst(root.count))) : nil
    }

    /// The same of where the kernel finds that `start` and what is left of the way end, every link resolved; nil where
    /// that is outside, or nothing.
    private func wayBack(_ start: [UInt8], _ rest: [[UInt8]]) -> [[UInt8]]? {
        let path = rest.reversed().reduce(start) { PathBytes.join($0, $1) }
        return SystemCalls.realPath(FilePath(bytes: path)).flatMap(belowRoot)
    }

    /// Last first. A slash at the end is a `.`: as the kernel has it, what stands before either is a directory.
    private static func parts(_ path: [UInt8]) -> [[UInt8]] {
        var parts = path.split(separator: slash).map { Array($0) }
        if path.last == slash, !parts.isEmpty { parts.append([UInt8(ascii: ".")]) }
        return parts.reversed()
    }
}
