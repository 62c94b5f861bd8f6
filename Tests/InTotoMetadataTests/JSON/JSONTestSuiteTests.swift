import InTotoMetadata
import TestSupport
import Testing

/// Source: nst/JSONTestSuite.
@Suite struct JSONTestSuiteTests {
    static let parsing = "third-party/jsontestsuite/test_parsing"
    static let transform = "third-party/jsontestsuite/test_transform"

    static func accepts(_ path: String) throws -> Bool {
        let bytes = try Vectors.bytes(path)
        do {
            _ = try JSONReader.read(bytes)
        } catch {
            return false
        }
        return true
    }

    static func files(_ prefix: String) throws -> [String] {
        try Vectors.list(parsing).filter { $0.hasPrefix(prefix) }
    }

    /// Valid by the grammar; RFC 8259 says that names should be unique, and we insist.
    static let refusedDuplicates: Set = ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"]

    @Test func `every valid document is accepted, unless a name stands twice in it`() throws {
        let files = try Self.files("y_")
        for file in files {
            #expect(try Self.accepts("\(Self.parsing)/\(file)") != Self.refusedDuplicates.contains(file), "\(file)")
        }
        let refused = Self.refusedDuplicates.count
        print("vectors: jsontestsuite y_ \(files.count - refused) accepted, \(refused) refused for repeated names")
        #expect(files.count == 95)
    }

    @Test func `every invalid document is refused`() throws {
        let files = try Self.files("n_")
        for file in files { #expect(try !Self.accepts("\(Self.parsing)/\(file)"), "\(file)") }
        print("vectors: jsontestsuite n_ \(files.count) of \(files.count) refused")
        #expect(files.count == 188)
    }

    /// Where RFC 8259 leaves the choice: numbers of any size are kept as text; whatever is not UTF-8, or not Unicode
    /// once its escapes are read, is refused.
    static let decisions: [String: Bool] = [
        "i_number_double_huge_neg_exp.json": true,
        "i_number_huge_exp.json": true,
        "i_number_neg_int_huge_exp.json": true,
        "i_number_pos_double_huge_exp.json": true,
        "i_number_real_neg_overflow.json": true,
        "i_number_real_pos_overflow.json": true,
        "i_number_real_underflow.json": true,
        "i_number_too_big_neg_int.json": true,
        "i_number_too_big_pos_int.json": true,
        "i_number_very_big_negative_int.json": true,
        "i_object_key_lone_2nd_surrogate.json": false,
        "i_string_1st_surrogate_but_2nd_missing.json": false,
        "i_string_1st_valid_surrogate_2nd_invalid.json": false,
        "i_string_UTF-16LE_with_BOM.json": false,
        "i_string_UTF-8_invalid_sequence.json": false,
        "i_string_UTF8_surrogate_U+D800.json": false,
        "i_string_incomplete_surrogate_and_escape_valid.json": false,
        "i_string_incomplete_surrogate_pair.json": false,
        "i_string_incomplete_surrogates_escape_valid.json": false,
        "i_string_invalid_lonely_surrogate.json": false,
        "i_string_invalid_surrogate.json": false,
        "i_string_invalid_utf-8.json": false,
        "i_string_inverted_surrogates_U+1D11E.json": false,
        "i_string_iso_latin_1.json": false,
        "i_string_lone_second_surrogate.json": false,
        "i_string_lone_utf8_continuation_byte.json": false,
        "i_string_not_in_unicode_range.json": false,
        "i_string_overlong_sequence_2_bytes.json": false,
        "i_string_overlong_sequence_6_bytes.json": false,
        "i_string_overlong_sequence_6_bytes_null.json": false,
        "i_string_truncated-utf-8.json": false,
        "i_string_utf16BE_no_BOM.json": false,
        "i_string_utf16LE_no_BOM.json": false,
        "i_structure_500_nested_arrays.json": false,  // 64 levels are ours
        "i_structure_UTF-8_BOM_empty_object.json": false,  // a byte order mark is no white space
    ]

    @Test func `what the specification leaves open is decided`() throws {
        let files = try Self.files("i_")
        #expect(Set(files) == Set(Self.decisions.keys))
        for file in files { #expect(try Self.accepts("\(Self.parsing)/\(file)") == Self.decisions[file], "\(file)") }
        let accepted = Self.decisions.values.count { $0 }
        print(
            "vectors: jsontestsuite i_ \(files.count) decided, \(accepted) accepted, \(files.count - accepted) refused")
    }

    /// What each document becomes; nil where it is refused.
    static let transformed: KeyValuePairs<String, JSONValue?> = [
        "number_-9223372036854775808.json": [.integer(.min)],
        "number_-9223372036854775809.json": [.number("-9223372036854775809")],
        "number_1.0.json": [.number("1.0")],
        "number_1.000000000000000005.json": [.number("1.000000000000000005")],
        "number_1000000000000000.json": [1_000_000_000_000_000],
        "number_10000000000000000999.json": [.number("10000000000000000999")],
        "number_1e-999.json": [.number("1E-999")],
        "number_1e6.json": [.number("1E6")],
        "number_9223372036854775807.json": [.integer(.max)],
        "number_9223372036854775808.json": [.number("9223372036854775808")],
        "object_key_nfc_nfd.json": ["\u{E9}": "NFC", "e\u{301}": "NFD"],
        "object_key_nfd_nfc.json": ["e\u{301}": "NFD", "\u{E9}": "NFC"],
        "object_same_key_different_values.json": nil,
        "object_same_key_same_value.json": nil,
        "object_same_key_unclear_values.json": nil,
        "string_1_escaped_invalid_codepoint.json": nil,
        "string_1_invalid_codepoint.json": nil,
        "string_2_escaped_invalid_codepoints.json": nil,
        "string_2_invalid_codepoints.json": nil,
        "string_3_escaped_invalid_codepoints.json": nil,
        "string_3_invalid_codepoints.json": nil,
        "string_with_escaped_NULL.json": ["A\u{0}B"],
    ]

    @Test func `documents that other readers transform are kept or refused`() throws {
        let files = try Vectors.list(Self.transform)
        #expect(Set(files) == Set(Self.transformed.map(\.key)))
        for (file, expected) in Self.transformed {
            let bytes = try Vectors.bytes("\(Self.transform)/\(file)")
            if let expected {
                #expect(try JSONReader.read(bytes) == expected, "\(file)")
            } else {
                #expect(throws: JSONError.self, "\(file)") { try JSONReader.read(bytes) }
            }
        }
        print("vectors: jsontestsuite transform \(files.count) decided")
    }
}
