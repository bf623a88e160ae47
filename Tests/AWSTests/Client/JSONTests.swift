import AWS
import Testing

struct JSONTests {
    @Test(arguments: [
        ("1.795385468741E9", Int64(1_795_385_468_741_000)), ("1795385468.741", 1_795_385_468_741_000),
        ("1795385468741e-3", 1_795_385_468_741_000), ("1795385468", 1_795_385_468_000_000),
        ("1.7E+9", 1_700_000_000_000_000), ("0", 0), ("-1.5", -1_500_000), ("0.0000019", 1),
        ("1795385468.741999999999999999999", 1_795_385_468_741_999),
        ("1.0000000000000000000000e9", 1_000_000_000_000_000),
        ("0e400", 0), ("1e-400", 0),
    ])
    func timesAreReadExactly(text: String, microseconds: Int64) throws {
        #expect(try JSONValue(Array(text.utf8)).microseconds == microseconds)
    }

    @Test(arguments: ["1e30", "9223372036854775807", "99999999999999999999999"])
    func numbersThatDoNotFitAreNil(text: String) throws {
        #expect(try JSONValue(Array(text.utf8)).microseconds == nil)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[", "[1", "[1,", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "tru", "nul",
        "truex",
        "1 2", "01", "-", "1.", ".5", "1e", "1e+", "+1", "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
        "\"a\nb\"", "{} x", "NaN", "'a'", "{\"a\":1 \"b\":2}", "[1 2]",
    ])
    func whatIsNotJSONIsRefused(text: String) {
        #expect(throws: JSONFault.self) { try JSONValue(Array(text.utf8)) }
    }

    @Test(arguments: [
        (#""a\/b\\\"\b\f\n\r\t""#, "a/b\\\"\u{08}\u{0C}\n\r\t"), (#""\u00e9\u20AC""#, "é€"),
        (#""\ud83d\ude00""#, "😀"), (#""\ud83d x""#, "\u{FFFD} x"), (#""\ude00""#, "\u{FFFD}"),
        (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""""#, ""), (#""\u0000""#, "\u{0}"),
    ])
    func escapesAreUndone(text: String, value: String) throws {
        #expect(try JSONValue(Array(text.utf8)).string == value)
    }

    @Test func deepNestingIsRefusedNotOverflowed() {
        #expect(throws: JSONFault.self) { try JSONValue([UInt8](repeating: UInt8(ascii: "["), count: 100_000)) }
    }

    @Test func lastOfEqualKeysWins() throws {
        let value = try JSONValue(Array(#" {"a":1, "a" : [true,false,null] } "#.utf8))
        #expect(value["a"]?.array == [.bool(true), .bool(false), .null])
    }
}
