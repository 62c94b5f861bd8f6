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
        var refused = 0
    }

    private struct Layer {
        var forms: [[UInt8]] = []
        /// Nil where there are no forms, or they changed.
        var patterns: PatternSet?
        var values = 0

        mutating func add(_ forms: [[UInt8]]) {
            self.forms += forms
            values += 1
            patterns = nil
        }

        mutating func built() -> PatternSet? {
            if patterns == nil, !forms.isEmpty { patterns = PatternSet(forms) }
            return patterns
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
    /// Values of less than four bytes, and all past `limit`, are not taken: `refused` counts them.
    public func add(_ value: [UInt8]) {
        state.withLock { state in
            guard !state.known.contains(value) else { return }
            let isTooMuch = state.known.count == Self.limit.values || state.bytes + value.count > Self.limit.bytes
            let forms = isTooMuch ? [] : SecretForms.all(of: value, minimum: SecretValues.shortestNamed)
            guard !forms.isEmpty else {
                state.refused += 1
                return
            }
            state.known.insert(value)
            state.bytes += value.count
            state.generation += 1
            if state.recent.values == Self.recentLimit {
                state.announced.add(state.recent.forms)
                state.recent = Layer()
            }
            state.recent.add(forms.sorted { $0.precedesBytewise($1) })
        }
    }

    /// Counts a value that was too long to take.
    func refuse() { state.withLock { $0.refused += 1 } }

    /// Announced values that are not masked, since they are too short, too long or too many.
    public var refused: Int { state.withLock { $0.refused } }

    /// All patterns, where they are others than those of `generation`.
    func patterns(after generation: Int?) -> PatternLayers? {
        state.withLock { state -> PatternLayers? in
            guard state.generation != generation else { return nil }
            let layers = [values.patterns, state.announced.built(), state.recent.built()]
            return PatternLayers(layers: layers.compactMap { $0 }, generation: state.generation)
        }
    }
}
