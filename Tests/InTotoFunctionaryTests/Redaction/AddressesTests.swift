import InTotoArtifacts
import Testing

@Suite struct AddressesTests {
    @Test(arguments: [
        ("https://u:p@host/a.git", "https://host/a.git"),
        ("https://token@host/a.git", "https://host/a.git"),
        ("https://u:p@host:8443/a", "https://host:8443/a"),
        ("https://u:a@b@host/a", "https://host/a"),
        ("https://u:a/b@host/x@y", "https://y"),
        ("https://:@host", "https://host"),
        ("ssh://0123456789abcdef0123@host/a", "ssh://host/a"), ("ssh://git:p@host/a", "ssh://git@host/a"),
        ("https://u:12/3@host/x", "https://host/x"), ("https://host:443/a@b", "https://b"),
        ("https://u:pa#ss@host/x", "https://host/x"), ("https://u:pa?ss@host/x", "https://host/x"),
        ("https://to#ken@host/x", "https://host/x"), ("https://u@x:p/w@host/x", "https://host/x"),
        ("https://host:443/?a=s&m=a@b&t=s", "https://b"), ("https://u:p@[::1]/x", "https://[::1]/x"),
        ("https://u:p@[::1]:80/x", "https://[::1]:80/x"), ("https://u:pa::ss@host", "https://host"),
        ("https://token@[2001:db8::1]/", "https://[2001:db8::1]/"), ("https://u:p/w@[::1]/x", "https://[::1]/x"),
        ("https://[x:pass/w@host/x", "https://host/x"), ("see https://u:p@host/a?t=s", "see https://host/a"),
        ("a: https://u:p@host/a?t=s", "host/a"), ("user:pa://ss@host:path", "host:path"),
        ("ext::sh -c https://u:p@host", "ext::"), ("a b::c:p@host", "host"),
        ("https://host/a?token=x&y=@", "https://host/a"),
        ("https://host/a#token", "https://host/a"),
        ("user:password@host:a/b", "host:a/b"),
        ("0123456789abcdef0123@host:a/b", "host:a/b"),
    ]) func `what would let somebody in is cut out`(address: String, expected: String) {
        #expect(String(decoding: GitRemoteAddress.withoutCredentials(Array(address.utf8)), as: UTF8.self) == expected)
    }

    @Test(arguments: [
        "https://host/a", "https://host:443/a", "https://host/a@b", "ssh://git@host/a", "https://[::1]/a@b",
        "git@github.com:acme/x.git", "refs/heads/a@b", "", "main", "a b@c",
        "://",
        "file:///srv/git/a", "octocat/x/.github/workflows/release.yml@refs/heads/main",
    ]) func `what holds none stays as it is`(address: String) {
        #expect(String(decoding: GitRemoteAddress.withoutCredentials(Array(address.utf8)), as: UTF8.self) == address)
    }
}
