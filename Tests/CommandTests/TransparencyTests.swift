import Foundation
import InTotoMetadata
import TestSupport
import Testing

@Suite(.temporaryDirectory) struct TransparencyTests {
    @Test(arguments: ["", "-s"])
    func `standard input, output and error go through untouched`(recording: String) throws {
        let run = IntotoRun()
        try run.makeKey()
        let input = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let options = ["-q", "-k", "key.pem", "-n", "s"] + (recording.isEmpty ? [] : [recording])
        let result = try run.run(options + ["--", "sh", "-c", "cat; printf 'e\\001\\377' >&2"], input: input)
        #expect(result.output == input)
        #expect(result.errors == [0x65, 0x01, 0xFF])
    }

    @Test func `recorded streams are exact, with length and digest of the whole`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run(
            "-s", "-k", "key.pem", "-n", "s", "--format", "link", "--", "sh", "-c",
            "seq 1 100000; printf 'a\\r\\nb' >&2")
        #expect(result.status == 0)
        let link = try Evidence.link(of: run)
        let expected = (1...100_000).map { "\($0)\n" }.joined()
        #expect(link.byproduct("stdout") == .string(Text(expected)))
        #expect(link.byproduct("stdout-length") == .integer(Int64(expected.utf8.count)))
        #expect(link.byproduct("stderr") == .string("a\r\nb"))
        let digest = try run.shell("seq 1 100000 | sha256sum | cut -c1-64").outputText.dropLast()
        #expect(link.byproduct("stdout-sha256") == .string(Text(String(digest))))
    }

    @Test func `output that is not UTF-8 is recorded exactly beside its text`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run("-s", "-k", "key.pem", "-n", "s", "--format", "link", "--", "printf", "x\\377y")
        let link = try Evidence.link(of: run)
        #expect(link.byproduct("stdout") == .string("x\u{FFFD}y"))
        #expect(link.byproduct("stdout-base64") == .string("eP95"))
    }

    @Test func `output beyond the limit keeps both ends, and says what is missing`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run.shell(
            "\"$R\" -q -s -k key.pem -n s --format link -m key.pem.pub -- sh -c 'echo first; head -c 30000000 /dev/zero | tr \"\\000\" x; echo last' | wc -c"
        )
        #expect(result.outputText.trimmingCharacters(in: .whitespacesAndNewlines) == "30000011")
        let link = try Evidence.link(of: run)
        guard case .string(let text)? = link.byproduct("stdout") else {
            throw IntotoRun.SetupFailure(reason: "no stdout")
        }
        #expect(text.description.hasPrefix("first\nxxx"))
        #expect(text.description.hasSuffix("xxxlast\n"))
        #expect(link.byproduct("stdout-length") == .integer(30_000_011))
        #expect(link.byproduct("stdout-omitted") == .integer(30_000_011 - (8 << 20)))
    }

    @Test func `200,000 bytes on standard error before any output do not block`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run(
            "-q", "-s", "-k", "key.pem", "-n", "s", "--", "sh", "-c", "head -c 200000 /dev/zero >&2; echo end")
        #expect(result.errors.count == 200_000)
        #expect(result.outputText == "end\n")
    }

    @Test func `a process left behind does not hold up the end`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let start = Date()
        let result = try run("-q", "-s", "-k", "key.pem", "-n", "s", "--", "sh", "-c", "sleep 600 & echo $!")
        #expect(result.status == 0)
        #expect(Date().timeIntervalSince(start) < 120)
        _ = try run.shell("kill \(result.outputText)")
    }

    @Test(arguments: ["", "-s"])
    func `a writer to the command's input sees when the command reads no more`(mode: String) throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run.shell(
            """
            { yes; echo $? >writer; } | "$R" -q \(mode) -k key.pem -n s -- \
                sh -c 'head -n 1; exec <&-; for i in $(seq 600); do [ -s writer ] && break; sleep 0.1; done; cat writer'
            """)
        #expect(result.outputText == "y\n141\n")
    }

    @Test func `a reader that goes away ends the command as it would without us`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run.shell(
            "{ \"$R\" -q -s -k key.pem -n s --format link -m key.pem.pub -- yes; echo $? >status; } | head -n 1")
        #expect(result.outputText == "y\n")
        #expect(try run.read("status") == Array("141\n".utf8))
    }

    @Test func `arguments and environment are bytes`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run.shell(
            "V=$(printf 'v\\377') \"$R\" -q -k key.pem -n s --format link -m key.pem.pub -- sh -c 'printf %s \"$1$V\"' sh \"$(printf 'caf\\351')\""
        )
        #expect(result.output == Array("caf".utf8) + [0xE9, 0x76, 0xFF])
        let link = try Evidence.link(of: run)
        #expect(link.command.last == "caf\u{FFFD}")
        guard case .array(let exact)? = link.environment["command-base64"] else {
            throw IntotoRun.SetupFailure(reason: "no exact command")
        }
        #expect(exact.last == .string("Y2Fm6Q=="))
    }

    @Test func `the command sees the arguments behind the first -- only, its own -- included`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run("-q", "-k", "key.pem", "-n", "s", "--", "printf", "%s|", "--", "--help", "-k", "")
        #expect(result.outputText == "--|--help|-k||")
    }

    @Test func `the command has the descriptors that our caller handed down, and none of ours`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("from descriptor seven", to: "seven")
        let plain = try run.shell("exec 7<seven; ls /proc/self/fd; cat <&7")
        let wrapped = try run.shell("exec 7<seven; \"$R\" -q -k key.pem -n s -- sh -c 'ls /proc/self/fd; cat <&7'")
        #expect(wrapped.outputText == plain.outputText)
        let recorded = try run.shell("exec 7<seven; \"$R\" -q -s -k key.pem -n t -- sh -c 'ls /proc/self/fd; cat <&7'")
        #expect(recorded.outputText == plain.outputText)
    }

    @Test(arguments: ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
    func `a standard descriptor that our caller closed is closed for the command`(closing: String) throws {
        let run = IntotoRun()
        try run.makeKey()
        let probe = "for f in 0 1 2; do if [ -e /proc/$$/fd/$f ]; then printf $f; fi; done >out"
        // The shell puts the probe's own output on 1; what else is open is what counts.
        _ = try run.shell("sh -c '\(probe)' \(closing)")
        let plain = try run.read("out")
        let wrapped = try run.shell(
            "\"$R\" -q -k key.pem -n s -m key.pem.pub --format link -- sh -c '\(probe)' \(closing)")
        #expect(wrapped.status == 0)
        #expect(try run.read("out") == plain)
        #expect(try Evidence.link(of: run).materialNames == ["key.pem.pub"])
    }

    @Test func `umask, limits and ignored signals are as our caller had them`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let probe = "umask; ulimit -n; ulimit -c; grep -E \"^Sig(Blk|Ign)\" /proc/self/status"
        let setup = "umask 027; ulimit -c 1000; trap \"\" HUP USR1 PIPE;"
        let plain = try run.shell("\(setup) sh -c '\(probe)'")
        let wrapped = try run.shell("\(setup) \"$R\" -q -k key.pem -n s -- sh -c '\(probe)'")
        #expect(wrapped.outputText == plain.outputText)
    }

    @Test func `the command runs in our process group and dies with us`() throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run.shell("\"$R\" -q -k key.pem -n s -- sh -c 'ps -o pgid= -p $$; ps -o pgid= -p $PPID'")
        let groups = result.outputText.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(groups.count == 2 && groups[0] == groups[1])
        let killed = try run.shell(
            "\"$R\" -q -k key.pem -n t -- sh -c 'echo $$ >pid; exec sleep 60' & while ! [ -s pid ]; do :; done; kill -9 $!; wait; while kill -0 $(cat pid) 2>/dev/null; do :; done; echo gone"
        )
        #expect(killed.outputText == "gone\n")
    }

    @Test(arguments: ["TERM", "HUP", "USR1"])
    func `a signal sent to us reaches the command, and the evidence is written`(name: String) throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run.shell(
            "\"$R\" -q -k key.pem -n s --format link -m key.pem.pub -- sh -c 'trap \"exit 42\" \(name); echo >ready; while :; do sleep 0.05; done' & while ! [ -e ready ]; do :; done; kill -\(name) $!; wait $!; echo $?"
        )
        #expect(result.outputText == "42\n")
        #expect(try Evidence.link(of: run).byproduct("return-value") == 42)
    }

    @Test func `keys and passphrases in our environment are not handed on`() throws {
        var run = IntotoRun()
        try run.makeKey()
        run.environment["INTOTO_KEY"] = "key.pem"
        run.environment["INTOTO_KEY_PASSPHRASE"] = "secret-word"
        let result = try run("-q", "-n", "s", "--", "env")
        #expect(result.status == 0)
        #expect(result.outputText.contains("PATH="))
        #expect(!result.outputText.contains("INTOTO_KEY"))
        let evidence = try run.read(run.file(endingIn: ".jsonl"))
        #expect(!String(decoding: evidence, as: UTF8.self).contains("secret-word"))
    }

    @Test func `-C changes the directory of the command only`() throws {
        let run = IntotoRun()
        try run.makeKey()
        try run.write("text", to: "sub/file")
        let result = try run(
            "-q", "-k", "key.pem", "-n", "s", "--format", "link", "-m", "sub", "-C", "sub", "--", "pwd")
        #expect(result.outputText.hasSuffix("/sub\n"))
        #expect(try Evidence.link(of: run).materialNames == ["sub/file"])
        #expect(try run("-k", "key.pem", "-n", "t", "-C", "absent", "--", "pwd").status == 125)
    }
}
