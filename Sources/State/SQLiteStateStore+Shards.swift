package import Batching
package import CivilTime
import GRDB

extension SQLiteStateStore {
    package func shards() throws(StateError) -> [ShardState] {
        try read("read shards") { try self.shards($0) }
    }

    func shards(_ database: Database) throws -> [ShardState] {
        try Row.fetchAll(database, sql: "SELECT * FROM shards ORDER BY id").map { try self.shard($0) }
    }

    private func shard(_ row: Row) throws -> ShardState {
        let id: String = row["id"]
        guard let position = ShardPosition(row["position"] as String) else {
            throw corrupt("read shard \(id)", "its position is \"\(row["position"] as String)\"")
        }
        return ShardState(
            id: id, parents: try StoredJSON.decode([String].self, row["parents"]), position: position,
            horizon: (row["horizon_us"] as Int64?).map { Timestamp(microseconds: $0) },
            lastManifest: row["last_manifest"])
    }

    func shard(_ id: String, _ database: Database, _ operation: String) throws -> ShardState {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM shards WHERE id = ?", arguments: [id]) else {
            throw broken(operation, "the shard \(id) is not known")
        }
        return try shard(row)
    }

    package func add(_ shards: [ShardState]) throws(StateError) {
        try write("add shards") { try Self.insert(shards, $0) }
    }

    /// Shards that are there already stay as they are.
    static func insert(_ shards: [ShardState], _ database: Database) throws {
        for shard in shards {
            try database.execute(
                sql: """
                    INSERT INTO shards (id, parents, position, horizon_us, last_manifest) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT DO NOTHING
                    """,
                arguments: [
                    shard.id, try StoredJSON.encode(shard.parents), shard.position.description,
                    shard.horizon?.microseconds, shard.lastManifest,
                ])
        }
    }

    package func markEnded(_ shard: String, children: [ShardState]) throws(StateError) {
        try write("end shard") { database in
            _ = try self.shard(shard, database, "end shard")
            guard try self.intent(of: shard, database) == nil else {
                throw self.broken("end shard", "the shard \(shard) has a batch that is not committed")
            }
            try database.execute(sql: "UPDATE shards SET position = 'ended' WHERE id = ?", arguments: [shard])
            try Self.insert(children, database)
            // The child of a merge begins where the earlier of its parents stopped.
            for child in children {
                try database.execute(
                    sql: """
                        UPDATE shards SET horizon_us = min(coalesce(horizon_us, ?1), ?1)
                        WHERE id = ?2 AND position = 'trim_horizon' AND ?1 IS NOT NULL
                        """,
                    arguments: [child.horizon?.microseconds, child.id])
            }
        }
    }

    package func setHorizons(_ horizons: [String: Timestamp]) throws(StateError) {
        try write("note horizons") { database in
            let update = try database.makeStatement(
                sql: "UPDATE shards SET horizon_us = max(coalesce(horizon_us, ?1), ?1) WHERE id = ?2")
            for (shard, horizon) in horizons {
                try update.execute(arguments: [horizon.microseconds, shard])
                // Says that the shard is not known.
                if database.changesCount == 0 { _ = try self.shard(shard, database, "note horizons") }
            }
        }
    }
}
