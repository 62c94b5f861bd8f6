import Foundation
import InTotoMetadata
import TestSupport
import Testing

/// Whatever a file of evidence holds: exit status 2, one error that names the file, nothing that drives a terminal.
@Suite(.temporaryDirectory) struct MalformedMetadataTests {
    private static let key = Vectors.url("keys/ed25519-alice.spki.pem").path

    /// Each verb that reads evidence, on one file.
    private static func verbs(_ file: String) -> [[String]] {
        [
            ["inspect", file], ["inspect", "--json", file, "--verification-keys", key],
            ["sign", "--check", file, "--verification-keys", key],
            ["match-products", "-l", file, "-p", "nothing-here", "--allow-missing"],
        ]
    }

    /// Refuses, and says so in one error line; returns the line's reason.
    @discardableResult
    private static func expectRefusal(
        _ result: Subprocess, of file: String, _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) -> String {
        #expect(result.status == 2, "\(arguments): \(result.errorText)", sourceLocation: sourceLocation)
        #expect(result.output == [], "\(arguments)", sourceLocation: sourceLocation)
        let bytes = result.errors
        #expect(
            !bytes.contains { $0 < 0x20 && $0 != 0x0A || $0 == 0x7F }, "\(arguments)", sourceLocation: sourceLocation)
        #expect(Text(validating: bytes) != nil, "\(arguments)", sourceLocation: sourceLocation)
        let errors = result.errorText.split(separator: "\n").filter { $0.hasPrefix("intoto-run: error: ") }
        #expect(errors.count == 1, "\(arguments): \(result.errorText)", sourceLocation: sourceLocation)
        let start = "intoto-run: error: \(file): "
        #expect(
            errors.first?.hasPrefix(start) == true, "\(arguments): \(result.errorText)", sourceLocation: sourceLocation)
        return String(errors.first?.dropFirst(start.count) ?? "")
    }

    /// Ends by a signal past 20 seconds of processor time, which a busy machine does not change, or a minute of anything.
    private static func bounded(_ arguments: [String], in directory: URL) throws -> Subprocess {
        let run = IntotoRun(in: directory)
        let script = "ulimit -t 20; exec timeout --signal=KILL 60 \"$@\""
        return try Subprocess.run(
            "/bin/sh", ["-c", script, "sh", BuiltProduct.intotoRun.path] + arguments, in: directory,
            environment: run.environment)
    }

    /// Two at a time: what costs here is starting processes.
    private static func expectRefusals(of files: [String], in directory: URL) async {
        await withTaskGroup(of: Void.self) { group in
            for half in [files.indices.filter { $0 % 2 == 0 }, files.indices.filter { $0 % 2 == 1 }] {
                group.addTask { for index in half { refuseEveryVerb(files[index], in: directory) } }
            }
        }
    }

    private static func refuseEveryVerb(_ file: String, in directory: URL) {
        for arguments in verbs(file) {
            do { expectRefusal(try bounded(arguments, in: directory), of: file, arguments) } catch {
                Issue.record("\(arguments): \(error)")
            }
        }
    }

    // MARK: Bytes

    @Test func `every file of the JSON test suite is refused`() async throws {
        let folder = Vectors.url("third-party/jsontestsuite/test_parsing")
        let names = try Vectors.list("third-party/jsontestsuite/test_parsing")
        #expect(names.count >= 318)
        // Read by inspect as they are; the other verbs read the same way, and get one in eight.
        await withTaskGroup(of: Void.self) { group in
            for remainder in 0..<2 {
                group.addTask {
                    for (index, name) in names.enumerated() where index % 2 == remainder {
                        if index % 8 < 2 {
                            Self.refuseEveryVerb(name, in: folder)
                        } else {
                            Self.refuseByInspect(name, in: folder)
                        }
                    }
                }
            }
        }
        print("vectors: \(names.count) files of the JSON test suite are no evidence")
    }

    private static func refuseByInspect(_ name: String, in folder: URL) {
        do { expectRefusal(try IntotoRun(in: folder)("inspect", name), of: name, ["inspect", name]) } catch {
            Issue.record("\(name): \(error)")
        }
    }

    @Test(arguments: ["classic-links/python/build.23044263.link", "dsse-links/python/build.23044263.link"])
    func `a link that ends too early is refused, wherever it is cut`(vector: String) async throws {
        let run = IntotoRun()
        let whole = try Vectors.bytes(vector)
        #expect(try run("inspect", Vectors.url(vector).path).status == 0)
        // The last bytes are the closing brackets and perhaps a newline.
        let end = (whole.lastIndex(of: UInt8(ascii: "}")) ?? 0)
        let offsets = (0..<50).map { $0 * end / 49 }
        for offset in offsets {
            try Data(whole.prefix(offset)).write(to: run.directory.appending(path: "cut-\(offset)"))
        }
        await Self.expectRefusals(of: offsets.map { "cut-\($0)" }, in: run.directory)
        print("malformed: \(offsets.count) truncations of \(vector)")
    }

    @Test func `megabytes of brackets, an empty file and other oddities are refused`() async throws {
        let run = IntotoRun()
        let contents: [String: [UInt8]] = [
            "brackets": Array(repeating: UInt8(ascii: "["), count: 5 << 20),
            "braces": Array(String(repeating: "{\"a\":", count: 1 << 20).utf8),
            "inside": Array("{\"signed\":".utf8) + Array(repeating: UInt8(ascii: "["), count: 1 << 20),
            "empty": [], "newlines": Array(repeating: 0x0A, count: 1 << 20), "nul": [0],
            "bom": [0xEF, 0xBB, 0xBF, 0x7B, 0x7D],
            "escape": Array("{\"\u{1B}[31m\":1}".utf8), "osc": Array("\u{1B}]0;x\u{7}".utf8),
            "latin-1": [0x22, 0xE9, 0x22],
            "duplicate": Array("{\"a\u{202E}\":1,\"a\u{202E}\":2}".utf8),
            "number": Array(String(repeating: "9", count: 1 << 20).utf8),
        ]
        for (name, bytes) in contents { try Data(bytes).write(to: run.directory.appending(path: name)) }
        await Self.expectRefusals(of: contents.keys.sorted(), in: run.directory)
        print("malformed: \(contents.count) files of odd bytes")
    }

    // MARK: Files that are none

    @Test(.timeLimit(.minutes(20)))
    func `what is no regular file is refused at once, and so is what is too large or may not be read`() async throws {
        let run = IntotoRun()
        _ = try run.shell(
            "mkdir folder; mkfifo fifo; ln -s fifo link-to-fifo; ln -s nowhere dangling; truncate -s 2G sparse; ln -s loop loop"
        )
        for (file, reason) in [
            ("folder", "is not a regular file"), ("fifo", "is not a regular file"),
            ("link-to-fifo", "is not a regular file"),
            ("/dev/zero", "is not a regular file"), ("/dev/null", "is not a regular file"),
            ("sparse", "larger than 1073741824 bytes"),
            ("absent", "cannot open: No such file or directory"),
            ("dangling", "cannot open: No such file or directory"),
            ("loop", "cannot open: Too many levels of symbolic links"),
        ] {
            for arguments in Self.verbs(file) {
                #expect(
                    Self.expectRefusal(try Self.bounded(arguments, in: run.directory), of: file, arguments) == reason)
            }
        }
    }

    @Test func `a file that an ordinary user may not read is refused`() throws {
        let run = IntotoRun()
        _ = try run.shell("chmod 755 .; echo '{}' >secret; chmod 600 secret; cp '\(Self.key)' key.pub")
        if getuid() != 0 { _ = try run.shell("chmod 000 secret") }
        let results = try [
            run.asOrdinaryUser("inspect", "secret"), run.asOrdinaryUser("match-products", "-l", "secret"),
            run.asOrdinaryUser("sign", "--check", "secret", "--verification-keys", "key.pub"),
        ]
        for result in results {
            #expect(Self.expectRefusal(result, of: "secret", []) == "cannot open: Permission denied")
        }
    }
}
