import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// What evidence says of where a step took place.
@Suite(.temporaryDirectory) struct EnvironmentTests {
    private let signed = ["-q", "-k", "key.pem", "-n", "s", "--format", "link", "-m", "key.pem.pub", "--overwrite"]

    private func project(_ variables: [String: String] = [:]) throws -> IntotoRun {
        var run = IntotoRun()
        run.environment.merge(variables) { $1 }
        try run.makeKey()
        return run
    }

    private func environment(
        _ run: IntotoRun, _ options: [String] = [], command: [String] = ["true"]
    ) throws -> JSONObject {
        let result = try run.run(signed + options + ["--"] + command)
        #expect(result.status == 0, "\(result.errorText)")
        return try Evidence.link(of: run).environment
    }

    private func object(_ name: Text, of object: JSONObject) throws -> JSONObject {
        guard case .object(let member)? = object[name] else {
            throw IntotoRun.SetupFailure(reason: "no object '\(name)'")
        }
        return member
    }

    private func output(_ program: String, _ arguments: String...) throws -> String {
        try Subprocess.run(program, arguments).outputText.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test func `the platform is what uname and os-release say`() throws {
        var run = try project()
        let platform = try object("platform", of: environment(run))
        #expect(platform["os"] == "linux")
        #expect(platform["kernel"] == .string(Text(try output("/bin/uname", "-r"))))
        #expect(platform["architecture"] == .string(Text(try output("/bin/uname", "-m"))))
        let identity = try output("/bin/sh", "-c", ". /etc/os-release; echo $ID")
        #expect(platform["distribution"] == .string(Text(identity)))
        guard case .bool? = platform["container"] else { throw IntotoRun.SetupFailure(reason: "no container") }
        run.environment["container"] = "oci"
        let named = try object("platform", of: environment(run))
        #expect(named["container"] == true)
        guard case .array(let signs)? = named["container-signs"] else {
            throw IntotoRun.SetupFailure(reason: "no signs")
        }
        #expect(signs.contains("variable 'container'"))
    }

    // MARK: The tool

    @Test func `the tool's own digest is that of its file, where it is asked for or the command is long`() throws {
        let run = try project()
        let digest = try output("/usr/bin/sha256sum", BuiltProduct.intotoRun.path).prefix(64)
        let expected = JSONValue.string(Text(String(digest)))
        #expect(try object("tool", of: environment(run, ["--tool-digest", "always"]))["sha256"] == expected)
        let beside = try object("tool", of: environment(run, command: ["sleep", "3"]))
        #expect(beside["sha256"] == expected)
        #expect(try object("tool", of: environment(run))["sha256"] == nil)
        let never = try environment(run, ["--tool-digest", "never"], command: ["sleep", "1"])
        #expect(try object("tool", of: never)["sha256"] == nil)
        #expect(try run.run(signed + ["--tool-digest", "maybe", "--", "touch", "ran"]).status == 125)
        #expect(try !run.list().contains("ran"))
    }

    @Test func `the tool's build id is the linker's`() throws {
        let notes = try output("/usr/bin/readelf", "-n", BuiltProduct.intotoRun.path)
        let line = try #require(notes.split(separator: "\n").first { $0.contains("Build ID: ") })
        let identifier = try #require(line.split(separator: " ").last)
        #expect(try object("tool", of: environment(project()))["build-id"] == .string(Text(String(identifier))))
    }

    @Test func `an ordinary user gets the tool's digest, too`() throws {
        let run = try project()
        _ = try run.shell("chmod 777 .; mkdir out; chmod 777 out")
        _ = try run.shell("chmod 644 key.pem; chown 65534 key.pem")
        let result = try run.asOrdinaryUser(
            "-q", "-k", "key.pem", "-n", "s", "--format", "link", "-m", "key.pem.pub", "-d", "out", "--tool-digest",
            "always", "--", "true")
        #expect(result.status == 0, "\(result.errorText)")
        let link = try Evidence.link(of: run, in: "out")
        #expect(try object("tool", of: link.environment)["sha256"] != nil)
    }

    // MARK: Who

    @Test func `the user is recorded where that is asked for, and nothing names them otherwise`() throws {
        let run = try project()
        #expect(try environment(run)["user"] == nil)
        let user = try object("user", of: environment(run, ["--record-user"]))
        #expect(user["uid"] == .integer(Int64(getuid())))
        #expect(user["gid"] == .integer(Int64(getgid())))
        #expect(user["name"] == .string(Text(try output("/usr/bin/id", "-un"))))
    }

    // MARK: Options

    @Test func `options in force are listed with their sources, those at their defaults are not`() throws {
        let run = try project(["INTOTO_KEY": "key.pem"])
        try run.write("digest sha256,sha512\nexclude *.o\nexclude *.a\n", to: "options")
        let result = try run.run(
            ["-qs", "-n", "s", "--format=link", "-m", "key.pem.pub", "options", "-m", "options", "--config", "options"]
                + ["--allow-missing", "--", "true"])
        #expect(result.status == 0, "\(result.errorText)")
        let expected: JSONValue = [
            ["name": "digest", "source": "configuration", "values": ["sha256,sha512"]],
            ["name": "exclude", "source": "configuration", "values": ["*.o", "*.a"]],
            ["name": "quiet", "source": "argument"],
            ["name": "record-streams", "source": "argument", "values": ["full"]],
            ["name": "name", "source": "argument", "values": ["s"]],
            ["name": "format", "source": "argument", "values": ["link"]],
            ["name": "materials", "source": "argument", "values": ["key.pem.pub", "options", "options"]],
            ["name": "config", "source": "argument", "values": ["options"]],
            ["name": "allow-missing", "source": "argument"],
            ["name": "key", "source": "variable INTOTO_KEY"],
        ]
        #expect(try Evidence.link(of: run).environment["options"] == expected)
    }

    @Test func `of keys and passphrases only that they were given is listed`() throws {
        let run = try project()
        try run.write("pass\n", to: "phrase")
        _ = try run.shell("chmod 600 phrase; \"$R\" key generate --passphrase-file phrase locked.pem")
        let result = try run(
            "-q", "-k", "locked.pem", "--passphrase-file", "phrase", "-n", "s", "--use-dsse", "-m", "key.pem.pub", "--",
            "true")
        #expect(result.status == 0, "\(result.errorText)")
        guard case .array(let options)? = try Evidence.link(of: run).environment["options"] else {
            throw IntotoRun.SetupFailure(reason: "no options")
        }
        #expect(options.contains(["name": "key", "source": "argument"]))
        #expect(options.contains(["name": "passphrase-file", "source": "argument"]))
        #expect(options.contains(["name": "format", "source": "argument", "values": ["dsse-link"]]))
    }

    @Test func `a secret in an option's value is replaced`() throws {
        let run = try project(["API_TOKEN": "s3cr3t-value"])
        let environment = try environment(run, ["--exclude", "x-s3cr3t-value", "--annotate", "to=s3cr3t-value"])
        guard case .array(let options)? = environment["options"] else {
            throw IntotoRun.SetupFailure(reason: "no options")
        }
        #expect(options.contains(["name": "exclude", "source": "argument", "values": ["x-***"]]))
        #expect(environment["annotations"] == ["to": "***"])
    }

    @Test func `files of patterns are recorded with their digests`() throws {
        let run = try project()
        #expect(try environment(run)["ignore-files"] == nil)
        try run.write("*.o\n", to: "first")
        try run.write("", to: "second")
        let files = try environment(run, ["--exclude-from", "first", "second"])["ignore-files"]
        let digests = try ["first", "second"].map { name -> JSONValue in
            let path = run.directory.appending(path: name).path
            return [
                "path": .string(Text(name)),
                "sha256": .string(Text(String(try output("/usr/bin/sha256sum", path).prefix(64)))),
            ]
        }
        #expect(files == .array(digests))
    }

    // MARK: Variables

    @Test func `variables are recorded by name and by prefix, and none without`() throws {
        let run = try project([
            "BUILD_A": "1", "BUILD_B": "two\nlines", "BUILD_TOKEN": "hidden-value", "OTHER": "x", "EMPTY": "",
        ])
        #expect(try environment(run)["variables"] == nil)
        let environment = try environment(run, ["--env", "BUILD_*", "EMPTY"])
        #expect(environment["variables"] == ["BUILD_A": "1", "BUILD_B": "two\nlines", "EMPTY": ""])
        #expect(environment["variables-withheld"] == ["BUILD_TOKEN"])
    }

    @Test func `a value that holds a secret of another variable is masked, one that looks secret is withheld`() throws {
        let run = try project([
            "FLAGS": "--password=s3cr3t-value", "DB_PASSWORD": "s3cr3t-value", "HTTP_PROXY": "http://u:p@proxy:1",
        ])
        let environment = try environment(run, ["--env", "FLAGS", "HTTP_PROXY"])
        #expect(environment["variables"] == ["FLAGS": "--password=***"])
        #expect(environment["variables-withheld"] == ["HTTP_PROXY"])
    }

    @Test func `a value that is no text is recorded exactly`() throws {
        let run = try project()
        let result = try run.shell("X=$(printf 'a\\377b') \"$R\" \(signed.joined(separator: " ")) --env X -- true")
        #expect(result.status == 0, "\(result.errorText)")
        let variables = try Evidence.link(of: run).environment["variables"]
        #expect(variables == ["X": "a\u{FFFD}b", "X-base64": "Yf9i"])
    }

    @Test func `a variable that is not set is warned of`() throws {
        let run = try project()
        let result = try run.run(signed + ["--env", "NOT_THERE", "--", "true"])
        #expect(result.errorText == "intoto-run: warning: --env NOT_THERE: is not set\n")
    }

    @Test(arguments: ["*", "A=B", "A*B", "", "INTOTO_KEY", "INTOTO_KEY_PASSPHRASE"])
    func `what names no variable, or ours, is refused before anything runs`(name: String) throws {
        let run = try project(["INTOTO_KEY_PASSPHRASE": "never-recorded"])
        let result = try run.run(signed + ["--env", name, "--", "touch", "ran"])
        #expect(result.status == 125)
        #expect(result.errorText.contains("--env"))
        #expect(!result.errorText.contains("never-recorded"))
        #expect(try !run.list().contains("ran"))
    }

    // MARK: Annotations

    @Test func `annotations are recorded as they are`() throws {
        let environment = try environment(
            project(), ["--annotate", "ticket=OPS-12", "empty=", "--annotate", "equation=a=b", "größe=1 m"])
        #expect(
            environment["annotations"] == ["ticket": "OPS-12", "empty": "", "equation": "a=b", "größe": "1 m"])
    }

    @Test(arguments: [
        ["ticket"], ["=x"], ["a\nb=x"], ["a\u{202E}b=x"], ["a=1", "a=2"], [String(repeating: "a", count: 201) + "=x"],
    ]) func `what is no annotation is refused before anything runs`(annotations: [String]) throws {
        let run = try project()
        let result = try run.run(signed + ["--annotate"] + annotations + ["--", "touch", "ran"])
        #expect(result.status == 125)
        #expect(result.errorText.hasPrefix("intoto-run: error: --annotate '"))
        #expect(try run.list() == ["key.pem", "key.pem.pub"])
    }
}
