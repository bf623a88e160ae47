package import Batching
package import CivilTime
import GRDB

extension SQLiteStateStore {
    package func owner() throws(StateError) -> OwnerRecord {
        try read("read owner") { try self.owner($0) }
    }

    func owner(_ database: Database) throws -> OwnerRecord {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM owner") else {
            throw corrupt("read owner", "it has no identity of its own")
        }
        func claim(_ generation: String, _ id: String) -> OwnerClaim? {
            guard let generation: Int64 = row[generation], let id: String = row[id] else { return nil }
            return OwnerClaim(generation: generation, id: id)
        }
        let start: StartSet? = try (row["start"] as String?).map { text in
            try StoredJSON.decode(StartSet.self, text)
        }
        return OwnerRecord(
            stateID: row["state_id"], claim: claim("generation", "claim_id"),
            pending: claim("pending_generation", "pending_claim_id"), start: start)
    }

    package func setPending(_ claim: OwnerClaim) throws(StateError) {
        try write("note claim") { database in
            let known = try self.owner(database)
            guard claim.generation > known.claim?.generation ?? 0 else {
                throw self.broken("note claim", "generation \(claim.generation) does not go forward")
            }
            try database.execute(
                sql: "UPDATE owner SET pending_generation = ?, pending_claim_id = ?",
                arguments: [claim.generation, claim.id])
        }
    }

    package func confirm(_ claim: OwnerClaim) throws(StateError) {
        try write("confirm claim") { database in
            let known = try self.owner(database)
            guard known.pending == claim || known.claim == claim else {
                throw self.broken("confirm claim", "generation \(claim.generation) was not begun")
            }
            try database.execute(
                sql: """
                    UPDATE owner SET generation = ?, claim_id = ?, pending_generation = NULL, pending_claim_id = NULL
                    """,
                arguments: [claim.generation, claim.id])
        }
    }

    package func begin(start: StartSet, shards: [ShardState]) throws(StateError) {
        try write("note first run") { database in
            guard try self.owner(database).start == nil else {
                throw self.broken("note first run", "where the first run began is decided already")
            }
            try database.execute(sql: "UPDATE owner SET start = ?", arguments: [try StoredJSON.encode(start)])
            try Self.insert(shards, database)
        }
    }

    // MARK: Runs

    /// Older runs are forgotten.
    static let runsKept = 1_000

    package func beginRun(started: Timestamp) throws(StateError) -> Int64 {
        try write("note run") { database in
            try database.execute(sql: "INSERT INTO runs (started_us) VALUES (?)", arguments: [started.microseconds])
            let id = database.lastInsertedRowID
            try database.execute(sql: "DELETE FROM runs WHERE id <= ?", arguments: [id - Int64(Self.runsKept)])
            return id
        }
    }

    package func endRun(
        _ run: Int64, ended: Timestamp, exitCode: Int32, summary: String?
    ) throws(StateError) {
        try write("note end of run") { database in
            try database.execute(
                sql: "UPDATE runs SET ended_us = ?, exit_code = ?, summary = ? WHERE id = ?",
                arguments: [ended.microseconds, exitCode, summary, run])
        }
    }

    package func lastRuns(_ limit: Int) throws(StateError) -> [RunRecord] {
        try read("read runs") { database in
            try Row.fetchAll(database, sql: "SELECT * FROM runs ORDER BY id DESC LIMIT ?", arguments: [limit]).map {
                RunRecord(
                    id: $0["id"], started: Timestamp(microseconds: $0["started_us"]),
                    ended: ($0["ended_us"] as Int64?).map { Timestamp(microseconds: $0) }, exitCode: $0["exit_code"],
                    summary: $0["summary"])
            }
        }
    }
}
