// Rows as they may be and as they may not, however an object is cut into pieces.

import Batching
import CivilTime
import Diagnostics
import Foundation
import Testing

@testable import Jobs

private func number(_ text: String) throws -> SequenceNumber { try #require(SequenceNumber(text)) }

private func row(_ sequence: String, _ changes: [String: String?] = [:]) -> String {
    var members: [(String, String?)] = [
        ("event_time", "\"2024-11-22T20:31:00.5Z\""), ("event_time_source", "\"syslog\""), ("host", "\"h\""),
        ("facility", nil), ("message", "\"m\""), ("drupal_uid", nil), ("parse_status", "\"ok\""),
        ("source_offset", nil), ("shard_id", "\"s\""), ("sequence_number", "\"\(sequence)\""), ("subsequence", nil),
        ("arrival_time", "\"2024-11-22T20:31:01Z\""),
    ]
    for (name, value) in changes {
        if let index = members.firstIndex(where: { $0.0 == name }) { members[index].1 = value }
    }
    return "{" + members.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }.joined(separator: ",") + "}\n"
}

private func check(_ text: String, pieces: Int = .max) throws -> RowCheck {
    try check(Array(text.utf8), pieces: pieces)
}

private func check(_ bytes: [UInt8], pieces: Int = .max) throws -> RowCheck {
    let check = RowCheck(shard: "s", first: try number("10"), last: try number("200"))
    var rest = bytes[...]
    while !rest.isEmpty {
        let piece = Array(rest.prefix(pieces))
        rest = rest.dropFirst(piece.count)
        piece.withUnsafeBytes { check.add($0) }
    }
    check.finish()
    return check
}

@Suite struct RowCheckTests {
    @Test(arguments: [1, 2, 17, Int.max]) func goodRowsAreCounted(pieces: Int) throws {
        let text =
            row("10") + row("99", ["subsequence": "0", "parse_status": "\"unparsed\""])
            + row("99", ["subsequence": "1", "event_time": "\"2024-11-22T20:30:00Z\""])
            + row("200", ["arrival_time": "\"2024-11-22T20:31:02.000001Z\"", "facility": "23", "drupal_uid": "-5"])
        let found = try check(text, pieces: pieces)
        #expect(found.fault == nil, "\(found.fault.map { "\($0)" } ?? "")")
        let totals = found.totals
        #expect(totals.rows == 4 && totals.records == 3)
        #expect(try totals.first == number("10"))
        #expect(try totals.last == number("200"))
        #expect(totals.statusCounts == ["ok": 3, "unparsed": 1])
        #expect(totals.firstEvent == RFC3339.parse("2024-11-22T20:30:00Z"))
        #expect(totals.lastArrival == RFC3339.parse("2024-11-22T20:31:02.000001Z"))
        var sum = totals
        sum.add(totals)
        #expect(sum.rows == 8 && sum.first == totals.first && sum.statusCounts["ok"] == 6)
    }

    @Test(arguments: [
        ("\"\\u00e4\\ud83d\\ude00\\n\\\\\"", true), ("\"\u{2028}äß\"", true), ("\"\\u0000\"", false),
        ("\"\\ud800\"", false), ("\"\\udc00\"", false), ("\"\\ud800\\u0041\"", false), ("\"\\x\"", false),
        ("\"\\u12\"", false), ("\"a\tb\"", false), ("7", false), ("null", false), ("true", false), ("\"open", false),
        ("[]", false), ("{\"a\":1}", false), (" \"m\"", false), ("1.5", false), ("01", false), ("1e1", false),
        ("9223372036854775808", false), ("-", false),
    ])
    func valueIsTextOrAWholeNumberAsJSONHasThem(value: String, isGood: Bool) throws {
        let found = try check(row("10", ["message": value]))
        #expect((found.fault == nil) == isGood, "\(found.fault.map { "\($0)" } ?? "passed")")
        if !isGood { #expect(found.fault?.kind == .rowSchema) }
    }

    @Test(arguments: [
        ("facility", "24"), ("facility", "-1"), ("facility", "\"1\""), ("source_offset", "-1"),
        ("subsequence", "2147483648"), ("event_time", "\"2024-11-22\""), ("event_time", "\"2024-11-22 20:31:00Z\""),
        ("event_time", "\"2024-11-22T20:31:00\""), ("event_time", "\"2024-11-22T20:31:00+00:00\""),
        ("event_time", "\"2024-11-22T20:31:00.1234567Z\""), ("event_time", "\"2024-02-30T20:31:00Z\""),
        ("event_time_source", "\"guess\""), ("parse_status", "\"\""), ("sequence_number", "\"1a\""),
        ("sequence_number", "\"\""), ("sequence_number", "10"),
    ])
    func valueOutsideItsColumnIsNamed(column: String, value: String) throws {
        let found = try check(row("10", [column: value]))
        #expect(found.fault?.kind == .rowSchema)
        #expect(found.fault?.detail.contains(column) == true, "\(found.fault.map { "\($0)" } ?? "passed")")
    }

    /// Each column of text at its width, and one byte beyond, plain and as escapes.
    @Test func widthsAreThoseOfTheTextAndNotOfItsEscapes() throws {
        for column in RowRules.standard.columns {
            guard case .text(let most) = column.kind, column.name != "shard_id" else { continue }
            for (unit, width) in [("x", 1), ("\\\"", 1), ("\\u00e4", 2), ("\\ud83d\\ude00", 4)] {
                let fits = String(repeating: unit, count: most / width)
                for (text, isGood) in [(fits, true), (fits + String(repeating: "x", count: most % width + 1), false)] {
                    let found = try check(rowWith(column.name, "\"\(text)\""))
                    #expect((found.fault == nil) == isGood, "\(column.name) \(unit)")
                }
            }
        }
    }

    private func rowWith(_ column: String, _ value: String) -> String {
        let needed = [
            "event_time": "\"2024-11-22T20:31:00Z\"", "event_time_source": "\"syslog\"", "parse_status": "\"ok\"",
            "shard_id": "\"s\"", "sequence_number": "\"10\"", "arrival_time": "\"2024-11-22T20:31:00Z\"",
        ]
        let members = RowRules.standard.columns.compactMap { rule in
            (rule.name == column ? value : needed[rule.name]).map { "\"\(rule.name)\":\($0)" }
        }
        return "{\(members.joined(separator: ","))}\n"
    }

    @Test(
        arguments: [
            "{}\n", "\n", "x\n", "{\"event_time\":1}\n", row("10").dropLast(2) + "\n", row("10").dropLast(1) + " \n",
            row("10").replacing(",\"host\"", with: " ,\"host\""), "[" + row("10").dropLast(1) + "]\n",
            row("10").replacing("\"host\"", with: "\"hosT\""),
            row("10").replacing("\"host\":\"h\",", with: "\"host\":\"h\",\"host\":\"h\","),
            row("10").replacing("\"message\":\"m\",", with: "").replacing(
                "\"host\"", with: "\"message\":\"m\",\"host\""),
            row("10", ["parse_status": nil]), row("10", ["arrival_time": nil]), row("10", ["event_time": nil]),
            String(row("10").dropLast(1)),
        ] as [String])
    func whatIsNoRowIsNamed(text: String) throws { #expect(try check(text).fault?.kind == .rowSchema) }

    @Test func bytesThatAreNoUTF8AreNamed() throws {
        var bytes = Array(row("10").utf8)
        bytes[bytes.firstIndex(of: UInt8(ascii: "m")) ?? 0] = 0xFF
        #expect(try check(bytes).fault?.kind == .rowSchema)
    }

    @Test func rowThatNeverEndsTakesNoMoreThanItsLimit() throws {
        let check = RowCheck(shard: "s", first: try number("10"), last: try number("200"))
        let block = [UInt8](repeating: 0x78, count: 1 << 20)
        for _ in 0..<64 { block.withUnsafeBytes { check.add($0) } }
        [0x0A].withUnsafeBytes { check.add($0) }
        #expect(check.fault?.kind == .rowSchema && check.fault?.detail.contains("4000000") == true)
    }

    @Test(arguments: [
        [("9", "s")], [("201", "s")], [("1000", "s")], [("11", "s"), ("10", "s")], [("10", "t")],
    ])
    func rowOfAnotherRecordIsNamed(rows: [(String, String)]) throws {
        let text = rows.map { row($0.0, ["shard_id": "\"\($0.1)\""]) }.joined()
        #expect(try check(text).fault?.kind == .rowOrigin)
        #expect(try check(row("10", ["shard_id": nil])).fault?.kind == .rowOrigin)
        #expect(try check(row("10", ["sequence_number": nil])).fault?.kind == .rowOrigin)
    }
}

@Suite struct ReadSampleTests {
    @Test(arguments: [("1/1", 12), ("1/3", 4), ("2/3", 8), ("5/12", 5), ("1/1000", 1)])
    func sampleTakesSoManyOfEverySoMany(text: String, taken: Int) throws {
        let sample = try #require(ReadSample(text))
        #expect((0..<12).filter(sample.takes).count == taken)
    }

    @Test(arguments: ["", "1", "0/1", "2/1", "1/0", "-1/2", "1/2/3", "a/b", "1/", "/2", "1/1000001"])
    func whatIsNoSampleIsRefused(text: String) { #expect(ReadSample(text) == nil) }
}

@Suite struct VerifyReportTests {
    private func report() -> VerifyReport {
        VerifyReport(job: "j", stream: "s", destination: "d", window: nil, started: Timestamp(seconds: 0))
    }

    @Test func damageIsOneThingAndNotBeingAbleToTellAnother() {
        var report = report()
        #expect(report.exitCode == .temporary, "it has not looked at everything")
        report.isComplete = true
        #expect(report.exitCode == .done)
        report.add(problem: .init(operation: "o", subject: "s", cause: "c"), .permission)
        #expect(report.exitCode == .permission)
        report.add(Finding(.gap, shard: "s", key: "k", detail: "d"))
        #expect(report.exitCode == .damage && report.status == 65)
        report.signal = 15
        #expect(report.status == 143)
    }

    @Test func findingsBeyondTheLimitAreCounted() {
        var report = report()
        for _ in 0..<VerifyReport.findingsMax + 5 {
            report.add(Finding(.objectMissing, shard: nil, key: "k", detail: ""))
        }
        #expect(report.findings.count == VerifyReport.findingsMax)
        #expect(report.counts == [.objectMissing: VerifyReport.findingsMax + 5])
    }

    @Test func windowIsWholeSecondsAroundTheInstants() {
        let window = Window(around: Timestamp(milliseconds: 1_000_500), Timestamp(milliseconds: 2_000_500))
        #expect(window == Window(from: Timestamp(seconds: 940), to: Timestamp(seconds: 2_061)))
        #expect(window.overlaps(Timestamp(seconds: 900), Timestamp(seconds: 940)))
        #expect(!window.overlaps(Timestamp(seconds: 900), Timestamp(seconds: 939)))
        #expect(!window.overlaps(Timestamp(seconds: 2_061), Timestamp(seconds: 2_070)))
    }
}
