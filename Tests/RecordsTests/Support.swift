// Rows as tests read them: through Foundation's JSON parser, which shares no code with the row writer.

import CivilTime
import Foundation
import Records
import Testing

/// A row's value as a test compares it.
enum Value: Equatable, CustomStringConvertible {
    case text(String)
    case number(Int64)

    var description: String {
        switch self {
        case .text(let text): text
        case .number(let number): String(number)
        }
    }
}

/// One emitted row with the facts that came with it, copied out of the callback.
struct Row {
    var bytes: [UInt8]
    var values: [String: Value]
    var eventTime: Timestamp
    var arrival: Timestamp
    var status: ParseStatus
    var severity: Int?
    var site: String
    var host: String
    var program: String

    init(_ facts: RowFacts, _ row: UnsafeRawBufferPointer) throws {
        bytes = Array(row)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(row)) as? [String: Any], "a row is a JSON object")
        values = try object.mapValues { value in
            if let text = value as? String { return .text(text) }
            return .number(try #require(value as? NSNumber, "a row holds texts and numbers only").int64Value)
        }
        eventTime = facts.eventTime
        arrival = facts.arrival
        status = facts.status
        severity = facts.severity
        site = String(decoding: facts.site, as: UTF8.self)
        host = String(decoding: facts.host, as: UTF8.self)
        program = String(decoding: facts.program, as: UTF8.self)
    }

    subscript(column: String) -> String? { values[column]?.description }
}

func timestamp(_ text: String) throws -> Timestamp { try #require(RFC3339.parse(text)) }

/// 2024-11-22T22:00:00Z, an hour after most test lines.
let usualArrival = Timestamp(seconds: 1_732_312_800)

func row(
    _ line: some Sequence<UInt8>, _ settings: TransformSettings = TransformSettings(),
    arrival: Timestamp = usualArrival, partitionKey: String = ""
) throws -> Row {
    let transformer = try RecordTransformer(settings: settings)
    var rows: [Row] = []
    let key = Array(partitionKey.utf8)
    try Array(line).withUnsafeBytes { line in
        try key.withUnsafeBytes { key in
            let origin = RecordOrigin(arrival: arrival, partitionKey: key)
            try transformer.transformLine(line, origin: origin) { rows.append(try Row($0, $1)) }
        }
    }
    try #require(rows.count == 1, "one line is one row")
    return rows[0]
}

func row(
    _ line: String, _ settings: TransformSettings = TransformSettings(), arrival: Timestamp = usualArrival,
    partitionKey: String = ""
) throws -> Row {
    try row(line.utf8, settings, arrival: arrival, partitionKey: partitionKey)
}

func rows(
    record: some Sequence<UInt8>, _ settings: TransformSettings = TransformSettings(),
    arrival: Timestamp = usualArrival, partitionKey: String = "", shardID: String? = nil, sequenceNumber: String = ""
) throws -> [Row] {
    let transformer = try RecordTransformer(settings: settings)
    return try rows(
        record: record, with: transformer, arrival: arrival, partitionKey: partitionKey, shardID: shardID,
        sequenceNumber: sequenceNumber)
}

func rows(
    record: some Sequence<UInt8>, with transformer: RecordTransformer, arrival: Timestamp = usualArrival,
    partitionKey: String = "", shardID: String? = nil, sequenceNumber: String = ""
) throws -> [Row] {
    var rows: [Row] = []
    let key = Array(partitionKey.utf8)
    let number = Array(sequenceNumber.utf8)
    try Array(record).withUnsafeBytes { record in
        try key.withUnsafeBytes { key in
            try number.withUnsafeBytes { number in
                let origin = RecordOrigin(
                    shardID: shardID, sequenceNumber: number, arrival: arrival, partitionKey: key)
                try transformer.transformRecord(record, origin: origin) { rows.append(try Row($0, $1)) }
            }
        }
    }
    return rows
}

/// `Tests/` of this package.
let testsFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
