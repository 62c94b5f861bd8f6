/// Spellings of options that the argument parser has no word for, rewritten to ones that it has.
enum OptionSpelling {
    /// Options that may stand alone or with `=VALUE`, and what they mean alone.
    private static let valueIfAlone = ["--record-streams": "full"]

    /// What other runners call an option of a step, where another verb of ours uses the letter differently.
    private static let otherNames = ["-l": "--lstrip-paths"]

    static func normalized(_ words: [String]) -> [String] {
        let words = words.first == "verify" ? withJSONFile(words) : words
        let isStep = words.first.map { $0.hasPrefix("-") || $0 == "run" || $0 == "record" } ?? true
        return words.map { word in
            if isStep, let name = otherNames[word] { return name }
            return valueIfAlone[word].map { "\(word)=\($0)" } ?? word
        }
    }

    /// `verify` takes `--json FILE`, or `--json` alone or with `-` for standard output.
    private static func withJSONFile(_ words: [String]) -> [String] {
        var result: [String] = []
        for (index, word) in words.enumerated() {
            // The word behind it has been taken along.
            if word == "-", index > 0, words[index - 1] == "--json" { continue }
            let next = index + 1 < words.count ? words[index + 1] : "-"
            result.append(word == "--json" && next.hasPrefix("-") ? "--json=-" : word)
        }
        return result
    }

    /// Options of other runners that have no counterpart of one word here, and what to write instead.
    static func hint(forForeign words: [String]) -> String? { words.lazy.compactMap { foreign[$0] }.first }

    private static let foreign = [
        "-P": "a passphrase is no argument here: --passphrase-file FILE, or INTOTO_KEY_PASSPHRASE",
        "--password": "a passphrase is no argument here: --passphrase-file FILE, or INTOTO_KEY_PASSPHRASE",
        "--prompt": "you are asked where a passphrase is needed and not given",
        "-g": "name the key with --key gpg:FINGERPRINT",
        "--gpg": "name the key with --key gpg:FINGERPRINT",
        "--gpg-home": "set GNUPGHOME, and name the key with --key gpg:FINGERPRINT",
        "-c": "certificates are not written into evidence",
        "--cert": "certificates are not written into evidence",
        "--spiffe-workload-api-path": "name a key with --key",
    ]
}
