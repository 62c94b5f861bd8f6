/// Which environment variables hold secrets, judged by their names.
///
/// Names are bytes and compared without regard to ASCII case. The judgement leans towards "secret": a harmless value
/// that is masked costs readability, a secret that is not masked is published.
///
/// Secrets by decision, although their values are rarely secret themselves: paths to secrets
/// (`GOOGLE_APPLICATION_CREDENTIALS`, `KUBECONFIG`, `SSH_AUTH_SOCK`), key ids (`AWS_ACCESS_KEY_ID`), public keys.
public enum SecretNames {
    /// Whether a variable of this name is taken for a secret.
    public static func looksSecret(name: [UInt8]) -> Bool {
        let folded = foldingCase(name)
        if exceptions.contains(folded) { return false }
        if folded.starts(with: sessionPrefix) { return false }
        if fragments.contains(where: { folded.firstOccurrence(of: $0) != nil }) { return true }
        if wholeNames.contains(folded) { return true }
        if folded.split(whereSeparator: isSeparator).contains(where: { words.contains(Array($0)) }) { return true }
        let rest = removingHarmlessWords(folded)
        return ambiguousFragments.contains { rest.firstOccurrence(of: $0) != nil }
    }

    /// Secret wherever they stand in a name.
    private static let fragments = bytes([
        "token", "secret", "passw", "passphrase", "pwd", "apikey", "api_key", "api-key", "access_key", "private",
        "credential", "jwt", "cookie", "session", "authoriz", "authoris", "authn", "authz", "oauth", "netrc",
        "kubeconfig", "dsn", "webhook", "connection_string", "connectionstring", "connstr", "dockerconfig",
        "docker_auth", "htpasswd", "pgpass", "otp_seed", "mnemonic",
    ])

    /// Secret unless they are part of a harmless word.
    private static let ambiguousFragments = bytes(["key", "auth", "pass"])

    /// Removed before ambiguous fragments are looked for: `GIT_AUTHOR_NAME` is no `auth`.
    private static let harmlessWords = bytes([
        "author", "keyboard", "keymap", "keycode", "keycloak", "keyspace", "keystone", "keynote", "keyword", "monkey",
        "turkey", "hockey", "jockey", "whiskey", "donkey", "hotkey", "turnkey", "bypass", "compass", "passenger",
        "passive", "passthrough", "passing", "passed",
    ])

    /// Secret as a part of a name between separators: `GITHUB_PAT`, but not `PATH`.
    private static let words = Set(
        bytes(["pat", "ghpat", "sas", "pin", "otp", "totp", "creds", "cred", "pswd", "psk"]))

    private static let wholeNames = Set(bytes(["binance_api", "vultr_access", "twilio_account_sid"]))

    /// Directories, desktop sessions and switches that a fragment catches. Exact names: a new `…_TOKEN` stays caught.
    private static let exceptions = Set(
        bytes([
            "pwd", "oldpwd",  // directories
            "dbus_session_bus_address", "dbus_session_bus_pid", "desktop_session", "gdmsession", "session_manager",
            "sessionname", "term_session_id", "tmux_session", "zellij_session_name",
            "goprivate",  // module path patterns
            "tokenizers_parallelism", "apt_key_dont_warn_on_dangerous_usage",  // switches
            "ssh_askpass", "git_askpass", "sudo_askpass", "ssh_askpass_require",  // programs that ask, and when
        ]))

    /// `XDG_SESSION_TYPE` and its like say "wayland" or "user", words of many outputs.
    private static let sessionPrefix = Array("xdg_session_".utf8)

    private static func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    private static func removingHarmlessWords(_ name: [UInt8]) -> [UInt8] {
        var rest = name
        for word in harmlessWords {
            while let place = rest.firstOccurrence(of: word) {
                // A separator stays, so that nothing grows together to a fragment.
                rest.replaceSubrange(place..<place + word.count, with: [UInt8(ascii: "_")])
            }
        }
        return rest
    }

    private static func foldingCase(_ name: [UInt8]) -> [UInt8] {
        name.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }
}

extension RandomAccessCollection<UInt8> where Index == Int {
    /// Where `pattern` first occurs at or after `start`. For short inputs: each position is tried.
    func firstOccurrence(of pattern: [UInt8], from start: Int? = nil) -> Int? {
        guard count >= pattern.count else { return nil }
        let last = endIndex - pattern.count
        var position = start ?? startIndex
        while position <= last {
            if self[position...].starts(with: pattern) { return position }
            position += 1
        }
        return nil
    }
}
