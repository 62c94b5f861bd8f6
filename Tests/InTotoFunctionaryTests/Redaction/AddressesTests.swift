import Testing

@testable import InTotoFunctionary

@Suite struct AddressesTests {
    @Test(arguments: [
        ("https://u:p@host/a.git", "https://host/a.git"),
        ("https://token@host/a.git", "https://host/a.git"),
        ("https://u:p@host:8443/a", "https://host:8443/a"),
        ("https://u:a@b@host/a", "https://host/a"),
        ("https://u:a/b@host/x@y", "https://y"),
        ("https://:@host", "https://host"),
        ("ssh://git@host/a", "ssh://host/a"),
        ("https://host/a?token=x&y=@", "https://host/a"),
        ("https://host/a#token", "https://host/a"),
        ("user:password@host:a/b", "host:a/b"),
        ("0123456789abcdef0123@host:a/b", "host:a/b"),
    ]) func `what would let somebody in is cut out`(address: String, expected: String) {
        #expect(String(decoding: Addresses.withoutCredentials(Array(address.utf8)), as: UTF8.self) == expected)
    }

    @Test(arguments: [
        "https://host/a", "https://host:443/a@b", "git@github.com:acme/x.git", "refs/heads/a@b", "", "main", "a b@c",
        "://",
        "file:///srv/git/a", "octocat/x/.github/workflows/release.yml@refs/heads/main",
    ]) func `what holds none stays as it is`(address: String) {
        #expect(String(decoding: Addresses.withoutCredentials(Array(address.utf8)), as: UTF8.self) == address)
    }
}
