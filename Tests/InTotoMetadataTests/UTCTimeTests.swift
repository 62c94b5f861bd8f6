import Foundation
import InTotoMetadata
import Testing

@Suite struct UTCTimeTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:34:56Z", 951_827_696), ("2099-12-31T23:59:59Z", 4_102_444_799),
            ("1969-12-31T23:59:59Z", -1), ("0001-01-01T00:00:00Z", -62_135_596_800),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] as [(String, Int64)])
    func `times are read and written to the second`(text: String, seconds: Int64) throws {
        let time = try #require(UTCTime(Text(text)))
        #expect(time.secondsSinceEpoch == seconds)
        #expect(time.description == text)
    }

    @Test(arguments: [
        "", "2099-12-31", "2099-12-31T23:59:59", "2099-12-31T23:59:59z", "2099-12-31 23:59:59Z", "2099-02-31T00:00:00Z",
        "2100-02-29T00:00:00Z", "2099-13-01T00:00:00Z", "2099-00-01T00:00:00Z", "2099-01-00T00:00:00Z",
        "2099-01-01T24:00:00Z", "2099-01-01T00:60:00Z", "2099-01-01T00:00:60Z", "2099-01-01T00:00:00.5Z",
        "2099-01-01T00:00:00+00:00", "+099-01-01T00:00:00Z", "٢٠٩٩-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
    ])
    func `any other shape is no time`(text: String) {
        #expect(UTCTime(Text(text)) == nil)
    }

    @Test func `days of eight thousand years are Foundation's`() throws {
        for step in 0..<1000 {
            // Before 1583 Foundation counts by the Julian calendar.
            let seconds = Int64(step) * 265_000_037 - 12_200_000_000 + Int64(step * step)
            guard seconds < 253_402_300_799 else { break }
            let text = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
            #expect(UTCTime(secondsSinceEpoch: seconds).description == text)
            #expect(UTCTime(Text(text))?.secondsSinceEpoch == seconds)
        }
    }
}
