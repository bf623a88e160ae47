// Plans of batches. Their rules are the heart of exactly-once: one open plan a shard, plans follow one another without
// a break, and the checkpoint moves in the transaction that clears the plan.

package import Batching
import CivilTime
import Foundation
import GRDB

extension SQLiteStateStore {
    package func saveIntent(_ intent: BatchIntent) throws(StateError) {
        let operation = "save plan of batch"
        try write(operation) { database in
            let shard = try self.shard(intent.shard, database, operation)
            guard try self.intent(of: intent.shard, database) == nil else {
                throw self.broken(operation, "the shard \(intent.shard) has a batch that is not committed")
            }
            guard intent.first <= intent.last else {
                throw self.broken(operation, "the batch ends at \(intent.last), before its first \(intent.first)")
            }
            switch shard.position {
            case .ended: throw self.broken(operation, "the shard \(intent.shard) has ended")
            case .after(let last) where intent.first <= last:
                throw self.broken(operation, "\(intent.first) is committed already: the checkpoint is \(last)")
            case .after, .trimHorizon, .timestamp: break
            }
            guard shard.lastManifest == intent.previousManifest else {
                throw self.broken(
                    operation,
                    "the batch follows \(intent.previousManifest ?? "nothing"), the last manifest is "
                        + (shard.lastManifest ?? "none"))
            }
            try self.store(intent, database)
        }
    }

    package func replaceIntent(_ intent: BatchIntent, with made: BatchIntent) throws(StateError) {
        let operation = "replace plan of batch"
        try write(operation) { database in
            guard try self.intent(of: intent.shard, database) == intent else {
                throw self.broken(operation, "the stored plan of \(intent.shard) is another one")
            }
            guard BatchManifest(intent: made).describesSameBatch(as: BatchManifest(intent: intent)) else {
                throw self.broken(operation, "the new plan is not of the same batch")
            }
            try self.store(made, database)
        }
    }

    package func openIntents() throws(StateError) -> [BatchIntent] {
        try read("read plans of batches") { try self.openIntents($0) }
    }

    func openIntents(_ database: Database) throws -> [BatchIntent] {
        try Row.fetchAll(database, sql: "SELECT * FROM intents ORDER BY shard").map { try self.intent($0) }
    }

    package func commit(_ intent: BatchIntent, manifestKey: String) throws(StateError) {
        let operation = "commit batch"
        try write(operation) { database in
            guard let stored = try self.intent(of: intent.shard, database),
                BatchManifest(intent: stored).describesSameBatch(as: BatchManifest(intent: intent))
            else {
                throw self.broken(operation, "the batch from \(intent.first) on \(intent.shard) was not planned")
            }
            try database.execute(sql: "DELETE FROM intents WHERE shard = ?", arguments: [intent.shard])
            try database.execute(
                sql: """
                    UPDATE shards SET position = ?1, last_manifest = ?2,
                        horizon_us = CASE WHEN ?3 IS NULL THEN horizon_us ELSE max(coalesce(horizon_us, ?3), ?3) END
                    WHERE id = ?4
                    """,
                arguments: [
                    ShardPosition.after(intent.last).description, manifestKey, intent.horizon?.microseconds,
                    intent.shard,
                ])
            var tally = try Self.tally(of: intent.shard, database) ?? ShardTally()
            tally.add(intent)
            try Self.store(tally, of: intent.shard, database)
        }
    }

    // MARK: Rows

    /// The open plan of a shard.
    func intent(of shard: String, _ database: Database) throws -> BatchIntent? {
        try Row.fetchOne(database, sql: "SELECT * FROM intents WHERE shard = ?", arguments: [shard])
            .map { try intent($0) }
    }

    private func intent(_ row: Row) throws -> BatchIntent {
        let shard: String = row["shard"]
        let body: Data = row["body"]
        let hash: Data = row["sha256"]
        guard Checksum.sha256([UInt8](body)) == [UInt8](hash) else {
            throw corrupt("read plan of batch", "the plan of \(shard) does not match its checksum")
        }
        let intent = try BatchIntent.decode([UInt8](body))
        guard intent.shard == shard else {
            throw corrupt("read plan of batch", "the plan of \(shard) names the shard \(intent.shard)")
        }
        return intent
    }

    private func store(_ intent: BatchIntent, _ database: Database) throws {
        let body = try intent.canonicalBytes()
        try database.execute(
            sql: "INSERT OR REPLACE INTO intents (shard, body, sha256) VALUES (?, ?, ?)",
            arguments: [intent.shard, Data(body), Data(Checksum.sha256(body))])
    }
}
