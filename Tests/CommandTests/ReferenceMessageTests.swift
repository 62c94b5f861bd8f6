import TestSupport
import Testing

/// What is said of references that cannot be recorded, and of what to do.
@Suite(.temporaryDirectory) struct ReferenceMessageTests {
    @Test(arguments: [
        (
            "-m a --base-path nope --allow-missing", "the base path 'nope' does not exist",
            "name a directory that is there, and can be read, with --base-path"
        ),
        (
            "-m a --base-path a", "the base path 'a' is not a directory",
            "name a directory that is there, and can be read, with --base-path"
        ),
        (
            "-m out", "'out': is a link that leaves the base path",
            "name what the link leads to by its absolute path, or choose a base path that holds it (--base-path)"
        ),
        (
            "-m l --symlinks refuse", "'l': is a symbolic link, and these are refused",
            "name what the link leads to, exclude it, or choose --symlinks follow or record"
        ),
        (
            "-m s/b --symlinks record", "'s/b': is beyond a symbolic link, and these are not followed",
            "name what the link leads to, or choose --symlinks follow"
        ),
        (
            "-m a d/a --lstrip-paths d", "'d/a': has the same name in evidence as 'a'",
            "exclude one of the two, or strip less of their names (--lstrip-paths)"
        ),
        ("-m gone", "'gone': is a link to nothing", "name what is there, or give --allow-missing"),
        ("-m gone/x*", "'gone/x*': is a link to nothing", "name what is there, or give --allow-missing"),
        ("-m none", "'none': does not exist", "name what is there, or give --allow-missing"),
    ])
    func `a reference that cannot be recorded comes with a next step`(
        options: String, message: String, hint: String
    ) throws {
        let run = IntotoRun()
        try run.makeKey()
        let result = try run.shell(
            """
            mkdir d; touch a d/a d/b; ln -s /etc out; ln -s a l; ln -s d s; ln -s nowhere gone
            "$R" -n s -k key.pem --format link \(options) -- touch ran
            """)
        #expect(result.status == 125)
        #expect(result.errorText == "intoto-run: error: nothing ran: \(message)\nintoto-run: hint: \(hint)\n")
        #expect(try !run.list().contains("ran"))
    }

    @Test(arguments: ["-m s/*.c -p s/**", "-m src -p s/*.c", "-m s/* -p s/*.c --allow-missing"])
    func `a glob behind a link is recorded before the command and after it`(options: String) throws {
        let run = IntotoRun()
        try run.makeKey()
        let options = options.split(separator: " ").map { "'\($0)'" }.joined(separator: " ")
        let result = try run.shell(
            """
            mkdir src; echo 1 >src/a.c; ln -s src s
            "$R" -q -n s -k key.pem --format link \(options) -- sh -c 'echo 2 >src/b.c'
            """)
        #expect(result.status == 0 && result.errorText == "")
        let link = try Evidence.link(try run.file(endingIn: ".link"), of: run)
        #expect(link.materialNames == [options.hasPrefix("'-m' 'src'") ? "src/a.c" : "s/a.c"])
        #expect(link.productNames == ["s/a.c", "s/b.c"])
    }
}
