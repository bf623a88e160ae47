// The state of a job in one SQLite file: rollback journal, synchronous=EXTRA, one connection. S3 holds the truth and
// this is its index; a file that is damaged is refused and can be made anew from the manifests.

import Batching
import CivilTime
import Diagnostics
import GRDB
import Glibc

package final class SQLiteStateStore: StateStore {
    package let directory: StateDirectory
    package let identity: StateIdentity
    let queue: DatabaseQueue

    private init(directory: StateDirectory, identity: StateIdentity, queue: DatabaseQueue) {
        self.directory = directory
        self.identity = identity
        self.queue = queue
    }

    /// Opens the job's state, making it when there is none. The directory must be prepared and the job's lock held.
    ///
    /// - Parameters:
    ///   - identity: what the job is now; a state of another identity is refused.
    ///   - newStateID: random; used when the state is made.
    package static func open(
        directory: StateDirectory, identity: StateIdentity, newStateID: String
    ) throws(StateError) -> SQLiteStateStore {
        let path = directory.databasePath
        if try directory.examine(path, "state") == nil {
            guard access(path + "-journal", F_OK) != 0 else {
                throw StateError(
                    .missing, "open state", path, "the file is gone and its journal is still there",
                    hint: "put both back from a backup, or \(StateError.Kind.rebuild)")
            }
            try SQLiteFile.make(at: temporaryPath(directory), identity: identity) { database in
                try database.execute(sql: "INSERT INTO owner (only, state_id) VALUES (1, ?)", arguments: [newStateID])
            }
            try install(directory)
        }
        let store = try openExisting(directory: directory)
        if let mismatch = identity.mismatch(with: store.identity) {
            throw StateError(.identity, "open state", path, mismatch.cause, hint: mismatch.hint)
        }
        return store
    }

    /// Opens whatever state lies in the directory.
    package static func openExisting(directory: StateDirectory) throws(StateError) -> SQLiteStateStore {
        try SQLiteStateStore(directory: directory, queue: SQLiteFile.open(directory))
    }

    /// The store in an open file: its identity is that of the file.
    convenience init(directory: StateDirectory, queue: DatabaseQueue) throws(StateError) {
        let path = directory.databasePath
        let identity = try translating("read state", path) {
            try queue.read { database in
                guard let row = try Row.fetchOne(database, sql: "SELECT * FROM identity") else {
                    throw StateError(
                        .corrupt, "read state", path, "it does not say which job it belongs to",
                        hint: StateError.Kind.corrupt.hint)
                }
                return StateIdentity(
                    job: row["job"], stream: row["stream"], streamARN: row["stream_arn"],
                    streamCreation: Timestamp(microseconds: row["stream_creation_us"]), bucket: row["bucket"],
                    controlPrefix: row["control_prefix"])
            }
        }
        self.init(directory: directory, identity: identity, queue: queue)
    }

    static func temporaryPath(_ directory: StateDirectory) -> String { directory.databasePath + ".new" }

    /// Puts a finished file in its place, for good.
    static func install(_ directory: StateDirectory) throws(StateError) {
        guard rename(temporaryPath(directory), directory.databasePath) == 0 else {
            throw failure("put state in its place", directory.databasePath, errno)
        }
        try directory.sync()
    }

    // MARK: Transactions

    /// One transaction that changes something; it begins with the write lock, so it cannot fail half-way for that.
    func write<T>(_ operation: String, _ body: (Database) throws -> T) throws(StateError) -> T {
        try translating(operation, directory.databasePath) {
            try queue.writeWithoutTransaction { database in
                var result: T?
                try database.inTransaction(.immediate) {
                    result = try body(database)
                    return .commit
                }
                guard let result else { throw broken(operation, "the transaction gave no result") }
                return result
            }
        }
    }

    func read<T>(_ operation: String, _ body: (Database) throws -> T) throws(StateError) -> T {
        try translating(operation, directory.databasePath) { try queue.read(body) }
    }

    /// The commit order would be broken: not the operator's fault and nothing that a retry helps.
    func broken(_ operation: String, _ cause: String) -> StateError {
        StateError(
            .brokenRule, operation, directory.databasePath, cause, hint: "please report this as a fault of sluice")
    }

    func corrupt(_ operation: String, _ cause: String) -> StateError {
        StateError(
            .corrupt, operation, directory.databasePath, cause, hint: StateError.Kind.corrupt.hint)
    }
}
