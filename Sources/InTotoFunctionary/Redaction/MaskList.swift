internal import InTotoMetadata
internal import Synchronization

/// What both streams of a command mask: its secrets, and from their announcement on the values it announced.
///
/// The lock is there because each stream is read by a thread of its own, and an announcement on one is for both. Both
/// hold it for a comparison of integers at each read; only after an announcement longer, for the new patterns, which
/// the other thread would have to wait for anyway.
public final class MaskList: Sendable {
    private struct State {
        var announced = Layer()
        /// The newest few are apart, so that each announcement costs a few patterns and not all.
        var recent = Layer()
        var known: Set<[UInt8]> = []
        var bytes = 0
        var generation = 0
        var refused: Set<Refusal> = []
    }

    private struct Layer {
        var forms = SecretForms()
        /// Nil where the forms changed.
        var patterns: [PatternSet]?
        var values = 0

        mutating func add(_ forms: SecretForms) {
            self.forms.formUnion(forms)
            values += 1
            patterns = nil
        }

        mutating func built() -> [PatternSet] {
            let built = patterns ?? forms.patterns
            patterns = built
            return built
        }
    }

    /// Most values, and bytes of them, that are masked because the command announced them: what runs us can bound
    /// its secrets, the command's output is not to be trusted with our memory.
    public static let limit = (values: 1000, bytes: 64 << 10)
    private static let recentLimit = 32

    private let values: SecretValues
    private let state = Mutex(State())

    public init(_ values: SecretValues) { self.values = values }

    /// Masks `value` from now on, in all its spellings, line by line.
    ///
    /// Values of less than four bytes, and all past `limit`, are not taken, which `refused` tells.
    public func add(_ value: [UInt8]) {
        state.withLock { state in
            guard !state.known.contains(value) else { return }
            if state.known.count == Self.limit.values || state.bytes + value.count > Self.limit.bytes {
                state.refused.insert(.tooMany)
                return
            }
            let forms = SecretForms.all(of: value, minimum: SecretValues.shortestNamed)
            guard !forms.isEmpty else {
                state.refused.insert(.tooShort)
                return
            }
            state.known.insert(value)
            state.bytes += value.count
            state.generation += 1
            if state.recent.values == Self.recentLimit {
                state.announced.add(state.recent.forms)
                state.recent = Layer()
            }
            state.recent.add(forms)
        }
    }

    /// Notes that a value was too long to take.
    func refuseTooLong() { state.withLock { _ = $0.refused.insert(.tooLong) } }

    /// Why announced values are not masked, where some are not.
    public enum Refusal: Hashable, Sendable, CaseIterable, CustomStringConvertible {
        case tooShort, tooLong, tooMany

        public var description: String {
            switch self {
            case .tooShort: "shorter than \(SecretValues.shortestNamed) bytes"
            case .tooLong: "longer than \(MaskAnnouncement.limit >> 10) KiB"
            case .tooMany: "past the first \(MaskList.limit.values), or \(MaskList.limit.bytes >> 10) KiB, of them"
            }
        }
    }

    /// In the order of the cases.
    public var refused: [Refusal] {
        state.withLock { state in Refusal.allCases.filter(state.refused.contains) }
    }

    /// `text` with what is secret in it replaced.
    package func masked(_ text: [UInt8]) -> [UInt8] { StreamRedactor.redacted(text, masks: self).bytes }

    /// The same of a text that was cut off, maybe within a secret: a beginning of one at its end is replaced, too.
    func masked(cutOff text: [UInt8]) -> [UInt8] {
        let masked = masked(text)
        let lengths = (SecretValues.shortestNamed...max(SecretValues.shortestNamed, masked.count)).reversed()
        guard let length = lengths.first(where: { beginsSecret(masked.suffix($0)) }) else { return masked }
        return masked.dropLast(length) + StreamRedactor.mask
    }

    private func beginsSecret(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count >= SecretValues.shortestNamed else { return false }
        return state.withLock { state in
            [values.forms, state.announced.forms, state.recent.forms].contains { $0.contains(beginning: text) }
        }
    }

    /// All patterns, where they are others than those of `generation`.
    func patterns(after generation: Int?) -> PatternLayers? {
        state.withLock { state -> PatternLayers? in
            guard state.generation != generation else { return nil }
            let layers = values.patterns + state.announced.built() + state.recent.built()
            return PatternLayers(layers: layers, generation: state.generation)
        }
    }
}

extension MaskList? {
    /// Without a list nothing is secret.
    func masked(_ text: [UInt8]) -> [UInt8] { self?.masked(text) ?? text }
}
