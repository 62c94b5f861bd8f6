import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Every variable that is known to hold secrets is set: nothing that a run writes holds one of their values.
@Suite(.temporaryDirectory) struct PlantedSecretsTests {
    /// Variables whose names say nothing, and whose values do.
    private static let byValue = [
        "DATABASE_URL": "postgres://app:%@db.example.com/app", "HTTP_PROXY": "http://%@proxy.example.com:3128",
        "CI_REPOSITORY_URL": "https://gitlab-ci-token:%@gitlab.com/a/b.git", "GIT_URL": "https://u:%@host/a.git",
        "BUILDKITE_REPO": "https://%@github.com/a/b.git", "REGISTRY": "-----BEGIN PRIVATE THING-----\n%",
        "DEPLOY": "ghp_%", "HELPER": "glpat-%", "CLOUD": "AKIA%", "CHAT": "xoxb-%", "ID": "eyJ%.eyJ%.%",
    ]

    /// Name and secret part of each planted variable.
    private static let secrets: [String: String] = {
        let names = SecretVariables.names + byValue.keys
        // Hexadecimal digits, so that no shape hides a part of a value from the search.
        return Dictionary(
            uniqueKeysWithValues: names.enumerated().map { index, name in
                (name, String(format: "%08x", 0x5EC0_0000 + index) + "0badc0de0badc0de")
            })
    }()

    private static let environment: [String: String] = secrets.reduce(into: [:]) { environment, entry in
        let (name, secret) = entry
        environment[name] = byValue[name]?.replacingOccurrences(of: "%", with: secret) ?? secret
    }

    /// Asks for every variable that there can be: `--env '*'` itself is refused.
    private static let everything =
        ["--env"] + (33...126).map { UnicodeScalar($0) }.filter { !"=*-".unicodeScalars.contains($0) }.map { "\($0)*" }

    private func project() throws -> IntotoRun {
        var run = IntotoRun()
        try run.makeKey()
        run.environment.merge(Self.environment) { $1 }
        return run
    }

    private func leaks(in bytes: [UInt8]) -> [String] {
        let text = String(decoding: bytes, as: UTF8.self)
        return Self.secrets.filter { _, secret in
            text.contains(secret) || text.contains(Data(secret.utf8).base64EncodedString())
        }.map(\.key).sorted()
    }

    @Test func `enough are planted, each with a value of its own`() {
        #expect(Self.secrets.count >= 120)
        #expect(Set(Self.secrets.values).count == Self.secrets.count)
    }

    @Test(arguments: [
        ["GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "job.md", "GITHUB_SERVER_URL": "https://github.com"],
        ["GITLAB_CI": "true"], ["JENKINS_URL": "https://ci.example.com/", "BUILD_ID": "7"], ["BUILDKITE": "true"],
    ])
    func `none is in evidence, summaries or messages, whatever is asked for`(system: [String: String]) throws {
        var run = try project()
        run.environment.merge(system) { $1 }
        let result = try run.run(
            ["-v", "-k", "key.pem", "-n", "s", "-s", "--format", "attestation,link", "-m", "key.pem.pub", "-p"]
                + ["key.pem.pub", "--record-user", "--summary", "json", "--summary-file", "summary.json"]
                + ["--annotate", "leak=\(Self.secrets["GITHUB_TOKEN"] ?? "")"] + Self.everything
                + ["--", "sh", "-c", "env; env >&2; echo $1", "sh", Self.secrets["NPM_TOKEN"] ?? ""])
        #expect(result.status == 0)
        // The command prints them all: it is the search that would find them.
        // But for one, whose name a shell does not pass on.
        #expect(leaks(in: result.output).count >= Self.secrets.count - 1)
        for name in try run.list() where !name.hasPrefix("key.pem") {
            #expect(leaks(in: try run.read(name)) == [], "\(name)")
        }
        let link = try Evidence.link(of: run)
        #expect(link.environment["ci"] != nil)
        guard case .object(let variables)? = link.environment["variables"],
            case .array(let withheld)? = link.environment["variables-withheld"]
        else { throw IntotoRun.SetupFailure(reason: "no variables are recorded") }
        #expect(variables["PATH"] != nil)
        #expect(Set(Self.secrets.keys.map { JSONValue.string(Text($0)) }).isSubset(of: withheld))
        // Of the statement's payload, too, which stands there in base64.
        let bundle = try run.file(endingIn: ".jsonl")
        #expect(leaks(in: try Array(JSONEncoding.payload(of: run.read(bundle)))) == [])
    }

    @Test(arguments: ["", "\u{1}\\377"]) func `none is in what is recorded of a repository`(suffix: String) throws {
        func secret(_ name: String) throws -> String { try #require(Self.secrets[name]) }
        let git = try GitCommands.repository()
        try git(
            """
            git checkout -qb "feature/$(printf '\(secret("NPM_TOKEN"))')"
            git tag "\(secret("GITHUB_TOKEN"))"; git tag -am x "$(printf 'v\(secret("VAULT_TOKEN"))')"
            git remote add "\(secret("SLACK_TOKEN"))" "https://example.com/\(secret("GITHUB_TOKEN"))/a.git"
            echo u >"$(printf 'u\(secret("NPM_TOKEN"))\(suffix)')"; echo "more" >>a; mkdir "\(secret("PGPASSWORD"))"
            touch "\(secret("PGPASSWORD"))/f"
            git tag "$(printf 't\(secret("DB_PASS"))\(suffix.isEmpty ? "" : "\\377")')"
            """)
        var run = IntotoRun(in: git.directory)
        try IntotoRun().makeKey()
        run.environment.merge(Self.environment) { $1 }
        for state in ["whole", "broken"] {
            let result = try run.run(
                ["-q", "-k", "../key.pem", "-n", state, "--format", "link", "-d", "..", "-m", "d", "--", "true"])
            #expect(result.status == 0, "\(result.errorText)")
            let name = try #require(try IntotoRun().list().first { $0.hasPrefix(state) && $0.hasSuffix(".link") })
            let bytes = try IntotoRun().read(name)
            #expect(leaks(in: bytes) == [], "\(String(decoding: bytes, as: UTF8.self))")
            let link = String(decoding: bytes, as: UTF8.self)
            #expect(link.contains("***"))
            for word in link.split(separator: "\"") {
                if let decoded = Data(base64Encoded: String(word)) { #expect(leaks(in: Array(decoded)) == []) }
            }
            if state == "whole" {
                try git("mkdir .git/refs/tags/x; mkfifo \".git/refs/tags/x/\(secret("GITHUB_TOKEN"))\"")
            }
        }
    }

    @Test func `none is in what is recorded of a step by hand`() throws {
        func secret(_ name: String) throws -> String { try #require(Self.secrets[name]) }
        var run = try project()
        run.environment["PLAIN"] = "plain-value"
        _ = try run.shell("mkdir src; touch src/a 'src/\(secret("PGPASSWORD")).o'")
        let started = try run.run(
            ["record", "start", "-n", "s", "-k", "key.pem", "--format", "link", "-m", "key.pem.pub"]
                + ["--annotate", "leak=\(secret("GITHUB_TOKEN"))", "plain=plain-value", "--redact", "PLAIN"])
        #expect(started.status == 0, "\(started.errorText)")
        let record = try Array(JSONEncoding.payload(of: run.read(run.file(endingIn: "-unfinished"))))
        #expect(leaks(in: record) == [] && String(decoding: record, as: UTF8.self).contains("\"plain\":\"***\""))
        let stopped = try run.run(
            ["record", "stop", "-n", "s", "-k", "key.pem", "-p", "src", "--exclude", "*.o"]
                + ["--command", "deploy --token \(secret("NPM_TOKEN")) 'a \(secret("VAULT_TOKEN")) plain-value'"]
                + ["--byproduct", "note=used \(secret("SLACK_TOKEN"))", "\(secret("DB_PASS"))=x"])
        #expect(stopped.status == 0, "\(stopped.errorText)")
        #expect(stopped.errorText.contains("warning: the command line holds 3 secrets, which are replaced"))
        #expect(leaks(in: stopped.errors) == [])
        let bytes = try run.read(run.file(endingIn: ".link"))
        #expect(leaks(in: bytes) == [] && !String(decoding: bytes, as: UTF8.self).contains("plain-value"))
        let link = try Evidence.link(of: run)
        #expect(link.command == ["deploy", "--token", "***", "a *** ***"])
        #expect(link.environment["command-redacted"] == 3)
        #expect(link.byproduct("note") == "used ***" && link.byproduct("note-redacted") == 1)
        #expect(link.byproduct("***") == "x")
        #expect(
            link.environment["excluded"]
                == ["products": [["pattern": "*.o", "paths": 1, "first": ["src/***.o"]]]])
    }

    @Test(arguments: ["link", "dsse-link", "attestation"])
    func `none is in what is recorded of directories, programs, processes and files of options`(
        format: String
    ) throws {
        func secret(_ name: String) throws -> String { try #require(Self.secrets[name]) }
        let run = try project()
        let directory = "dir-\(try secret("NPM_TOKEN"))"
        let interpreter = "i-\(try secret("PGPASSWORD"))"
        let program = "prog-\(try secret("VAULT_TOKEN"))"
        // The kernel keeps fifteen bytes of the name, which end within the secret.
        let job = "job-\(try secret("SLACK_TOKEN"))"
        try run.write("#!./\(interpreter)\n./\(job) 30 >/dev/null 2>&1 &\necho $! >../pid\nsleep 0.3\n", to: "script")
        let setup = """
            mkdir '\(directory)'; cp /bin/sh '\(directory)/\(interpreter)'; cp /bin/sleep '\(directory)/\(job)'
            mv script '\(directory)/\(program)'; chmod +x '\(directory)/\(program)'
            mkfifo 'pipe-\(try secret("DB_PASS"))'; echo record-user >'c-\(try secret("GH_TOKEN"))'
            echo '*.o' >'x-\(try secret("GH_PAT"))'; touch a.txt
            """
        #expect(try run.shell(setup).status == 0)
        let result = try run.run(
            ["-q", "-k", "key.pem", "-n", "s", "--format", format, "-m", "key.pem.pub", "--allow-missing", "-m"]
                + ["pipe-*", "-p", "key.pem.pub", "-C", directory, "--exclude-from", "x-\(secret("GH_PAT"))"]
                + ["--config", "c-\(secret("GH_TOKEN"))", "-s"]
                + ["--annotate", "\(secret("GITHUB_TOKEN"))=b", "\(secret("CIRCLE_TOKEN"))=e", "--", "./\(program)"])
        _ = try run.shell("kill $(cat pid)")
        #expect(result.status == 0, "\(result.errorText)")
        #expect(result.errorText.contains("warning: the command line holds a secret, which is replaced"))
        #expect(result.errorText.contains("(job-***) outlives"))
        let name = try run.file(endingIn: format == "attestation" ? ".jsonl" : ".link")
        let bytes = try run.read(name)
        let payload = format == "link" ? bytes : try Array(JSONEncoding.payload(of: bytes))
        #expect(leaks(in: payload) == [])
        // Somebody has to find the file that is not recorded.
        #expect(leaks(in: result.errors) == ["DB_PASS"], "\(result.errorText)")
        let link = try Evidence.link(name, of: run)
        guard case .string(let place)? = link.environment["workdir"],
            case .array(let executables)? = link.environment["executables"],
            case .array(let jobs)? = link.byproduct("background-processes"), case .object(let job)? = jobs.first
        else { throw IntotoRun.SetupFailure(reason: "not all is recorded") }
        #expect(place.description.hasSuffix("/dir-***"))
        let paths = executables.map { value -> String in
            guard case .object(let object) = value, case .string(let path)? = object["path"] else { return "" }
            return path.description
        }
        #expect(paths.map { $0.hasSuffix("/dir-***/prog-***") } == [true, false], "\(paths)")
        #expect(paths.map { $0.hasSuffix("/dir-***/i-***") } == [false, true], "\(paths)")
        #expect(jobs.count == 1 && job["name"] == "job-***")
        #expect(link.environment["annotations"] == ["***": "b", "*** (2)": "e"])
        guard case .object(let configuration)? = link.environment["configuration"] else {
            throw IntotoRun.SetupFailure(reason: "no configuration is recorded")
        }
        #expect(configuration["path"] == "c-***")
    }

    @Test(arguments: [[], ["record", "start"]])
    func `one in the step's name is said, since it cannot be replaced`(verb: [String]) throws {
        let run = try project()
        let secret = try #require(Self.secrets["NPM_TOKEN"])
        for (name, isSaid) in [("v-\(secret)", true), ("v-1", false)] {
            let command = verb.isEmpty ? ["--format", "link", "--", "true"] : []
            let result = try run.run(verb + ["-q", "-k", "key.pem", "-n", name, "-m", "key.pem.pub"] + command)
            #expect(result.status == 0, "\(result.errorText)")
            #expect(
                result.errorText.contains("warning: the step's name holds a secret, which is not replaced") == isSaid)
        }
    }

    @Test func `none is in our own messages`() throws {
        let run = try project()
        let result = try run.run(
            ["-k", "key.pem", "-n", "s", "-m", "key.pem.pub", "-p", "key.pem.pub"] + Self.everything + ["--", "true"])
        #expect(result.status == 0)
        #expect(result.errorText.contains("not recorded, as they look secret"))
        #expect(leaks(in: result.errors + result.output) == [])
    }

    @Test func `everything at once cannot be asked for`() throws {
        let run = try project()
        let result = try run("-k", "key.pem", "-n", "s", "--env", "*", "--", "touch", "ran")
        #expect(result.status == 125)
        #expect(result.errorText.contains("--env: '*' names no environment variables"))
        #expect(leaks(in: result.errors) == [])
        #expect(try run.list() == ["key.pem", "key.pem.pub"])
    }

    @Test func `a secret that is named exactly is recorded, with a warning, and alone`() throws {
        let run = try project()
        let result = try run(
            "-k", "key.pem", "-n", "s", "--format", "link", "-m", "key.pem.pub", "--env", "NPM_TOKEN", "--", "true")
        #expect(result.errorText.contains("warning: --env NPM_TOKEN: looks secret, and is recorded as it is"))
        let name = try run.file(endingIn: ".link")
        #expect(leaks(in: try run.read(name)) == ["NPM_TOKEN"])
    }
}

/// The payload of a bundle's one envelope.
private enum JSONEncoding {
    static func payload(of bundle: [UInt8]) throws -> Data {
        let object = try JSONSerialization.jsonObject(with: Data(bundle)) as? [String: Any]
        let text = try #require(object?["payload"] as? String)
        return try #require(Data(base64Encoded: text))
    }
}
