import Foundation
import InTotoCrypto
import InTotoMetadata
import TestSupport
import Testing

/// Commands of every kind, each with us and without us, as root and as an ordinary user.
@Suite(.temporaryDirectory) struct CommandMatrixTests {
    /// Nobody's rights, where we have more; where not, there is one user to test as.
    private static let users = getuid() == 0 ? [User.caller, .ordinary] : [.caller]

    enum User: String, Sendable {
        case caller, ordinary

        var prefix: [String] {
            self == .caller ? [] : ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        }
    }

    @Test func `there are enough of them`() {
        let runs = WrappedCase.all.reduce(0) { $0 + $1.modes.count } * Self.users.count
        let users = Self.users.count == 2 ? "as root and as an ordinary user" : "as an ordinary user only: this is one"
        print("matrix: \(WrappedCase.all.count) commands, \(runs) comparisons, \(users)")
        #expect(WrappedCase.all.count >= 60)
        #expect(Set(WrappedCase.all.map(\.name)).count == WrappedCase.all.count)
    }

    @Test(arguments: WrappedCase.all)
    func `a command ends, prints and leaves what it does without us, and the evidence says so`(
        command: WrappedCase
    ) throws {
        let bench = try Bench()
        for user in Self.users {
            let plain = try bench.run(command, "", user)
            let streams = try bench.commandOutput(plain.process)
            for mode in command.modes {
                let wrapped = try bench.run(command, bench.runner(mode), user)
                let context = Comment(rawValue: "\(user), streams \(mode.rawValue)\n\(wrapped.process.errorText)")
                #expect(wrapped.process.status == command.ours?.status ?? plain.process.status, context)
                #expect(wrapped.process.output == plain.process.output, context)
                try checkErrors(command, plain.process, wrapped.process, context)
                try bench.checkEvidence(command, mode, streams, context)
                #expect(try bench.filesLeft() == plain.files, context)
            }
        }
    }

    private func checkErrors(
        _ command: WrappedCase, _ plain: Subprocess, _ wrapped: Subprocess, _ context: Comment
    ) throws {
        if let message = command.ours?.message {
            #expect(wrapped.errorText.contains(message), context)
        } else if command.leavesProcesses {
            let lines = wrapped.errorText.split(separator: "\n", omittingEmptySubsequences: false)
            let left = lines.filter { $0.hasPrefix("intoto-run: warning: process ") }
            #expect(left.count == 1, context)
            #expect(lines.filter { !left.contains($0) }.joined(separator: "\n") == plain.errorText, context)
        } else {
            #expect(wrapped.errors == plain.errors, context)
        }
    }
}

/// Where a command of the matrix runs: `b`, made anew for each run.
private struct Bench {
    let run = IntotoRun()
    private let base: String
    private let keyID: Substring

    init() throws {
        base = run.directory.appending(path: "b").path
        try run.makeKey()
        keyID = try run("key", "id", "key.pem").outputText.prefix(8)
    }

    func runner(_ mode: WrappedCase.Mode) -> String {
        "\(BuiltProduct.intotoRun.path) -q -k \(base)/key.pem -d \(base)/out -m \(base)/key.pem.pub --format link "
            + "--record-streams=\(mode.rawValue) -n s --"
    }

    func run(
        _ command: WrappedCase, _ runner: String, _ user: CommandMatrixTests.User
    ) throws -> (process: Subprocess, files: [UInt8]) {
        let owner = user == .ordinary ? "65534:65534" : "$(id -u):$(id -g)"
        let made = try run.shell(
            "chmod -R u+rwx b 2>/dev/null; rm -rf b; mkdir -p b/out b/work; cp -p key.pem key.pem.pub b; chown -R \(owner) b"
        )
        guard made.status == 0 else { throw IntotoRun.SetupFailure(reason: made.errorText) }
        let process = try Subprocess.run(
            "/usr/bin/env",
            user.prefix + [
                "timeout", "--foreground", "-k", "2", "90", "/bin/sh", "-c",
                "W='\(runner)' B='\(base)' ID=\(keyID)\n\(command.script)",
            ],
            in: run.directory.appending(path: "b/work"), environment: run.environment)
        return (process, runner.isEmpty ? try filesLeft() : [])
    }

    /// Kinds, modes, names and contents.
    func filesLeft() throws -> [UInt8] {
        try run.shell(
            """
            cd b/work && find . -printf '%y %m %l %P\\n' | LC_ALL=C sort
            find . -type f -print0 | LC_ALL=C sort -z | xargs -r0 cat
            """
        ).output
    }

    /// What the command itself wrote to its standard output; nil where that varies.
    func commandOutput(_ plain: Subprocess) throws -> (output: [UInt8]?, errors: [UInt8]) {
        let names = try run.list("b")
        if names.contains("cut") { return (nil, plain.errors) }
        return (names.contains("command.out") ? try run.read("b/command.out") : plain.output, plain.errors)
    }

    /// No evidence where there is to be none; elsewhere signed, and true.
    func checkEvidence(
        _ command: WrappedCase, _ mode: WrappedCase.Mode, _ streams: (output: [UInt8]?, errors: [UInt8]),
        _ context: Comment
    ) throws {
        try checkKept(command, context)
        var expected: [String: Int] = [:]
        switch command.end {
        case .none: break
        case .returns(let value): expected = ["s": value]
        case .each(let values): expected = values
        }
        let links = try evidence()
        #expect(links.sorted() == expected.keys.map { "\($0).\(keyID).link" }.sorted(), context)
        for (index, name) in links.enumerated() {
            // Of hundreds from one loop, some.
            if index % 50 == 0 {
                let checked = try run("sign", "--check", "b/out/\(name)", "--verification-keys", "key.pem.pub")
                #expect(checked.status == 0, "\(name): \(checked.errorText)")
            }
            let link = try Evidence.link("b/out/\(name)", of: run)
            #expect(link.byproduct("return-value") == expected["\(link.name)"].map { .integer(Int64($0)) }, context)
            #expect((link.byproduct("background-processes") != nil) == command.leavesProcesses, context)
            guard case .returns = command.end else { continue }
            try check(link, "stdout", is: mode == .unrecorded ? nil : streams.output, of: command, mode, context)
            try check(link, "stderr", is: mode == .unrecorded ? nil : streams.errors, of: command, mode, context)
        }
    }

    private func check(
        _ link: Link, _ name: String, is bytes: [UInt8]?, of command: WrappedCase, _ mode: WrappedCase.Mode,
        _ context: Comment
    ) throws {
        let isRecorded = mode == .recorded && !command.closed.contains(name)
        #expect((link.byproduct(Text("\(name)-length")) != nil) == isRecorded, context)
        #expect((link.byproduct(Text("\(name)-sha256")) != nil) == isRecorded, context)
        guard isRecorded, let bytes else { return }
        #expect(link.byproduct(Text("\(name)-length")) == .integer(Int64(bytes.count)), context)
        #expect(link.byproduct(Text("\(name)-sha256")) == .string(try sha256(bytes)), context)
    }

    private func sha256(_ bytes: [UInt8]) throws -> Text {
        var digest = try MessageDigest(.sha256)
        try digest.update(bytes)
        return Hex.encode(try digest.finish())
    }

    private func evidence() throws -> [String] {
        let directory = run.directory.appending(path: "b/out")
        guard FileManager.default.fileExists(atPath: directory.path) else { return [] }
        return try run.list("b/out").filter { name in
            let type = try FileManager.default.attributesOfItem(atPath: directory.appending(path: name).path)[.type]
            return !name.hasPrefix(".") && type as? FileAttributeType == .typeRegular
        }
    }

    /// Evidence that could not be put in its place, where the command ran: it is kept, signed, in the directory that we
    /// run in, and here removed.
    private func checkKept(_ command: WrappedCase, _ context: Comment) throws {
        let kept = try run.list("b/work").filter { $0.hasPrefix("kept-") }
        #expect(kept.count == (command.ours?.message.hasPrefix("the command ran") == true ? 1 : 0), context)
        for name in kept {
            #expect(
                try run("sign", "--check", "b/work/\(name)", "--verification-keys", "key.pem.pub").status == 0, context)
            try FileManager.default.removeItem(at: run.directory.appending(path: "b/work/\(name)"))
        }
    }
}
