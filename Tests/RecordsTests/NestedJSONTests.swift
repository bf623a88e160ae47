// JSON that a record brings is in the row whole, as text that a database parses, or not at all.

import Records
import Testing

@Suite struct NestedJSONTests {
    private func found(_ data: [UInt8]) throws -> Row {
        try row(Array("{\"message\":\"m\",\"structured_data\":".utf8) + data + Array("}".utf8))
    }

    @Test(arguments: [
        #"{"a":"\u0001\ud83d\udca9\uFDCF\uFDF0\\u0000\n"}"#, #"{"a":[1,{"b":null}],"c":{}}"#, #"{"ä":"€"}"#, "{}",
    ])
    func textThatParsesIsKept(text: String) throws {
        let row = try found(Array(text.utf8))
        #expect(row["structured_data"] == text && row["truncated_fields"] == nil && row["raw_line"] == nil)
    }

    @Test(arguments: [
        #"{"a":"\u0000"}"#, #"{"a":{"\u0000":1}}"#, #"{"a":"\ud83d"}"#, #"{"a":"\ud83d\u0041"}"#, #"{"a":"\udca9"}"#,
        #"{"a":"\ufffe"}"#, #"{"a":"\uFDD0"}"#, #"{"a":"\\\u0000"}"#,
    ])
    func textThatNoDatabaseParsesIsInTheRawLineOnly(text: String) throws {
        let row = try found(Array(text.utf8))
        #expect(row["structured_data"] == nil && row["raw_line"]?.contains(text) == true && row["message"] == "m")
    }

    @Test func bytesThatGrowBeyondTheColumnLeaveItOut() throws {
        let noise = [UInt8](repeating: 0xFF, count: 6_000)
        let row = try found(Array("{\"a\":\"".utf8) + noise + Array("\"}".utf8))
        #expect(row["structured_data"] == nil && row["truncated_fields"] == "structured_data")
        let little = try found(Array("{\"a\":\"".utf8) + [0xFF] + Array("\"}".utf8))
        #expect(little["structured_data"] == "{\"a\":\"\u{FFFD}\"}" && little["raw_base64"] != nil)
    }
}
