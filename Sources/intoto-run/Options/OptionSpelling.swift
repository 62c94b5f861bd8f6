/// Spellings of options that the argument parser has no word for, rewritten to ones that it has.
enum OptionSpelling {
    /// Options that may stand alone or with `=VALUE`, and what they mean alone.
    private static let valueIfAlone = ["--record-streams": "full"]

    static func normalized(_ words: [String]) -> [String] {
        let words = words.first == "verify" ? withJSONFile(words) : words
        return words.map { word in valueIfAlone[word].map { "\(word)=\($0)" } ?? word }
    }

    /// `verify` takes `--json FILE`, or `--json` alone for standard output.
    private static func withJSONFile(_ words: [String]) -> [String] {
        words.enumerated().map { index, word in
            let next = index + 1 < words.count ? words[index + 1] : "-"
            return word == "--json" && next.hasPrefix("-") ? "--json=-" : word
        }
    }
}
