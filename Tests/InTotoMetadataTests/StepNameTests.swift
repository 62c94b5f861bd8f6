import InTotoMetadata
import Testing

@Suite struct StepNameTests {
    @Test(arguments: [
        "a", "build", "build-1.2_x", "step with spaces", "ünïcode", "日本", "a.b", "a-b", "{}", "$(x)", "a\\b", "'",
        String(repeating: "x", count: 200), String(repeating: "é", count: 100),
    ])
    func `a step may be named so`(name: String) throws {
        #expect(try StepName(Text(name)).text == Text(name))
    }

    @Test(
        arguments: [
            ("", .empty), (".", .leadingDotOrDash), ("..", .leadingDotOrDash), (".hidden", .leadingDotOrDash),
            ("-x", .leadingDotOrDash), (String(repeating: "x", count: 201), .tooLong),
            (String(repeating: "é", count: 101), .tooLong),
            ("a/b", .character("/")), ("/", .character("/")), ("a*", .character("*")), ("a?", .character("?")),
            ("a[b", .character("[")), ("a]b", .character("]")), ("a\u{0}b", .character("\\x00")),
            ("a\n", .character("\\n")),
            ("a\u{7F}", .character("\\x7F")), ("\u{85}", .character("\\u{85}")),
            ("a\u{202E}b", .character("\\u{202E}")),
            ("\u{200F}a", .character("\\u{200F}")), ("\u{2066}a", .character("\\u{2066}")),
            ("\u{FEFF}a", .character("\\u{FEFF}")),
            ("a\u{2028}b", .character("\\u{2028}")), ("a\u{2029}b", .character("\\u{2029}")),
        ] as [(String, StepNameError.Problem)])
    func `a step may not be named so`(name: String, problem: StepNameError.Problem) {
        #expect {
            try StepName(Text(name))
        } throws: { error in
            let error = error as? StepNameError
            return error?.name == Text(name) && error?.problem == problem
        }
    }

    /// The longest file name made of it: `.NAME.KEYID8.link-unfinished`.
    @Test func `the longest name still fits a file name`() {
        #expect(1 + StepName.maximumLength + ".01234567.link-unfinished".utf8.count <= 255)
    }

    @Test func `an error shows the name harmlessly`() {
        #expect {
            try StepName("a\u{1B}[2J/b")
        } throws: { error in
            "\(error)" == "step name 'a\\x1B[2J/b' may not contain '\\x1B'"
        }
    }
}
