// Whatever bytes come, the rules of the row hold. Inputs are the goldens' lines, mutated, and plain noise; the seed is
// the test's argument, so a failure names it.

import CivilTime
import Foundation
import Records
import Testing

private struct Noise {
    var state: UInt64

    mutating func next() -> UInt64 {
        // SplitMix64.
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(max(1, limit))) }

    /// Bytes that parsers stop at come more often than others.
    mutating func byte() -> UInt8 {
        let marks = Array(" :[]<>|\"\\{}=-,/.%\n\r\t0189AZaz".utf8) + [0, 0xC3, 0xED, 0xEF, 0xF0, 0x80, 0xBF, 0xFF]
        return below(3) == 0 ? UInt8(truncatingIfNeeded: next()) : marks[below(marks.count)]
    }

    mutating func mutate(_ line: [UInt8]) -> [UInt8] {
        var line = line
        for _ in 0...below(4) {
            let at = below(line.count + 1)
            switch below(6) {
            case 0 where at < line.count: line[at] = byte()
            case 1: line.insert(byte(), at: at)
            case 2 where at < line.count: line.remove(at: at)
            case 3: line = Array(line.prefix(at))
            case 4: line.insert(contentsOf: line.suffix(line.count - at).prefix(below(40)), at: below(line.count + 1))
            default: line.insert(contentsOf: repeatElement(byte(), count: below(600)), at: at)
            }
        }
        return line
    }
}

private let widths: [String: Int] = [
    "event_time": 27, "event_time_source": 8, "host": 255, "program": 255, "pid": 128, "msg_id": 32,
    "severity_name": 8, "structured_data": 16_384, "message": 65_535, "site": 255, "drupal_base_url": 512,
    "drupal_type": 255, "drupal_ip": 128, "drupal_request_uri": 8_192, "drupal_referer": 8_192, "drupal_link": 1_024,
    "record_format": 16, "parse_status": 16, "raw_line": 65_535, "raw_base64": 65_535, "truncated_fields": 255,
    "source_host": 255, "source_file": 255, "shard_id": 64, "sequence_number": 64, "arrival_time": 27,
]
private let numbers: Set<String> = ["facility", "severity", "drupal_uid", "source_offset", "subsequence"]

/// Foundation's JSON parser takes a byte order mark off the start of a string.
private func withoutMark(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.drop { $0 == "\u{FEFF}" }))
}

/// The broken rules of one row; empty when all hold.
private func brokenRules(_ row: Row) -> [String] {
    var broken: [String] = []
    func check(_ holds: Bool, _ rule: String) { if !holds { broken.append(rule) } }
    check(row.bytes.last == 0x0A && row.bytes.filter { $0 == 0x0A }.count == 1, "ends with its only LF")
    check(row.bytes.count <= 4_000_000, "4 MB")
    check(String(validating: row.bytes, as: UTF8.self) != nil, "valid UTF-8")
    for (name, value) in row.values {
        switch value {
        case .number: check(numbers.contains(name), "\(name) is no number")
        case .text(let text):
            check(text.utf8.count <= widths[name] ?? -1, "\(name) has \(text.utf8.count) bytes")
            check(!text.isEmpty, "\(name) is empty")
            check(
                !text.unicodeScalars.contains {
                    $0.value == 0 || $0.value == 0xFFFE || $0.value == 0xFFFF || (0xFDD0...0xFDEF).contains($0.value)
                }, "\(name) holds what Redshift refuses")
        }
    }
    check(RFC3339.parse(row["event_time"] ?? "") == row.eventTime, "event_time is the fact")
    check(RFC3339.parse(row["arrival_time"] ?? "") == row.arrival, "arrival_time is the fact")
    check(row["parse_status"] == row.status.rawValue, "status is the fact")
    check(row["severity"] == row.severity.map(String.init), "severity is the fact")
    check(withoutMark(row["site"] ?? "") == withoutMark(row.site), "site is the fact")
    check(withoutMark(row["host"] ?? "") == withoutMark(row.host), "host is the fact")
    check(withoutMark(row["program"] ?? "") == withoutMark(row.program), "program is the fact")
    check((0...23).contains(Int(row["facility"] ?? "0") ?? -1), "facility")
    check((0...7).contains(row.severity ?? 0), "severity")
    check((row["record_format"] == nil) == (row.status == .unparsed) || row["record_format"] == nil, "format")
    if let data = row["structured_data"] {
        check((try? JSONSerialization.jsonObject(with: Data(data.utf8))) is [String: Any], "structured data is JSON")
    }
    return broken
}

private func seedLines() throws -> [[UInt8]] {
    let goldens = testsFolder.appending(path: "RecordsTests/Goldens")
    var lines: [[UInt8]] = []
    for name in try FileManager.default.contentsOfDirectory(atPath: goldens.path).sorted() {
        let input = try Data(contentsOf: goldens.appending(path: name).appending(path: "input.log"))
        lines += input.split(separator: 0x0A).map { Array($0) }
    }
    return lines
}

private let seeds: [UInt64] = [1, 2, UInt64.random(in: 3...UInt64.max)]

@Test(arguments: seeds)
func anyLineIsOneGoodRow(seed: UInt64) throws {
    var noise = Noise(state: seed)
    let lines = try seedLines()
    let formats = TransformSettings.Format.allCases
    let policies = TransformSettings.RawLine.allCases
    for round in 0..<1_200 {
        let settings = TransformSettings(
            format: round % 3 == 0 ? formats[noise.below(formats.count)] : .auto,
            timezone: round % 5 == 0 ? "Europe/Berlin" : "UTC", rawLine: policies[noise.below(policies.count)])
        let line =
            round % 10 == 0
            ? (0..<noise.below(300)).map { _ in noise.byte() } : noise.mutate(lines[noise.below(lines.count)])
        let found = try row(line, settings)
        let broken = brokenRules(found)
        if !broken.isEmpty { Issue.record("seed \(seed), \(broken): \(Data(line).base64EncodedString())") }
        #expect(try row(line, settings).bytes == found.bytes, "a second time gives the same row")
    }
}

@Test(arguments: seeds)
func anyRecordGivesGoodRowsThatAreNumbered(seed: UInt64) throws {
    var noise = Noise(state: seed ^ 0xFACE)
    let lines = try seedLines()
    let transformer = try RecordTransformer(settings: TransformSettings())
    for _ in 0..<400 {
        var record: [UInt8] = []
        for _ in 0..<noise.below(8) {
            let line = lines[noise.below(lines.count)]
            record += noise.below(2) == 0 ? line : noise.mutate(line)
            if noise.below(9) > 0 { record.append(0x0A) }
        }
        let found = try rows(record: record, with: transformer, partitionKey: "w/f/0123/7")
        #expect(found.count >= 1)
        let broken = found.flatMap(brokenRules)
        if !broken.isEmpty { Issue.record("seed \(seed), \(broken): \(Data(record).base64EncodedString())") }
        let subsequences = found.map { $0["subsequence"] }
        #expect(subsequences == (found.count == 1 ? [nil] : (0..<found.count).map { String($0) }))
        // What a transformer did before does not show.
        let again = try rows(record: record, partitionKey: "w/f/0123/7")
        #expect(again.map(\.bytes) == found.map(\.bytes), "seed \(seed): \(Data(record).base64EncodedString())")
    }
}
