// Opening and making the state file. A file that is not wholly right is refused and never repaired or replaced here:
// an empty state beside existing objects would archive everything a second time.

import Batching
import CivilTime
import Diagnostics
import GRDB
import Glibc

enum SQLiteFile {
    /// How long a writer waits for another process, such as a backup.
    static let busySeconds = 5.0
    /// PRAGMA synchronous = EXTRA: the directory is synced too when the journal goes away.
    private static let synchronousExtra = 3
    private static let headerBytes = 100

    /// Opens an existing file after checking what can be checked without trusting it.
    static func open(_ directory: StateDirectory) throws(StateError) -> DatabaseQueue {
        let path = directory.databasePath
        try checkHeader(directory)
        let queue = try translating("open state", path) { try connect(path) }
        try translating("check state", path) {
            try queue.writeWithoutTransaction { database in
                let answer = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? "no answer"
                guard answer == "ok" else {
                    throw StateError(
                        .corrupt, "check state", path, "the integrity check says: \(answer)",
                        hint: StateError.Kind.corrupt.hint)
                }
                try database.inTransaction(.immediate) {
                    try SQLiteSchema.migrate(database)
                    return .commit
                }
            }
        }
        return queue
    }

    /// Opens an existing file for reading alone, beside a run that may be writing.
    ///
    /// - Returns: nil when a killed run left a transaction that must be rolled back first.
    static func openReadOnly(_ directory: StateDirectory) throws(StateError) -> DatabaseQueue? {
        let path = directory.databasePath
        try checkHeader(directory, isShared: true)
        return try translating("open state", path) {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(busySeconds)
            configuration.label = "sluice.state.reader"
            do {
                let queue = try DatabaseQueue(path: path, configuration: configuration)
                let answer = try queue.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") ?? "no answer" }
                guard answer == "ok" else {
                    throw StateError(
                        .corrupt, "check state", path, "the integrity check says: \(answer)",
                        hint: StateError.Kind.corrupt.hint)
                }
                return queue
            } catch let error as DatabaseError where error.resultCode == .SQLITE_READONLY {
                return nil
            }
        }
    }

    /// Makes a file with everything in it under `temporaryPath`. The caller renames it.
    static func make(
        at temporaryPath: String, identity: StateIdentity, fill: (Database) throws -> Void
    ) throws(StateError) {
        for suffix in ["", "-journal"] where unlink(temporaryPath + suffix) != 0 && errno != ENOENT {
            throw failure("remove unfinished state", temporaryPath + suffix, errno)
        }
        // SQLite gives its journal the mode of the database.
        let descriptor = Glibc.open(temporaryPath, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("make state", temporaryPath, errno) }
        close(descriptor)
        try translating("make state", temporaryPath) {
            let queue = try connect(temporaryPath)
            try queue.write { database in
                try database.execute(sql: SQLiteSchema.tables)
                try database.execute(
                    sql: "INSERT INTO identity VALUES (1, ?, ?, ?, ?, ?, ?)",
                    arguments: [
                        identity.job, identity.stream, identity.streamARN, identity.streamCreation.microseconds,
                        identity.bucket, identity.controlPrefix,
                    ])
                try fill(database)
            }
            try queue.close()
        }
        try StateDirectory.sync(temporaryPath)
    }

    private static func connect(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(busySeconds)
        configuration.foreignKeysEnabled = true
        configuration.label = "sluice.state"
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        // Outside a transaction and after GRDB's own set-up; SQLite ignores the setting silently otherwise.
        try queue.writeWithoutTransaction { database in
            let journal = try String.fetchOne(database, sql: "PRAGMA journal_mode = DELETE")
            try database.execute(sql: "PRAGMA synchronous = EXTRA; PRAGMA trusted_schema = OFF")
            let synchronous = try Int.fetchOne(database, sql: "PRAGMA synchronous")
            guard journal == "delete", synchronous == synchronousExtra else {
                throw StateError(
                    .io, "open state", path,
                    "SQLite did not accept the safe settings (journal_mode \(journal ?? "?"), synchronous "
                        + "\(synchronous.map { String($0) } ?? "?"))")
            }
        }
        return queue
    }

    /// The first bytes of the file, read before SQLite sees it (https://sqlite.org/fileformat2.html, section 1.3):
    /// each kind of damage gets its own words.
    ///
    /// - Parameter isShared: another process may be changing the file, so its size proves nothing; root may look.
    private static func checkHeader(_ directory: StateDirectory, isShared: Bool = false) throws(StateError) {
        let path = directory.databasePath
        func refuse(_ kind: StateError.Kind, _ cause: String, _ hint: String? = nil) -> StateError {
            StateError(kind, "open state", path, cause, hint: hint ?? StateError.Kind.corrupt.hint)
        }
        guard let size = try directory.examine(path, "state", mayBeRoots: isShared) else {
            throw failure("open state", path, ENOENT)
        }
        guard size > 0 else { throw refuse(.corrupt, "the file is empty") }
        let header = try read(path, count: headerBytes)
        guard header.count == headerBytes else { throw refuse(.corrupt, "the file is cut off after \(size) bytes") }
        guard header.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw refuse(.foreign, "the file is not an SQLite database")
        }
        func number(_ offset: Int) -> Int32 {
            header[offset..<offset + 4].reduce(0) { $0 << 8 | Int32($1) }
        }
        guard number(68) == SQLiteSchema.applicationID else {
            throw refuse(
                .foreign, "it is the database of another program",
                "state.directory must name a directory of its own; if the file was damaged, "
                    + StateError.Kind.rebuild)
        }
        let version = number(60)
        guard version <= SQLiteSchema.version else {
            throw refuse(
                .newer, "a newer sluice made it (schema \(version), this program knows \(SQLiteSchema.version))",
                "use the newer sluice; going back needs a state directory from before the update")
        }
        guard version >= 1 else { throw refuse(.corrupt, "its schema version is \(version)") }
        // With a journal beside it the file may be in the middle of a change that SQLite will roll back.
        let hasJournal = access(path + "-journal", F_OK) == 0
        let pageSize = Int(header[16]) << 8 | Int(header[17])
        let expected = Int(number(28)) * (pageSize == 1 ? 65_536 : pageSize)
        if !isShared, !hasJournal, size < expected {
            throw refuse(.corrupt, "the file is cut off: it has \(size) of \(expected) bytes")
        }
    }

    private static func read(_ path: String, count: Int) throws(StateError) -> [UInt8] {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw failure("open state", path, errno) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard got >= 0 else { throw failure("read state", path, errno) }
        return Array(bytes[..<got])
    }
}

/// Runs `body` and gives every error of SQLite its kind and its hint.
func translating<T>(_ operation: String, _ path: String, _ body: () throws -> T) throws(StateError) -> T {
    do {
        return try body()
    } catch let error as StateError {
        throw error
    } catch let error as DocumentError {
        throw StateError(.corrupt, operation, path, error.cause, hint: error.hint ?? StateError.Kind.corrupt.hint)
    } catch let error as DatabaseError {
        let kind: StateError.Kind =
            switch error.resultCode {
            case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT: .corrupt
            case .SQLITE_FULL: .diskFull
            case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
            case .SQLITE_READONLY: .readOnly
            case .SQLITE_PERM, .SQLITE_AUTH: .permission
            case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_NOMEM: .io
            default: .brokenRule
            }
        throw StateError(
            kind, operation, path, "SQLite says: \(error.message ?? "\(error.extendedResultCode)")", hint: kind.hint)
    } catch {
        throw StateError(.brokenRule, operation, path, "\(error)")
    }
}
