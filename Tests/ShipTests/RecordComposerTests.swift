// From lines to records and back: what the archiver reads out of each packing, and under which offsets.
import CivilTime
import Diagnostics
import Foundation
import Records
import Testing

@testable import Jobs

@Suite struct RecordComposerTests {
    private static let lines = [
        "Nov 27 22:00:00 web1 drupal: http://a.example.org|1795386000|php|1.2.3.4|http://a.example.org/||0||one",
        "Nov 27 22:00:01 web1 drupal: http://b.example.org|1795386001|php|1.2.3.4|http://b.example.org/||0||two",
        "<13>Nov 27 22:00:02 web1 cron[5]: three", "no header at all", "", "{\"host\":\"h\",\"message\":\"json\"}",
        "{\"host\":\"h\",\"message\":\"more json\"}", "Nov 27 22:00:03 web1 drupal: four é",
        "Nov 27 22:00:04 web1 drupal: " + String(repeating: "long ", count: 3_000), "Nov 27 22:00:05 web1 app: five",
    ]

    private struct Row: Decodable, Equatable {
        var source_offset: Int?
        var message: String?
    }

    /// What the archiver makes of the records.
    private func rows(_ stored: [FakeStream.Stored]) throws -> [Row] {
        let transformer = try RecordTransformer(settings: TransformSettings())
        var rows: [Row] = []
        for record in stored {
            let key = Array(record.key.utf8)
            try record.data.withUnsafeBytes { data in
                try key.withUnsafeBytes { key in
                    let origin = RecordOrigin(arrival: Timestamp(seconds: 1_795_386_100), partitionKey: key)
                    try transformer.transformRecord(data, origin: origin) { _, row in
                        rows.append(try JSONDecoder().decode(Row.self, from: Data(row)))
                    }
                }
            }
        }
        return rows
    }

    private func ship(_ text: String, _ change: @escaping (inout ShipJobFile) -> Void) async throws -> FakeStream {
        let space = try Workspace()
        try space.write(text)
        let stream = FakeStream()
        let report = await space.ship(stream, space.jobFile(change))
        #expect(report.exitCode == .done)
        return stream
    }

    @Test(arguments: [ShipJobFile.Aggregate.none, .lines, .kpl])
    func eachLineIsARowWithItsOffsetInEveryPacking(aggregate: ShipJobFile.Aggregate) async throws {
        let text = Self.lines.map { $0 + "\n" }.joined()
        let stream = try await ship(text) {
            $0.multiline = .off
            $0.destination.aggregate = aggregate
            $0.destination.aggregateBytes = 10_000
        }
        let rows = try rows(stream.stored)
        var offsets: [Int] = []
        var place = 0
        for line in Self.lines {
            offsets.append(place)
            place += line.utf8.count + 1
        }
        #expect(rows.map(\.source_offset) == offsets)
        if aggregate != .none { #expect(stream.stored.count < Self.lines.count) }
        #expect(stream.stored.allSatisfy { $0.data.count <= 16_000 })
    }

    @Test func joinedLinesAreOneRow() async throws {
        let text = "Nov 27 22:00:00 web1 drupal: one\n#0 trace\n#1 trace\nNov 27 22:00:01 web1 drupal: two\n"
        for aggregate in [ShipJobFile.Aggregate.none, .lines, .kpl] {
            let stream = try await ship(text) { $0.destination.aggregate = aggregate }
            let rows = try rows(stream.stored)
            #expect(rows.map(\.message) == ["one\n#0 trace\n#1 trace", "two"], "\(aggregate)")
            #expect(rows.map(\.source_offset) == [0, 51], "\(aggregate)")
        }
    }

    @Test func siteKeyKeepsTheLinesOfASiteTogetherAndApartFromOthers() async throws {
        let text = Self.lines.prefix(2).map { $0 + "\n" }.joined() + Self.lines[2] + "\n"
        let stream = try await ship(text) {
            $0.destination.partitionKey = .site
            $0.destination.aggregate = .lines
        }
        #expect(stream.stored.map(\.key).prefix(2) == ["a.example.org", "b.example.org"])
        #expect(stream.stored[2].key.hasPrefix("web1/drupal.log/"))
    }

    @Test func fluentdRecordsAreJSONAndUnmatchedLinesAreCountedNotDropped() async throws {
        let space = try Workspace()
        try space.write("Nov 27 22:00:00 web1 drupal: one\nnothing\n")
        let stream = FakeStream()
        let report = await space.ship(
            stream,
            space.jobFile {
                $0.record = .fluentd
                $0.multiline = .off
            })
        #expect(stream.lines[0] == #"{"host":"web1","ident":"drupal","message":"one"}"# + "\n")
        #expect(stream.lines[1] == #"{"message":"nothing"}"# + "\n")
        #expect(report.unmatchedLines == 1)
    }

    @Test func recordThatOutgrowsTheLimitGoesToTheDeadLetterFile() async throws {
        let space = try Workspace()
        // Each control byte becomes six in JSON.
        try space.write(
            "Nov 27 22:00:00 web1 drupal: " + String(repeating: "\u{1}", count: 500) + "\n"
                + "Nov 27 22:00:01 web1 drupal: fine\n")
        let stream = FakeStream()
        let file = space.jobFile {
            $0.record = .fluentd
            $0.destination.recordBytes = 2_000
        }
        let report = await space.ship(stream, file)
        #expect(report.exitCode == .damage && report.deadLetters == 1)
        #expect(stream.lines.count == 1 && stream.lines[0].contains("fine"))
        let letters = try String(contentsOfFile: space.path("state/dead-letter.ndjson"), encoding: .utf8)
        #expect(letters.split(separator: "\n").count == 1 && letters.contains(#""code":"RecordTooLarge""#))
        #expect(await space.ship(stream, file).exitCode == .done)
        #expect(stream.lines.count == 1)
    }
}
