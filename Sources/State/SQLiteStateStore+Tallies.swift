// Counts of what is committed, one row a shard, changed only by the transaction that commits a batch.

import Batching
import CivilTime
import GRDB

extension SQLiteStateStore {
    static func tallies(_ database: Database) throws -> [String: ShardTally] {
        try Row.fetchAll(database, sql: "SELECT * FROM tallies").reduce(into: [:]) { tallies, row in
            tallies[row["shard"]] = try tally(row)
        }
    }

    static func tally(of shard: String, _ database: Database) throws -> ShardTally? {
        try Row.fetchOne(database, sql: "SELECT * FROM tallies WHERE shard = ?", arguments: [shard]).map(tally)
    }

    private static func tally(_ row: Row) throws -> ShardTally {
        var tally = ShardTally()
        tally.records = row["records"]
        tally.rows = row["rows"]
        tally.statusCounts = try StoredJSON.decode([String: Int].self, row["statuses"])
        tally.batches = row["batches"]
        tally.objects = row["objects"]
        tally.recordBytes = row["record_bytes"]
        tally.objectBytes = row["object_bytes"]
        tally.lastArrival = (row["last_arrival_us"] as Int64?).map { Timestamp(microseconds: $0) }
        tally.rate = IngestRate(bytes: row["rate_bytes"], seconds: row["rate_seconds"])
        return tally
    }

    static func store(_ tally: ShardTally, of shard: String, _ database: Database) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO tallies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                shard, tally.records, tally.rows, try StoredJSON.encode(tally.statusCounts), tally.batches,
                tally.objects, tally.recordBytes, tally.objectBytes, tally.lastArrival?.microseconds, tally.rate.bytes,
                tally.rate.seconds,
            ])
    }
}
