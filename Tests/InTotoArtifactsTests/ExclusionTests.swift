import Foundation
import InTotoMetadata
import SystemPackage
import TestSupport
import Testing

@testable import InTotoArtifacts

#if canImport(Glibc)
    import Glibc
#endif

@Suite(.temporaryDirectory) struct ExclusionTests {
    /// Whether a pattern list hides a path, its parent directories asked first.
    private static func hides(_ patterns: [ExclusionPattern], _ path: [UInt8]) -> Bool {
        let isDirectory = path.last == UInt8(ascii: "/")
        let path = isDirectory ? Array(path.dropLast()) : path
        func last(_ part: ArraySlice<UInt8>, _ isDirectory: Bool) -> Bool {
            patterns.last { $0.matches(part, isDirectory: isDirectory) }.map { !$0.isNegated } ?? false
        }
        for index in path.indices where path[index] == UInt8(ascii: "/") && last(path[..<index], true) { return true }
        return last(path[...], isDirectory)
    }

    /// Random text made of pieces that patterns and names are likely to be troubled by.
    private static func random(
        _ pieces: [String], _ count: ClosedRange<Int>, _ generator: inout SeededGenerator
    ) -> String {
        (0..<Int.random(in: count, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }
            .joined()
    }

    @Test func `thousands of random patterns hide what git check-ignore says`() throws {
        let tree = try Tree()
        try tree.shell("git init -q . && git config core.excludesFile /dev/null")
        var generator = SeededGenerator(state: 20_260_101)
        let pieces = [
            "a", "b", "ab", "foo", "a", "b", ".", "-", "*", "**", "?", "/", "/", "**/", "/**", "[ab]", "[!a]", "[a-c]",
            "[^b]",
            "[[:alpha:]]", "[]a]", "[a-]", "\\*", "\\a", "\\ ", " ", "[[:digit:]b]", "[\\]a]", "é", "!", "#", "]", "[a",
        ]
        let nameParts = [
            "a", "a", "b", "ab", "a", "b", "foo", "c", "*", "-", "]", ".", "\\", " ", "é", "1", "aab", "[", "!", "#",
        ]
        var checked = 0
        var hidden = 0
        for _ in 0..<300 {
            let lines = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                (Bool.random(using: &generator) && Bool.random(using: &generator) ? "!" : "")
                    + Self.random(pieces, 1...6, &generator)
            }
            try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: tree.root + "/.gitignore"))
            let paths = (0..<80).map { _ in
                let parts = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                    let part = Self.random(nameParts, 1...2, &generator)
                    return [".", ".."].contains(part) ? "a" : part
                }
                return parts.joined(separator: "/")
            }
            let input = Array((paths.joined(separator: "\0") + "\0").utf8)
            let answer = try Subprocess.run(
                "/usr/bin/git", ["check-ignore", "--stdin", "-z", "-v", "-n", "--no-index"],
                in: URL(filePath: tree.root), input: input
            )
            let fields = answer.output.split(separator: 0, omittingEmptySubsequences: false)
            #expect(fields.count == paths.count * 4 + 1)
            let patterns = lines.compactMap { ExclusionPattern(line: Array($0.utf8)) }
            for (index, path) in paths.enumerated() {
                let pattern = fields[index * 4 + 2]
                let gitHides = !pattern.isEmpty && pattern.first != UInt8(ascii: "!")
                let ours = Self.hides(patterns, Array(path.utf8))
                if ours != gitHides { Issue.record("\(lines) on '\(path)': git \(gitHides), we \(ours)") }
                checked += 1
                hidden += gitHides ? 1 : 0
            }
        }
        print("compared \(checked) decisions with git check-ignore, of which \(hidden) hide")
        #expect(checked == 24_000)
        #expect((2_000..<20_000).contains(hidden))
    }

    @Test func `directory patterns, anchors and negation hide in a walk what they hide in git`() throws {
        let tree = try Tree()
        try tree.shell(
            """
            git init -q .
            mkdir -p build/keep src/build doc/a/b 'sp ace '
            touch build/x build/keep/y src/build/z src/m.o src/keep.o top doc/a/b/t doc/a/s 'sp ace /f' 'end ' src/build.txt
            """)
        let lines = ["build/", "*.o", "!keep.o", "/top", "doc/**/t", "end\\ ", "!build/keep/y"]
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: tree.root + "/.gitignore"))
        let listed = try tree.shell("git ls-files -z --others --exclude-standard").split(separator: "\0").map(
            String.init)
        let result = try tree.take(".") { options in
            try options.exclusions.append(contentsOfFile: Array((lines.joined(separator: "\r\n") + "\n# c\n\n").utf8))
        }
        #expect(result.names == listed.sorted { Text($0) < Text($1) })
        #expect(result.names.contains("src/keep.o"))
    }

    @Test(arguments: ["*[", "[a", "a\\", "!", "/", "[[:nope:]]"])
    func `a pattern that can match nothing is refused`(pattern: String) {
        var patterns = ExclusionPatterns.standard
        #expect(throws: ExclusionPatternError.self) { try patterns.append(Array(pattern.utf8)) }
    }

    @Test(arguments: [
        ("#d", "bad pattern '#d': it is a comment; put a backslash before the '#'"),
        ("", "bad pattern '': it is empty"),
        ("  ", "bad pattern '  ': it is empty"),
    ])
    func `what says nothing as a line of a file is refused by itself`(pattern: String, message: String) throws {
        var patterns = ExclusionPatterns.none
        #expect { try patterns.append(Array(pattern.utf8)) } throws: { "\($0)" == message }
        try patterns.append(contentsOfFile: Array("\(pattern)\r\n\(pattern)\n".utf8))
        #expect(patterns == .none)
        let tree = try Tree()
        try tree.shell("touch '#d' f")
        #expect(try tree.take(".") { try $0.exclusions.append(Array("\\#d".utf8)) }.names == ["f"])
    }

    @Test func `what parallel runs hold is hidden, by the exact shape of its name and only while they hold it`() throws
    {
        let tree = try Tree()
        let shaped = [".intoto-run.0123456789abcdee.tmp", ".intoto-run.0123456789abcdef.tmp"]
        let others = [
            ".intoto-run.0123456789abcdeF.tmp", ".intoto-run.0123456789abcdef.tmp2", ".intoto-run.123456789abcdef.tmp",
            "intoto-run.0123456789abcdef.tmp",
        ]
        try tree.shell("touch \((shaped + others).joined(separator: " ")); echo payload > \(shaped[0])")
        let held = try (shaped + others).map { try Self.lock("\(tree.root)/\($0)") }
        let result = try tree.take(".")
        #expect(result.names == others.sorted())
        #expect(result.excluded.map(\.count) == [2])
        #expect(result.excluded.first?.first == shaped.map { Array($0.utf8) })
        #expect(try tree.take(".") { $0.exclusions = .none }.names.count == 6)
        for descriptor in held { close(descriptor) }
        #expect(try tree.take(".").names == (shaped + others).sorted())
    }

    /// Holds a file as a run holds what it is about to write.
    private static func lock(_ path: String) throws -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        try #require(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        return descriptor
    }

    @Test func `what each pattern hid is counted, and the first paths are named`() throws {
        let tree = try Tree()
        try tree.shell(
            "mkdir -p .git d; touch .git/a .git/b; for i in {30..10}; do touch d/$i.o d/$i.c; done; touch $'d/1\\xff.o'"
        )
        for threads in [1, 4] {
            let result = try tree.take(".") { options in
                options.threads = threads
                try options.exclusions.append(contentsOfFile: Array("*.o\n*.absent\n".utf8))
            }
            #expect(result.names.count == 21)
            #expect(result.excluded.map(\.pattern.description) == [".git/", "*.o"])
            #expect(result.excluded.map(\.count) == [1, 22])
            #expect(result.excluded[0].first == [Array(".git".utf8)])
            let first = (10...18).map { Array("d/\($0).o".utf8) } + [Array("d/19.o".utf8)]
            #expect(result.excluded[1].first == first)
        }
    }

    @Test func `evidence is hidden by name and content together`() throws {
        let tree = try Tree()
        try tree.shell(
            """
            echo '{"signatures": [{"sig": "}"}], "signed": {}}' > build.0123abcd.link
            echo '{"payloadType": "x", "payload": "e30="}' > build.0123abcd.intoto.jsonl
            echo '{"signed": {}}' > .build.0123abcd.link-unfinished
            echo 'int main' > code.0123abcd.link
            echo '{"a": {"signed": 1}}' > nested.0123abcd.link
            echo '{"signed": {}}' > build.link; cp build.link build.0123ABCD.link
            echo '{"a": "signed"}' > value.0123abcd.link; : > none.0123abcd.link
            mkdir dir.0123abcd.link; touch dir.0123abcd.link/f
            """)
        let names = [
            "build.0123ABCD.link", "build.link", "code.0123abcd.link", "dir.0123abcd.link/f", "nested.0123abcd.link",
            "none.0123abcd.link", "value.0123abcd.link",
        ]
        let result = try tree.take(".")
        #expect(result.names == names)
        #expect(result.excluded.map(\.count) == [1, 1, 1])
        let named = try tree.take("build.0123abcd.link", "code.0123abcd.link")
        #expect(named.names == ["code.0123abcd.link"])
        #expect(named.notRecorded.map { String(decoding: $0.path, as: UTF8.self) } == ["build.0123abcd.link"])
        #expect(try tree.take(".") { try $0.exclusions.append(Array("!build.*".utf8)) }.names.count == 9)
        #expect(try tree.take(".") { $0.exclusions = .none }.names.count == 10)
    }

    @Test func `of what is new under the name of evidence, only what is evidence to its end is hidden, and told`()
        throws
    {
        let tree = try Tree()
        let sound = "{\"signatures\": [], \"signed\": {}}"
        try tree.shell(
            """
            echo '{"signed":1}}}} old' >old.0123abcd.link; cp old.0123abcd.link kept.0123abcd.link; cp old.0123abcd.link swapped.0123abcd.link
            echo '\(sound)' >same.0123abcd.link; cp same.0123abcd.link changed.0123abcd.link; sleep 0.05
            """)
        let before = try tree.take(".")
        #expect(before.names == [] && before.newlyHidden == [])
        try tree.shell(
            """
            echo '{"signed":1}}}} #!/bin/sh evil' >payload.deadbeef.link; cp payload.deadbeef.link payload.deadbeef.intoto.jsonl
            cp payload.deadbeef.link .payload.deadbeef.link-unfinished; cp payload.deadbeef.link swapped.0123abcd.link
            echo '\(sound)' >new.0123abcd.link; mkdir d; echo '{"payload":"","payloadType":"","signatures":[]}' >d/new.0123abcd.intoto.jsonl
            (cat d/new.*; echo evil) >part.0123abcd.intoto.jsonl; echo ' ' >>changed.0123abcd.link
            echo '\(sound)' >big.0123abcd.link; truncate -s 257M big.0123abcd.link; rm old.0123abcd.link
            ln -s new.0123abcd.link to.0123abcd.link
            """)
        for references in [["."], ["*", ".payload*", "d/*"]] {
            var options = tree.options
            options.hiddenBefore = before.hidden
            let after = try Snapshot.take(
                of: references.map { try ArtifactReference(parsing: $0.utf8) }, options: options)
            #expect(
                after.names == [
                    ".payload.deadbeef.link-unfinished", "big.0123abcd.link", "part.0123abcd.intoto.jsonl",
                    "payload.deadbeef.intoto.jsonl", "payload.deadbeef.link", "swapped.0123abcd.link",
                ])
            #expect(
                after.newlyHidden.map { String(decoding: $0, as: UTF8.self) } == [
                    "changed.0123abcd.link", "d/new.0123abcd.intoto.jsonl", "new.0123abcd.link", "to.0123abcd.link",
                ])
        }
        // Named themselves, below the base path or from the root.
        for prefix in ["", tree.root + "/"] {
            let named = try tree.take("\(prefix)payload.deadbeef.link", "\(prefix)new.0123abcd.link") {
                $0.hiddenBefore = before.hidden
            }
            #expect(named.names == ["\(prefix)payload.deadbeef.link"])
            #expect(named.newlyHidden == [Array("\(prefix)new.0123abcd.link".utf8)])
        }
    }

    @Test func `inspections do not see evidence that is known and whole, and see all other files`() throws {
        let tree = try Tree()
        try tree.shell(
            """
            mkdir d other .git; touch .git/x
            echo '{"signatures": [], "signed": {}}' | tee build.0123abcd.link other.0123abcd.link >d/in.0123abcd.link
            echo '{"payload": "", "payloadType": "", "signatures": []}' >whole.0123abcd.intoto.jsonl
            (cat whole.*; echo 'echo I-ran') >part.0123abcd.intoto.jsonl
            (cat build.*.link; echo 'echo I-ran') >part.0123abcd.link
            printf '{"payload": 1\\necho I-ran\\n' >script.0123abcd.link
            echo 'int main' >code.0123abcd.link; : >empty.0123abcd.link; : >empty.0123abcd.intoto.jsonl
            cp build.0123abcd.link build.link; cp build.0123abcd.link .build.0123abcd.link-unfinished
            ln -s d/in.0123abcd.link to.0123abcd.link; mkdir dir.0123abcd.link; touch dir.0123abcd.link/f
            """)
        let all = try tree.take(".") { $0.exclusions = .inspection }
        #expect(all.names == (try tree.take(".") { $0.exclusions = .none }.names.filter { !$0.hasPrefix(".git/") }))
        let seen = try tree.take(".") { options in
            options.exclusions = .inspection
            let files = all.names.map { FilePath($0) } + ["other", "../other.0123abcd.link", "/other.0123abcd.link"]
            options.know(
                evidence: Set(files.filter { $0 != "other.0123abcd.link" }), in: Array("\(tree.root)/".utf8))
        }
        // What a link leads to is hidden under the name that it has there, if that is known.
        let hidden = ["build.0123abcd.link", "d/in.0123abcd.link", "to.0123abcd.link", "whole.0123abcd.intoto.jsonl"]
        #expect(seen.names == all.names.filter { !hidden.contains($0) })
        #expect(seen.excluded.map(\.count) == [1, 3, 1])
        // An absolute path, and one that leads out and back.
        for file in [
            "\(tree.root)/other.0123abcd.link",
            "../\(FilePath(tree.root).lastComponent?.string ?? "")/./other.0123abcd.link",
        ] {
            let one = try tree.take(".") { options in
                options.exclusions = .inspection
                options.know(evidence: [FilePath(file)], in: Array(tree.root.utf8))
            }
            #expect(one.names == all.names.filter { $0 != "other.0123abcd.link" }, "\(file)")
        }
    }

    @Test(arguments: [
        (".git/a/f", ".git/a/f"), (".git", ".git"), ("dir:.git", "dir:.git"), ("tree:./.git/a", "tree:.git/a"),
        (".git/*", ".git/*"), ("/.git", "/.git"), ("dir:/.git/", "dir:/.git"), ("/.git/*", "/.git/*"),
    ])
    func `a reference that a pattern hides is said to be hidden`(reference: String, shown: String) throws {
        let tree = try Tree()
        try tree.shell("mkdir -p .git/a; touch .git/a/f f")
        let (reference, shown) = (Self.placed(reference, tree), Self.placed(shown, tree))
        let result = try tree.take(reference, "f")
        #expect(result.names == ["f"])
        #expect(result.leftOut == ["\(shown): excluded by '.git/'"])
        #expect(result.excluded.map(\.count) == [1])
        let recorded = try tree.take(reference) { $0.exclusions = .none }
        #expect(recorded.names.count == 1 && recorded.leftOut.isEmpty)
        // Nobody asked for it by name.
        #expect(try tree.take(".").leftOut.isEmpty)
    }

    /// With the tree's place in front of an absolute path.
    private static func placed(_ reference: String, _ tree: Tree) -> String {
        guard let start = reference.firstIndex(of: "/"), start == reference.startIndex || reference.hasPrefix("dir:/")
        else { return reference }
        return reference[..<start] + tree.root + reference[start...]
    }

    @Test func `many stars against a long name take no exponential time`() {
        let pattern = Array(String(repeating: "*a", count: 30).utf8) + Array("b".utf8)
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 4_000)
        #expect(!Wildmatch.matches(pattern[...], text[...]))
        #expect(Wildmatch.matches(pattern[...], (text + Array("b".utf8))[...]))
        let deep = Array(String(repeating: "**/a/", count: 12).utf8) + Array("b".utf8)
        let path = Array(String(repeating: "a/", count: 60).utf8) + Array("c".utf8)
        #expect(!Wildmatch.matches(deep[...], path[...]))
    }
}

/// The same numbers in every run. SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
