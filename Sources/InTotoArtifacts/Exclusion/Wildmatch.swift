/// Git's pattern matching over bytes, `WM_PATHNAME` set: `*`, `?` and classes stay within a path component, and `**`
/// as a whole component matches any number of them. Source: git, `wildmatch.c`.
enum Wildmatch {
    static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        pattern.withUnsafeBufferPointer { pattern in
            text.withUnsafeBufferPointer { text in
                Matcher(pattern: pattern, text: text).match(0, 0) == .match
            }
        }
    }

    /// How one attempt ended. The last two end attempts of enclosing stars that could not succeed either; without
    /// them a few stars against a long name take exponential time.
    fileprivate enum Outcome {
        case match, noMatch, abort, abortToDoubleStar
    }
}

private struct Matcher {
    let pattern: UnsafeBufferPointer<UInt8>
    let text: UnsafeBufferPointer<UInt8>

    /// Recursive in the number of stars of the pattern, or the length of the text where that is less.
    func match(_ patternStart: Int, _ textStart: Int) -> Wildmatch.Outcome {
        var p = patternStart
        var t = textStart
        while p < pattern.count {
            guard t < text.count || pattern[p] == star else { return .abort }
            switch pattern[p] {
            case question:
                if text[t] == slash { return .noMatch }
            case star:
                guard let next = advance(past: &p, &t, from: patternStart) else { break }
                return next
            case openBracket:
                guard let end = matchClass(at: p, text[t]) else { return .abort }
                guard end.matched else { return .noMatch }
                p = end.position
            case backslash:
                p += 1
                guard p < pattern.count, pattern[p] == text[t] else { return .noMatch }
            default:
                if pattern[p] != text[t] { return .noMatch }
            }
            p += 1
            t += 1
        }
        return t < text.count ? .noMatch : .match
    }

    /// Handles a run of stars at `p`. Nil where matching goes on at the slash that `p` and `t` then stand at.
    private func advance(past p: inout Int, _ t: inout Int, from patternStart: Int) -> Wildmatch.Outcome? {
        let start = p
        while p < pattern.count, pattern[p] == star { p += 1 }
        let isWholeComponent =
            (start == patternStart || pattern[start - 1] == slash)
            && (p == pattern.count || pattern[p] == slash || escapedSlash(at: p))
        let crossesSlashes = p - start > 1 && isWholeComponent
        if crossesSlashes, p < pattern.count, pattern[p] == slash {
            skipRepetitions(&p)
            let outcome = match(p + 1, t)
            // What ran out of text does so from any later start, too: without this, each `**` doubles the time.
            if outcome == .match || outcome == .abort { return outcome }
        }
        if p == pattern.count {
            return crossesSlashes || !text[t...].contains(slash) ? .match : .abortToDoubleStar
        }
        if !crossesSlashes, pattern[p] == slash {
            guard let next = text[t...].firstIndex(of: slash) else { return .abort }
            t = next
            return nil
        }
        return tryEach(p, t, crossesSlashes)
    }

    /// `**/**/` says no more than `**/`, and would be a recursion each.
    private func skipRepetitions(_ p: inout Int) {
        while p + 3 < pattern.count, pattern[p + 1] == star, pattern[p + 2] == star, pattern[p + 3] == slash { p += 3 }
    }

    /// Lets the star take ever more of the text.
    private func tryEach(_ p: Int, _ start: Int, _ crossesSlashes: Bool) -> Wildmatch.Outcome {
        var t = start
        while t < text.count {
            if !isSpecial(pattern[p]) {
                while t < text.count, text[t] != pattern[p], crossesSlashes || text[t] != slash { t += 1 }
                guard t < text.count, text[t] == pattern[p] else {
                    return crossesSlashes ? .abort : .abortToDoubleStar
                }
            }
            let outcome = match(p, t)
            if outcome != .noMatch {
                if !crossesSlashes || outcome != .abortToDoubleStar { return outcome }
            } else if !crossesSlashes, text[t] == slash {
                return .abortToDoubleStar
            }
            t += 1
        }
        return .abort
    }

    private func escapedSlash(at p: Int) -> Bool {
        p + 1 < pattern.count && pattern[p] == backslash && pattern[p + 1] == slash
    }

    private func isSpecial(_ byte: UInt8) -> Bool {
        byte == star || byte == question || byte == openBracket || byte == backslash
    }

    /// Matches one byte against the class at `start`; nil where the class has no end.
    private func matchClass(at start: Int, _ byte: UInt8) -> (matched: Bool, position: Int)? {
        var reader = CharacterClass(pattern: pattern, position: start + 1)
        guard let matched = reader.matches(byte) else { return nil }
        return (matched && byte != slash, reader.position)
    }
}

let star = UInt8(ascii: "*")
let question = UInt8(ascii: "?")
let openBracket = UInt8(ascii: "[")
let closeBracket = UInt8(ascii: "]")
let backslash = UInt8(ascii: "\\")
