// The rules of the row itself: column order, widths in bytes, clean UTF-8, what is kept raw, where the row comes from.

import CivilTime
import Foundation
import Records
import Testing

private let sensitive = "http://a.example|1732311060|t|1.2.3.4|http://a.example/x|http://r/|7|edit|hello"

@Test func keysStandInTheOrderOfTheSchema() throws {
    let record = "<133>1 2024-11-22T21:31:00.5Z web1 drupal 77 ID1 [a b=\"c\"] \(sensitive)"
    let settings = TransformSettings(sites: ["a.example": "alpha"], rawLine: .always)
    let rows = try rows(
        record: (record + "\n" + record).utf8, settings, partitionKey: "web1/drupal.log/0a1b2c3d/4096",
        shardID: "shardId-000000000001", sequenceNumber: "49590338271490256608559692538361571095921575989136588898")
    #expect(rows.count == 2)
    let text = String(decoding: rows[1].bytes, as: UTF8.self)
    var last = text.startIndex
    let columns = [
        "event_time", "event_time_source", "host", "program", "pid", "msg_id", "facility", "severity",
        "severity_name", "structured_data", "message", "site", "drupal_base_url", "drupal_type", "drupal_ip",
        "drupal_request_uri", "drupal_referer", "drupal_uid", "drupal_link", "record_format", "parse_status",
        "raw_line", "source_host", "source_file", "source_offset", "shard_id", "sequence_number", "subsequence",
        "arrival_time",
    ]
    for column in columns {
        let place = try #require(text.range(of: "\"\(column)\":", range: last..<text.endIndex), "\(column)")
        last = place.lowerBound
    }
    #expect(Set(rows[1].values.keys) == Set(columns))
    #expect(rows[1]["site"] == "alpha")
    #expect(rows[1]["drupal_uid"] == "7")
    #expect(rows[1]["severity_name"] == "notice")
    #expect(rows[1]["facility"] == "16")
    #expect(rows[1]["subsequence"] == "1")
    #expect(rows[1]["source_offset"] == String(4_096 + record.utf8.count + 1))
    #expect(rows[1]["raw_line"] == record)
}

@Test func absentAndEmptyValuesAreLeftOut() throws {
    let row = try row("http://a.example|1732311060|t|||||||")
    #expect(row["parse_status"] == "unparsed")
    #expect(
        Set(row.values.keys) == [
            "event_time", "event_time_source", "message", "parse_status", "raw_line", "arrival_time",
        ])
    let empty = try rows(record: [])
    #expect(empty.count == 1)
    #expect(empty.first?["parse_status"] == "unparsed")
    #expect(empty.first?["message"] == nil)
}

@Test(arguments: [
    ("host", 255), ("program", 255), ("msg_id", 32), ("pid", 128), ("message", 65_535),
])
func columnsAreCutAtTheirWidthAndSaySo(column: String, width: Int) throws {
    for excess in [-1, 0, 1] {
        let long = String(repeating: "x", count: width + excess)
        func value(_ name: String) -> String { name == column ? long : "v" }
        let line =
            "<13>1 2024-11-22T21:31:00Z \(value("host")) \(value("program")) \(value("pid")) \(value("msg_id")) - "
            + value("message")
        let row = try row(line)
        #expect(row[column]?.utf8.count == min(long.utf8.count, width))
        #expect(row["truncated_fields"] == (excess > 0 ? column : nil))
    }
}

@Test func textIsCutBetweenCharacters() throws {
    // 65,534 bytes and a character of four: it does not fit, nothing of it is kept.
    let row = try row("<13>1 - h p - - - " + String(repeating: "x", count: 65_534) + "😀y")
    #expect(row["message"]?.utf8.count == 65_534)
    #expect(row["truncated_fields"] == "message")
    // A character of one byte after it would fit, but what follows a cut is not text of the message any more.
    #expect(row["message"]?.hasSuffix("x") == true)
}

@Test func severalCutColumnsAreListed() throws {
    let long = String(repeating: "é", count: 200)
    let row = try row("<13>1 - \(long) \(long) - \(long) - m")
    #expect(row["truncated_fields"] == "host,program,msg_id")
    #expect(row["host"]?.utf8.count == 254)
    #expect(row.host == row["host"])
    #expect(row.program == row["program"])
}

@Test(arguments: [
    ("\"\\", #"\"\\"#), ("\u{8}\u{9}\u{B}\u{C}\u{D}x", #"\b\t\u000b\f\rx"#),
    ("\u{1}\u{1F}\u{7F}", "\\u0001\\u001f\u{7F}"),
    ("é€😀\u{2028}", "é€😀\u{2028}"), ("/", "/"),
])
func textIsEscapedAsJSONWants(message: String, escaped: String) throws {
    for padding in 0...9 {
        let pad = String(repeating: "p", count: padding)
        let row = try row("<13>1 - h p - - - " + pad + message + "end")
        #expect(row["message"] == pad + message + "end")
        #expect(String(decoding: row.bytes, as: UTF8.self).contains("\"message\":\"\(pad)\(escaped)end\""))
    }
}

@Test(
    arguments: [
        ([0xFF], "\u{FFFD}"), ([0xC3], "\u{FFFD}"), ([0xC0, 0xAF], "\u{FFFD}\u{FFFD}"),
        ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"), ([0xE2, 0x82], "\u{FFFD}"),
        ([0xF0, 0x9F, 0x98], "\u{FFFD}"), ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
        ([0xEF, 0xBF, 0xBE], "\u{FFFD}"), ([0xEF, 0xBF, 0xBF], "\u{FFFD}"), ([0xEF, 0xB7, 0x90], "\u{FFFD}"),
        ([0xEF, 0xB7, 0xAF], "\u{FFFD}"), ([0x00], "\u{FFFD}"),
    ] as [([UInt8], String)])
func bytesThatNoRowMayHoldAreReplacedAndKeptInBase64(bytes: [UInt8], replacement: String) throws {
    let line = Array("Nov 22 21:31:00 web1 app: a".utf8) + bytes + Array("z".utf8)
    let row = try row(line)
    #expect(row["message"] == "a" + replacement + "z")
    #expect(row["parse_status"] == "ok")
    #expect(row["raw_line"] == nil)
    #expect(row["raw_base64"] == Data(line).base64EncodedString())
    // The same at the very end of the text.
    let atEnd = try RecordsTests.row(Array("Nov 22 21:31:00 web1 app: a".utf8) + bytes + [0x20])
    #expect(atEnd["message"] == "a" + replacement + " ")
    let never = try RecordsTests.row(line, TransformSettings(rawLine: .never))
    #expect(never["raw_base64"] == nil)
    #expect(never["message"] == "a" + replacement + "z")
}

@Test(
    arguments: [
        [0xEF, 0xB7, 0x8F], [0xEF, 0xB7, 0xB0], [0xEF, 0xBF, 0xBD], [0xF4, 0x8F, 0xBF, 0xBF], [0xC2, 0x80],
    ] as [[UInt8]])
func neighboursOfForbiddenCharactersStay(bytes: [UInt8]) throws {
    let row = try row(Array("Nov 22 21:31:00 web1 app: a".utf8) + bytes)
    #expect(row["message"].map { Array($0.utf8) } == [0x61] + bytes)
    #expect(row["raw_base64"] == nil)
}

@Test func hostAndProgramAreCleanInTheFactsToo() throws {
    let row = try row(Array("Nov 22 21:31:00 we".utf8) + [0xFF] + Array("b1 a".utf8) + [0xC3] + Array("pp[1]: m".utf8))
    #expect(row["host"] == "we\u{FFFD}b1")
    #expect(row.host == "we\u{FFFD}b1")
    #expect(row["program"] == "a\u{FFFD}pp")
    #expect(row.program == "a\u{FFFD}pp")
    #expect(row["raw_base64"] != nil)
}

@Test func rawLinePolicyIsKept() throws {
    let good = "Nov 22 21:31:00 web1 app: m"
    #expect(try row(good)["raw_line"] == nil)
    #expect(try row(good, TransformSettings(rawLine: .always))["raw_line"] == good)
    #expect(try row("no header")["raw_line"] == "no header")
    #expect(try row("no header", TransformSettings(rawLine: .never))["raw_line"] == nil)
    #expect(try row("no header", TransformSettings(rawLine: .never))["message"] == "no header")
    let mixed = Array(good.utf8) + [0xFF]
    #expect(try row(mixed, TransformSettings(rawLine: .always))["raw_line"] == nil)
}

@Test func base64IsCutAtWholeGroups() throws {
    let line = [UInt8](repeating: 0xFF, count: 60_000)
    let row = try row(line)
    let base64 = try #require(row["raw_base64"])
    #expect(base64.utf8.count == 65_532)
    #expect(Data(base64Encoded: base64) == Data(line.prefix(49_149)))
    #expect(row["truncated_fields"] == "message,raw_base64")
    #expect(row["message"]?.utf8.count == 65_535)
}

@Test func worstRowStaysUnderFourMegabytes() throws {
    // Everything at its width and escaped to six bytes each, in a record of ten megabytes.
    let control = String(repeating: "\u{1}", count: 100_000)
    let drupal =
        "http://\(control)|1732311060|\(control)|\(control)|http://a/\(control)|\(control)|1|\(control)|\(control)"
    let line = "<13>1 - h p - - [a b=\"\(control)\"] \(drupal)" + String(repeating: "\u{2}", count: 9_000_000)
    for format in [TransformSettings.Format.auto, .lines] {
        let row = try row(line, TransformSettings(format: format, rawLine: .always))
        #expect(row.bytes.count < 4_000_000)
    }
}

@Test(arguments: [
    ("web1/drupal.log/0a1b2c3d/0", true), ("web1/drupal.log/0a1b2c3d/4096", true),
    ("web1/my log.txt/abcd/999999999999999999", true), ("web1/drupal.log/0a1b2c3d/007", false),
    ("web1/drupal.log/0a1b2c3d/", false), ("web1/drupal.log/0A1B2C3D/1", false), ("web1/drupal.log/xyz1/1", false),
    ("web1/drupal.log/abc/1", false), ("web1/drupal.log/0a1b2c3d/-1", false), ("web1/drupal.log/0a1b2c3d/1/2", false),
    ("/drupal.log/0a1b2c3d/1", false), ("web1//0a1b2c3d/1", false), ("web1/drupal.log/0a1b2c3d", false),
    ("web1/drupal.log/0a1b2c3d/9999999999999999999", false), ("random-key", false), ("", false),
    ("we\"b/drupal.log/0a1b2c3d/1", false), ("web1/dru\u{0}pal/0a1b2c3d/1", false),
])
func onlyTheShippersKeysNameASource(key: String, isSource: Bool) throws {
    let row = try row("Nov 22 21:31:00 web1 app: m", partitionKey: key)
    #expect((row["source_host"] != nil) == isSource)
    #expect((row["source_file"] != nil) == isSource)
    #expect((row["source_offset"] != nil) == isSource)
    if isSource { #expect(row["source_offset"] == key.split(separator: "/").last.map(String.init)) }
}

@Test(arguments: [
    ("http://www.Example.org", "www.example.org"), ("https://www.example.org/", "www.example.org"),
    ("http://www.example.org:8080", "www.example.org"), ("http://www.example.org/site091", "www.example.org"),
    ("http://a.example.org./scripts", "a.example.org"), ("http://user@host.example", "host.example"),
    ("http://[2001:DB8::1]:80/x", "[2001:db8::1]"), ("http://default", "default"),
])
func siteIsTheHostInLowerCase(baseURL: String, site: String) throws {
    let uri = "\(baseURL)/node"
    let line = "Nov 22 21:31:00 web1 drupal: \(baseURL)|1732311060|t|1.2.3.4|\(uri)||0||m"
    let row = try row(line)
    #expect(row["site"] == site)
    #expect(row.site == site)
}

@Test func sitesMapByTheLongestKeyThatFits() throws {
    let settings = TransformSettings(sites: [
        "www.example.org": "main", "WWW.example.org:8080": "staging", "www.example.org/site091/": "ninety-one",
    ])
    func site(_ baseURL: String) throws -> String? {
        try row("Nov 22 21:31:00 w drupal: \(baseURL)|1732311060|t|1.2.3.4|\(baseURL)/||0||m", settings)["site"]
    }
    #expect(try site("http://www.example.org") == "main")
    #expect(try site("http://www.example.org:8080") == "staging")
    #expect(try site("http://www.example.org/site091") == "ninety-one")
    #expect(try site("http://www.example.org:81/site091") == "ninety-one")
    #expect(try site("http://www.example.org/site092") == "main")
    #expect(try site("http://other.example.org") == "other.example.org")
}

@Test func unknownZoneAndBadDrupalFormatAreRefused() throws {
    #expect(throws: TransformSettingsError.unknownTimeZone("Mars/Base")) {
        try RecordTransformer(settings: TransformSettings(timezone: "Mars/Base"))
    }
    #expect(throws: TransformSettingsError.self) {
        try RecordTransformer(settings: TransformSettings(drupalFormat: ""))
    }
}

@Test func settingsAreCodedWithTheJobFilesKeys() throws {
    let settings = TransformSettings(format: .rfc3164, timezone: "Europe/Berlin", sites: ["a": "b"], rawLine: .always)
    let encoded = try JSONEncoder().encode(settings)
    #expect(try JSONDecoder().decode(TransformSettings.self, from: encoded) == settings)
    let object = try #require(try JSONSerialization.jsonObject(with: encoded) as? [String: Any])
    #expect(Set(object.keys) == ["format", "timezone", "sites", "drupal_format", "raw_line"])
    #expect(try JSONDecoder().decode(TransformSettings.self, from: Data("{}".utf8)) == TransformSettings())
}

@Test func namedUTCHoldsWithoutAYear() throws {
    let berlin = TransformSettings(timezone: "Europe/Berlin")
    let named = try row("<189>7: Nov 22 21:31:00.5 UTC: %SYS-5-CONFIG_I: x", berlin)
    #expect(named["event_time"] == "2024-11-22T21:31:00.500Z")
    // A name that several zones share says nothing; the configured zone counts.
    let shared = try row("<189>7: Nov 22 21:31:00.5 CST: %SYS-5-CONFIG_I: x", berlin)
    #expect(shared["event_time"] == "2024-11-22T20:31:00.500Z")
}

@Test func timesBeyondTheCalendarAreClamped() throws {
    let row = try row("<13>1 0000-01-01T00:00:00+23:59 h p - - - m")
    #expect(row["event_time"] == "0000-01-01T00:00:00Z")
    #expect(row.eventTime == RFC3339.parse("0000-01-01T00:00:00Z"))
}
