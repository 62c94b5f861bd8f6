/// The open directories on the way to where one worker is, so that the next directory is usually one step away.
///
/// Directories are reached component by component from an open root, no component ever being a link: nothing that
/// happens to the tree meanwhile leads outside it. At most `capacity` are kept open, whatever the depth; those that
/// were given up are opened again from the root. Not shared between workers.
final class DirectoryTrail {
    private struct Step: ~Copyable {
        let descriptor: Descriptor
        /// How many bytes of `path` lead to it.
        let length: Int
    }

    private final class Kept {
        let step: Step

        init(_ step: consuming Step) { self.step = step }
    }

    private let root: Int32
    private let capacity: Int
    private var path: [UInt8] = []
    /// Deepest last.
    private var steps: [Kept] = []

    init(root: Int32, capacity: Int) {
        self.root = root
        self.capacity = capacity
    }

    /// The descriptor of the directory at `target`, relative to the root ("" is the root itself); valid until the
    /// next call.
    func descriptor(of target: [UInt8]) throws(SystemError) -> Int32 {
        giveUp(beyond: target)
        var position = steps.last?.step.length ?? 0
        var current = steps.last?.step.descriptor.number ?? root
        path = target
        while position < target.count {
            let start = position == 0 ? 0 : position + 1
            let end = target[start...].firstIndex(of: slash) ?? target.count
            let descriptor = try SystemCalls.openDirectory(target[start..<end], in: current)
            current = descriptor.number
            position = end
            steps.append(Kept(Step(descriptor: descriptor, length: end)))
            if steps.count > capacity { steps.removeFirst() }
        }
        return current
    }

    private static func agree(_ a: [UInt8], _ b: [UInt8], on count: Int) -> Bool {
        a.withUnsafeBytes { a in
            b.withUnsafeBytes { b in
                SystemCalls.compare(.init(rebasing: a[..<count]), .init(rebasing: b[..<count])) == 0
            }
        }
    }

    /// Closes what does not lead to `target`.
    private func giveUp(beyond target: [UInt8]) {
        while let last = steps.last?.step.length {
            let isOnTheWay = last == target.count || (last < target.count && target[last] == slash)
            if isOnTheWay, Self.agree(path, target, on: last) { return }
            steps.removeLast()
        }
    }
}

let slash = UInt8(ascii: "/")
