// FluentdRecord against what Fluentd and its plugin wrote, and the reading of such records by the archiver.

import CivilTime
import Foundation
import Gzip
import Records
import Testing

@testable import Jobs

private func encode(_ line: [UInt8], keepTime: Bool = false, newline: Bool = true) -> (isMatched: Bool, text: [UInt8]) {
    var out: [UInt8] = []
    let isMatched = line.withUnsafeBytes {
        FluentdRecord(keepTimeKey: keepTime, newline: newline).encode($0, into: &out)
    }
    return (isMatched, out)
}

private func encode(_ line: String, keepTime: Bool = false, newline: Bool = true) -> (isMatched: Bool, text: String) {
    let (isMatched, bytes) = encode(Array(line.utf8), keepTime: keepTime, newline: newline)
    return (isMatched, String(decoding: bytes, as: UTF8.self))
}

@Suite struct RecordTests {
    @Test func everyRecordedLineGivesTheSameBytesAsFluentd() throws {
        let lines = try recorded("records.jsonl")
        var shippedCount = 0
        for line in lines {
            let golden = try object(line)
            let input = try #require(try bytes(golden, "line"))
            let plain = encode(input)
            guard let record = try bytes(golden, "record") else {
                #expect(!plain.isMatched, "Fluentd drops \(String(decoding: input, as: UTF8.self))")
                continue
            }
            shippedCount += 1
            let time = try #require(try bytes(golden, "time"))
            let withTime = Array("{\"time\":\"".utf8) + time + Array("\",".utf8) + record.dropFirst()
            let isSame = plain == (true, record) && encode(input, keepTime: true) == (true, withTime)
            #expect(isSame, "\(String(decoding: input, as: UTF8.self))")
            #expect(encode(input, newline: false) == (true, record.dropLast()))
        }
        #expect(lines.count > 900 && shippedCount > 500)
    }

    @Test func everyCapturedFileGivesTheSameBytesAsFluentd() throws {
        struct Captured: Decodable {
            struct File: Decodable {
                var file: String
                var lines: Int
                var matched: Int
                var sha256: String
                var sha256_of_times: String
            }
            var files: [File]
        }
        let captured = try JSONDecoder().decode(
            Captured.self, from: Data(contentsOf: testsFolder.appending(path: "Data/fluentd/captured.json")))
        #expect(captured.files.count == 5)
        for file in captured.files {
            var content = [UInt8](try Data(contentsOf: testsFolder.appending(path: "Data/drupal/\(file.file)")))
            if file.file.hasSuffix(".gz") {
                content = try content.withUnsafeBytes { try Inflate.gzip($0, limit: 16 << 20, ratioLimit: 1_000) }
            }
            if content.last == 10 { content.removeLast() }
            let lines = content.split(separator: 10, omittingEmptySubsequences: false)
            var records: [UInt8] = []
            var times: [[UInt8]] = []
            var matched = 0
            for line in lines {
                let (isMatched, record) = encode(Array(line))
                guard isMatched else { continue }
                matched += 1
                records += record
                let time = encode(Array(line), keepTime: true).text.dropFirst(9).prefix { $0 != UInt8(ascii: "\"") }
                times.append(Array(time))
            }
            #expect(lines.count == file.lines && matched == file.matched, "\(file.file)")
            #expect(sha256Hex(records) == file.sha256, "\(file.file)")
            #expect(sha256Hex(Array(times.joined(separator: [10]))) == file.sha256_of_times, "\(file.file)")
        }
    }

    /// Fluentd would drop these lines with a warning.
    @Test(arguments: [
        ("", "{\"message\":\"\"}\n"), ("#0 /x.php(12): foo()", "{\"message\":\"#0 /x.php(12): foo()\"}\n"),
        ("2024-11-22T21:31:00+01:00 web1 drupal: x", "{\"message\":\"2024-11-22T21:31:00+01:00 web1 drupal: x\"}\n"),
        ("a \"b\" \\ \t\u{1}\u{7F}é\r", "{\"message\":\"a \\\"b\\\" \\\\ \\t\\u0001\u{7F}é\"}\n"),
    ])
    func lineThatDoesNotMatchIsKeptWholeAndCounted(line: String, record: String) {
        #expect(encode(line) == (false, record))
        #expect(encode(line, keepTime: true, newline: false) == (false, String(record.dropLast())))
    }

    @Test func joinedLinesAreTheEndOfTheMessage() {
        let joined = "Nov 22 21:31:00 web1 drupal: first\n#0 x: y\r\n\n  last\r"
        #expect(
            encode(joined)
                == (true, "{\"host\":\"web1\",\"ident\":\"drupal\",\"message\":\"first\\n#0 x: y\\r\\n\\n  last\"}\n"))
        // What looks like a header's colon in a later line is text.
        #expect(
            encode("Nov 22 21:31:00 web1 drupal\nand: more")
                == (true, "{\"host\":\"web1\",\"ident\":\"drupal\",\"message\":\"\\nand: more\"}\n"))
        #expect(encode("no header\nNov 22 21:31:00 web1 drupal: x").isMatched == false)
        #expect(encode("Nov 22 21:31:00\nweb1 drupal: x").isMatched == false)
    }

    @Test func recordsAreAppendedToWhatIsThere() {
        var out = Array("before".utf8)
        _ = Array("x".utf8).withUnsafeBytes { FluentdRecord(keepTimeKey: false, newline: false).encode($0, into: &out) }
        #expect(String(decoding: out, as: UTF8.self) == "before{\"message\":\"x\"}")
    }

    /// Escapes at every distance from the start, so that no block of eight hides one.
    @Test func everyByteIsEscapedOrNotAtEveryPlace() throws {
        for byte in UInt8.min...UInt8.max where byte != 10 {
            for place in 0..<20 {
                let line = [UInt8](repeating: UInt8(ascii: "a"), count: place) + [byte] + Array("bcdefghij".utf8)
                let inside = encode(line, newline: false).text.dropFirst(12).dropLast(2)
                let escaped: [UInt8] =
                    switch byte {
                    case 0x08: Array("\\b".utf8)
                    case 0x09: Array("\\t".utf8)
                    case 0x0C: Array("\\f".utf8)
                    case 0x0D: Array("\\r".utf8)
                    case UInt8(ascii: "\""): Array("\\\"".utf8)
                    case UInt8(ascii: "\\"): Array("\\\\".utf8)
                    case ..<0x10: Array("\\u000\(String(byte, radix: 16))".utf8)
                    case ..<0x20: Array("\\u00\(String(byte, radix: 16))".utf8)
                    default: [byte]
                    }
                #expect(
                    Array(inside) == Array(line[..<place]) + escaped + Array("bcdefghij".utf8), "\(byte) at \(place)")
            }
        }
    }

    @Test(arguments: [TransformSettings.Format.auto, .fluentd])
    func archiverReadsTheRecordsBack(format: TransformSettings.Format) throws {
        var settings = TransformSettings()
        settings.format = format
        let transformer = try RecordTransformer(settings: settings)
        func row(_ line: [UInt8]) throws -> [String: Any] {
            let record = encode(line, keepTime: true).text
            var rows: [Data] = []
            let arrival = try #require(RFC3339.parse("2024-11-22T21:32:00Z"))
            try record.withUnsafeBytes { record in
                try transformer.transformRecord(record, origin: RecordOrigin(shardID: "s", arrival: arrival)) {
                    rows.append(Data($1))
                }
            }
            #expect(rows.count == 1)
            let first = try #require(rows.first)
            return try #require(try JSONSerialization.jsonObject(with: first) as? [String: Any])
        }
        let read = try row(Array("Nov 22 21:31:00 web1 php-fpm[77]: a \"quote\"\nsecond line".utf8))
        #expect(read["host"] as? String == "web1" && read["program"] as? String == "php-fpm")
        #expect(read["pid"] as? String == "77" && read["message"] as? String == "a \"quote\"\nsecond line")
        #expect(
            read["event_time"] as? String == "2024-11-22T21:31:00Z" && read["record_format"] as? String == "fluentd")
        let bare = try row(Array("#0 /x.php(12): foo()".utf8))
        #expect(bare["message"] as? String == "#0 /x.php(12): foo()" && bare["host"] == nil)
        let broken = try row(Array("Nov 22 21:31:00 web1 drupal: bad ".utf8) + [0xFF])
        #expect(broken["message"] as? String == "bad \u{FFFD}" && broken["program"] as? String == "drupal")
    }
}
