import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// How a step ends: by itself, by time, by force, with something left behind, with evidence in every case.
@Suite(.temporaryDirectory) struct EndingTests {
    private let signed = ["-q", "-k", "key.pem", "-n", "s", "--format", "link", "-m", "key.pem.pub"]

    private func project() throws -> IntotoRun {
        let run = IntotoRun()
        try run.makeKey()
        return run
    }

    @Test func `a command that takes too long is ended, with all its processes, and the evidence says so`() throws {
        let run = try project()
        let script = """
            trap '' TERM; echo $$ >pids; (trap '' TERM; setsid sh -c 'echo $$ >>pids; sleep 600') & sleep 600; sleep 600
            """
        let start = Date()
        let result = try run.run(signed + ["--timeout", "1", "--grace", "1", "--", "sh", "-c", script])
        #expect(result.status == 124)
        #expect(Date().timeIntervalSince(start) < 120)
        let link = try Evidence.link(of: run)
        #expect(link.byproduct("timed-out") == true)
        #expect(link.byproduct("return-value") == -9)
        #expect(try run.shell("for p in $(cat pids); do ps -o stat= -p $p | grep -v Z; done; :").outputText == "")
    }

    @Test func `a command that ends when asked to is given the time`() throws {
        let run = try project()
        let result = try run.run(
            signed + [
                "--timeout", "1", "--grace", "30", "--", "sh", "-c",
                "trap 'echo bye; exit 3' TERM; while :; do sleep 0.1; done",
            ])
        #expect(result.status == 124)
        #expect(result.outputText == "bye\n")
        #expect(try Evidence.link(of: run).byproduct("return-value") == 3)
    }

    @Test func `a command within its time is not touched`() throws {
        let run = try project()
        #expect(try run.run(signed + ["--timeout", "60", "--", "sh", "-c", "exit 5"]).status == 5)
        #expect(try Evidence.link(of: run).byproduct("timed-out") == nil)
    }

    @Test(arguments: ["", "x", "1.5", "-1", "1d", "99999999999999999999"])
    func `a time that is none is refused`(time: String) throws {
        let run = try project()
        #expect(try run.run(signed + ["--timeout=\(time)", "--", "touch", "ran"]).status == 125)
        #expect(try run.list() == ["key.pem", "key.pem.pub"])
    }

    @Test func `a process left behind is named, on standard error and in the evidence`() throws {
        let run = try project()
        let result = try run.run(Array(signed.dropFirst()) + ["--", "sh", "-c", "sleep 30 & echo $!; sleep 0.5"])
        let process = result.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
        _ = try run.shell("kill \(process)")
        #expect(result.status == 0)
        #expect(result.errorText.contains("process \(process) (sleep) outlives the command"))
        guard case .array(let left)? = try Evidence.link(of: run).byproduct("background-processes") else {
            throw IntotoRun.SetupFailure(reason: "nothing is listed")
        }
        #expect(left == [["pid": .integer(Int64(process) ?? 0), "name": "sleep"]])
    }

    @Test func `a process left behind is waited for as long as was said, and its work recorded`() throws {
        let run = try project()
        let result = try run.run(
            signed + [
                "-s", "-p", "late", "--background-wait", "60", "--", "sh", "-c",
                "(sleep 0.3; echo late | tee late) & :",
            ])
        #expect(result.status == 0)
        let link = try Evidence.link(of: run)
        #expect(link.byproduct("background-processes") == nil)
        #expect(link.byproduct("stdout") == "late\n")
        #expect(link.productNames == ["late"])
    }

    @Test func `orphans that end are taken leave of while the command runs`() throws {
        let run = try project()
        let script =
            "for i in $(seq 50); do (true & ) ; done; sleep 0.3; ps --no-headers -o stat --ppid $PPID | grep -c Z; :"
        #expect(try run.run(signed + ["--", "sh", "-c", script]).outputText == "0\n")
    }

    @Test func `a command that stops itself stops us, and goes on with us`() throws {
        let run = try project()
        let script = """
            "$R" -q -k key.pem -n s --format link -m key.pem.pub -- sh -c 'echo $$ >pid; kill -STOP $$; exit 6' &
            state() { sed 's/.*) //; s/ .*//' "/proc/$1/stat"; }
            until [ "$(state $!)" = T ]; do sleep 0.05; done; kill -CONT $!; wait $!; echo $?
            """
        #expect(try run.shell(script).outputText == "6\n")
    }

    @Test(arguments: ["kill -STOP 0", "kill -STOP $PPID; kill -STOP $$", "suspend -f; kill -STOP $$"])
    func `a time limit holds where the command stops us and itself`(script: String) throws {
        let run = try project()
        let words = (signed + ["--timeout", "1", "--grace", "1"]).joined(separator: " ")
        let result = try run.shell(
            "timeout -s KILL 60 setsid -w \"$R\" \(words) -- bash -c '\(script)'; echo $?")
        #expect(result.outputText == "124\n", "\(result.errorText)")
        #expect(try Evidence.link(of: run).byproduct("timed-out") == true)
    }

    @Test func `what holds the time limit is no process of the command's, holds nothing of its, and ends with us`()
        throws
    {
        let run = try project()
        let script = """
            echo $PPID >runner; keeper=$(pgrep -f -- "--intoto-limit $PPID"); echo $keeper >keeper
            until [ -z "$(ls /proc/$keeper/fd)" ]; do sleep 0.05; done
            [ "$(ps -o pgid= -p $keeper)" -eq $keeper ] && exit 3
            """
        let result = try run.run(
            Array(signed.dropFirst()) + ["--timeout", "60", "--background-wait", "60", "-s", "--", "sh", "-c", script])
        #expect(result.status == 3, "\(result.errorText)")
        #expect(!result.errorText.contains("outlives"))
        let link = try Evidence.link(of: run)
        #expect(link.byproduct("background-processes") == nil && link.byproduct("timed-out") == nil)
        #expect(try run.shell("[ -s keeper ] && ps -o pid= -p $(cat keeper); :").outputText == "")
    }

    @Test func `what holds the time limit ends where we are killed`() throws {
        let run = try project()
        let words = (signed + ["--timeout", "60"]).joined(separator: " ")
        let script = """
            "$R" \(words) -- sh -c 'pgrep -f -- "--intoto-limit $PPID" >keeper; exec sleep 60' &
            until [ -s keeper ]; do sleep 0.05; done; kill -KILL $!; wait $!
            for i in $(seq 100); do ps -o stat= -p $(cat keeper) | grep -qv Z || exit 0; sleep 0.05; done; echo there
            """
        #expect(try run.shell(script).outputText == "")
    }

    @Test func `TERM to us ends the whole tree of the command`() throws {
        let run = try project()
        let script = """
            "$R" -q -k key.pem -n s --format link -m key.pem.pub -- sh -c 'setsid sleep 60 & echo $! >pid; wait' &
            until [ -s pid ]; do sleep 0.05; done; kill -TERM $!; wait $!; echo $?
            ps -o stat= -p $(cat pid) | grep -v Z; :
            """
        #expect(try run.shell(script).outputText == "143\n")
        #expect(try Evidence.link(of: run).byproduct("return-value") == -15)
    }

    @Test(arguments: [("tail", "stdout"), ("digest", nil)])
    func `streams are kept as far as was said, their length and digest whole`(mode: String, member: Text?) throws {
        let run = try project()
        let result = try run.run(signed + ["--record-streams=\(mode)", "--", "seq", "1", "20000"])
        #expect(result.output.count == 108_894)
        let link = try Evidence.link(of: run)
        #expect(link.byproduct("stdout-length") == 108_894)
        let digest = try run.shell("seq 1 20000 | sha256sum | cut -c1-64").outputText.dropLast()
        #expect(link.byproduct("stdout-sha256") == .string(Text(String(digest))))
        if case .string(let text)? = link.byproduct("stdout") {
            #expect(mode == "tail" && text.description.hasSuffix("\n19999\n20000\n"))
            #expect(text.utf8.count < 70_000)
        } else {
            #expect(mode == "digest")
        }
    }

    @Test func `only accepted ends are signed where that is asked for`() throws {
        let run = try project()
        let strict = signed + ["--require-success"]
        #expect(try run.run(strict + ["--", "sh", "-c", "exit 2"]).status == 2)
        #expect(try run.run(strict + ["--accept-exit", "0,3-5", "--", "sh", "-c", "exit 2"]).status == 2)
        #expect(try run.run(strict + ["--", "sh", "-c", "kill -9 $$"]).status == 137)
        #expect(try run.list() == ["key.pem", "key.pem.pub"])
        #expect(try run.run(strict + ["--accept-exit", "0,2,100-101", "--", "sh", "-c", "exit 101"]).status == 101)
        #expect(try Evidence.link(of: run).byproduct("return-value") == 101)
        #expect(try run.run(strict + ["--accept-exit", "5-2", "--", "true"]).status == 125)
    }

    @Test func `evidence whose place became a directory is kept, and said where`() throws {
        let run = try project()
        let id = try run("key", "id", "key.pem").outputText.prefix(8)
        let result = try run.run(signed + ["--", "mkdir", "s.\(id).link"])
        #expect(result.status == 125)
        #expect(result.errorText.contains("exited with status 0"))
        let kept = try run.list().first { $0.hasPrefix("kept-") } ?? ""
        #expect(result.errorText.contains(kept))
        #expect(try run("sign", "--check", kept, "--verification-keys", "key.pem.pub").status == 0)
    }

    @Test func `evidence whose directory has gone is kept, and said where from anywhere`() throws {
        let run = try project()
        _ = try run.shell("mkdir out")
        let result = try run.run(signed + ["-d", "out", "--", "rm", "-r", "out"])
        #expect(result.status == 125)
        let kept = try run.file(endingIn: ".link")
        #expect(
            result.errorText.contains("it is kept, signed, in \(run.directory.path)/\(kept);"), "\(result.errorText)")
        #expect(try run("sign", "--check", kept, "--verification-keys", "key.pem.pub").status == 0)
    }

    @Test(arguments: ["ln -s ../victim", "mkfifo"])
    func `a command that plants something at the evidence's place changes nothing else`(plant: String) throws {
        let run = try project()
        try run.write("untouched", to: "victim")
        _ = try run.shell("mkdir out")
        let id = try run("key", "id", "key.pem").outputText.prefix(8)
        let result = try run.run(signed + ["-d", "out", "--", "sh", "-c", "cd out && \(plant) s.\(id).link"])
        #expect(result.status == 0)
        #expect(try run.read("victim") == Array("untouched".utf8))
        #expect(try Evidence.link(endingIn: ".link", of: run, in: "out").byproduct("return-value") == 0)
    }

    @Test(arguments: ["ln ../victim", "echo mine >"])
    func `a file that comes to the evidence's place is not replaced, and the evidence kept elsewhere`(
        plant: String
    ) throws {
        let run = try project()
        try run.write("untouched", to: "victim")
        _ = try run.shell("mkdir out")
        let id = try run("key", "id", "key.pem").outputText.prefix(8)
        let arguments = ["-d", "out", "--", "sh", "-c", "cd out && \(plant) s.\(id).link"]
        let result = try run.run(signed + arguments)
        #expect(result.status == 125)
        #expect(result.errorText.contains("evidence could not be written: out/s.\(id).link: is there already\n"))
        #expect(try run.read("victim") == Array("untouched".utf8))
        let planted = try run.read("out/s.\(id).link")
        #expect(planted == Array("untouched".utf8) || planted == Array("mine\n".utf8))
        let kept = try run.file(endingIn: ".s.\(id).link")
        #expect(result.errorText.contains("it is kept, signed, in \(run.directory.path)/\(kept)"))
        #expect(try run("sign", "--check", kept, "--verification-keys", "key.pem.pub").status == 0)
        // Asked for, the file is replaced; what it was linked to is not.
        #expect(try run.run(signed + ["--overwrite", "-d", "out", "--", "true"]).status == 0)
        #expect(try run.read("victim") == Array("untouched".utf8))
    }

    @Test func `of two runs of the same step, one has the place and the other is kept`() throws {
        let run = try project()
        let script = """
            "$R" -q -k key.pem -n s --format link -m key.pem.pub -- sh -c 'touch a; until [ -e b ]; do sleep 0.05; done' &
            until [ -e a ]; do sleep 0.05; done
            "$R" -q -k key.pem -n s --format link -m key.pem.pub -- true; echo $?; touch b; wait $!; echo $?
            """
        #expect(try run.shell(script).outputText == "0\n125\n")
        #expect(try run.list().count { $0.hasSuffix(".link") } == 2)
        #expect(try run.list().count { $0.hasPrefix("kept-") } == 1)
    }

    @Test func `what cannot be put in place with a very long name is kept all the same`() throws {
        let run = try project()
        let name = String(repeating: "n", count: 200)
        let id = try run("key", "id", "key.pem").outputText.prefix(8)
        let result = try run(
            "-q", "-k", "key.pem", "-n", name, "-p", "key.pem.pub", "--", "mkdir", "\(name).\(id).intoto.jsonl")
        #expect(result.status == 125)
        let kept = try #require(try run.list().first { $0.hasPrefix("kept-") })
        #expect(result.errorText.contains(kept))
        #expect(try run("sign", "--check", kept, "--verification-keys", "key.pem.pub").status == 0)
    }

    @Test func `where one of two files has no place, which is written and which is kept is said`() throws {
        let run = try project()
        let id = try run("key", "id", "key.pem").outputText.prefix(8)
        let result = try run(
            "-q", "-k", "key.pem", "-n", "s", "--format", "attestation,link", "-p", "key.pem.pub", "--", "mkdir",
            "s.\(id).link")
        #expect(result.status == 125)
        #expect(
            result.errorText.contains(
                "hint: ./s.\(id).intoto.jsonl was written; it is kept, signed, in \(run.directory.path)/kept-"))
        #expect(try run("sign", "--check", "s.\(id).intoto.jsonl", "--verification-keys", "key.pem.pub").status == 0)
    }

    @Test func `many runs in one directory leave each other's evidence alone`() throws {
        let run = try project()
        let script = """
            mkdir out
            for i in $(seq 60); do "$R" -q -k key.pem -n "s$i" -x -d out -p key.pem.pub & done; wait; ls -A out | wc -l
            """
        let result = try run.shell(script)
        #expect(result.outputText == "60\n", "\(result.errorText)")
        #expect(try run.list("out").allSatisfy { $0.hasSuffix(".intoto.jsonl") })
    }

    @Test func `runs at the same time in one directory do not record each other's files`() throws {
        let run = try project()
        let script = """
            for i in $(seq 20); do "$R" -q -k key.pem -n "s$i" --format link -x & done; wait; ls *.link | wc -l
            """
        let result = try run.shell(script)
        #expect(result.outputText == "20\n", "\(result.errorText)")
        // That there is new evidence of others beside theirs is all that they may say.
        let said = result.errorText.split(separator: "\n").filter { line in
            !["not recorded, being evidence: ", "hint: --no-default-excludes"].contains { line.contains($0) }
        }
        #expect(said.isEmpty)
        for number in 1...20 {
            let name = try run.list().first { $0.hasPrefix("s\(number).") } ?? ""
            #expect(try Evidence.link(name, of: run).productNames == ["key.pem", "key.pem.pub"])
        }
    }

    /// The other run's temporary file is opened while that holds it, and asked for its lock when it has let go of it.
    @Test func `a file that another run puts in its place while it is looked at is not recorded`() throws {
        let run = try project()
        let slowly = "strace -f -o /dev/null -e trace=flock -e inject=flock:delay_enter=1500000"
        let result = try run.shell(
            """
            "$R" -q -n b -k key.pem --format link -m key.pem -p key.pem -- sleep 4 &
            sleep 0.5; \(slowly) "$R" -q -n a -k key.pem --format link -x -m key.pem -p . ; echo $?; wait
            """)
        #expect(result.outputText == "0\n", "\(result.errorText)")
        let name = try #require(try run.list().first { $0.hasPrefix("a.") })
        #expect(try Evidence.link(name, of: run).productNames == ["key.pem", "key.pem.pub"])
    }

    @Test func `evidence lands in the directory that was meant, whatever the command does to its path`() throws {
        let run = try project()
        _ = try run.shell("mkdir out other")
        #expect(try run.run(signed + ["-d", "out", "--", "sh", "-c", "mv out moved; ln -s other out"]).status == 0)
        #expect(try run.list("other") == [])
        #expect(try run.list("moved").count == 1)
    }

    @Test func `the key that was there at the start signs, whatever becomes of its file`() throws {
        let run = try project()
        try run.makeKey("other.pem")
        #expect(try run.run(signed + ["--", "cp", "other.pem", "key.pem"]).status == 0)
        let name = try run.file(endingIn: ".link")
        #expect(try run("sign", "--check", name, "--verification-keys", "key.pem.pub").status == 0)
        #expect(try run("sign", "--check", name, "--verification-keys", "other.pem.pub").status == 1)
    }

    @Test func `an unsigned payload is finished by sign, and accepted by nothing before`() throws {
        let run = try project()
        #expect(try run.run(signed + ["--", "true"]).status == 0)
        let name = try run.file(endingIn: ".link")
        guard case .metablock(let block) = try SignedMetadata(run.read(name)) else {
            throw IntotoRun.SetupFailure(reason: "no metablock")
        }
        let unsigned = try JSONWriter.bytes(.indented) {
            Metablock(signed: block.signed, signatures: []).write(to: &$0)
        }
        try run.write(String(decoding: unsigned, as: UTF8.self), to: "kept.unsigned.json")
        #expect(try run("sign", "--check", "kept.unsigned.json", "--verification-keys", "key.pem.pub").status == 1)
        #expect(try run("sign", "kept.unsigned.json", "-k", "key.pem").status == 2)
        #expect(try run("sign", "kept.unsigned.json", "-k", "key.pem", "--overwrite").status == 0)
        #expect(try run("sign", "--check", name, "--verification-keys", "key.pem.pub").status == 0)
        try run.makeKey("other.pem", type: "ecdsa-p256")
        #expect(try run("sign", name, "-k", "other.pem", "--append", "-o", "both.link").status == 0)
        #expect(
            try run("sign", "--check", "both.link", "--verification-keys", "key.pem.pub", "other.pem.pub").status == 0)
        #expect(try run("sign", name, "-k", "other.pem", "-o", "one.link").status == 0)
        #expect(try run("sign", "--check", "one.link", "--verification-keys", "key.pem.pub").status == 1)
    }

    @Test(arguments: [
        ("exit 3", [], "the command ran and exited with status 3"), ("exit 0", [], "exited with status 0"),
        ("kill -9 $$", [], "the command ran and was ended by signal 9"),
        ("sleep 30", ["--timeout", "1"], "the command ran and was ended by signal 15"),
    ])
    func `products that cannot be recorded leave a record that is no evidence, and how the command ended is said`(
        end: String, options: [String], message: String
    ) throws {
        let run = try project()
        let script = "mkdir made; : >made/$(printf 'bad\\377'); echo shown; \(end)"
        let result = try run.run(signed + ["-s", "-p", "made"] + options + ["--", "sh", "-c", script])
        #expect(result.status == 125)
        #expect(result.outputText == "shown\n")
        #expect(result.errorText.contains("no evidence was written: "))
        #expect(result.errorText.contains("bad\\xFF"), "\(result.errorText)")
        #expect(result.errorText.contains(message), "\(result.errorText)")
        let left = try run.list()
        #expect(left.filter { !$0.hasSuffix(".link-unfinished") } == ["key.pem", "key.pem.pub", "made"])
        #expect(left.count == 4, "a record that record stop completes")
        // The same with a name that can be recorded.
        let good = "rm -r made; mkdir made; : >made/good; \(end)"
        _ = try run.run(signed + ["-s", "-p", "made"] + options + ["--", "sh", "-c", good])
        #expect(try Evidence.link(of: run).productNames == ["made/good"])
    }
}
