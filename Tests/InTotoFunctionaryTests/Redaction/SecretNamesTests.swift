import InTotoFunctionary
import Testing

@Suite struct SecretNamesTests {
    /// Variables of CI systems, clouds and tools that hold secrets: those of go-witness's list that do (it has user names
    /// and host names too), the six that slip through it, and the usual ones of GitHub, GitLab, AWS, GCP, Azure.
    static let secret = """
        AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AMAZON_AWS_ACCESS_KEY_ID
        AMAZON_AWS_SECRET_ACCESS_KEY AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_WEB_IDENTITY_TOKEN_FILE AWS_BEARER_TOKEN_BEDROCK
        ALGOLIA_API_KEY AZURE_CLIENT_SECRET AZURE_PASSWORD MSI_SECRET binance_api binance_secret BITTREX_API_KEY
        BITTREX_API_SECRET CF_PASSWORD CODECLIMATE_REPO_TOKEN COVERALLS_REPO_TOKEN CIRCLE_TOKEN DIGITALOCEAN_ACCESS_TOKEN
        DOCKER_PASSWORD DOCKERHUB_PASSWORD FACEBOOK_APP_SECRET FACEBOOK_ACCESS_TOKEN FIREBASE_TOKEN FOSSA_API_KEY GH_TOKEN
        GH_ENTERPRISE_TOKEN GOOGLE_APPLICATION_CREDENTIALS GOOGLE_API_KEY CI_DEPLOY_PASSWORD CI_JOB_JWT CI_JOB_JWT_V2
        CI_JOB_TOKEN HEROKU_API_KEY MAILGUN_API_KEY MCLI_PRIVATE_API_KEY MCLI_PUBLIC_API_KEY NGROK_TOKEN NGROK_AUTH_TOKEN
        NPM_AUTH_TOKEN OKTA_CLIENT_TOKEN OKTA_OAUTH2_CLIENTSECRET OKTA_OAUTH2_CLIENTID OKTA_AUTHN_GROUPID OS_PASSWORD
        PERCY_TOKEN SAUCE_ACCESS_KEY SENTRY_AUTH_TOKEN SLACK_TOKEN SNYK_TOKEN square_access_token square_oauth_secret
        STRIPE_API_KEY SURGE_TOKEN TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN CONSUMER_KEY CONSUMER_SECRET VAULT_TOKEN
        VAULT_CLIENT_KEY TOKEN VULTR_ACCESS VULTR_SECRET ACTIONS_RUNTIME_TOKEN ACTIONS_ID_TOKEN_REQUEST_TOKEN sshKey
        db_password GPG_PASSPHRASE SIGNING_KEY SSH_PRIVATE_KEY MYSQL_PWD
        GITHUB_TOKEN GITHUB_PAT GHCR_PAT CR_PAT GH_PAT GITHUB_APP_PRIVATE_KEY GITHUB_APP_CLIENT_SECRET ACTIONS_CACHE_TOKEN
        CI_REGISTRY_PASSWORD CI_DEPENDENCY_PROXY_PASSWORD CI_REPOSITORY_TOKEN GITLAB_TOKEN GITLAB_PRIVATE_TOKEN GL_TOKEN
        CI_BUILD_TOKEN RUNNER_TOKEN REGISTRATION_TOKEN DOCKER_AUTH_CONFIG DOCKERCONFIGJSON SIGSTORE_ID_TOKEN VAULT_ID_TOKEN
        GOOGLE_CREDENTIALS GOOGLE_OAUTH_ACCESS_TOKEN GCP_SA_KEY GCLOUD_SERVICE_KEY GCP_CREDENTIALS FIREBASE_PRIVATE_KEY
        CLOUDSDK_AUTH_ACCESS_TOKEN CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE GKE_SERVICE_ACCOUNT_PRIVATE_KEY
        ARM_CLIENT_SECRET ARM_ACCESS_KEY ARM_SAS_TOKEN AZURE_CREDENTIALS AZURE_STORAGE_KEY AZURE_STORAGE_SAS
        AZURE_STORAGE_CONNECTION_STRING AZURE_DEVOPS_EXT_PAT SYSTEM_ACCESSTOKEN VSS_NUGET_EXTERNAL_FEED_ENDPOINTS_PASSWORD
        AZURE_CLIENT_CERTIFICATE_PASSWORD APPINSIGHTS_INSTRUMENTATIONKEY IDENTITY_HEADER_SECRET
        NPM_TOKEN NODE_AUTH_TOKEN YARN_NPM_AUTH_TOKEN PYPI_API_TOKEN TWINE_PASSWORD POETRY_PYPI_TOKEN_PYPI UV_PUBLISH_TOKEN
        CARGO_REGISTRY_TOKEN GEM_HOST_API_KEY RUBYGEMS_API_KEY NUGET_API_KEY MAVEN_PASSWORD OSSRH_PASSWORD SONATYPE_PASSWORD
        GRADLE_PUBLISH_SECRET ORG_GRADLE_PROJECT_signingKey ORG_GRADLE_PROJECT_signingPassword HEX_API_KEY
        ANSIBLE_VAULT_PASSWORD_FILE BECOME_PASS DB_PASS PGPASSWORD PGPASSFILE MYSQL_ROOT_PASSWORD POSTGRES_PASSWORD
        REDIS_PASSWORD MONGO_INITDB_ROOT_PASSWORD RABBITMQ_DEFAULT_PASS SSHPASS RESTIC_PASSWORD BORG_PASSPHRASE
        COSIGN_PASSWORD COSIGN_PRIVATE_KEY COSIGN_KEY MINISIGN_PASSWORD SNAPCRAFT_STORE_CREDENTIALS KUBECONFIG NETRC
        KUBE_TOKEN HELM_REGISTRY_PASSWORD SENTRY_DSN SLACK_WEBHOOK_URL DISCORD_WEBHOOK TELEGRAM_BOT_TOKEN DATADOG_API_KEY
        DD_API_KEY NEW_RELIC_LICENSE_KEY SONAR_TOKEN CODECOV_TOKEN BUILDKITE_AGENT_ACCESS_TOKEN JENKINS_API_TOKEN
        TF_TOKEN_app_terraform_io TF_VAR_db_password CLOUDFLARE_API_TOKEN CLOUDFLARE_API_KEY FASTLY_KEY NETLIFY_AUTH_TOKEN
        VERCEL_TOKEN FASTLANE_PASSWORD FASTLANE_SESSION MATCH_PASSWORD APP_STORE_CONNECT_API_KEY_KEY KEYSTORE_PASSWORD
        ANDROID_KEY_ALIAS_PASSWORD OPENAI_API_KEY ANTHROPIC_API_KEY HF_TOKEN JWT_SIGNING SESSION_COOKIE RAILS_MASTER_KEY
        SECRET_KEY_BASE DJANGO_SECRET_KEY FLASK_SECRET ENCRYPTION_KEY HTTP_AUTHORIZATION BASIC_AUTH YUBIKEY_PIN PKCS11_PIN
        SSH_AUTH_SOCK npm_config__auth NPM_CONFIG_//registry.npmjs.org/:_authToken
        """.split { $0.isWhitespace }.map(String.init)

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
        #expect(Set(Self.secret).count >= 180)
        #expect(Set(Self.harmless).count >= 90)
    }

    @Test(arguments: secret) func `looks secret, in any case of letters`(name: String) {
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
