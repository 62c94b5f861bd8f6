import Foundation
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct HelpTests {
    private static let groups = [[], ["record"], ["key"], ["bundle"], ["layout"]]

    /// Every verb that does something.
    private static let leaves: [[String]] = [
        ["run"], ["record", "start"], ["record", "stop"], ["key", "generate"], ["key", "show"], ["key", "id"],
        ["key", "convert"], ["inspect"], ["diff"], ["sign"], ["attest"], ["match-products"], ["bundle", "create"],
        ["bundle", "add"], ["bundle", "split"], ["bundle", "list"], ["verify"], ["layout", "init"], ["layout", "lint"],
        ["layout", "sign"], ["layout", "show"], ["completions"],
    ]
    private static let verbs = leaves + groups.filter { !$0.isEmpty }

    /// A newcomer who adds a verb has to add it here, and so to write its example.
    @Test func `the lists of verbs are the program's`() throws {
        struct Command: Decodable {
            var commandName: String
            var subcommands: [Command]?

            func paths(_ above: [String] = []) -> [[String]] {
                (subcommands ?? []).filter { $0.commandName != "help" }.flatMap { verb in
                    [above + [verb.commandName]] + verb.paths(above + [verb.commandName])
                }
            }
        }
        struct Dump: Decodable { var command: Command }
        let dump = try JSONDecoder().decode(Dump.self, from: Data(IntotoRun()("--experimental-dump-help").output))
        #expect(Set(dump.command.paths()) == Set(Self.verbs))
    }

    /// The examples of a verb's help, one a line: lines that the terminal would break are put together again.
    private static func examples(_ verb: [String]) throws -> [String] {
        let help = try IntotoRun().run(verb + ["--help"]).outputText
        guard let start = help.firstRange(of: #/Examples?: /#) else { return [] }
        var examples: [String] = []
        for line in help[start.upperBound...].split(separator: "\n", omittingEmptySubsequences: false) {
            let text = line.trimmingCharacters(in: .whitespaces)
            if text.isEmpty { break }
            if text.hasPrefix("intoto-run ") || text == "…" {
                examples.append(text)
            } else if !examples.isEmpty {
                examples[examples.count - 1] += " " + text
            }
        }
        return examples.filter { $0 != "…" }.map { example in
            // What stands in brackets explains.
            example.replacing(#/ {2,}\(.*$/#, with: "")
        }
    }

    @Test(arguments: groups + leaves)
    func `the help of a verb has examples that name it`(verb: [String]) throws {
        let help = try IntotoRun().run(verb + ["--help"])
        #expect(help.status == 0 && help.errors == [])
        let examples = try Self.examples(verb)
        #expect(!examples.isEmpty)
        for example in examples {
            #expect(example.hasPrefix("intoto-run \(verb.joined(separator: " "))") || verb == ["run"], "\(example)")
        }
    }

    /// What the examples are about, under the names that they use.
    private static let project = """
        set -e
        mkdir -p src dist here there links parts etc
        echo 'int x;' >src/main.c; echo one >dist/app; printf 'all:\n\t@cp src/main.c dist/app\ndist: all\n' >Makefile
        echo '{"result": "PASSED", "configuration": [{"uri": "https://ci.example/7"}]}' >result.json
        for key in ci.pem me.pem owner.pem alice.pem; do "$R" key generate $key >/dev/null; done
        cp owner.pem.pub owner.pub; ssh-keygen -q -t ed25519 -N '' -C throwaway -f id_ed25519
        step="$R -q -n build -m src -p dist -k"
        $step alice.pem --format link -d links -- make
        $step ci.pem --format link -d here -- make; $step ci.pem --format link -d there -- make
        cp here/build.*.link build.1234abcd.link
        $step ci.pem -- make; mv build.*.intoto.jsonl build.1234abcd.intoto.jsonl
        cp build.1234abcd.intoto.jsonl app.intoto.jsonl; cp build.1234abcd.intoto.jsonl sbom.json
        "$R" -q -x -n test -p dist -k ci.pem; mv test.*.intoto.jsonl test.1234abcd.intoto.jsonl
        python3 -c 'import json; a = json.load(open("build.1234abcd.link")); a["signatures"] = []; \
            json.dump(a, open("kept-1.build.link.unsigned.json", "w"))'
        "$R" layout init links/*.link --verification-keys alice.pem.pub -o draft.yaml 2>/dev/null
        "$R" layout sign draft.yaml -k owner.pem -o root.layout 2>/dev/null
        """

    /// What an example writes anew is taken away first, and what it needs to have happened is done.
    private static let before: [String: String] = [
        "record stop": "\"$R\" record start -q -n edit -k me.pem -m src",
        "key": "rm -f ci.pem ci.pem.pub", "key generate": "rm ci.pem ci.pem.pub", "key convert": "rm ci.pem",
        "bundle": "rm app.intoto.jsonl", "bundle create": "rm app.intoto.jsonl",
        "layout": "rm draft.yaml root.layout", "layout init": "rm draft.yaml", "layout sign": "rm root.layout",
        "run": "rm build.*.intoto.jsonl", "": "rm build.*.intoto.jsonl",
    ]

    @Test(arguments: groups + leaves)
    func `every example does what it says`(verb: [String]) throws {
        let run = IntotoRun()
        let made = try run.shell(Self.project)
        #expect(made.status == 0, "\(made.errorText)")
        let examples = try Self.examples(verb).map { example in
            example.replacing("intoto-run ", with: "\"$R\" ").replacing(#/>(/|~/\.config/)/#, with: ">etc/")
                .replacing(#/etc/[a-z/_.-]*/([a-z_.-]+)$/#) { "etc/\($0.1)" }
        }
        let script = (["cp ci.pem old.pem", Self.before[verb.joined(separator: " "), default: ":"]] + examples)
            .joined(separator: "\n")
        let result = try run.shell("set -e\n\(script)")
        #expect(result.status == 0, "\(script)\n\(result.outputText)\(result.errorText)")
    }

    @Test(arguments: leaves.filter { ![["run"], ["completions"]].contains($0) })
    func `a verb that answers or writes says it as JSON, too`(verb: [String]) throws {
        #expect(try IntotoRun().run(verb + ["--help"]).outputText.contains("--json"))
    }

    @Test(arguments: [
        (["--nmae", "x", "--", "true"], "--nmae", "--name"),
        (["run", "--material", "x", "--", "true"], "--material", "--materials"),
        (["inspect", "--al", "x"], "--al", "--all"),
        (["record", "start", "--step-nam", "x"], "--step-nam", "--step-name"),
        (["sign", "--apend", "x"], "--apend", "--append"), (["attest", "--subjects", "x"], "--subjects", "--subject"),
    ])
    func `an unknown option suggests the near one`(arguments: [String], typed: String, near: String) throws {
        let result = try IntotoRun().run(arguments)
        #expect(
            result.errorText.hasPrefix("intoto-run: error: Unknown option '\(typed)'. Did you mean '\(near)'?"),
            "\(result.errorText)")
        #expect(result.status == (arguments[0] == "run" || arguments[0].hasPrefix("-") ? 125 : 2))
    }

    @Test(arguments: [
        (["key", "convert", "k"], "key convert"), (["record", "start", "--nmae", "x"], "record start"),
        (["inspect"], "inspect"), (["bundle", "nothing"], "bundle"), (["--nothing", "--", "true"], ""),
    ])
    func `a mistake leads to the help of the verb that was meant`(arguments: [String], verb: String) throws {
        let result = try IntotoRun().run(arguments)
        #expect(
            result.errorText.hasSuffix("\nintoto-run: hint: see intoto-run \(verb.isEmpty ? "" : verb + " ")--help\n"),
            "\(result.errorText)")
    }

    @Test(arguments: [
        (["-P", "secret"], "hint: a passphrase is no argument here"),
        (["--gpg"], "hint: name the key with --key gpg:FINGERPRINT"),
        (["--gpg-home", "x"], "hint: set GNUPGHOME"), (["--cert", "x"], "hint: certificates are not written"),
    ])
    func `options of other runners that are not ours say what to write instead`(option: [String], hint: String) throws {
        let result = try IntotoRun().run(["-n", "s"] + option + ["--", "true"])
        #expect(result.status == 125 && result.errorText.contains(hint), "\(result.errorText)")
        #expect(!result.errorText.contains("secret"))
    }

    @Test(arguments: [("bash", "-n"), ("zsh", "-n"), ("fish", "-n")])
    func `completions are scripts that their shell takes`(shell: String, check: String) throws {
        let run = IntotoRun()
        let result = try run("completions", shell)
        #expect(result.status == 0 && result.errors == [])
        for word in ["match-products", "lstrip-paths", "record"] { #expect(result.outputText.contains(word)) }
        try run.write(result.outputText, to: "script")
        let checked = try run.shell("\(shell) \(check) script")
        #expect(checked.status == 0 && checked.errors == [], "\(checked.errorText)")
    }

    @Test func `bash completes verbs and options`() throws {
        let run = IntotoRun()
        try run.write(run("completions", "bash").outputText, to: "script")
        let completed = try run.shell(
            """
            exec bash -c 'PATH=$(dirname "$R"):$PATH; . ./script
            try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
              _intoto-run intoto-run "${COMP_WORDS[COMP_CWORD]}" ""; echo "${COMPREPLY[@]}"; }
            try intoto-run mat; try intoto-run inspect --al; try intoto-run completions f'
            """)
        let lines = completed.outputText.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(lines == ["match-products", "--all", "fish"], "\(completed.outputText)\(completed.errorText)")
    }

    @Test func `there is a manual page for each verb, of the same options, that man takes`() throws {
        let run = IntotoRun()
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
        var environment = ProcessInfo.processInfo.environment
        environment["INTOTO_RUN"] = BuiltProduct.intotoRun.path
        let made = try Subprocess.run(
            root.appending(path: "scripts/man-pages").path, [run.directory.path], environment: environment)
        #expect(made.status == 0, "\(made.errorText)")
        let pages = try run.list()
        for verb in Self.verbs { #expect(pages.contains("intoto-run-\(verb.joined(separator: "-")).1")) }
        for page in pages {
            let shown = try run.shell("LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l ./\(page)")
            #expect(shown.status == 0 && shown.errors == [] && shown.outputText.contains("NAME"), "\(shown.errorText)")
        }
        let run1 = try run.shell("MANWIDTH=200 man -l ./intoto-run-run.1").outputText
        for word in ["--lstrip-paths", "--record-streams", "Exit status:"] { #expect(run1.contains(word)) }
    }

    @Test(arguments: [["completions"], ["completions", "csh"]])
    func `a shell that we do not know is an error`(arguments: [String]) throws {
        #expect(try IntotoRun().run(arguments).status == 2)
    }
}
