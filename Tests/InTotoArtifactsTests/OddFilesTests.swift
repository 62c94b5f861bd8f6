import Foundation
import InTotoArtifacts
import InTotoMetadata
import SystemPackage
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// What a malicious or merely odd command may leave behind.
@Suite(.temporaryDirectory) struct OddFilesTests {
    @Test func `special files in a tree are listed, not read`() throws {
        let tree = try Tree()
        try tree.shell(
            """
            touch f; mkfifo fifo; mkdir d; mkfifo d/fifo; ln -s /dev/zero zero; ln -s fifo pipe-link
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
            """)
        let result = try tree.take(".")
        #expect(result.names == ["f"])
        #expect(
            result.leftOut == [
                "d/fifo: a named pipe", "fifo: a named pipe", "pipe-link: a named pipe", "sock: a socket",
                "zero: a link that leaves the base path",
            ])
    }

    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["TESTS_WITHOUT_POWERS"] != nil,
            "a test of ordinary users runs this once more without root's powers"))
    func `what may not be read is an error to root without its powers`() throws {
        let tree = try Tree()
        try tree.shell("mkdir -p d/closed; touch d/closed/f d/secret; chmod 0 d/closed d/secret")
        let expected = ["'d/closed': permission denied", "'d/secret': permission denied"]
        #expect(try tree.problems("d") == expected)
        #expect(try tree.problems("dir:d") == expected && tree.problems("tree:d") == expected)
        try tree.shell("chmod 755 d/closed d/secret")
        #expect(try tree.take("d").names.count == 2)
    }

    @Test func `a special file named directly is an error`() throws {
        let tree = try Tree()
        try tree.shell(
            """
            mkfifo fifo; ln -s fifo l; ln -s none dangling; ln -s . self; ln -s loop loop
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
            """)
        #expect(
            try tree.problems("fifo", "sock", "l", "dangling", "loop") == [
                "'dangling': is a link to nothing", "'fifo': is a named pipe", "'l': is a named pipe",
                "'loop': is a link to a directory that it is in, or without an end", "'sock': is a socket",
            ])
        #expect(
            try tree.problems("/dev/null", "/dev/zero") == ["'/dev/null': is a device", "'/dev/zero': is a device"])
        let proc = "is on a file system that holds no files, such as /proc"
        #expect(try tree.problems("/proc/self/status") == ["'/proc/self/status': \(proc)"])
    }

    @Test func `the kernel's own file systems are not entered, and naming one is an error`() throws {
        let tree = try Tree()
        let reason = "is on a file system that holds no files, such as /proc"
        #expect(
            try tree.problems("/proc/sys", "/sys", "dir:/proc", "tree:/proc/sys/") == [
                "'/proc/sys': \(reason)", "'/sys': \(reason)", "'dir:/proc': \(reason)", "'tree:/proc/sys/': \(reason)",
            ])
        #expect(try tree.problems(".") { $0.base = "/proc" } == ["'.': \(reason)"])
        #expect(try tree.problems("sys/kernel", ".") { $0.base = "/proc" }.count == 2)
        let above = try tree.take("/") { options in
            try options.exclusions.append(contentsOfFile: Array("*\n!/proc/\n!/sys/\n".utf8))
        }
        #expect(above.names.isEmpty)
        #expect(above.leftOut.contains("/proc: on a file system that holds no files, such as /proc"))
        #expect(Set(above.notRecorded.map(\.reason)) == [.pseudoFileSystem])
    }

    @Test func `devices in a tree are listed, not opened`() throws {
        let tree = try Tree()
        // Every kind of device: whoever may not make nodes walks the system's own.
        let result = try tree.take("/dev") { $0.exclusions = .none }
        let devices = result.notRecorded.filter { $0.reason == .device }.map {
            String(decoding: $0.path, as: UTF8.self)
        }
        #expect(devices.contains("/dev/null"))
        #expect(devices.contains("/dev/zero"))
        #expect(!result.names.contains("/dev/null"))
    }

    @Test func `links are followed within the base path, each directory once on the way`() throws {
        let tree = try Tree("box/tree")
        try tree.shell(
            """
            mkdir -p d/e; echo f > f; echo g > d/g; echo secret > ../secret
            ln -s f file; ln -s d dir; ln -s ../.. d/e/top; ln -s file twice; ln -s d/../f dotted
            ln -s . a; ln -s . b; ln -s none broken; ln -s loop2 loop1; ln -s loop1 loop2
            ln -s ../secret out; ln -s ../../box/tree/f around; ln -s "$PWD/f" absolute; ln -s f/ slash; ln -s f/x through
            """)
        let result = try tree.take(".")
        #expect(result.names == ["absolute", "around", "d/g", "dir/g", "dotted", "f", "file", "twice"])
        #expect(result.sha256("twice") == result.sha256("f"))
        let cycle = "a link to a directory that it is in, or without an end"
        let outside = "a link that leaves the base path"
        #expect(
            result.leftOut == [
                "a: \(cycle)", "b: \(cycle)", "broken: a link to nothing", "d/e/top: \(cycle)",
                "dir/e/top: \(cycle)", "loop1: \(cycle)", "loop2: \(cycle)", "out: \(outside)",
                "slash: a link to nothing", "through: a link to nothing",
            ])
        #expect(try tree.problems("out") == ["'out': is \(outside)"])
        #expect(try tree.take("dir/g").names == ["dir/g"])
    }

    @Test func `a link that leaves the base path and comes back is followed`() throws {
        let tree = try Tree("box/tree")
        try tree.shell(
            """
            mkdir -p d/e ../beside; echo f >f; echo g >d/e/g; echo other >../beside/f
            ln -s tree ../alias; ln -s "$PWD" ../beside/back; ln -s ../tree-two ../beside/two; mkdir ../tree-two
            echo two >../tree-two/f; alias=$(dirname "$PWD")/alias
            ln -s "$alias/f" alias-file; ln -s "$alias/d" alias-directory; ln -s "$alias/file" alias-link; ln -s f file
            ln -s ../../../tree/f d/e/up; ln -s ../beside/back/d/e/g through; ln -s "$alias" self
            ln -s ../beside/two/f sibling; ln -s ../beside/f beside; ln -s "$alias/none" none; ln -s / top
            """)
        let result = try tree.take(".")
        #expect(
            result.names == [
                "alias-directory/e/g", "alias-directory/e/up", "alias-file", "alias-link", "d/e/g", "d/e/up", "f",
                "file",
                "through",
            ])
        for name in ["alias-file", "alias-link", "d/e/up"] { #expect(result.sha256(name) == result.sha256("f")) }
        #expect(result.sha256("through") == result.sha256("d/e/g"))
        let outside = "a link that leaves the base path"
        #expect(
            result.leftOut == [
                "beside: \(outside)", "none: \(outside)",
                "self: a link to a directory that it is in, or without an end",
                "sibling: \(outside)", "top: \(outside)",
            ])
        #expect(try tree.take("alias-directory/e", "self/f").names.contains("self/f"))
        #expect(try tree.problems("top", "beside") == ["'beside': is \(outside)", "'top': is \(outside)"])
        #expect(try tree.take("through") { $0.symlinks = .record }.linkTexts.map(\.description) == ["through"])
        #expect(
            try tree.take(".") { $0.base = FilePath(tree.root).removingLastComponent().appending("alias") }.names
                == result.names)
    }

    @Test func `an absolute path through links without an end is said to be one`() throws {
        let tree = try Tree()
        try tree.shell("ln -s loop2 loop1; ln -s loop1 loop2; ln -s none broken; touch f")
        let cycle = "is a link to a directory that it is in, or without an end"
        for reference in ["loop1", "loop1/x", "loop1/*", "dir:loop1"] {
            let path = reference.replacingOccurrences(of: "loop1", with: "\(tree.root)/loop1")
            #expect(try tree.problems(path) == ["'\(path)': \(cycle)"])
        }
        #expect(try tree.problems("\(tree.root)/broken") == ["'\(tree.root)/broken': is a link to nothing"])
        #expect(try tree.problems(".") { $0.base.append("loop1") } == ["the base path '\(tree.root)/loop1' \(cycle)"])
        #expect(try tree.problems(".") { $0.base.append("f") } == ["the base path '\(tree.root)/f' is not a directory"])
        #expect(try tree.problems("\(tree.root)/f/x") == ["'\(tree.root)/f/x': does not exist"])
    }

    @Test func `a link to nothing is passed over where nothing may be missing, and listed`() throws {
        let tree = try Tree()
        try tree.shell("ln -s none broken; ln -s /none/x out; touch f")
        for path in ["broken", "\(tree.root)/broken", "\(tree.root)/out"] {
            let result = try tree.take(path, "f") { $0.allowsMissing = true }
            #expect(result.names == ["f"])
            #expect(result.leftOut == ["\(path): a link to nothing"])
            #expect(try tree.problems(path) == ["'\(path)': is a link to nothing"])
        }
        #expect(try tree.problems("out") { $0.allowsMissing = true } == ["'out': is a link that leaves the base path"])
    }

    @Test func `links may be artifacts of their own, by their text`() throws {
        let tree = try Tree()
        try tree.shell("mkdir d; echo f > d/f; ln -s d/f l; ln -s d k; ln -s none broken; ln -s /etc/passwd out")
        let result = try tree.take(".") {
            $0.symlinks = .record
            $0.digests = [.sha256, .gitBlob]
        }
        #expect(result.names == ["broken", "d/f", "k", "l", "out"])
        #expect(result.linkTexts.map(\.description) == ["broken", "k", "l", "out"])
        #expect(result.sha256("l") == String(try tree.shell("printf d/f | sha256sum").prefix(64)))
        let blob = try tree.shell("printf d/f | git hash-object --stdin").dropLast()
        #expect(result.artifacts["l"]?[.gitBlob]?.description == String(blob))
        #expect(try tree.take("l") { $0.symlinks = .record }.linkTexts == ["l"])
        let beyond = try tree.problems("k/f") { $0.symlinks = .record }
        #expect(beyond == ["'k/f': is beyond a symbolic link, and these are not followed"])
    }

    @Test func `links may be refused`() throws {
        let tree = try Tree()
        try tree.shell("mkdir d; touch d/f; ln -s f d/l; ln -s none x.o")
        let message = "is a symbolic link, and these are refused"
        #expect(try tree.problems(".") { $0.symlinks = .refuse } == ["'d/l': \(message)", "'x.o': \(message)"])
        #expect(try tree.problems("d/l") { $0.symlinks = .refuse } == ["'d/l': \(message)"])
        #expect(try tree.take("d/f") { $0.symlinks = .refuse }.names == ["d/f"])
        let result = try tree.take(".") { options in
            options.symlinks = .refuse
            for pattern in ["*.o", "l"] { try options.exclusions.append(Array(pattern.utf8)) }
        }
        #expect(result.names == ["d/f"])
    }

    @Test func `a thicket of links ends at the limit of entries`() throws {
        let tree = try Tree()
        try tree.shell(
            "for i in {1..25}; do mkdir d$i; ln -s ../d$((i+1)) d$i/a; ln -s ../d$((i+1)) d$i/b; done; mkdir d26; touch d26/f"
        )
        #expect(try tree.problems("d1") { $0.entryLimit = 10_000 } == ["'.': there are more than 10000 entries below"])
        #expect(try tree.take("d20") { $0.entryLimit = 10_000 }.names.count == 64)
        let linked = "'.': links to directories lead to more than 100 entries below"
        #expect(try tree.problems("d1") { $0.linkedEntryLimit = 100 } == [linked])
        // Six levels of two links: 2 + 4 + … + 64 entries, of which the first two are not behind a link, and 64 files.
        #expect(try tree.take("d20") { $0.linkedEntryLimit = 188 }.names.count == 64)
        #expect(try tree.problems("d20") { $0.linkedEntryLimit = 187 }.count == 1)
        // What no link leads to is not counted.
        #expect(try tree.take("d26", "d25/a") { $0.linkedEntryLimit = 1 }.names.count == 2)
    }

    @Test func `a thicket of links is given up`() throws {
        let tree = try Tree()
        try tree.shell(
            "for i in {1..25}; do mkdir d$i; ln -s ../d$((i+1)) d$i/a; ln -s ../d$((i+1)) d$i/b; done; mkdir d26; touch d26/f"
        )
        let problems = try tree.problems("d1") { if !isLong { $0.linkedEntryLimit /= 100 } }
        #expect(
            problems.first?.hasPrefix("'.': links to directories lead to more than ") == true && problems.count == 1)
    }

    @Test func `a path leads through forty links, as for any program, and what is behind more is listed`() throws {
        let tree = try Tree()
        try tree.shell(
            "for i in {1..50}; do mkdir d$i; ln -s ../d$((i+1)) d$i/n; done; mkdir d51; for i in {1..51}; do touch d$i/f; done"
        )
        let names = try tree.take("d1").names
        #expect(names.count == 41 && names.contains("d1" + String(repeating: "/n", count: 40) + "/f"))
        let path = "d1" + String(repeating: "/n", count: 41)
        #expect(try tree.take("d1").leftOut.map { $0.prefix(path.utf8.count + 2) } == ["\(path): "])
        try tree.shell("cat d1\(String(repeating: "/n", count: 40))/f; ! cat \(path)/f 2>/dev/null")
    }

    @Test func `a directory of very many entries is read in a time that grows with their number alone`() throws {
        let tree = try Tree()
        let count = isLong ? 1_000_000 : 20_000
        let directory = open(tree.root, O_RDONLY | O_DIRECTORY)
        for number in 0..<count { close(openat(directory, "f\(number)", O_CREAT | O_WRONLY, 0o644)) }
        close(directory)
        let start = ContinuousClock.now
        let result = try tree.take(".")
        #expect(start.duration(to: .now) < .seconds(isLong ? 120 : 30))
        #expect(result.artifacts.count == count)
        #expect(result.names.first == "f0" && result.names.last == "f\(String(repeating: "9", count: isLong ? 6 : 4))")
        try tree.shell("find . -type f -delete")
    }

    @Test func `names of the greatest length are recorded whole`() throws {
        let tree = try Tree()
        let (long, wide) = (String(repeating: "n", count: 255), String(repeating: "é", count: 127))
        try tree.shell("mkdir \(long); touch \(long)/\(long) \(wide)x; ! touch \(long)n 2>/dev/null")
        #expect(try tree.take(".").names == ["\(long)/\(long)", "\(wide)x"])
    }

    @Test func `a name that is not UTF-8 is an error, unless excluded`() throws {
        let tree = try Tree()
        try tree.shell("touch $'bad\\xff' good; mkdir $'d\\xfe'; touch $'d\\xfe/f'")
        let reason = "the name is not UTF-8, which evidence cannot hold"
        #expect(try tree.problems(".") == ["'bad\\xFF': \(reason)", "'d\\xFE/f': \(reason)"])
        let result = try tree.take(".") {
            try $0.exclusions.append(Array("bad*".utf8))
            try $0.exclusions.append(Array("d*".utf8))
        }
        #expect(result.names == ["good"])
    }

    @Test func `composed and decomposed names, and control characters, are names of their own`() throws {
        let tree = try Tree()
        try tree.shell(
            "echo 1 > $'\\u00e9'; echo 2 > $'e\\u0301'; echo 3 > $'a\\nb\\e]52;c'; echo 4 > 'bin\\app'; mkdir bin; echo 5 > bin/app; echo 6 > A; echo 7 > a"
        )
        let result = try tree.take(".")
        let names = ["A", "a", "a\nb\u{1B}]52;c", "bin/app", "bin\\app", "e\u{301}", "\u{E9}"]
        #expect(result.artifacts.map(\.name.text) == names.map { Text($0) })
        #expect(Set(result.artifacts.map { $0.digests[.sha256] }).count == 7)
    }

    @Test func `naughty strings are recorded under their own names and printed tamely`() throws {
        let tree = try Tree()
        let names = try Vectors.json("third-party/naughty-strings/blns.json") as? [String] ?? []
        var expected: Set<[UInt8]> = []
        for name in names where !name.isEmpty && name.utf8.count <= 250 {
            let bytes = Array(name.utf8).map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0 }
            if bytes == Array(".".utf8) || bytes == Array("..".utf8) || bytes.contains(0) { continue }
            expected.insert(bytes)
            let path = FilePath(tree.root).appending("x").removingLastComponent().string + "/"
            let file = open(path + String(decoding: bytes, as: UTF8.self), O_CREAT | O_WRONLY, 0o644)
            #expect(file >= 0)
            close(file)
        }
        let result = try tree.take(".")
        #expect(expected.count > 400)
        #expect(Set(result.artifacts.map(\.name.text.utf8)) == expected)
        for artifact in result.artifacts {
            #expect(artifact.name.description.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
        }
    }

    @Test func `paths longer than any system call takes are recorded`() throws {
        let tree = try Tree()
        try tree.shell(
            """
            python3 - <<'END'
            import os
            for i in range(30):
                name = chr(97 + i % 26) * 200
                os.mkdir(name); os.chdir(name)
            open("payload", "w").write("hello")
            END
            """)
        let result = try tree.take(".")
        #expect(result.names.map(\.utf8.count) == [30 * 201 + 7])
        #expect(
            result.artifacts.first?.digests[.sha256]
                == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
    }

    @Test func `a very deep tree needs few descriptors and no stack`() throws {
        let tree = try Tree()
        let depth = 10_000
        var directory = open(tree.root, O_RDONLY | O_DIRECTORY)
        for level in 0..<depth {
            if level % 100 == 0 { close(openat(directory, "f", O_CREAT | O_WRONLY, 0o644)) }
            #expect(mkdirat(directory, "d", 0o755) == 0)
            // A second branch on the way keeps directories waiting, more than may be open.
            if level % 20 == 0 { mkdirat(directory, "e", 0o755) }
            let next = openat(directory, "d", O_RDONLY | O_DIRECTORY)
            close(directory)
            directory = next
        }
        close(openat(directory, "f", O_CREAT | O_WRONLY, 0o644))
        close(directory)
        let result = try tree.take(".")
        #expect(result.names.count == 101)
        #expect(result.names.map(\.utf8.count).max() == 2 * depth + 1)
        #expect(try tree.take(".") { $0.threads = 1 }.artifacts == result.artifacts)
        try tree.shell("rm -rf d e f")
    }

    @Test func `a name longer than 64 KiB is an error`() throws {
        let tree = try Tree()
        try tree.shell(
            """
            python3 - <<'END'
            import os
            for i in range(340):
                os.mkdir("n" * 200); os.chdir("n" * 200)
            END
            """)
        let problems = try tree.problems(".")
        #expect(problems.count == 1)
        #expect(problems.first?.hasSuffix("': the name is longer than 65536 bytes") == true)
        try tree.shell("rm -rf n*")
    }

    @Test func `hard links are files like others`() throws {
        let tree = try Tree()
        try tree.shell("echo x > a; ln a b")
        let result = try tree.take(".")
        #expect(result.names == ["a", "b"])
        #expect(result.sha256("a") == result.sha256("b"))
    }

    @Test func `line ends are read alike across chunk borders, in text only`() throws {
        let tree = try Tree()
        // The carriage return ends the first read of 128 KiB, its line feed begins the second.
        try tree.shell(
            """
            head -c 131071 /dev/zero | tr '\\0' x > long; printf '\\r\\nend\\rmac\\n\\r\\r\\n' >> long
            head -c 131071 /dev/zero | tr '\\0' x > plain; printf '\\nend\\nmac\\n\\n\\n' >> plain
            printf 'a\\0\\r\\n' > binary; printf '\\r' > cr; printf '\\n' > lf
            """)
        let result = try tree.take(".") {
            $0.lineEndings = .normalized
            $0.digests = [.sha256, .gitBlob]
        }
        #expect(result.artifacts["long"] == result.artifacts["plain"])
        #expect(result.artifacts["cr"] == result.artifacts["lf"])
        #expect(result.sha256("plain") == String(try tree.shell("sha256sum < plain").prefix(64)))
        #expect(
            result.artifacts["long"]?[.gitBlob]?.description
                == String(try tree.shell("git hash-object plain").dropLast()))
        #expect(result.sha256("binary") == String(try tree.shell("sha256sum < binary").prefix(64)))
        let verbatim = try tree.take(".")
        #expect(verbatim.artifacts["cr"] != verbatim.artifacts["lf"])
    }
}
