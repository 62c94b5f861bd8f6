/// Spellings of options that the argument parser has no word for, rewritten to ones that it has.
enum OptionSpelling {
    /// Options that may stand alone or with `=VALUE`, and what they mean alone.
    private static let valueIfAlone = ["--record-streams": "full"]

    static func normalized(_ words: [String]) -> [String] {
        words.map { word in valueIfAlone[word].map { "\(word)=\($0)" } ?? word }
    }
}
