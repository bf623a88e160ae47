// A process that dies in the middle of a transaction leaves the old state, whatever is in the file by then.

import Batching
import CivilTime
import Foundation
import GRDB
import Synchronization
import Testing

@testable import State

/// Copies database and journal as they lie on disk, at the last moment before a commit.
private final class Snapshots: TransactionObserver, Sendable {
    let from: TemporaryDirectory
    let to: Mutex<[TemporaryDirectory]> = Mutex([])

    init(_ from: TemporaryDirectory) { self.from = from }

    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { false }
    func databaseDidChange(with event: DatabaseEvent) {}
    func databaseWillCommit() throws {
        let copy = try TemporaryDirectory()
        try from.copy(to: copy)
        to.withLock { $0.append(copy) }
    }
    func databaseDidCommit(_ database: Database) {}
    func databaseDidRollback(_ database: Database) {}
}

struct CrashTests {
    private struct Content: Equatable {
        var shards: [ShardState]
        var intents: [BatchIntent]
        var owner: OwnerRecord

        init(_ store: SQLiteStateStore) throws {
            shards = try store.shards()
            intents = try store.openIntents()
            owner = try store.owner()
        }
    }

    @Test func stateCopiedInTheMiddleOfATransactionIsTheOldOne() throws {
        let directory = try TemporaryDirectory()
        let store = try openStore(directory)
        try store.begin(
            start: .trimHorizon, shards: (0..<400).map { ShardState(id: "s\($0)", position: .trimHorizon) })
        let snapshots = Snapshots(directory)
        store.queue.add(transactionObserver: snapshots, extent: .observerLifetime)
        // A cache of a few pages makes SQLite write changed pages into the file long before the commit.
        try store.queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA cache_size = 5; PRAGMA cache_spill = 5")
        }
        let intent = try sampleIntent("s5", 1...9, objectCount: 2_500)
        let steps: [() throws -> Void] = [
            { try store.saveIntent(intent) },
            { try store.commit(intent, manifestKey: manifestKey(intent)) },
            { try store.markEnded("s6", children: (0..<300).map { ShardState(id: "c\($0)", position: .trimHorizon) }) },
            { try store.setPending(OwnerClaim(generation: 1, id: "x")) },
        ]
        var spilled = 0
        for step in steps {
            let before = try Content(store)
            let bytesBefore = try Data(contentsOf: URL(fileURLWithPath: directory.state.databasePath))
            try step()
            let after = try Content(store)
            #expect(after != before)
            let copy = try #require(snapshots.to.withLock { $0.popLast() })
            #expect(copy.names.contains("state.sqlite-journal"))
            let bytesThen = try Data(contentsOf: URL(fileURLWithPath: copy.state.databasePath))
            if bytesThen != bytesBefore { spilled += 1 }
            #expect(try Content(openStore(copy)) == before)
            #expect(try Content(openStore(directory)) == after)
        }
        #expect(spilled >= 2, "the file must have been half-written for this to prove anything")
    }
}
