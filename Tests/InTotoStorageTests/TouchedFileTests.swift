import SystemPackage
import TestSupport
import Testing

@testable import InTotoStorage

/// What a command does to the temporary file that evidence is to be.
@Suite(.temporaryDirectory) struct TouchedFileTests {
    private static let touches = [
        "rm $f", "mv $f moved", "rm $f; echo junk >$f", "echo junk >junk; mv junk $f", "sed -i s/x/y/ $f",
        "echo junk >$f", "echo junk >>$f", "truncate -s 0 $f", "chmod 0 $f", "ln -sf victim $f", "ln -sf nowhere $f",
        "ln -f victim $f", "rm $f; mkfifo $f", "rm $f; mkdir $f", "ln $f linked",
    ]

    /// Before its bytes are known, and when they are on disk.
    enum Moment: CaseIterable {
        case early, late
    }

    @Test(arguments: touches, Moment.allCases)
    func `evidence is whole whatever has become of its temporary file`(touch: String, moment: Moment) throws {
        for overwrite in [false, true] {
            try Place.shell("rm -rf ./* .intoto*; echo untouched >victim")
            if overwrite { try Place.write("earlier", to: "s") }
            let evidence = "evidence " + String(repeating: "x", count: 70_000)
            do {
                let file = try Place.directory().reserve("s", overwrite: overwrite)
                if moment == .late { try file.prepare(Array(evidence.utf8)) }
                let touched = try Place.shell("f=$(echo .intoto-run.*.tmp); \(touch)")
                #expect(touched.status == 0, "\(touched.errorText)")
                if moment == .early { try file.prepare(Array(evidence.utf8)) }
                try file.place()
            }
            // Who writes to the file itself once it is complete can do so in its place, too.
            if moment == .early || !touch.contains(/^(echo|truncate|chmod)/) {
                #expect(try Place.read("s") == evidence)
                #expect(try Place.mode("s") == 0o644)
            }
            #expect(try Place.shell("test -f s -a ! -L s").status == 0)
            #expect(try Place.read("victim") == "untouched\n")
            let left = try Place.list().filter { !["s", "victim", "moved", "linked"].contains($0) }
            #expect(left.count == (touch.contains("mkdir") ? 1 : 0), "\(left)")
        }
    }

    @Test func `a temporary file that another name leads to shares nothing with evidence`() throws {
        let file = try Place.directory().reserve("s", overwrite: false)
        try Place.shell("ln .intoto-run.*.tmp product")
        try file.commit(Array("evidence".utf8))
        #expect(try Place.read("product").allSatisfy { $0 == "\0" })
        try Place.shell("echo other >product")
        #expect(try Place.read("s") == "evidence")
    }

    @Test func `where a directory is gone there is no new file either`() throws {
        try Place.shell("mkdir d")
        let file = try EvidenceDirectory(Place.path("d")).reserve("s", overwrite: false)
        try Place.shell("rm -r d")
        #expect(throws: StorageError.system(Place.path("d/s"), operation: "write", errno: .noSuchFileOrDirectory)) {
            try file.commit([1])
        }
    }
}
