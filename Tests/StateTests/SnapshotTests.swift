// The look at a state from outside: what it counts, that it changes nothing, and that no moment of a run spoils it.

import Batching
import CivilTime
import Diagnostics
import Foundation
import GRDB
import Glibc
import Testing

@testable import State

struct SnapshotTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func commit(_ store: SQLiteStateStore, _ range: ClosedRange<Int>, previous: String?) throws -> BatchIntent {
        let intent = try sampleIntent("s", range, previous: previous)
        try store.saveIntent(intent)
        try store.commit(intent, manifestKey: manifestKey(intent))
        return intent
    }

    @Test func thereIsNothingToSeeBeforeTheFirstRun() throws {
        #expect(try StateSnapshot.read(directory.state) == nil)
        #expect(try StateSnapshot.read(StateDirectory(directory.state.path + "/none")) == nil)
        #expect(directory.names.isEmpty)
    }

    @Test func committedBatchesAreCountedOnceAndOpenOnesNot() throws {
        let store = try openStore(directory)
        try store.begin(start: .trimHorizon, shards: [ShardState(id: "s", position: .trimHorizon)])
        let first = try commit(store, 10...19, previous: nil)
        let second = try commit(store, 20...29, previous: manifestKey(first))
        let open = try sampleIntent("s", 30...39, previous: manifestKey(second))
        try store.saveIntent(open)
        #expect(throws: StateError.self) { try store.commit(first, manifestKey: manifestKey(first)) }
        let seen = try #require(try StateSnapshot.read(directory.state))
        #expect(seen.intents == [open])
        #expect(seen.identity == store.identity)
        #expect(try seen.owner == store.owner())
        #expect(try seen.shards == store.shards())
        var expected = ShardTally()
        expected.add(first)
        expected.add(second)
        #expect(seen.tallies == ["s": expected])
        #expect(expected.records == first.records + second.records && expected.lastArrival == second.lastArrival)
        #expect(directory.names == ["state.sqlite"])
    }

    /// Reading waits for no run and no run for reading: a writer holds its transaction open meanwhile.
    @Test func aRunInTheMiddleOfATransactionIsSeenAsBeforeIt() throws {
        let store = try openStore(directory)
        try store.begin(start: .trimHorizon, shards: [ShardState(id: "s", position: .trimHorizon)])
        let before = try #require(try StateSnapshot.read(directory.state))
        try store.queue.inDatabase { database in
            try database.execute(sql: "BEGIN IMMEDIATE; UPDATE shards SET position = 'ended'")
            #expect(try StateSnapshot.read(directory.state) == before)
            try database.execute(sql: "COMMIT")
        }
        #expect(try StateSnapshot.read(directory.state)?.shards.map(\.position) == [.ended])
    }

    /// A process that dies between the first written page and the end of its transaction leaves a hot journal.
    @Test func aTransactionThatWasCutOffIsRolledBackInACopyOnly() throws {
        let store = try openStore(directory)
        try store.begin(start: .trimHorizon, shards: [ShardState(id: "s", position: .trimHorizon)])
        let before = try #require(try StateSnapshot.read(directory.state))
        let path = directory.state.databasePath
        try store.queue.inDatabase { database in
            // A cache of one page makes SQLite write to the file before the commit.
            try database.execute(sql: "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE")
            for number in 0..<2_000 {
                try database.execute(
                    sql: "INSERT INTO shards (id, parents, position) VALUES (?, '[]', 'ended')",
                    arguments: ["x\(number)"])
            }
            // What the disk holds when the process dies now.
            try FileManager.default.copyItem(atPath: path, toPath: path + ".cut")
            try FileManager.default.copyItem(atPath: path + "-journal", toPath: path + ".cut-journal")
            try database.execute(sql: "ROLLBACK")
        }
        try store.queue.close()
        for (from, to) in [(path + ".cut", path), (path + ".cut-journal", path + "-journal")] {
            unlink(to)
            try FileManager.default.moveItem(atPath: from, toPath: to)
        }
        func files() throws -> [String: Data] {
            try Dictionary(
                uniqueKeysWithValues: directory.names.map {
                    ($0, try Data(contentsOf: URL(fileURLWithPath: directory.state.path + "/\($0)")))
                })
        }
        let onDisk = try files()
        #expect(onDisk.keys.sorted() == ["state.sqlite", "state.sqlite-journal"])
        let scratch = try TemporaryDirectory()
        #expect(try StateSnapshot.read(directory.state, scratch: scratch.state.path) == before)
        #expect(try files() == onDisk)
        #expect(scratch.names.isEmpty)
    }

    @Test func fileOfTheFirstVersionIsReadAsItIsAndBroughtUpToDateByTheNextRun() throws {
        let store = try openStore(directory)
        try store.queue.inDatabase { try $0.execute(sql: "DROP TABLE tallies; PRAGMA user_version = 1") }
        try store.queue.close()
        #expect(try StateSnapshot.read(directory.state)?.tallies == [:])
        let again = try openStore(directory)
        #expect(try again.queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == 2)
        try again.begin(start: .trimHorizon, shards: [ShardState(id: "s", position: .trimHorizon)])
        _ = try commit(again, 1...5, previous: nil)
        #expect(try StateSnapshot.read(directory.state)?.tallies["s"]?.batches == 1)
    }

    @Test func damageIsToldAndNotShown() throws {
        let store = try openStore(directory)
        try store.queue.close()
        let path = directory.state.databasePath
        try Data("SQLite format 3\0 and nothing else".utf8).write(to: URL(fileURLWithPath: path))
        chmod(path, 0o600)
        expectError(.corrupt, exit: .stateOrIdentity, says: "cut off", hint: "sluice state rebuild JOB") {
            try StateSnapshot.read(directory.state)
        }
    }

    @Test func holderOfTheLockIsSeenWithoutTakingIt() throws {
        let path = directory.state.lockPath
        #expect(JobLock.holder(in: directory.state) == nil)
        #expect(directory.names.isEmpty, "looking makes nothing")
        let other = Process()
        other.executableURL = URL(fileURLWithPath: "/bin/sh")
        other.arguments = ["-c", "exec 9>>'\(path)'; flock -x 9; echo $$ > '\(path)'; echo held; read line"]
        let (input, output) = (Pipe(), Pipe())
        other.standardInput = input
        other.standardOutput = output
        try other.run()
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "held\n")
        #expect(JobLock.holder(in: directory.state) == Int(other.processIdentifier))
        try input.fileHandleForWriting.close()
        other.waitUntilExit()
        #expect(JobLock.holder(in: directory.state) == nil, "its number is still in the file")
        // A process of the same number that has nothing to do with the job.
        try Data("1\n".utf8).write(to: URL(fileURLWithPath: path))
        #expect(JobLock.holder(in: directory.state) == nil)
    }
}
