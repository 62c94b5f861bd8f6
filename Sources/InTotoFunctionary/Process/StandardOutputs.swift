internal import CSupport

/// What the command gets as standard output and error: our own descriptors, or the writing ends of pipes that we read.
struct StandardOutputs {
    /// Writing end of the pipe for standard output, where it is recorded.
    var output: Int32?
    /// Writing end of the pipe for standard error, where it is recorded.
    var errors: Int32?

    /// Where each descriptor of ours is to stand in the command: the three standard ones as far as our caller had
    /// them open, and everything else that our caller handed down (a jobserver's pipe, a shell's `<(…)`).
    var descriptorsForCommand: [(source: Int32, target: Int32)] {
        let startup = cs_startup_state().pointee
        var descriptors: [(source: Int32, target: Int32)] = []
        let isOpen = [startup.standard_open.0 != 0, startup.standard_open.1 != 0, startup.standard_open.2 != 0]
        for (target, replacement) in [(0, nil), (1, output), (2, errors)] {
            if let replacement {
                descriptors.append((replacement, Int32(target)))
            } else if isOpen[target] {
                descriptors.append((Int32(target), Int32(target)))
            }
        }
        withUnsafeBytes(of: startup.descriptors) { bytes in
            for descriptor in bytes.bindMemory(to: Int32.self).prefix(Int(startup.descriptor_count)) {
                descriptors.append((descriptor, descriptor))
            }
        }
        return descriptors
    }
}
