// A look at a job's state from outside: no lock is taken, nothing is made and nothing is changed, so it may be taken
// while a run is under way. What it shows is the state after some whole transaction.

package import Batching
import GRDB
import Glibc

package struct StateSnapshot: Sendable, Equatable {
    package var identity: StateIdentity
    package var owner: OwnerRecord
    /// Sorted by id.
    package var shards: [ShardState]
    /// Plans whose batch is not committed, sorted by shard.
    package var intents: [BatchIntent]
    package var tallies: [String: ShardTally]

    package init(
        identity: StateIdentity, owner: OwnerRecord, shards: [ShardState], intents: [BatchIntent],
        tallies: [String: ShardTally]
    ) {
        self.identity = identity
        self.owner = owner
        self.shards = shards
        self.intents = intents
        self.tallies = tallies
    }

    /// Tries when a run changes the files while they are copied.
    private static let triesMax = 3

    /// What lies in the directory; nil when there is no state. Needs only the right to read; the owner's files may also
    /// be read by root.
    ///
    /// - Parameter scratch: where a copy is made when a killed run left a transaction half done; removed again.
    package static func read(_ directory: StateDirectory, scratch: String = "/tmp") throws(StateError) -> StateSnapshot?
    {
        guard try directory.examine(directory.databasePath, "state", mayBeRoots: true) != nil else { return nil }
        var tried = 1
        while true {
            do throws(StateError) {
                guard let queue = try SQLiteFile.openReadOnly(directory) else {
                    return try recovered(directory, scratch: scratch)
                }
                defer { try? queue.close() }
                return try SQLiteStateStore(directory: directory, queue: queue).snapshot()
            } catch {
                // A run that ended or began in between; damage is still there the next time.
                guard tried < Self.triesMax, error.kind == .corrupt || error.kind == .busy || error.kind == .missing
                else {
                    throw error
                }
                tried += 1
            }
        }
    }

    /// A run was killed in the middle of a transaction: its journal must be rolled back before the file means
    /// anything. The next run does so; here it is done to a copy.
    private static func recovered(_ directory: StateDirectory, scratch: String) throws(StateError) -> StateSnapshot? {
        var template = Array("\(scratch)/sluice-state-XXXXXX\0".utf8)
        let made = template.withUnsafeMutableBytes { bytes -> Bool in
            guard let base = bytes.baseAddress else { return false }
            return mkdtemp(base.assumingMemoryBound(to: CChar.self)) != nil
        }
        guard made else { throw failure("make scratch directory", scratch, errno) }
        let copy = StateDirectory(String(decoding: template.dropLast(), as: UTF8.self))
        defer {
            for suffix in ["", "-journal"] { unlink(copy.databasePath + suffix) }
            rmdir(copy.path)
        }
        // The journal first: without it the file may look whole and is not.
        for suffix in ["-journal", ""] {
            try copyFile(directory.databasePath + suffix, to: copy.databasePath + suffix)
        }
        let store = try SQLiteStateStore.openExisting(directory: copy)
        defer { try? store.queue.close() }
        return try store.snapshot()
    }

    private static func copyFile(_ source: String, to target: String) throws(StateError) {
        let from = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard from >= 0 else { throw failure("copy state", source, errno) }
        defer { close(from) }
        let to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard to >= 0 else { throw failure("copy state", target, errno) }
        defer { close(to) }
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(from, &block, block.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("copy state", source, errno) }
            if count == 0 { return }
            var offset = 0
            while offset < count {
                let written = block[offset..<count].withUnsafeBytes { Glibc.write(to, $0.baseAddress, $0.count) }
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { throw failure("copy state", target, errno) }
                offset += written
            }
        }
    }
}

extension SQLiteStateStore {
    package func snapshot() throws(StateError) -> StateSnapshot {
        try read("read state") { database in
            let version = try Int32.fetchOne(database, sql: "PRAGMA user_version") ?? 0
            return StateSnapshot(
                identity: self.identity, owner: try self.owner(database), shards: try self.shards(database),
                intents: try self.openIntents(database), tallies: version >= 2 ? try Self.tallies(database) : [:])
        }
    }
}
