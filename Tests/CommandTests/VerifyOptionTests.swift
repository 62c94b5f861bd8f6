import Foundation
import TestSupport
import Testing

/// What `verify` is told on the command line: nothing that is misspelled is passed over.
@Suite(.temporaryDirectory) struct VerifyOptionTests {
    private static let forty = String(repeating: "0", count: 40)

    @Test(
        arguments: [
            (["--max-size", "0"], "--max-size is a number of bytes"), (["--max-size", "-1"], "--max-size"),
            (["--now", "tomorrow"], "--now takes a time"), (["--now", "2030-01-01"], "--now takes a time"),
            (
                [
                    "--now", "2030-01-01T00:00:00Z", "--vsa", "../vsa", "--vsa-key", "../owner.pem", "--resource-uri",
                    "https://example.org/x",
                ], "--now and --vsa do not go together"
            ),
            (["--now", "2030-02-30T00:00:00Z"], "--now takes a time"),
            (["--expect-layout-digest", forty], "--expect-layout-digest takes 64 hexadecimal digits"),
            (["--require-attestation", "build"], "there is no '='"),
            (["--require-attestation", "build=test"], "neither a known type nor a URI"),
            (["--parameter", "NAME"], "there is no '='"), (["--parameter", "A=1", "A=2"], "is given twice"),
            (["--parameters", "none"], "none"), (["--link-dir", "none"], "none"), (["--layout-keys", "none"], "none"),
        ] as [([String], String)])
    func `what cannot be meant is an error, and no verdict`(options: [String], message: String) throws {
        let result = try VerifyTests.Chain().verify(options)
        #expect(result.status == 2, "\(result.outputText)\(result.errorText)")
        #expect(result.errorText.contains(message), "\(result.errorText)")
        #expect(result.output == [])
    }

    @Test func `somebody has to be the owner`() throws {
        let chain = try VerifyTests.Chain()
        _ = try chain.verify()
        let result = try chain.run("verify", "-l", "root.layout", "--link-dir", "links")
        #expect(result.status == 2)
        #expect(result.errorText.contains("no --verification-keys: whose layout is it?"))
    }

    @Test func `a file of two keys names no owner`() throws {
        let chain = try VerifyTests.Chain()
        #expect(try chain.verify().status == 0)
        #expect(
            try chain.run.shell("cat owner.pem.pub alice.pem.pub >two.pub; cat owner.pem alice.pem >two").status == 0)
        #expect(try chain.run.shell("chmod 600 two").status == 0)
        let result = try chain.run(
            "verify", "-l", "root.layout", "--verification-keys", "two.pub", "--link-dir", "links")
        #expect(result.status == 2 && result.output == [], "\(result.outputText)\(result.errorText)")
        #expect(result.errorText.contains("two.pub: 2 keys (or certificates) in one file"), "\(result.errorText)")
        #expect(result.errorText.contains("hint: put each key into a file of its own"))
        let signed = try chain.run("sign", "unsigned", "-k", "two", "-o", "other.layout")
        #expect(signed.status != 0 && signed.errorText.contains("two: 2 keys"), "\(signed.errorText)")
        #expect(try !chain.run.list().contains("other.layout"))
    }

    /// The options are added to `--link-dir ../links`.
    @Test func `evidence that is named twice is there once`() throws {
        let chain = try VerifyTests.Chain()
        #expect(
            try chain.run.shell("ln -s links again; cp -R links copy").status == 0)
        let file = try #require(try chain.run.list("links").first { $0.hasSuffix(".intoto.jsonl") })
        func count(_ result: Subprocess) -> Int {
            result.status == 0 ? result.outputText.components(separatedBy: "\"standing\"").count - 1 : -1
        }
        func found(_ places: String...) throws -> Int { try count(chain.verify(["--json", "--link-dir"] + places)) }
        #expect(try found("../links", "../links/", "../product/../links", "../again") == 1)
        // A copy is evidence of its own, which does not count twice.
        #expect(try found("../copy") == 2)
        _ = try chain.run.shell("ln -s ../links product/inner")
        #expect(try found("inner", "../links") == 1)

        func named(_ files: String...) throws -> Int {
            try count(
                chain.run.run(
                    ["verify", "-l", "root.layout", "--verification-keys", "owner.pem.pub", "--json", "--link-dir"]
                        + files))
        }
        // Two paths below the working directory, one of them by a link: both are read.
        #expect(try named("links/\(file)", "./links/\(file)", "again/\(file)") == 2)
        #expect(try named("links/\(file)", "links/../links/\(file)") == 1)
        #expect(try named("links/\(file)", "copy/\(file)") == 2)
    }

    /// A rule forbids everything but the product's files, and evidence is hidden from it by its path.
    @Test func `evidence that two paths below the product's directory lead to is hidden by both`() throws {
        let rules = [["ALLOW", "in"], ["ALLOW", "out"], ["DISALLOW", "*"]]
        let chain = try VerifyTests.Chain(inspections: [VerifyTests.Chain.inspection("look", ["true"], rules)])
        #expect(
            try chain.run.shell("mv links product/a && ln -s a product/b && ln -s product elsewhere && mkdir links")
                .status == 0)
        for places in [["a", "b"], ["../elsewhere/b", "b", "a"], ["b", "../elsewhere/a", "a", "./a"]] {
            let result = try chain.verify(["--link-dir"] + places)
            #expect(result.status == 0, "\(places): \(result.outputText)\(result.errorText)")
        }
        #expect(try chain.verify("--link-dir", "a").status == 1)
    }

    @Test func `parameters come from a file, and from the command line beside it`() throws {
        var chain = try VerifyTests.Chain()
        try chain.change("expected_products", to: [["CREATE", "{A}{B}"], ["DISALLOW", "*"]])
        try chain.run.write(#"{"A": "ou", "B": "x"}"#, to: "product/two")
        #expect(try chain.verify("--parameters", "two", "--parameter", "B=t").status == 2)
        try chain.run.write(#"{"A": "ou"}"#, to: "product/one")
        #expect(try chain.verify("--parameters", "one", "--parameter", "B=t").status == 0)
        for bad in ["[]", #"{"A": 1}"#, #"{"A": "1", "A": "2"}"#, "{", #"{"a.b": "x"}"#] {
            try chain.run.write(bad, to: "product/bad")
            #expect(try chain.verify("--parameters", "bad").status == 2, "\(bad)")
        }
    }

    @Test func `without any parameter braces are what is written`() throws {
        var chain = try VerifyTests.Chain()
        try chain.change("expected_products", to: [["DISALLOW", "{A}"], ["ALLOW", "*"]])
        #expect(try chain.verify().status == 0)
        let named = try chain.verify("--parameter", "B=x")
        #expect(named.status == 1 && named.outputText.contains("{A}"), "\(named.outputText)")
    }

    @Test func `evidence that cannot be listed to its end is not taken for all there is`() throws {
        let chain = try VerifyTests.Chain()
        try chain.run.write("", to: "links/unreadable")
        #expect(try chain.verify().status == 0)
        var run = chain.run
        for (library, reason) in [
            (PreloadedLibrary.failingList, "Input/output error"),
            (PreloadedLibrary.failingOpening, "Too many open files"),
            (PreloadedLibrary.failingListing, "Cannot allocate memory"),
        ] {
            try PreloadedLibrary.install(library, in: &run)
            let result = try chain.verify([], environment: run.environment)
            #expect(result.status == 2 && result.output == [])
            #expect(result.errorText.contains("../links: cannot list: \(reason)"), "\(result.errorText)")
        }
    }

    @Test func `evidence may be named as a file, of a bounded size`() throws {
        let chain = try VerifyTests.Chain()
        _ = try chain.verify()
        let bundle = try chain.run.file(endingIn: ".intoto.jsonl", in: "links")
        func verify(_ options: String...) throws -> Subprocess {
            try chain.run.run(["verify", "-l", "root.layout", "--verification-keys", "owner.pem.pub"] + options)
        }
        #expect(try verify("--link-dir", bundle).status == 0)
        #expect(try verify("--link-dir", "owner.pem.pub").status == 1)
        #expect(try verify().status == 1)
        let size = try chain.run.read(bundle).count
        #expect(try verify("--link-dir", bundle, "--max-size", "\(size)").status == 0)
        let small = try verify("--link-dir", bundle, "--max-size", "\(size - 1)", "--explain")
        #expect(small.status == 1)
        #expect(small.outputText.contains("larger than \(size - 1) bytes"), "\(small.outputText)")
    }

    @Test(arguments: [
        ("--json ../out --junit ../out", "--json and --junit both go to ../out"),
        ("--json ../out --vsa ../product/../out", "--json and --vsa both go to ../product/../out"),
        ("--junit ../same/out --vsa ../out", "--junit and --vsa both go to ../out"),
        ("--json - --junit /dev/stdout", "--json and --junit both go to /dev/stdout"),
        ("--json=- --vsa -", "--json and --vsa both go to -"),
        ("--json ../pipe --vsa ../pipe", "--json and --vsa both go to ../pipe"),
    ])
    func `two outputs to one place are refused before anything is verified`(words: String, message: String) throws {
        let chain = try VerifyTests.Chain(inspections: [VerifyTests.Chain.inspection("touch", ["touch", "ran"])])
        let summary = ["--vsa-key", "../owner.pem", "--resource-uri", "https://example.org/x"]
        let options = words.split(separator: " ").map(String.init)
        _ = try chain.run.shell("ln -s . same; mkfifo pipe")
        // Somebody who reads.
        let reader = FileHandle(forUpdatingAtPath: chain.run.directory.appending(path: "pipe").path)
        let result = try chain.verify(options + (words.contains("--vsa") ? summary : []))
        try #require(reader).close()
        #expect(result.status == 2, "\(result.outputText)")
        #expect(result.errorText.contains("error: \(message)\n"), "\(result.errorText)")
        #expect(result.output == [])
        #expect(try chain.run.list("product") == ["in", "out"] && !chain.run.list().contains("out"))
    }

    @Test func `outputs to several places are all written`() throws {
        let chain = try VerifyTests.Chain()
        #expect(try chain.verify("--json", "/dev/null", "--junit", "/dev/null").status == 0)
        let result = try chain.verify(
            "--json", "../out", "--junit", "../product/report", "--vsa", "../vsa", "--vsa-key", "../owner.pem",
            "--resource-uri", "https://example.org/x")
        #expect(result.status == 0, "\(result.outputText)\(result.errorText)")
        #expect(try chain.run.list().filter { ["out", "vsa"].contains($0) } == ["out", "vsa"])
        #expect(String(decoding: try chain.run.read("product/report"), as: UTF8.self).hasPrefix("<?xml"))
    }

    @Test func `an inspection's program is looked for in absolute directories only`() throws {
        let chain = try VerifyTests.Chain(inspections: [VerifyTests.Chain.inspection("look", ["tool"])])
        try chain.run.write("#!/bin/sh\n", to: "product/bin/tool")
        _ = try chain.run.shell("chmod +x product/bin/tool; mkdir other; cp product/bin/tool other")
        for path in ["bin:/usr/bin:/bin", "./bin:/usr/bin:/bin", "/usr/bin:/bin:bin"] {
            let result = try chain.verify([], environment: ["PATH": path])
            #expect(result.status == 1, "\(path)")
            #expect(result.outputText.contains("inspection 'look' could not be run"), "\(result.outputText)")
        }
        let other = chain.run.directory.appending(path: "other").path
        #expect(try chain.verify([], environment: ["PATH": "bin:\(other):/bin"]).status == 0)
    }

    /// An empty PATH is the current directory, which is the product's.
    @Test(arguments: [".", "", ":", "bin:."])
    func `without an absolute directory in PATH no inspection is run`(path: String) throws {
        let chain = try VerifyTests.Chain(inspections: [VerifyTests.Chain.inspection("look", ["tool"])])
        try chain.run.write("#!/bin/sh\n: >../ran\n", to: "product/tool")
        _ = try chain.run.shell("chmod +x product/tool; mkdir product/bin; cp product/tool product/bin")
        let result = try chain.verify([], environment: ["PATH": path])
        #expect(try result.status == 1 && !chain.run.list().contains("ran"))
        let reason = "inspection 'look' could not be run: PATH has no absolute directory\n"
        #expect(result.outputText.contains(reason), "\(result.outputText)")
        let here = chain.run.directory.appending(path: "product").path
        #expect(try chain.verify([], environment: ["PATH": "\(path):\(here)"]).status == 0)
        #expect(try chain.run.list().contains("ran"))
    }
}
