// Golden folders: `Goldens/<what the case shows>/{input.log,settings.json,rows.ndjson}`. Each line of the input (or all
// of it as one record) must give exactly those rows, byte for byte. `UPDATE_GOLDENS=1` rewrites the rows; the diff is
// what a review looks at.

import CivilTime
import Foundation
import Records
import Testing

private struct GoldenCase: Decodable {
    enum Mode: String, Decodable {
        /// Every line through `transformLine`.
        case lines
        /// The whole file as one Kinesis record.
        case record
    }
    var settings: TransformSettings?
    var arrival: String
    var mode: Mode
    var partition_key: String?
    var shard_id: String?
    var sequence_number: String?
}

private let goldensFolder = testsFolder.appending(path: "RecordsTests/Goldens")

private func goldenNames() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: goldensFolder.path)) ?? []
    return names.sorted()
}

@Test func goldensAreThere() {
    #expect(goldenNames().count >= 25)
}

@Test(arguments: goldenNames())
func rowsAreThoseOfTheGolden(name: String) throws {
    let folder = goldensFolder.appending(path: name)
    let golden = try JSONDecoder().decode(
        GoldenCase.self, from: Data(contentsOf: folder.appending(path: "settings.json")))
    let input = try Data(contentsOf: folder.appending(path: "input.log"))
    let transformer = try RecordTransformer(settings: golden.settings ?? TransformSettings())
    var written: [UInt8] = []
    let key = Array((golden.partition_key ?? "").utf8)
    let number = Array((golden.sequence_number ?? "").utf8)
    try key.withUnsafeBytes { key in
        try number.withUnsafeBytes { number in
            let origin = RecordOrigin(
                shardID: golden.shard_id, sequenceNumber: number, arrival: try timestamp(golden.arrival),
                partitionKey: key)
            switch golden.mode {
            case .record:
                try Array(input).withUnsafeBytes { record in
                    try transformer.transformRecord(record, origin: origin) { written.append(contentsOf: $1) }
                }
            case .lines:
                var lines = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                if lines.last?.isEmpty == true { lines.removeLast() }
                for line in lines {
                    try Array(line).withUnsafeBytes { line in
                        try transformer.transformLine(line, origin: origin) { written.append(contentsOf: $1) }
                    }
                }
            }
        }
    }
    let expectedFile = folder.appending(path: "rows.ndjson")
    if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
        try Data(written).write(to: expectedFile)
        return
    }
    let expected = String(decoding: try Data(contentsOf: expectedFile), as: UTF8.self).split(separator: "\n")
    let rows = String(decoding: written, as: UTF8.self).split(separator: "\n")
    #expect(rows.count == expected.count)
    for (row, want) in zip(rows, expected) { #expect(row == want) }
}
