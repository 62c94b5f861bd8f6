internal import InTotoMetadata

extension ArtifactRule {
    /// What is odd about the rule's pattern, name and prefixes, each in words.
    ///
    /// `isSubstituted`: parameters have been filled in; `spelling`: which spelling of names the rule is going to meet.
    func peculiarities(isSubstituted: Bool, _ spelling: NameSpelling = .normalized) -> [String] {
        var found: [String] = []
        if let reason = pattern?.peculiarity { found.append(reason) }
        for text in texts {
            if !isSubstituted, let name = text.placeholder {
                found.append("'{\(name.escaped)}' stands for itself: no parameters were given")
            }
            if spelling == .normalized, !text.isNormalized {
                found.append("names come without '.', '..' and empty parts, so '\(text.escaped)' matches none")
            }
        }
        return found
    }

    private var texts: [Text] {
        switch self {
        case .create(let pattern), .delete(let pattern), .modify(let pattern), .allow(let pattern),
            .disallow(let pattern):
            [pattern.text]
        case .require(let name): [name.text]
        case .match(let match):
            [match.pattern.text] + [match.sourcePrefix, match.destinationPrefix].map(\.withoutLastSlash)
        }
    }
}

extension Text {
    /// A prefix may end in a slash.
    fileprivate var withoutLastSlash: Text {
        utf8.count > 1 && utf8.last == UInt8(ascii: "/") ? Text(repairing: utf8.dropLast()) : self
    }

    fileprivate var isNormalized: Bool {
        isEmpty || !LexicalPath.mayNeedWork(utf8[...]) || LexicalPath.normalized(utf8[...]).elementsEqual(utf8)
    }

    /// What the first `{NAME}` names.
    fileprivate var placeholder: Text? {
        var start: Int?
        for (index, byte) in utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "{"): start = index + 1
            case UInt8(ascii: "}"):
                if let start, index > start { return Text(repairing: utf8[start..<index]) }
                start = nil
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                continue
            default: start = nil
            }
        }
        return nil
    }
}
