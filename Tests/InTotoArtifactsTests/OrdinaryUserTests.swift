import Foundation
import InTotoArtifacts
import InTotoMetadata
import SystemPackage
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// What depends on who we are and what we may use: in child processes, since root may read everything.
@Suite(.temporaryDirectory) struct OrdinaryUserTests {
    private static let nobody: uid_t = 65_534

    @Test func `what may not be read is an error that names it`() async throws {
        let tree = try Tree()
        try tree.shell(
            """
            mkdir -p d/closed d/unlisted d/excluded; echo x > d/f; echo x > d/closed/payload; echo x > d/unlisted/known
            echo x > d/secret; chown -R 65534 . 2>/dev/null || true
            chmod 000 d/closed d/secret d/excluded; chmod 111 d/unlisted
            """)
        await #expect(processExitsWith: .success) { [root = tree.root as String] in
            OrdinaryUserTests.becomeNobody()
            let tree = Tree(existing: root)
            let hide: (inout SnapshotOptions) throws -> Void = { try $0.exclusions.append(Array("excluded".utf8)) }
            do {
                _ = try tree.take(".", with: hide)
                exit(1)
            } catch let error as SnapshotError {
                let expected = """
                    'd/closed': permission denied
                    'd/secret': permission denied
                    'd/unlisted': permission denied
                    """
                if error.description != expected { fail(error.description) }
            }
            let references = [try ArtifactReference(parsing: ".".utf8)]
            var options = tree.options
            try hide(&options)
            do {
                _ = try Snapshot.plan(references, options: options)
                fail("a plan reads more than a snapshot")
            } catch let error as SnapshotError {
                if error.problems.count != 3 { fail("plan: \(error.description)") }
            }
            if try tree.take("d/f").names != ["d/f"] { fail("d/f") }
            // A directory that may be passed but not listed hides nothing from who knows the name.
            if try tree.take("d/unlisted/known").names != ["d/unlisted/known"] { fail("known") }
            if try tree.problems("d/closed/payload") != ["'d/closed/payload': permission denied"] { fail("payload") }
        }
    }

    @Test func `a link that cannot be followed matters only where it could be wanted`() async throws {
        let tree = try Tree()
        try tree.shell(
            "mkdir -p closed/d; touch a.txt closed/d/f; ln -s closed/d unrelated; chown -hR 65534 . 2>/dev/null || true; chmod 0 closed"
        )
        await #expect(processExitsWith: .success) { [root = tree.root as String] in
            OrdinaryUserTests.becomeNobody()
            let tree = Tree(existing: root)
            func hiding(_ patterns: String) -> (inout SnapshotOptions) -> Void {
                { try? $0.exclusions.append(contentsOfFile: Array(patterns.utf8)) }
            }
            let problem = ["'unrelated': permission denied"]
            if try tree.take("*.txt").names != ["a.txt"] { fail("glob") }
            if try tree.take(".", with: hiding("unrelated\nclosed")).names != ["a.txt"] { fail("excluded") }
            // As a directory it would be hidden, as a file it would not; and below it there may be a match.
            if try tree.problems(".", with: hiding("unrelated/\nclosed")) != problem { fail("directory") }
            if try tree.problems(".", with: hiding("unrelated\nclosed\n!unrelated/")) != problem { fail("taken back") }
            let none = ["'*/f': matches nothing"]
            if try tree.problems("*/f", with: hiding("closed")) != none + problem { fail("below") }
            if try tree.problems("unrel*", with: hiding("closed")) != problem { fail("match") }
        }
    }

    @Test func `twenty problems are named and all are counted`() async throws {
        let tree = try Tree()
        try tree.shell("for i in {10..59}; do echo x > f$i; done; chown 65534 *  2>/dev/null || true; chmod 000 *")
        await #expect(processExitsWith: .success) { [root = tree.root as String] in
            OrdinaryUserTests.becomeNobody()
            do {
                _ = try Tree(existing: root).take(".")
                exit(1)
            } catch let error as SnapshotError {
                let lines = error.description.split(separator: "\n")
                if error.count != 50 || error.problems.count != 20 { fail(error.description) }
                if lines.first != "'f10': permission denied" || lines.last != "and 30 more" { fail(error.description) }
            }
        }
    }

    @Test func `64 descriptors are enough for a deep and wide tree`() async throws {
        let tree = try Tree()
        try tree.shell(
            """
            for i in {1..150}; do mkdir -p w$i/a/b/c w$i/d/e; touch w$i/a/b/c/f w$i/d/e/g; ln -s ../a w$i/d/l; done
            p=.; for i in {1..200}; do mkdir $p/x $p/y; touch $p/y/f; p=$p/x; done
            """)
        await #expect(processExitsWith: .success) { [root = tree.root as String] in
            var limit = rlimit(rlim_cur: 64, rlim_max: 64)
            guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { fail("setrlimit") }
            for threads in [1, 2, 16] {
                do {
                    let result = try Tree(existing: root).take(".") { $0.threads = threads }
                    if result.names.count != 150 * 3 + 200 { fail("\(threads) threads: \(result.names.count)") }
                } catch { fail("\(threads) threads: \(error)") }
            }
        }
    }

    /// Whoever is not root has no powers to lose: the suites ran without them already.
    @Test(.enabled(if: geteuid() == 0, "not root, so that all of this ran without root's powers"))
    func `odd and changing files are dealt with just so without root's power to read everything`() throws {
        let powers = "-dac_override,-dac_read_search"
        let bundle = BuiltProduct.tests
        let suites = "^InTotoArtifactsTests\\.(OddFiles|ChangingFiles|Interference|WholeDirectory)Tests"
        var environment = ProcessInfo.processInfo.environment
        environment["TESTS_WITHOUT_POWERS"] = "1"
        let run = try Subprocess.run(
            "/usr/bin/setpriv",
            ["--bounding-set=\(powers)", "--inh-caps=\(powers)", bundle.path, "--testing-library", "swift-testing"]
                + ["--filter", suites], environment: environment)
        let said = run.outputText + run.errorText
        #expect(run.status == 0, "\(said)")
        #expect(said.contains("Test \"what may not be read is an error to root without its powers\" passed"), "\(said)")
    }

    /// Whoever is somebody else already stays that.
    static func becomeNobody() {
        guard geteuid() == 0 else { return }
        guard setgid(nobody) == 0, setuid(nobody) == 0 else { fail("could not become an ordinary user") }
    }
}
