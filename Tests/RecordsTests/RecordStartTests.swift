// The shipper's question must get the archiver's answer, on every line: captured ones, those of the conformance cases
// (whole and cut), and seeded mutations of both. The archiver is asked twice, by its header parser and by its rows.

import Foundation
import Gzip
import Testing

@testable import Records

@Suite struct RecordStartTests {
    private struct Answer: Equatable {
        var startsRecord: Bool
        var canBeJoined: Bool
    }

    /// What the rows of a line are made by (`LineTransformer.transformLine`).
    private func expected(_ line: [UInt8], _ parser: HeaderParser) -> Answer {
        line.withUnsafeBytes { line in
            let text = trimFraming(line)
            var parsed = ParsedLine()
            if parser.parseJSON(text, into: &parsed) != text.count { parser.parseText(text, into: &parsed) }
            return Answer(startsRecord: parsed.startsRecord, canBeJoined: parsed.canBeJoined)
        }
    }

    private func answer(_ line: [UInt8], _ start: inout RecordStart) -> Answer {
        line.withUnsafeBytes { line in
            let startsRecord = start.startsRecord(line)
            return Answer(startsRecord: startsRecord, canBeJoined: start.canBeJoined)
        }
    }

    /// Checks all lines with one parser, which keeps nothing from one line to the next. Gives how many start a record.
    private func check(_ lines: [[UInt8]], _ name: String) -> Int {
        var start = RecordStart()
        let parser = HeaderParser(format: .auto)
        var count = 0
        for line in lines {
            let answer = answer(line, &start)
            if answer != expected(line, parser) {
                Issue.record("\(name): \(String(decoding: line.prefix(200), as: UTF8.self).debugDescription)")
            }
            if answer.startsRecord { count += 1 }
        }
        return count
    }

    private func capturedLines(_ path: String) throws -> [[UInt8]] {
        var bytes = [UInt8](try Data(contentsOf: testsFolder.appending(path: "Data/drupal").appending(path: path)))
        if path.hasSuffix(".gz") {
            bytes = try bytes.withUnsafeBytes { try Inflate.gzip($0, limit: 16 << 20, ratioLimit: 1_000) }
        }
        return bytes.split(separator: 10).map(Array.init)
    }

    private func caseLines() throws -> [[UInt8]] {
        struct Case: Decodable { var input_b64: Data }
        let text = try Data(contentsOf: testsFolder.appending(path: "Data/cases/syslog_cases.jsonl"))
        return try text.split(separator: 10).flatMap { line in
            try JSONDecoder().decode(Case.self, from: line).input_b64.split(separator: 10).map { [UInt8]($0) }
        }
    }

    @Test(arguments: [
        "main/drupal.log.gz", "main/drupal-pri-iso.log.gz", "main/drupal-5424.log.gz", "sample/drupal.log",
        "php-filter-raw/drupal.log.gz",
    ])
    func capturedLinesGetTheArchiversAnswer(path: String) throws {
        let lines = try capturedLines(path)
        let starts = check(lines, path)
        #expect(starts > lines.count / 4)
        if path.hasPrefix("php-filter-raw") { #expect(starts < lines.count) }
    }

    @Test func casesWholeAndCutGetTheArchiversAnswer() throws {
        let lines = try caseLines()
        #expect(check(lines, "case") > 60)
        _ = check(lines.flatMap { line in (0...min(80, line.count)).map { Array(line.prefix($0)) } }, "cut case")
    }

    @Test(arguments: [
        ("<34>text", true), ("<192>text", false), ("<34", false), ("12 <34>text", true), ("12 text", false),
        ("Nov 22 22:28:27 web1 drupal: a|b", true), ("Nov  2 02:08:07 web1 x", true), ("nov 2 2:08:07 web1 x", true),
        ("Nov 31 22:28:27 web1 x", false), ("Feb 29 22:28:27 web1 x", true), ("Feb 29 22:28:27 2023 x", false),
        ("Nov 22 24:28:27 web1 x", false), ("Nov 22 22:28:27", true), ("Nov 22 22:28:27\r", true),
        ("Nov 22 22:28:27x web1", false), ("Nov 22 22:28:27 UTC: x", true), ("Nov 22 22:28:27 UTC:x", false),
        ("2026-11-22T22:28:27+01:00 web1 x", true), ("2026-11-22T22:28:27.123456Z web1 x", true),
        ("2026-11-22T22:28:27web1", false), ("2026-11-22 web1", false), ("1795386507 web1 x", true),
        ("1 2026-11-22T22:28:27Z web1 drupal - - - x", true), ("1 - web1 drupal - - - x", true),
        ("65536: *Mar  1 18:46:11: %SYS-5-CONFIG_I: x", true), ("00:00:46: %LINK-3-UPDOWN: x", true),
        ("\u{0}\u{0}Nov 22 22:28:27 web1 x", true), (" Nov 22 22:28:27 web1 x", true),
        ("  #0 /var/www/index.php(21): main()", false), ("", false), ("\r", false), ("\u{0}", false), ("   ", false),
        ("{\"message\":\"x\"}", true), ("  {\"message\":\"x\"} \r", true), ("{\"message\":\"x\"} y", false),
        ("{", false),
        ("[1]", false),
    ])
    func lineStartsARecordOrNot(line: String, starts: Bool) {
        var start = RecordStart()
        #expect(answer(Array(line.utf8), &start).startsRecord == starts)
        // Only a JSON object takes no further lines.
        #expect(start.canBeJoined == !(starts && line.contains("{")))
    }

    @Test(arguments: 1...12) func mutatedLinesGetTheArchiversAnswer(seed: Int) throws {
        var random = HeadMutator(seed: UInt64(seed))
        let seeds = try caseLines() + capturedLines("sample/drupal.log").prefix(200) + [Array("{\"log\":\"x\"}".utf8)]
        let lines = (0..<4_000).map { _ in random.mutate(seeds[random.below(seeds.count)]) }
        let starts = check(lines, "seed \(seed)")
        #expect(starts > 400 && starts < 3_900, "seed \(seed)")
    }

    /// The other way round: a line in a record behind a message is a row of its own exactly when it starts a record.
    @Test(arguments: 1...4) func rowsOfJoinedLinesAgree(seed: Int) throws {
        var random = HeadMutator(seed: UInt64(seed) + 1_000)
        let transformer = try RecordTransformer(settings: TransformSettings())
        var start = RecordStart()
        let seeds = try caseLines()
        let head = Array("Nov 22 22:28:27 web1 drupal: message\n".utf8)
        var starts = 0
        for _ in 0..<500 {
            let line = random.mutate(seeds[random.below(seeds.count)])
            let answer = answer(line, &start)
            // Behind a text the archiver reads no JSON.
            guard answer.canBeJoined else { continue }
            let rows = try rows(record: head + line, with: transformer)
            #expect(
                rows.count == (answer.startsRecord ? 2 : 1), "seed \(seed): \(String(decoding: line, as: UTF8.self))")
            if answer.startsRecord { starts += 1 }
        }
        #expect(starts > 50)
    }

    @Test func linesBehindAJSONObjectAreRowsOfTheirOwn() throws {
        var start = RecordStart()
        let object = Array("{\"message\":\"x\",\"host\":\"web1\",\"ident\":\"drupal\"}".utf8)
        #expect(answer(object, &start) == Answer(startsRecord: true, canBeJoined: false))
        #expect(try rows(record: object + Array("\n  text".utf8)).count == 2)
    }
}

/// Changes the first bytes of lines, where headers are; seeded.
private struct HeadMutator {
    private static let headByteCount = 45
    private static let marks = Array(" :<>-+.,TZtz*%[]{}\"0123456789NovFebUTC\r\t/".utf8) + [0, 0xC3, 0xFF]
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(max(1, limit))) }

    /// Never with a line feed.
    mutating func mutate(_ line: [UInt8]) -> [UInt8] {
        var line = line
        for _ in 0..<below(4) {
            let at = below(min(line.count, Self.headByteCount) + 1)
            let mark = Self.marks[below(Self.marks.count)]
            switch below(5) {
            case 0 where at < line.count, 1 where at < line.count: line[at] = mark
            case 2 where at < line.count: line.remove(at: at)
            case 3: line.insert(mark, at: at)
            case 4 where at > 0: line.removeSubrange(at..<min(line.count, at + below(30)))
            default: line = Array(line.dropFirst(below(8)))
            }
        }
        return line
    }
}
