import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// What the end of a step by hand adds to its beginning.
@Suite(.temporaryDirectory) struct RecordEndTests {
    private let run = IntotoRun()

    init() throws {
        try run.makeKey()
        try run.makeKey("other.pem")
        try run.write("one\n", to: "src/a")
    }

    private static let start = ["record", "start", "-n", "edit", "-k", "key.pem", "-m", "src"]
    private static let stop = ["record", "stop", "-n", "edit", "-k", "key.pem", "-p", "src"]

    private func succeed(_ arguments: [String], in other: IntotoRun? = nil) throws {
        let result = try (other ?? run).run(arguments)
        #expect(result.status == 0, "\(result.errorText)")
    }

    // MARK: The repository

    /// In a repository, with the key and the evidence outside.
    private static let outside = ["-n", "edit", "-k", "../key.pem", "--format", "link", "-d", "..", "--overwrite"]

    private func record(of link: Link) throws -> JSONObject {
        guard case .object(let object)? = link.environment["git"] else {
            throw IntotoRun.SetupFailure(reason: "there is no git record")
        }
        return object
    }

    @Test(arguments: [
        "true", "echo zz >>a; git commit -qam z", "git checkout -qb other; git tag -d v1; git remote remove origin",
        "git tag v2; echo n >new; rm d/b", "git checkout -q --detach; git remote set-url origin https://example.org/",
        "echo nonsense >.git/HEAD",
    ])
    func `what becomes of the repository is recorded as a run records it`(script: String) throws {
        let git = try GitCommands.repository("hand")
        try git("git remote add origin https://example.com/; git tag v1; cp -a . ../run")
        var byHand = IntotoRun(in: git.directory)
        var asRun = IntotoRun(in: git.directory.deletingLastPathComponent().appending(path: "run"))
        let dates = ["GIT_AUTHOR_DATE": "@1750000000 +0000", "GIT_COMMITTER_DATE": "@1750000000 +0000"]
        for key in GitCommands.environment.merging(dates, uniquingKeysWith: { $1 }) {
            byHand.environment[key.key] = key.value
            asRun.environment[key.key] = key.value
        }
        try succeed(["record", "start", "-m", "a"] + Self.outside, in: byHand)
        _ = try byHand.shell(script)
        let stopped = try byHand.run(["record", "stop", "-p", "d"] + Self.outside)
        #expect(stopped.status == 0, "\(stopped.errorText)")
        let hand = try record(of: Evidence.link(of: run))
        try succeed(["-m", "a", "-p", "d"] + Self.outside + ["--", "sh", "-c", script], in: asRun)
        let once = try record(of: Evidence.link(of: run))
        #expect(hand["after"] != nil && hand["before"] == once["before"] && hand["commit"] == once["commit"])
        if script.contains("nonsense") {
            guard case .object(let after)? = hand["after"] else { throw IntotoRun.SetupFailure(reason: "no after") }
            #expect(after.members.map(\.name) == ["not-recorded"])
            #expect(stopped.errorText.contains("warning: git: not recorded: "))
        } else {
            #expect(hand["after"] == once["after"], "\(hand) \(once)")
        }
    }

    @Test func `neither the record nor the evidence makes the work tree unclean`() throws {
        let git = try GitCommands.repository()
        let inside = IntotoRun(in: git.directory)
        let options = ["-n", "edit", "-k", "../key.pem", "--format", "link"]
        try succeed(["record", "start", "-m", "a"] + options, in: inside)
        try succeed(["record", "stop", "-p", "a"] + options, in: inside)
        guard case .object(let after)? = try record(of: Evidence.link(of: inside))["after"] else {
            throw IntotoRun.SetupFailure(reason: "no after")
        }
        #expect(after["clean"] == true && after["untracked"] == nil)
    }

    @Test func `what the beginning did not look at is left alone`() throws {
        let git = try GitCommands.repository()
        let inside = IntotoRun(in: git.directory)
        try succeed(["record", "start", "-m", "a", "--git", "off"] + Self.outside, in: inside)
        try succeed(["record", "stop", "-p", "a"] + Self.outside, in: inside)
        #expect(try Evidence.link(of: run).environment["git"] == nil)
    }

    @Test func `what a run has seen of the repository stays`() throws {
        let git = try GitCommands.repository()
        let inside = IntotoRun(in: git.directory)
        let kept = try inside.run(
            ["-m", "a", "-p", "d"] + Self.outside + ["--", "sh", "-c", "echo n >new; touch d/$(printf '\\377')"])
        #expect(kept.status == 125, "\(kept.errorText)")
        try git("rm -r new d; mkdir d; echo x >d/x")
        try succeed(["record", "stop"] + Self.outside, in: inside)
        guard case .object(let after)? = try record(of: Evidence.link(of: run))["after"] else {
            throw IntotoRun.SetupFailure(reason: "no after")
        }
        #expect(after["deleted"] == nil && after["untracked"] != nil)
    }

    // MARK: Options

    @Test func `its options and pattern files stand behind those of the beginning`() throws {
        try run.write("*.o\n", to: "first")
        try run.write("*.tmp\n", to: "second")
        try succeed(Self.start + ["--format", "link", "--exclude-from", "first"])
        try succeed(
            Self.stop + ["--exclude-from", "first", "second", "--digest", "sha512", "--command", "vi x"]
                + ["--return-value", "3", "--byproduct", "a=b"])
        let environment = try Evidence.link(of: run).environment
        func digest(_ name: String) throws -> JSONValue {
            .string(Text(String(try run.shell("sha256sum <\(name)").outputText.prefix(64))))
        }
        #expect(
            environment["ignore-files"]
                == [
                    ["path": "first", "sha256": try digest("first")],
                    ["path": "second", "sha256": try digest("second")],
                ])
        func option(_ name: Text, _ values: JSONValue? = nil, verb: JSONValue? = "record stop") -> JSONValue {
            var object: JSONObject = ["name": .string(name), "source": "argument"]
            object["values"] = values
            object["verb"] = verb
            return .object(object)
        }
        #expect(
            environment["options"]
                == .array([
                    option("name", ["edit"], verb: nil), option("key", verb: nil),
                    option("materials", ["src"], verb: nil), option("format", ["link"], verb: nil),
                    option("exclude-from", ["first"], verb: nil),
                    option("name", ["edit"]), option("key"), option("products", ["src"]),
                    option("exclude-from", ["first", "second"]), option("digest", ["sha512"]),
                    option("command"), option("return-value"), option("byproduct"),
                ]))
    }

    @Test func `the end masks what it is told to, and what the beginning or a run was told to`() throws {
        var run = run
        run.environment.merge(["PLAIN": "plain-value", "OTHER": "other-value"]) { $1 }
        try succeed(Self.start + ["--format", "link", "--redact", "PLA*"], in: run)
        let said = ["--command", "x plain-value other-value", "--redact", "OTHER"]
        try succeed(Self.stop + said, in: run)
        #expect(try Evidence.link(of: run).command == ["x", "***", "***"])
        try succeed(Self.start + ["--format", "link"], in: run)
        try succeed(Self.stop + said + ["--overwrite"], in: run)
        #expect(try Evidence.link(of: run).command == ["x", "plain-value", "***"])

        let kept = try run.run(
            ["-n", "edit", "-k", "key.pem", "--format", "link", "--overwrite", "-m", "src", "-p", "src"]
                + ["--redact", "PLAIN", "--", "sh", "-c", "touch src/$(printf '\\377')"])
        #expect(kept.status == 125)
        _ = try run.shell("cd src; rm -- *[!a]; touch plain-value.o")
        try succeed(
            ["record", "stop", "-n", "edit", "-k", "key.pem", "--overwrite", "--exclude", "*.o"], in: run)
        #expect(
            try Evidence.link(of: run).environment["excluded"]
                == ["products": [["pattern": "*.o", "paths": 1, "first": ["src/***.o"]]]])
    }

    // MARK: A record that was left behind

    @Test(arguments: [["attestation"], ["link"], ["dsse-link", "other.pem"]])
    func `a step whose evidence is in its place is finished already`(item: [String]) throws {
        let options = ["--format", item[0]] + (item.count > 1 ? ["-k", item[1]] : [])
        try succeed(Self.start + options)
        let record = try run.file(endingIn: "-unfinished")
        _ = try run.shell("cp -p \(record) saved")
        try succeed(Self.stop + options)
        let names = try run.list().filter { $0.hasPrefix("edit.") }
        let before = try names.map(run.read)
        // As a crash between the two leaves it; then the step's files change.
        _ = try run.shell("cp -p saved \(record)")
        try run.write("later\n", to: "src/a")
        let again = try run.run(Self.stop + options)
        #expect(again.status == 0)
        let shown = names.map { "./\($0)" }
        #expect(
            Set(again.errorText.split(whereSeparator: { " ,;\n".contains($0) }).map(String.init)).isSuperset(of: shown))
        #expect(again.errorText.hasPrefix("intoto-run: the step is finished already: ./edit."))
        #expect(try names.map(run.read) == before && !run.list().contains(record))
        // Whoever says so signs what is there now.
        _ = try run.shell("cp -p saved \(record)")
        try succeed(Self.stop + options + ["--overwrite"])
        #expect(try names.map(run.read) != before && !run.list().contains(record))
    }

    @Test func `evidence of another time, of others or of other materials is in the way as ever`() throws {
        func expectInTheWay(sourceLocation: SourceLocation = #_sourceLocation) throws {
            let result = try run.run(Self.stop)
            #expect(result.status == 2, sourceLocation: sourceLocation)
            #expect(
                result.errorText.contains("is there already\nintoto-run: hint: give --overwrite"),
                "\(result.errorText)", sourceLocation: sourceLocation)
            #expect(try run.list().contains { $0.hasSuffix("-unfinished") }, sourceLocation: sourceLocation)
        }
        // Begun after the evidence was written, though maybe in the same second.
        try succeed(Self.start + ["--format", "link"])
        try succeed(Self.stop)
        try succeed(Self.start + ["--format", "link"])
        try expectInTheWay()
        // Younger than the record, but of other materials.
        let name = try run.file(endingIn: ".link")
        _ = try run.shell("mv .edit.* saved; echo other >src/a")
        try succeed(Self.start + ["--format", "link"])
        try succeed(Self.stop + ["--overwrite"])
        _ = try run.shell("mv saved .\(name)-unfinished")
        try expectInTheWay()
        // All that it should be, but for the signature.
        _ = try run.shell("rm .edit.* \(name)")
        try succeed(Self.start + ["--format", "link"])
        _ = try run.shell("cp -p .edit.* saved")
        try succeed(Self.stop)
        _ = try run.shell("cp -p saved .\(name)-unfinished; sed -i 's/\"finished\"/\"finish\"/' \(name)")
        try expectInTheWay()
        try run.write("no evidence", to: name)
        try expectInTheWay()
    }

    @Test func `that a step is finished is said as JSON, too`() throws {
        try succeed(Self.start)
        let record = try run.file(endingIn: "-unfinished")
        _ = try run.shell("cp -p \(record) saved")
        try succeed(Self.stop)
        _ = try run.shell("mv saved \(record)")
        let again = try run.run(Self.stop + ["-q", "--json"])
        #expect(again.status == 0 && again.errors == [])
        let json = try JSONReader.read(again.output)
        #expect(try json == ["finishedAlready": [.string(Text("./" + run.file(endingIn: ".jsonl")))], "written": []])
    }
}
