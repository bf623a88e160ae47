// The tables of the state file, and what tells the file from others. A change here needs a new version and a
// migration; an older program refuses a newer file.

import GRDB

enum SQLiteSchema {
    /// "SluS" in the file's header (PRAGMA application_id).
    static let applicationID: Int32 = 0x536C_7553
    /// PRAGMA user_version.
    static let version: Int32 = 2

    static let tables = """
        CREATE TABLE identity (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            job TEXT NOT NULL, stream TEXT NOT NULL, stream_arn TEXT NOT NULL, stream_creation_us INTEGER NOT NULL,
            bucket TEXT NOT NULL, control_prefix TEXT NOT NULL
        ) STRICT;
        CREATE TABLE owner (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            state_id TEXT NOT NULL,
            generation INTEGER, claim_id TEXT,
            pending_generation INTEGER, pending_claim_id TEXT,
            start TEXT
        ) STRICT;
        CREATE TABLE shards (
            id TEXT PRIMARY KEY NOT NULL,
            parents TEXT NOT NULL,
            position TEXT NOT NULL,
            horizon_us INTEGER,
            last_manifest TEXT
        ) STRICT;
        CREATE TABLE intents (
            shard TEXT PRIMARY KEY NOT NULL REFERENCES shards (id),
            body BLOB NOT NULL,
            sha256 BLOB NOT NULL
        ) STRICT;
        CREATE TABLE runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            started_us INTEGER NOT NULL, ended_us INTEGER, exit_code INTEGER, summary TEXT
        ) STRICT;
        PRAGMA application_id = \(applicationID);
        """ + tallies

    /// What version 2 brought: counts of what is committed.
    static let tallies = """
        CREATE TABLE tallies (
            shard TEXT PRIMARY KEY NOT NULL,
            records INTEGER NOT NULL, rows INTEGER NOT NULL, statuses TEXT NOT NULL, batches INTEGER NOT NULL,
            objects INTEGER NOT NULL, record_bytes INTEGER NOT NULL, object_bytes INTEGER NOT NULL,
            last_arrival_us INTEGER, rate_bytes REAL NOT NULL, rate_seconds REAL NOT NULL
        ) STRICT;
        PRAGMA user_version = 2;
        """

    /// Brings a file of an older version up to this one.
    static func migrate(_ database: Database) throws {
        let found = try Int32.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        if found < 2 { try database.execute(sql: tallies) }
    }
}
