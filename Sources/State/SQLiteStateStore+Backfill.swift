// What a backfill needs besides: it fills holes wherever they are, so its shards have no checkpoint of their own. Its
// store holds open plans; what is archived stands in the manifests.

package import Batching
import GRDB

extension SQLiteStateStore {
    /// Says where the next batch of a shard follows. A shard with an open plan is not moved.
    package func place(_ shard: ShardState) throws(StateError) {
        let operation = "place shard"
        try write(operation) { database in
            guard try self.intent(of: shard.id, database) == nil else {
                throw self.broken(operation, "the shard \(shard.id) has a batch that is not committed")
            }
            try database.execute(sql: "DELETE FROM shards WHERE id = ?", arguments: [shard.id])
            try Self.insert([shard], database)
        }
    }

    /// Drops an open plan that was carried out, or cannot be, by other means.
    package func discard(_ intent: BatchIntent) throws(StateError) {
        let operation = "discard plan of batch"
        try write(operation) { database in
            guard try self.intent(of: intent.shard, database) == intent else {
                throw self.broken(operation, "the stored plan of \(intent.shard) is another one")
            }
            try database.execute(sql: "DELETE FROM intents WHERE shard = ?", arguments: [intent.shard])
        }
    }
}
