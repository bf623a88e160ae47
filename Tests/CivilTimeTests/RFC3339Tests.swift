import CivilTime
import Testing

@Test(
    arguments: [
        ("1970-01-01T00:00:00Z", 0),
        ("2024-11-22T20:31:00Z", 1_732_307_460_000_000),
        ("2024-11-22T21:31:00+01:00", 1_732_307_460_000_000),
        ("2024-11-22T15:31:00-05:00", 1_732_307_460_000_000),
        ("2024-11-22t20:31:00z", 1_732_307_460_000_000),
        ("2024-11-22 20:31:00Z", 1_732_307_460_000_000),
        ("2024-11-22T20:31:00.5Z", 1_732_307_460_500_000),
        ("2024-11-22T20:31:00.123456789Z", 1_732_307_460_123_456),
        ("2024-11-22T20:31:00-23:59", 1_732_393_800_000_000),
        ("2024-11-22", 1_732_233_600_000_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
    ] as [(String, Int64)])
func readsDateTimes(text: String, microseconds: Int64) {
    #expect(RFC3339.parse(text) == Timestamp(microseconds: microseconds))
}

@Test(arguments: [
    "", "2024", "2024-11-22T", "2024-11-22T20:31:00", "2024-11-22T20:31:00.Z", "2024-11-22T20:31:00.1234567890Z",
    "2024-11-22T20:31:00,5Z", "2024-11-22T20:31:00+0100", "2024-11-22T20:31:00+01", "2024-11-22T20:31:00+24:00",
    "2024-11-22T20:31:00+01:60", "2024-13-22T20:31:00Z", "2024-11-31T20:31:00Z", "2023-02-29T00:00:00Z", "2023-02-29",
    "2024-11-22T24:00:00Z", "2024-11-22T20:31:61Z", "2024-11-22T20:31:00Zx", " 2024-11-22T20:31:00Z", "2024-11-2２",
    "24-11-22T20:31:00Z", "2024-11-22T20:31:00 Z", "-024-11-22T20:31:00Z",
])
func refusesWhatIsNoDateTime(text: String) {
    #expect(RFC3339.parse(text) == nil)
}

@Test(
    arguments: [
        (0, "1970-01-01T00:00:00Z"), (1_732_307_460_000_000, "2024-11-22T20:31:00Z"),
        (1_732_307_460_500_000, "2024-11-22T20:31:00.500Z"), (1_732_307_460_000_001, "2024-11-22T20:31:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"), (Int64.min, "0000-01-01T00:00:00Z"),
        (Int64.max, "9999-12-31T23:59:59.999999Z"),
    ] as [(Int64, String)])
func writesDateTimes(microseconds: Int64, text: String) {
    #expect(RFC3339.text(Timestamp(microseconds: microseconds)) == text)
}

@Test func readsBackWhatItWrites() {
    var state: UInt64 = 0x5EED_0001
    for _ in 0..<20_000 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        // Years 0000 to 9999.
        let instant = Timestamp(microseconds: Int64(state % 315_000_000_000_000_000) - 62_000_000_000_000_000)
        #expect(RFC3339.parse(RFC3339.text(instant)) == instant)
    }
}

@Test(
    arguments: [
        ("2024-11-22T20:31:00 host", 19, nil, 0), ("2024-11-22T20:31:00+0100 host", 24, 3_600, 0),
        ("2024-11-22T20:31:00,25 host", 22, nil, 2), ("2024-11-22 20:31:00Z host", 20, 0, 0),
        ("2024-11-22T20:31:00.1234567890123456789012345678901234567890Z x", 61, 0, 40),
    ] as [(String, Int, Int?, Int)])
func scannerTakesThePrefixThatIsADateTime(text: String, length: Int, offset: Int?, digits: Int) throws {
    let bytes = Array(text.utf8)
    let scanned = try #require(bytes.withUnsafeBytes { ISODateTimeScanner.scan($0) })
    #expect(scanned.length == length)
    #expect(scanned.offsetSeconds == offset)
    #expect(scanned.fractionDigitCount == digits)
}

@Test func readsHTTPDates() {
    #expect(HTTPDate.parse("Sun, 06 Nov 1994 08:49:37 GMT") == Timestamp(seconds: 784_111_777))
}

@Test(arguments: [
    "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
])
func refusesOtherHTTPDates(text: String) {
    #expect(HTTPDate.parse(text) == nil)
}
