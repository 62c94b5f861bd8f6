import Foundation
import InTotoMetadata
import Testing

@testable import InTotoFunctionary

@Suite struct StreamRedactorTests {
    // MARK: Against an oracle

    @Test(arguments: 0..<2000) func `replaces what find and replace on the whole would`(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let alphabet = Array(["ab", "abc1", "ab\n'% ", "abcdefghijklmnop/+="].randomElement(using: &generator)!.utf8)
        func random(_ lengths: ClosedRange<Int>) -> [UInt8] {
            (0..<Int.random(in: lengths, using: &generator)).map { _ in alphabet.randomElement(using: &generator)! }
        }
        let secrets = (0..<Int.random(in: 1...4, using: &generator)).map { _ in random(4...24) }
        let values = try redacting(secrets)
        var text: [UInt8] = []
        while text.count < Int.random(in: 0...1000, using: &generator) {
            text += random(0...30)
            let forms = values.forms.exact.union(values.forms.digits).union(secrets).sorted { $0.precedesBytewise($1) }
            if let form = forms.randomElement(using: &generator), Bool.random(using: &generator) {
                let isBroken = values.forms.digits.contains(form) && Bool.random(using: &generator)
                let form = isBroken ? broken(form, &generator) : form
                text += form.prefix(Int.random(in: max(1, form.count - 3)...form.count, using: &generator))
            }
        }
        let expected = oracle(text, values.forms)
        for longest in [1, 7, 700, 5000] {
            let actual = redact(pieces(of: text, longest, &generator), StreamRedactor(values: values))
            #expect(actual.bytes == expected.bytes && actual.count == expected.count, "pieces to \(longest)")
        }
    }

    /// In lines of at least eight bytes, after a first one of any length.
    private func broken(_ form: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        let width = Int.random(in: PatternSet.shortestLine...80, using: &generator)
        let end = Bool.random(using: &generator) ? "\n" : "\r\n"
        var lines = Array(form.prefix(Int.random(in: 1...width, using: &generator)))
        for start in stride(from: lines.count, to: form.count, by: width) {
            lines += end.utf8 + form[start..<min(start + width, form.count)]
        }
        return lines
    }

    /// Leftmost first, there the longest.
    private func oracle(_ text: [UInt8], _ forms: SecretForms) -> (bytes: [UInt8], count: Int) {
        let exact = Dictionary(grouping: forms.exact) { $0.first }
        let digits = Dictionary(grouping: forms.digits) { $0.first }
        var result: [UInt8] = []
        var count = 0
        var place = 0
        while place < text.count {
            let plain = (exact[text[place]] ?? []).filter { text[place...].starts(with: $0) }.map(\.count)
            let match = (plain + (digits[text[place]] ?? []).compactMap { spanned(by: $0, in: text[place...]) }).max()
            result += match == nil ? [text[place]] : Array("***".utf8)
            count += match == nil ? 0 : 1
            place += match ?? 1
        }
        return (result, count)
    }

    /// How much of `text` the form takes that it begins with, line breaks passed over.
    private func spanned(by form: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        var place = text.startIndex
        for byte in form {
            if byte != form.first || place > text.startIndex {
                while place < text.endIndex, text[place] == 0x0A || text[place] == 0x0D { place += 1 }
            }
            guard place < text.endIndex, text[place] == byte else { return nil }
            place += 1
        }
        return place - text.startIndex
    }

    private func pieces(of text: [UInt8], _ longest: Int, _ generator: inout SeededGenerator) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = text[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 0...longest, using: &generator))
            pieces.append(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }

    private func redact(_ pieces: [[UInt8]], _ redactor: StreamRedactor) -> (bytes: [UInt8], count: Int) {
        var redactor = redactor
        var bytes: [UInt8] = []
        for piece in pieces { redactor.append(piece[...]) { bytes += $0 } }
        redactor.finish { bytes += $0 }
        return (bytes, redactor.count)
    }

    private func redact(_ text: String, _ values: SecretValues) -> String {
        String(decoding: redact([Array(text.utf8)], StreamRedactor(values: values)).bytes, as: UTF8.self)
    }

    /// Values under names that somebody gave, so that four bytes are enough.
    private func redacting(_ values: [[UInt8]]) throws -> SecretValues {
        SecretValues(environment: values.map { Array("X=".utf8) + $0 }, redacting: [try VariablePattern("X".utf8)])
    }

    private func secrets(_ entries: String...) -> SecretValues {
        SecretValues(environment: entries.map { Array($0.utf8) })
    }

    // MARK: What is a secret

    @Test func `values of secret-looking variables are masked, others stay`() {
        let values = secrets("API_TOKEN=hunter2hunter2", "COLOR=turquoise", "SHORT_TOKEN=abcde", "=weird", "TOKEN")
        #expect(redact("a hunter2hunter2 turquoise abcde b", values) == "a *** turquoise abcde b")
        #expect(secrets("COLOR=turquoise").isEmpty)
    }

    @Test func `a named variable is masked from four bytes on`() throws {
        let patterns = [try VariablePattern("MY_*".utf8)]
        let values = SecretValues(
            environment: ["MY_A=abcd", "MY_B=xyz", "A=efgh"].map { Array($0.utf8) }, redacting: patterns)
        #expect(redact("abcd xyz efgh", values) == "*** xyz efgh")
    }

    @Test func `only the password of a URL is masked, decoded too`() {
        let values = secrets("DATABASE_URL=postgres://user:p%40ssw0rd@db.example/x")
        #expect(redact("user p%40ssw0rd p@ssw0rd db.example", values) == "user *** *** db.example")
    }

    @Test func `a token inside of a harmless variable is masked, the rest stays`() {
        let values = secrets("ARGS=--header ghp_0123456789abcdefghij --color")
        #expect(redact("--color ghp_0123456789abcdefghij", values) == "--color ***")
    }

    @Test func `a value of several lines is masked as a whole and line by line`() {
        let values = secrets("DEPLOY_KEY=-----BEGIN X KEY-----\nfirstline123\nsecondline\r\nab\n-----END X KEY-----\n")
        #expect(
            redact("- firstline123 ab\n> secondline\n-----BEGIN X KEY-----", values)
                == "- *** ab\n> ***\n-----BEGIN X KEY-----")
        #expect(
            redact("-----BEGIN X KEY-----\nfirstline123\nsecondline\r\nab\n-----END X KEY-----\n", values) == "***\n")
    }

    @Test func `the lines of an escaped key are masked too`() {
        let values = secrets(#"GCP_SA_KEY={"private_key": "AAAA1111\nBBBB2222\n"}"#)
        #expect(redact("x BBBB2222 y", values) == "x *** y")
    }

    // MARK: Encodings

    @Test func `no encoding of a planted secret is left`() throws {
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<150 {
            let length = Int.random(in: 6...120, using: &generator)
            let bytes = (0..<length).map { _ in UInt8.random(in: 0x21...0x7E, using: &generator) }
            let secret = String(decoding: bytes, as: UTF8.self)
            let values = SecretValues(environment: [Array("API_TOKEN=\(secret)".utf8)])
            for (kind, form) in Self.encodings(of: secret, &generator) {
                let output = redact("before \(form) after", values)
                #expect(output == "before *** after", "\(kind)")
            }
            for prefix in ["", "u", "us", "user:"] {
                let inside = Data("\(prefix)\(secret) and more".utf8).base64EncodedString()
                let output = redact(inside, values)
                #expect(output.contains("***") && output.count <= inside.count - (length * 4 / 3 - 3) + 3, "\(prefix)")
            }
        }
    }

    private static func encodings(of secret: String, _ generator: inout SeededGenerator) -> [(String, String)] {
        let base64 = Data(secret.utf8).base64EncodedString()
        let safe = base64.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
        let percent =
            secret.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-._~")))
            ?? ""
        let path =
            secret.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-._~/")))
            ?? ""
        let lower = percent.replacing(/%[0-9A-F]{2}/) { $0.output.lowercased() }
        let json = secret.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
        let shell = secret.replacingOccurrences(of: "'", with: "'\\''")
        return [
            ("plain", secret), ("base64", base64), ("base64url", safe),
            ("unpadded", base64.trimmingCharacters(in: ["="])), ("unpadded url", safe.trimmingCharacters(in: ["="])),
            ("percent", percent), ("percent, lower case", lower), ("percent, path", path), ("JSON", json),
            ("shell", shell),
        ]
    }

    @Test(arguments: [
        (#"{"p":"pa\u0026ss/wo\u003crd\u003e+x9"}"#, #"{"p":"***"}"#), (#"{"p":"pa&ss\/wo<rd>+x9"}"#, #"{"p":"***"}"#),
        ("?t=cGEmc3Mvd288cmQ%2BK3g5&u", "?t=***&u"), ("?t=cGEmc3Mvd288cmQ%2bK3g5&u", "?t=***&u"),
        ("?t=bWU6cGEmc3Mvd288cmQ%2BK3g5&u", "?t=bWU6***&u"),
    ])
    func `a secret is masked as encoders of JSON and URLs write it, base64 in URLs too`(text: String, masked: String) {
        #expect(redact(text, secrets("API_TOKEN=pa&ss/wo<rd>+x9")) == masked)
    }

    @Test func `a value of short lines is masked as a terminal shows it`() {
        let values = secrets("API_TOKEN=alpha\nbravo\ncharl\ndelta")
        #expect(redact("a alpha\r\nbravo\r\ncharl\r\ndelta\r\n", values) == "a ***\r\n")
        #expect(redact("a alpha\nbravo\ncharl\ndelta\n", values) == "a ***\n")
        #expect(redact("alpha bravo", values) == "alpha bravo")
    }

    @Test func `the number of spellings is bounded`() {
        let value = Array(String(repeating: "a&/<+ ?'\"\\ÿ~\n", count: 5).utf8)
        let forms = SecretForms.all(of: value, minimum: 6)
        #expect(forms.exact.count + forms.digits.count <= 150)
    }

    @Test func `base64 broken into lines is masked line by line`() {
        let secret = String(repeating: "0123456789-secret-", count: 12)
        let wrapped = Data(secret.utf8).base64EncodedString(options: [.lineLength76Characters, .endLineWithLineFeed])
        let output = redact(wrapped, secrets("API_TOKEN=\(secret)"))
        #expect(output == "***")
        let line = wrapped.split(separator: "\n")[1]
        #expect(redact("  \(line)\n", secrets("API_TOKEN=\(secret)")) == "  ***\n")
    }

    /// As `base64` and `openssl base64` print it, whatever stands before it.
    @Test(arguments: [64, 76], ["\n", "\r\n"]) func `base64 of longer data is masked across lines`(
        width: Int, end: String
    ) {
        for secret in ["correcthorse42", "github_pat_\(String(repeating: "x1Y", count: 27))"] {
            let digits = Data(secret.utf8).base64EncodedString().dropLast(4)
            for before in 0..<120 {
                let data = Data("\(String(repeating: "b", count: before))\(secret) and more".utf8).base64EncodedString()
                var lines: [Substring] = []
                var rest = data[...]
                while !rest.isEmpty {
                    lines.append(rest.prefix(width))
                    rest = rest.dropFirst(width)
                }
                let output = redact(lines.joined(separator: end) + end, secrets("API_TOKEN=\(secret)"))
                #expect(output.contains("***") && !output.contains(digits), "after \(before) bytes: \(output)")
                let left = output.split(whereSeparator: \.isNewline).joined().replacingOccurrences(of: "***", with: "")
                #expect(left.count <= data.count - secret.count * 4 / 3 + 4, "after \(before) bytes: \(output)")
            }
        }
    }

    @Test func `words on lines are no base64`() throws {
        let values = try redacting([Array("abcd".utf8)])
        #expect(redact("YW\nJjZA==\nYW JjZA\n\nYWJj\n\n", values) == "***\nYW JjZA\n\nYWJj\n\n")
    }

    // MARK: Announcements

    @Test(arguments: [1, 3, 10, 1000]) func `an announced value is masked from its announcement on`(size: Int) {
        let text = "early s3cret!\r\n::add-mask::s3cret!\r\nlate s3cret! czNjcmV0IQ==\n"
        var generator = SeededGenerator(seed: 1)
        let result = redact(pieces(of: Array(text.utf8), size, &generator), StreamRedactor(values: .none))
        let expected = "early s3cret!\r\n::add-mask::***\r\nlate *** ***\n"
        #expect(String(decoding: result.bytes, as: UTF8.self) == expected)
        #expect(result.count == 3)
    }

    @Test func `announcements are decoded, and taken inside of lines and quotes`() {
        #expect(redact("::add-mask::a%25bcde%0Afghijk\na%bcde fghijk\n", .none) == "::add-mask::***\n*** ***\n")
        #expect(redact("+ echo '::add-mask::hunter2' x\nhunter2\n", .none) == "+ echo '::add-mask::***' x\n***\n")
        #expect(
            redact("+ echo '::add-mask::it'\\''s-hunter22' x\nit's-hunter22 's-hunter22\n", .none)
                == "+ echo '::add-mask::***' x\n*** 's-hunter22\n")
        #expect(redact("+ echo '::add-mask::it'\"'\"'s22' x\nit's22\n", .none) == "+ echo '::add-mask::***' x\n***\n")
        #expect(
            redact(#"{"a": "::add-mask::ab\"cd\\ef"} ab"cd\ef ab\"cd"#, .none)
                == #"{"a": "::add-mask::***"} *** ab\"cd"#)
        #expect(redact("'::add-mask::open \"ended\nopen \"ended\n", .none) == "'::add-mask::***\n***\n")
        #expect(redact("::add-mask::endless", .none) == "::add-mask::***")
        #expect(redact("::add-mask::\n::add-mask", .none) == "::add-mask::\n::add-mask")
    }

    @Test func `what one stream announces, the other masks`() {
        let masks = MaskList(.none)
        var output = StreamRedactor(masks: masks)
        var errors = StreamRedactor(masks: masks)
        var bytes: [UInt8] = []
        errors.append(Array("hunter2hunter2\n".utf8)[...]) { bytes += $0 }
        output.append(Array("::add-mask::hunter2hunter2\n".utf8)[...]) { _ in }
        errors.append(Array("hunter2hunter2\n".utf8)[...]) { bytes += $0 }
        errors.addMask(Array("another one".utf8))
        errors.append(Array("another one\n".utf8)[...]) { bytes += $0 }
        errors.finish { bytes += $0 }
        #expect(String(decoding: bytes, as: UTF8.self) == "hunter2hunter2\n***\n***\n")
        let argument = StreamRedactor.redacted(Array("--x=hunter2hunter2 ::add-mask::y".utf8), masks: masks)
        #expect(argument.bytes == Array("--x=*** ::add-mask::y".utf8) && argument.count == 1)
    }

    @Test func `short, long and too many announcements are masked but not sought`() {
        let masks = MaskList(.none)
        var text = "::add-mask::abc\nabc\n::add-mask::\(String(repeating: "x", count: 70_000))\nxyz\n"
        for number in 0...MaskList.limit.values { text += "::add-mask::value\(number)\n" }
        text += "value77 value\(MaskList.limit.values)\n"
        let result = redact([Array(text.utf8)], StreamRedactor(masks: masks))
        let lines = String(decoding: result.bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.prefix(4) == ["::add-mask::***", "abc", "::add-mask::***", "xyz"])
        #expect(lines.dropFirst(4).dropLast().allSatisfy { $0 == "::add-mask::***" })
        #expect(lines.last == "*** value\(MaskList.limit.values)" || lines.last == "*** ***0")
        #expect(masks.refused == [.tooShort, .tooLong, .tooMany])
    }

    @Test(arguments: 0..<300) func `announcements act the same however the stream is cut`(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed) + 77)
        let words = [
            "abcd::add", "secret", "hunter2", "::add-mask::", "::add-mas", "\n", "\r\n", "'", "x", " 50%25 off",
        ]
        let values = try redacting(["abcd::add", "secret"].map { Array($0.utf8) })
        let text = (0..<60).flatMap { _ in Array(words.randomElement(using: &generator)!.utf8) }
        let whole = redact([text], StreamRedactor(values: values))
        for longest in [1, 5, 40] {
            let cut = redact(pieces(of: text, longest, &generator), StreamRedactor(values: values))
            #expect(cut.bytes == whole.bytes && cut.count == whole.count, "pieces to \(longest)")
        }
    }

    @Test func `many announcements are found in all layers`() {
        let words = (0..<100).map { "mask-\($0)-end" }
        let text = words.map { "::add-mask::\($0)\n" }.joined() + words.joined(separator: "\n")
        let result = redact([Array(text.utf8)], StreamRedactor(values: .none))
        #expect(result.count == 200 && !String(decoding: result.bytes, as: UTF8.self).contains("end"))
    }

    // MARK: Cost

    @Test func `with nothing to mask the very bytes are passed on`() {
        var redactor = StreamRedactor(values: .none)
        let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 100_000)
        var passed = 0
        bytes.withUnsafeBytes { original in
            redactor.append(bytes[...]) { slice in
                passed += slice.count
                slice.withUnsafeBytes { #expect($0.baseAddress == original.baseAddress) }
            }
        }
        #expect(passed == bytes.count && redactor.count == 0)
    }

    @Test func `empty pieces and an empty stream are nothing`() {
        #expect(redact([[], [], []], StreamRedactor(values: secrets("API_TOKEN=hunter2"))).bytes.isEmpty)
    }

    /// Prints figures; asserts nothing, since a busy machine is no failure.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["REDACTION_FIGURES"] != nil))
    func `throughput`() {
        var entries = (0..<40).map { Array("API_KEY_\($0)=secret-\($0 * 7919)-value-of-a-token".utf8) }
        let key = (0..<48).map { "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\($0)xyzAB" }.joined(
            separator: "\n")
        entries.append(Array("DEPLOY_KEY=\(key)".utf8))
        let log = Array("[12/97] cc -O2 -c src/module_7.c -o build/module_7.o https://example.org/a?b=c\n".utf8)
        let block = Array((0..<900).flatMap { _ in log }.prefix(65536))
        let hostile = Array((0..<65536).map { Array("secret-7919-value-of-a-toke".utf8)[$0 % 27] })
        let repeating = SecretValues(
            environment: [Array("X_TOKEN=\(String(repeating: "a", count: 4096))b".utf8)])
        measure("no secrets", block, .none)
        measure("41 secrets", block, SecretValues(environment: entries))
        measure("41 secrets, hostile text", hostile, SecretValues(environment: entries))
        let announcing = Array((0..<2400).map { "::add-mask::flood-\($0)-xx\n" }.joined().utf8).prefix(65536)
        measure("flood of announcements", Array(announcing), SecretValues(environment: entries))
        measure("aaaa…b, text of a", [UInt8](repeating: 0x61, count: 65536), repeating)
    }

    private func measure(_ name: String, _ block: [UInt8], _ values: SecretValues) {
        var redactor = StreamRedactor(values: values)
        var passed = 0
        let clock = ContinuousClock()
        let rounds = 2000
        let time = clock.measure {
            for _ in 0..<rounds { redactor.append(block[...]) { passed += $0.count } }
            redactor.finish { passed += $0.count }
        }
        let rate = Double(rounds * block.count) / (time / .seconds(1)) / 1e6
        print(
            "redaction, \(name): \(Int(rate)) MB/s, \(values.forms.exact.count) and \(values.forms.digits.count) patterns, "
                + "\(redactor.count) replacements"
        )
    }
}
