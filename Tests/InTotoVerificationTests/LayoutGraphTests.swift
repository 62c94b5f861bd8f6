import InTotoMetadata
import InTotoVerification
import Testing

/// Layouts as graphs: which edges there are, and names that graph languages would act on.
struct LayoutGraphTests {
    private static func graph(
        _ name: Text = "use", materials: [[Text]] = [], _ language: LayoutGraph.Language
    ) throws -> [String] {
        let chain = try TestChain(steps: [
            TestChain.step("make", [.alice]), TestChain.step(name, [.bob], materials: materials),
        ])
        return LayoutGraph(try Layout(json: chain.layout)).lines(in: language)
    }

    private static func match(_ words: Text...) -> [Text] { ["MATCH"] + words + ["FROM", "make"] }

    private static let rules = [
        match("*", "WITH", "PRODUCTS"), match("*", "WITH", "PRODUCTS"), match("*", "WITH", "MATERIALS"),
        match("*", "IN", "parson/dist", "WITH", "PRODUCTS"), match("*", "WITH", "PRODUCTS", "IN", "out"),
        match("*", "IN", "a", "WITH", "MATERIALS", "IN", "b"),
    ]

    @Test func `rules that differ in what they match, or where, are edges of their own`() throws {
        let labels = try Self.graph(materials: Self.rules, .dot).filter { $0.contains("->") }
        #expect(
            labels
                == [
                    "*", "materials: *", "* IN parson/dist", "*, there IN out", "materials: * IN a, there IN b",
                ].map { #"  "make" -> "use" [label="\#($0)"];"# })
        let edges = try Self.graph(materials: Self.rules, .mermaid).filter { $0.contains("-->") }
        #expect(
            edges
                == [
                    "#42;", "materials: #42;", "#42; IN parson/dist", "#42;, there IN out",
                    "materials: #42; IN a, there IN b",
                ].map { #"  n0 -- "\#($0)" --> n1"# })
    }

    /// Each with what of it stands in a label.
    @Test(
        arguments: [
            ("__init__.py", "#95;#95;init#95;#95;.py"), ("- x", "#45; x"), ("my-app", "my-app"), ("+ x", "#43; x"),
            ("1. x", "1#46; x"), ("1) x", "1#41; x"), ("a.c", "a.c"), ("www.a", "www#46;a"),
            ("~~a~~", "#126;#126;a#126;#126;"),
            ("`a`", "#96;a#96;"), ("# a", "#35; a"), ("> a", "#62; a"), ("a;b", "a#59;b"), ("<b>", "#60;b#62;"),
            ("\"", "#34;"), ("[a](b)", "#91;a#93;#40;b#41;"), ("https://x", "https#58;//x"), ("a@b.c", "a#64;b.c"),
            ("    a", "#32;   a"), ("$$x$$", "#36;#36;x#36;#36;"), ("|", "#124;"), ("&amp;", "#38;amp#59;"),
            ("é😀", "é😀"),
            ("\n", "#92;n"), ("!", "#33;"), ("a b/c,d'", "a b/c,d'"),
        ] as [(Text, String)])
    func `nothing in a pattern is Markdown to mermaid, or ends its label`(pattern: Text, label: String) throws {
        let edges = try Self.graph(materials: [Self.match(pattern, "WITH", "PRODUCTS")], .mermaid)
            .filter { $0.contains("-->") }
        #expect(edges == [#"  n0 -- "\#(label)" --> n1"#])
    }

    @Test func `names of steps are escaped, and what stands behind them is not`() throws {
        let name: Text = "__1. (x)__"
        #expect(try Self.graph(name, .mermaid)[2] == ##"  n1["#95;#95;1#46; #40;x#41;#95;#95; (1 of 1)"]"##)
        #expect(try Self.graph(name, .dot)[3] == #"  "__1. (x)__" [label="__1. (x)__ (1 of 1)", shape=box];"#)
    }
}
