import InTotoFunctionary
import TestSupport
import Testing

@Suite struct SecretNamesTests {
    /// What evidence may name and outputs should keep.
    static let harmless = """
        PATH HOME LANG LC_ALL LC_CTYPE PWD OLDPWD CI TERM COLORTERM EDITOR VISUAL PAGER SHELL USER LOGNAME HOSTNAME TZ
        TMPDIR SHLVL DISPLAY KEYBOARD_LAYOUT XKB_KEYMAP LD_LIBRARY_PATH PKG_CONFIG_PATH PYTHONPATH GOPATH GOROOT GOPRIVATE
        CLASSPATH MANPATH JAVA_HOME CC CXX CFLAGS CXXFLAGS LDFLAGS MAKEFLAGS SOURCE_DATE_EPOCH DEBIAN_FRONTEND COMPOSE_FILE
        GITHUB_SHA GITHUB_REF GITHUB_REPOSITORY GITHUB_RUN_ID GITHUB_WORKFLOW GITHUB_ACTOR GITHUB_WORKSPACE GITHUB_PATH
        RUNNER_OS RUNNER_ARCH RUNNER_TEMP CI_COMMIT_SHA CI_COMMIT_AUTHOR CI_PROJECT_PATH CI_PIPELINE_ID CI_JOB_NAME
        CI_DEPLOY_USER GITLAB_USER_LOGIN BUILD_NUMBER BUILD_URL JOB_NAME BUILDKITE_COMMIT CIRCLE_SHA1 TRAVIS_OS_NAME
        TRAVIS_SECURE_ENV_VARS GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_ASKPASS SSH_ASKPASS XAUTHORITY
        XDG_SESSION_TYPE XDG_SESSION_ID XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS DESKTOP_SESSION SESSION_MANAGER
        AWS_REGION AWS_DEFAULT_REGION AZURE_TENANT_ID AZURE_USERNAME ARM_SUBSCRIPTION_ID GOOGLE_CLOUD_PROJECT
        CLOUDSDK_CORE_PROJECT DOCKER_HOST DOCKER_USERNAME NODE_ENV NODE_VERSION RUSTFLAGS TOKENIZERS_PARALLELISM COMPASS_HOME
        DISPATCH_QUEUE PATCH_LEVEL COMPAT_MODE SPINNER HTTP_PROXY NO_PROXY _
        """.split { $0.isWhitespace }.map(String.init)

    @Test func `the tables are as long as promised`() {
        #expect(Set(SecretVariables.names).count >= 180)
        #expect(Set(Self.harmless).count >= 90)
    }

    @Test(arguments: SecretVariables.names) func `looks secret, in any case of letters`(name: String) {
        var generator = SeededGenerator(seed: name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
        let mixed = name.map { Bool.random(using: &generator) ? $0.uppercased() : $0.lowercased() }.joined()
        for spelling in [name, name.lowercased(), name.uppercased(), mixed] {
            #expect(SecretNames.looksSecret(name: Array(spelling.utf8)), "\(spelling)")
        }
    }

    @Test(arguments: harmless) func `looks harmless, in any case of letters`(name: String) {
        for spelling in [name, name.lowercased(), name.uppercased()] {
            #expect(!SecretNames.looksSecret(name: Array(spelling.utf8)), "\(spelling)")
        }
    }

    @Test func `an exception is exact`() {
        for name in ["PWD2", "MY_PWD", "GOPRIVATE_TOKEN", "DESKTOP_SESSION_KEY", "AUTHOR_TOKEN", "KEYBOARD_KEY"] {
            #expect(SecretNames.looksSecret(name: Array(name.utf8)), "\(name)")
        }
    }

    @Test func `names need not be text`() {
        #expect(SecretNames.looksSecret(name: [0xFF] + Array("token".utf8) + [0xFE]))
        #expect(!SecretNames.looksSecret(name: [0xFF, 0xFE]))
        #expect(!SecretNames.looksSecret(name: []))
    }

    @Test(arguments: [
        "postgres://u:pass@host/db", "x https://me:hunter22@host/x y", "https://0123456789abcdef0123@host",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc", "AKIAIOSFODNN7EXAMPLE", "--key ASIAIOSFODNN7EXAMPLE",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345", "gho_0123456789abcdefghij", "github_pat_0123456789abcdefghij",
        "glpat-0123456789abcdefghij", "xoxb-0123456789-abc", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQ",
    ]) func `a value looks secret by itself`(value: String) {
        #expect(SecretNames.looksSecret(value: Array(value.utf8)))
    }

    @Test(arguments: [
        "", "/usr/bin", "https://host/path?q=a@b", "ssh://git@github.com/a/b", "http://host:8080/x@y", "AKIA",
        "ghp_short",
        "a@b:c", "eyJ", "eyJhbGciOiJIUzI1NiJ9", "MAKIAIOSFODNN7EXAMPLE", "-----", "https://:@host",
    ]) func `a value looks harmless by itself`(value: String) {
        #expect(!SecretNames.looksSecret(value: Array(value.utf8)))
    }
}

@Suite struct VariablePatternTests {
    @Test func `a name matches itself, a prefix what begins so`() throws {
        let exact = try VariablePattern("AB".utf8)
        #expect(exact.isExact && exact.matches("AB".utf8) && !exact.matches("ABC".utf8) && !exact.matches("ab".utf8))
        let prefix = try VariablePattern("AB_*".utf8)
        #expect(
            !prefix.isExact && prefix.matches("AB_".utf8) && prefix.matches("AB_C".utf8) && !prefix.matches("AB".utf8))
    }

    @Test(arguments: ["", "*", "A*B", "**", "A=B", "A\0"]) func `anything else is refused`(pattern: String) {
        #expect(throws: VariablePatternError.self) { try VariablePattern(pattern.utf8) }
    }
}
