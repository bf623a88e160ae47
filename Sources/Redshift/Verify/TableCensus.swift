// The one query that counts what the table holds of some batches, by batch and by the columns that tell the object. The
// database counts; what comes back is about a row for each object. Pure.

import Batching
import CivilTime

package struct TableCensus: Sendable {
    /// Batches of one census: their statement stays below the Data API's 100 kB (RedshiftDataLimits.statementBytesMax).
    package static let batchesMax = 200
    /// Rows of the answer.
    package static let groupsMax = 200_000
    /// The width that sequence numbers are compared in: that of the column.
    static let numberWidth = 64
    /// Sequence numbers in a form that sorts as text.
    static let number = "LPAD(\"sequence_number\", \(numberWidth), '0')"

    /// What a column of the answer is, between the batch and the two counts.
    package enum Column: Sendable, Equatable {
        /// Seconds since 1970 of the start of the day or hour.
        case time
        /// Text with one character more: the database takes texts for equal that differ in blanks at the end.
        /// https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
        case site, host, program
        case severity
    }

    package let table: TableName
    package let batches: [ExpectedBatch]
    package let columns: [Column]
    private let layout: ExpectedBatch.Layout?

    /// - Parameter batches: of one layout, none overlapping another one of its shard, at most `batchesMax`.
    package init(_ batches: [ExpectedBatch], table: TableName) {
        self.table = table
        self.batches = batches
        layout = batches.first?.layout
        let fields = layout?.prefix.fields ?? []
        columns =
            (fields.contains { $0.isTime } ? [.time] : [])
            + fields.compactMap { field in
                switch field {
                case .site: .site
                case .host: .host
                case .program: .program
                case .severity: .severity
                case .stream, .date, .year, .month, .day, .hour: nil
                }
            }
    }

    package var statement: String {
        let shards = Set(batches.map(\.shard)).sorted().map(SQLText.string).joined(separator: ",")
        let names = columns.indices.map { "\"c\($0)\"" }
        let values = zip(columns, names).map { "\(sql($0)) AS \($1)" }
        let keys = (1...(columns.count + 1)).map(String.init).joined(separator: ", ")
        return """
            SELECT \((["\"batch\""] + names).joined(separator: ", ")), COUNT(*), COUNT(DISTINCT "row") FROM (
            SELECT \(tree) AS "batch", \((values + ["\(row) AS \"row\""]).joined(separator: ", ")) FROM (
            SELECT *, \(Self.number) AS "n" FROM \(table.sql)
            WHERE "shard_id" IN (\(shards)) AND "arrival_time" BETWEEN \(span)
            ) AS "a"
            ) AS "b" WHERE "batch" IS NOT NULL GROUP BY \(keys) LIMIT \(Self.groupsMax + 1)
            """
    }

    /// What tells a row from all others of its shard.
    private var row: String { "\"n\" || '/' || COALESCE(CAST(\"subsequence\" AS VARCHAR(12)), '')" }

    private var span: String {
        let (first, last) = (batches.map(\.firstArrival).min(), batches.map(\.lastArrival).max())
        return [first, last].map { SQLText.string(Self.text($0 ?? Timestamp(seconds: 0))) }.joined(separator: " AND ")
    }

    /// As a TIMESTAMP, which has no zone, is written.
    private static func text(_ time: Timestamp) -> String {
        RFC3339.text(time).replacing("T", with: " ").replacing("Z", with: "")
    }

    private func sql(_ column: Column) -> String {
        switch column {
        case .time:
            let unit = layout?.prefix.fields.contains(.hour) == true ? "hour" : "day"
            let time = layout?.usesEventTime == true ? "\"event_time\"" : "\"arrival_time\""
            return "CAST(EXTRACT(EPOCH FROM DATE_TRUNC('\(unit)', \(time))) AS BIGINT)"
        case .site: return "\"site\" || '.'"
        case .host: return "\"host\" || '.'"
        case .program: return "\"program\" || '.'"
        case .severity: return "\"severity\""
        }
    }

    // MARK: From a sequence number to its batch

    /// A search tree: some comparisons for each row, where a join would take one with each batch.
    private var tree: String {
        let byShard = Dictionary(grouping: batches.indices) { batches[$0].shard }
        let cases = byShard.sorted { $0.key < $1.key }.map { shard, indices in
            let sorted = indices.sorted { batches[$0].first < batches[$1].first }
            return "WHEN \"shard_id\" = \(SQLText.string(shard)) THEN \(tree(sorted[...]))"
        }
        return "CASE \(cases.joined(separator: " ")) END"
    }

    private func tree(_ indices: ArraySlice<Int>) -> String {
        guard indices.count > 1 else {
            let leaves = indices.map { index in
                let batch = batches[index]
                return "WHEN \"n\" BETWEEN '\(batch.first.padded)' AND '\(batch.last.padded)' THEN \(index)"
            }
            return "CASE \(leaves.joined()) END"
        }
        let middle = indices.startIndex + indices.count / 2
        return "CASE WHEN \"n\" < '\(batches[indices[middle]].first.padded)' THEN \(tree(indices[..<middle])) "
            + "ELSE \(tree(indices[middle...])) END"
    }
}
