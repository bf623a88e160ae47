// How a record falls into pieces: LF-joined lines, header-less lines, JSON over several lines, aggregates, compression.

import CivilTime
import Foundation
import Gzip
import Records
import Testing

private let first = "Nov 22 21:31:00 web1 a: one"
private let second = "Nov 22 21:31:01 web1 b: two"

@Test func recordOfOneLineHasNoSubsequence() throws {
    for ending in ["", "\n", "\r\n", "\n\n", "\0\n"] {
        let rows = try rows(record: (first + ending).utf8)
        #expect(rows.count == 1)
        #expect(rows.first?["message"] == "one")
        #expect(rows.first?["subsequence"] == nil)
    }
}

@Test func joinedLinesAreCountedAndPlaced() throws {
    let record = "\(first)\n\(second)\r\n\(first)\n"
    let rows = try rows(record: record.utf8, partitionKey: "web1/drupal.log/00ff/1000")
    #expect(rows.map { $0["message"] } == ["one", "two", "one"])
    #expect(rows.map { $0["subsequence"] } == ["0", "1", "2"])
    #expect(rows.map { $0["source_offset"] } == ["1000", "1028", "1057"])
}

@Test func linesWithoutHeaderBelongToTheMessageBefore() throws {
    let rows = try rows(record: "\(first)\n  at x\n\n  at y\n\(second)\n".utf8)
    #expect(rows.map { $0["message"] } == ["one\n  at x\n\n  at y", "two"])
    #expect(rows.first?["parse_status"] == "ok")
}

@Test func joinedLinesOfOneMessageAreOnePiece() throws {
    let rows = try rows(record: "\(first)\n  at x".utf8)
    #expect(rows.count == 1)
    #expect(rows.first?["subsequence"] == nil)
}

@Test func headerLessStartIsARowOfItsOwn() throws {
    let rows = try rows(record: "\n\n  at x\n  at y\n\(second)".utf8)
    #expect(rows.map { $0["message"] } == ["  at x\n  at y", "two"])
    #expect(rows.map { $0["parse_status"] } == ["unparsed", "ok"])
}

@Test func emptyMessageTakesTheJoinedLineAsItsText() throws {
    let rows = try rows(record: "<13>1 - h p - - -\nmore".utf8)
    #expect(rows.map { $0["message"] } == ["more"])
}

@Test func joiningNeverCutsText() throws {
    let line = String(repeating: "y", count: 1_000)
    let record = first + String(repeating: "\n" + line, count: 200)
    let rows = try rows(record: record.utf8)
    #expect(rows.count == 4)
    let texts = rows.compactMap { $0["message"] }
    #expect(texts.joined(separator: "\n").utf8.count == record.utf8.count - "Nov 22 21:31:00 web1 a: ".utf8.count)
    #expect(rows.allSatisfy { $0["truncated_fields"] == nil })
    #expect(rows.map { $0["parse_status"] } == ["ok", "unparsed", "unparsed", "unparsed"])
}

@Test func lineWithAPriorityStartsARowOfItsOwn() throws {
    let rows = try rows(record: "\(first)\n<13>no timestamp".utf8)
    #expect(rows.map { $0["message"] } == ["one", "<13>no timestamp"])
    #expect(rows.last?["severity"] == "5")
    #expect(rows.last?["parse_status"] == "unparsed")
}

@Test func linesFormatMakesEveryLineARow() throws {
    let rows = try rows(record: "a\n\n\(first)\n{\"message\":1}\n".utf8, TransformSettings(format: .lines))
    #expect(rows.map { $0["message"] } == ["a", nil, first, "{\"message\":1}"])
    #expect(rows.allSatisfy { $0["parse_status"] == "ok" && $0["record_format"] == nil })
}

@Test func joinedJSONRecordsAreRowsEach() throws {
    let record =
        #"{"host":"w","ident":"a","message":"café \"q\""}"# + "\n\n" + #"{"host":"w","ident":"b","message":"\u00e9"}"#
        + "\n"
    let rows = try rows(record: record.utf8)
    #expect(rows.map { $0["message"] } == ["café \"q\"", "é"])
    #expect(rows.map { $0["program"] } == ["a", "b"])
    #expect(rows.map { $0["subsequence"] } == ["0", "1"])
}

@Test func jsonOverSeveralLinesIsOneRow() throws {
    let rows = try rows(
        record: "{\n  \"host\": \"w\",\n  \"message\": \"m\\n2\"\n}\n{\"host\":\"x\",\"message\":\"n\"}".utf8)
    #expect(rows.map { $0["message"] } == ["m\n2", "n"])
    #expect(rows.map { $0["host"] } == ["w", "x"])
}

@Test func jsonLineInsideASyslogMessageStaysInIt() throws {
    let rows = try rows(record: "\(first)\n{\"host\":\"w\",\"message\":\"m\"}".utf8)
    #expect(rows.count == 1)
    #expect(rows.first?["message"] == "one\n{\"host\":\"w\",\"message\":\"m\"}")
}

@Test func brokenJSONSwallowsNoOtherLine() throws {
    let rows = try rows(record: "{\"host\":\"w\",\"message\":\"m\n{\"host\":\"x\",\"message\":\"n\"}".utf8)
    #expect(rows.count == 1)
    #expect(rows.first?["parse_status"] == "unparsed")
    let later = try RecordsTests.rows(
        record: "{\"host\":\"w\",\"message\":\"m\"}\nbroken\n{\"host\":\"x\",\"message\":\"n\"}".utf8)
    #expect(later.map { $0["message"] } == ["m", "broken", "n"])
}

@Test func compressedLinesAreUnpackedFirst() throws {
    let text = Array("\(first)\n\(second)\n".utf8)
    let deflater = try ChunkDeflater(level: 6)
    var gzip = GzipFrame.header
    var frame = GzipFrame()
    try text.withUnsafeBytes { bytes in
        frame.update(bytes)
        try deflater.deflate(bytes, dictionary: .init(start: nil, count: 0), isLast: true, into: &gzip)
    }
    gzip += frame.trailer
    let rows = try rows(record: gzip, partitionKey: "web1/drupal.log/00ff/0")
    #expect(rows.map { $0["message"] } == ["one", "two"])
    #expect(rows.map { $0["source_offset"] } == ["0", "28"])
    // A line that is not compressed is not unpacked.
    let line = try RecordsTests.row(gzip)
    #expect(line["parse_status"] == "unparsed")
}

@Test func textThatBeginsLikeCompressedDataIsText() throws {
    #expect(try rows(record: "x^ is a letter".utf8).map { $0["message"] } == ["x^ is a letter"])
    #expect(try rows(record: "8 is a number".utf8).map { $0["message"] } == ["8 is a number"])
}

private struct Aggregate: Decodable {
    struct Record: Decodable {}
    var id: String
    var kind: String
    var data_b64: String
}

@Test func userRecordsOfAnAggregateAreNumberedTogether() throws {
    let text = try String(contentsOf: testsFolder.appending(path: "Data/cases/kpl_cases.jsonl"), encoding: .utf8)
    var counts: [Int] = []
    for line in text.split(separator: "\n") {
        let aggregate = try JSONDecoder().decode(Aggregate.self, from: Data(line.utf8))
        let data = try #require(Data(base64Encoded: aggregate.data_b64))
        let rows = try rows(record: data, TransformSettings(format: .lines))
        counts.append(rows.count)
        if rows.count == 1 {
            #expect(rows[0]["subsequence"] == nil, "\(aggregate.id)")
        } else {
            #expect(rows.map { $0["subsequence"] } == (0..<rows.count).map { String($0) }, "\(aggregate.id)")
        }
    }
    #expect(counts.contains(1))
    #expect(counts.contains { $0 > 100 })
}
