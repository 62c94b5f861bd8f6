internal import CSupport

/// Which descriptors the command gets: our own, the writing ends of pipes that we read, or a terminal of its own.
struct CommandDescriptors {
    /// In the place of 0, 1 and 2; nil: what our caller gave us.
    var input: Int32?
    var output: Int32?
    var errors: Int32?
    /// The three are one terminal, and the command gets a session of its own with it.
    var isTerminal = false
    /// Nothing of our caller's goes along, and there is no terminal.
    var isAlone = false
    /// Whether it gets what our caller handed down beside the three.
    var inheritsOthers = true

    /// Where each descriptor of ours is to stand in the command: the three standard ones as far as our caller had
    /// them open, and everything else that our caller handed down (a jobserver's pipe, a shell's `<(…)`).
    var placed: [(source: Int32, target: Int32)] {
        let startup = cs_startup_state().pointee
        let isOpen = [startup.standard_open.0 != 0, startup.standard_open.1 != 0, startup.standard_open.2 != 0]
        var descriptors: [(source: Int32, target: Int32)] = []
        for (target, replacement) in [input, output, errors].enumerated() {
            if let replacement {
                descriptors.append((replacement, Int32(target)))
            } else if !isAlone, isOpen[target] {
                descriptors.append((Int32(target), Int32(target)))
            }
        }
        guard inheritsOthers && !isAlone else { return descriptors }
        withUnsafeBytes(of: startup.descriptors) { bytes in
            for descriptor in bytes.bindMemory(to: Int32.self).prefix(Int(startup.descriptor_count)) {
                descriptors.append((descriptor, descriptor))
            }
        }
        return descriptors
    }
}
