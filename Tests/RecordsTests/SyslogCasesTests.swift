// The conformance cases in Tests/Data/cases/syslog_cases.jsonl: what other projects' own test suites expect of a line.
// Every undisputed case must come out as expected. Of the disputed ones each reading we chose is one that some project
// has; ARCHITECTURE.md lists them with the reasons.

import CivilTime
import Foundation
import Records
import Testing

private struct Case: Decodable {
    struct Expectation: Decodable {
        var format: String?
        var facility: Int?
        var severity: Int?
        var timestamp: String?
        var hostname: String?
        var appName: String?
        var procID: String?
        var msgID: String?
        var structuredData: [String: [String: String]]?
        var message: String?
        /// Keys that are given, also those that are null.
        var given: Set<String> = []

        enum CodingKeys: String, CodingKey, CaseIterable {
            case format, facility, severity, timestamp, hostname, message
            case appName = "app_name"
            case procID = "proc_id"
            case msgID = "msg_id"
            case structuredData = "structured_data"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            format = try values.decodeIfPresent(String.self, forKey: .format)
            facility = try values.decodeIfPresent(Int.self, forKey: .facility)
            severity = try values.decodeIfPresent(Int.self, forKey: .severity)
            timestamp = try values.decodeIfPresent(String.self, forKey: .timestamp)
            hostname = try values.decodeIfPresent(String.self, forKey: .hostname)
            appName = try values.decodeIfPresent(String.self, forKey: .appName)
            procID = try values.decodeIfPresent(String.self, forKey: .procID)
            msgID = try values.decodeIfPresent(String.self, forKey: .msgID)
            structuredData = try values.decodeIfPresent([String: [String: String]].self, forKey: .structuredData)
            message = try values.decodeIfPresent(String.self, forKey: .message)
            given = Set(values.allKeys.map(\.rawValue))
        }
    }
    struct Context: Decodable {
        var now: String?
        var tz: String?
    }
    struct Alternative: Decodable {
        var expect: Expectation
    }
    var id: String
    var input_b64: String
    var context: Context
    var expect: Expectation
    var disputed: Bool
    var disputed_fields: [String]?
    var alternatives: [Alternative]?
}

private func loadCases() throws -> [Case] {
    let text = try String(contentsOf: testsFolder.appending(path: "Data/cases/syslog_cases.jsonl"), encoding: .utf8)
    return try text.split(separator: "\n").map { try JSONDecoder().decode(Case.self, from: Data($0.utf8)) }
}

/// The fields of a row that are not what is expected.
private func differences(_ row: Row, _ expect: Case.Expectation) throws -> [String] {
    let format = row["record_format"] ?? "unparsed"
    var wrong: [String] = []
    func compare(_ field: String, _ got: String?, _ want: String?) {
        if expect.given.contains(field), (got ?? "") != (want ?? "") { wrong.append(field) }
    }
    compare("format", format, expect.format)
    compare("message", row["message"], expect.message)
    if expect.format == "unparsed" { return wrong }
    compare("facility", row["facility"], expect.facility.map(String.init))
    compare("severity", row["severity"], expect.severity.map(String.init))
    compare("hostname", row["host"], expect.hostname)
    compare("app_name", row["program"], expect.appName)
    compare("proc_id", row["pid"], expect.procID)
    compare("msg_id", row["msg_id"], expect.msgID)
    if expect.given.contains("timestamp") {
        let got = row["event_time_source"] == "arrival" ? nil : row.eventTime
        if got != expect.timestamp.flatMap({ RFC3339.parse($0) }) { wrong.append("timestamp") }
    }
    if expect.given.contains("structured_data") {
        let got = try row["structured_data"].map { text in
            try JSONDecoder().decode([String: [String: String]].self, from: Data(text.utf8))
        }
        if (got ?? [:]) != (expect.structuredData ?? [:]) { wrong.append("structured_data") }
    }
    return wrong
}

private func rows(_ testCase: Case) throws -> [Row] {
    let input = try #require(Data(base64Encoded: testCase.input_b64))
    let settings = TransformSettings(timezone: testCase.context.tz ?? "UTC")
    let arrival = try testCase.context.now.map { try timestamp($0) } ?? usualArrival
    return try rows(record: input, settings, arrival: arrival)
}

@Test func undisputedCasesComeOutAsTheirSourcesExpect() throws {
    var failed: [String] = []
    var count = 0
    for testCase in try loadCases() where !testCase.disputed {
        count += 1
        let rows = try rows(testCase)
        let wrong = rows.count == 1 ? try differences(rows[0], testCase.expect) : ["\(rows.count) rows"]
        if !wrong.isEmpty { failed.append("\(testCase.id) (\(wrong.joined(separator: ", ")))") }
    }
    #expect(count >= 60)
    #expect(failed.isEmpty, "\(failed.count) of \(count) cases: \(failed.joined(separator: "; "))")
}

@Test func disputedCasesComeOutAsOneOfTheirReadings() throws {
    var failed: [String] = []
    for testCase in try loadCases() where testCase.disputed {
        let rows = try rows(testCase)
        guard rows.count == 1 else {
            failed.append("\(testCase.id) (\(rows.count) rows)")
            continue
        }
        let wrong = try differences(rows[0], testCase.expect)
        let disputed = Set(testCase.disputed_fields ?? [])
        let readings = (testCase.alternatives ?? []).map(\.expect)
        // Another format is another reading of all of it.
        if wrong.contains("format"), readings.contains(where: { $0.format == rows[0]["record_format"] ?? "unparsed" }) {
            continue
        }
        for field in wrong {
            let isOneOfThem =
                try disputed.contains(field)
                && readings.contains { reading in
                    try reading.given.contains(field) && !differences(rows[0], reading).contains(field)
                }
            if !isOneOfThem { failed.append("\(testCase.id) (\(field))") }
        }
    }
    #expect(failed.isEmpty, "\(failed.joined(separator: "; "))")
}
