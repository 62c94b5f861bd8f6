import Foundation
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct HelpTests {
    private static let verbs: [[String]] = [
        ["run"], ["record"], ["record", "start"], ["record", "stop"], ["key"], ["key", "generate"], ["inspect"],
        ["diff"],
        ["sign"], ["attest"], ["match-products"], ["bundle"], ["bundle", "create"], ["bundle", "add"],
        ["bundle", "split"], ["bundle", "list"], ["completions"],
    ]

    @Test(arguments: verbs)
    func `the help of a verb has an example`(verb: [String]) throws {
        let help = try IntotoRun().run(verb + ["--help"])
        #expect(help.status == 0 && help.errors == [])
        #expect(help.outputText.contains("Example") || verb == ["key"], "\(help.outputText)")
        #expect(help.outputText.contains("intoto-run \(verb.joined(separator: " "))") || verb == ["run"])
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
