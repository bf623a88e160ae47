import Batching
import CivilTime
import Diagnostics
import Foundation
import GRDB
import Testing

@testable import State

struct SQLiteStateStoreTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    @Test func newStateIsEmptyAndHasItsIdentity() throws {
        let store = try openStore(directory)
        #expect(try store.owner() == OwnerRecord(stateID: "state-1"))
        #expect(try store.shards() == [])
        #expect(try store.openIntents() == [])
        #expect(try store.lastRuns(10) == [])
        // The identity is that of the file, not of whoever opens it.
        #expect(try openStore(directory, stateID: "state-2").owner().stateID == "state-1")
        #expect(directory.names == ["state.sqlite"])
        #expect(try directory.mode("state.sqlite") == 0o600)
    }

    @Test func fileHasTheSettingsThatSurviveAPowerFailure() throws {
        let store = try openStore(directory)
        let settings = try store.queue.read { database in
            try ["synchronous", "journal_mode", "application_id", "user_version", "foreign_keys"].map {
                try String.fetchOne(database, sql: "PRAGMA \($0)")
            }
        }
        #expect(settings == ["3", "delete", "1399616851", "2", "1"])
        let header = try Data(contentsOf: URL(fileURLWithPath: directory.state.databasePath))
        #expect(header[18] == 1 && header[19] == 1, "1 is the rollback journal, 2 would be WAL")
    }

    @Test func checkpointMovesWithItsBatchAndSurvivesReopening() throws {
        var store = try openStore(directory)
        try store.begin(start: .trimHorizon, shards: [ShardState(id: "s", position: .trimHorizon)])
        let first = try sampleIntent("s", 10...19, horizon: sampleTime)
        try store.saveIntent(first)
        store = try openStore(directory)
        #expect(try store.openIntents() == [first])
        #expect(try store.shards().map(\.position) == [.trimHorizon])
        try store.commit(first, manifestKey: manifestKey(first))
        let second = try sampleIntent("s", 20...29, previous: manifestKey(first))
        try store.saveIntent(second)
        try store.commit(second, manifestKey: manifestKey(second))
        store = try openStore(directory)
        #expect(try store.openIntents() == [])
        #expect(
            try store.shards() == [
                ShardState(
                    id: "s", position: .after(try sequence(29)), horizon: sampleTime, lastManifest: manifestKey(second))
            ])
    }

    @Test func planThatBreaksTheOrderIsRefusedAndChangesNothing() throws {
        let store = try openStore(directory)
        try store.begin(
            start: .trimHorizon,
            shards: ["s", "e", "o"].map { ShardState(id: $0, position: $0 == "e" ? .ended : .trimHorizon) })
        let first = try sampleIntent("s", 10...19)
        try store.saveIntent(first)
        try store.commit(first, manifestKey: manifestKey(first))
        try store.saveIntent(try sampleIntent("o", 1...2))
        let before = try (store.shards(), store.openIntents())
        var backwards = try sampleIntent("s", 20...29, previous: manifestKey(first))
        backwards.last = try sequence(19)
        let wrong: [(BatchIntent, String)] = [
            (try sampleIntent("unknown", 1...2), "not known"), (try sampleIntent("e", 1...2), "has ended"),
            (try sampleIntent("o", 3...4), "not committed"),
            (try sampleIntent("s", 19...29, previous: manifestKey(first)), "committed already"),
            (try sampleIntent("s", 20...29, previous: nil), "follows nothing"),
            (try sampleIntent("s", 20...29, previous: "x"), "follows x"), (backwards, "before its first"),
        ]
        for (intent, words) in wrong {
            expectError(.brokenRule, exit: .internalFault, says: words) { try store.saveIntent(intent) }
        }
        let next = try sampleIntent("s", 20...29, previous: manifestKey(first))
        expectError(.brokenRule, exit: .internalFault, says: "not planned") {
            try store.commit(next, manifestKey: "k")
        }
        expectError(.brokenRule, exit: .internalFault, says: "not planned") {
            try store.commit(try sampleIntent("o", 1...3), manifestKey: "k")
        }
        expectError(.brokenRule, exit: .internalFault, says: "not committed") {
            try store.markEnded("o", children: [])
        }
        expectError(.brokenRule, exit: .internalFault, says: "another one") {
            try store.replaceIntent(next, with: next)
        }
        #expect(try store.shards() == before.0)
        #expect(try store.openIntents() == before.1)
        try store.saveIntent(next)
    }

    @Test func planMayBeReplacedByTheSameBatchOnly() throws {
        let store = try openStore(directory)
        try store.begin(start: .trimHorizon, shards: [ShardState(id: "s", position: .trimHorizon)])
        let intent = try sampleIntent("s", 1...2)
        try store.saveIntent(intent)
        var made = intent
        made.objects[0].bytes += 1
        made.objects[0].sha256 = String(repeating: "0", count: 64)
        var other = intent
        other.objects[0].rowsSHA256 = String(repeating: "0", count: 64)
        expectError(.brokenRule, exit: .internalFault, says: "same batch") {
            try store.replaceIntent(intent, with: other)
        }
        try store.replaceIntent(intent, with: made)
        #expect(try store.openIntents() == [made])
        // What was found in S3 may be another compression again.
        try store.commit(intent, manifestKey: manifestKey(intent))
        #expect(try store.shards().map(\.position) == [.after(try sequence(2))])
    }

    @Test func childOfAMergeBeginsAtTheEarlierHorizonAndOnce() throws {
        let store = try openStore(directory)
        try store.begin(start: .trimHorizon, shards: ["a", "b"].map { ShardState(id: $0, position: .trimHorizon) })
        func child(_ horizon: Timestamp?) -> ShardState {
            ShardState(id: "c", parents: ["a", "b"], position: .trimHorizon, horizon: horizon)
        }
        try store.markEnded("a", children: [child(sampleTime)])
        try store.markEnded("b", children: [child(sampleTime.adding(.seconds(-5)))])
        #expect(try store.shards().last == child(sampleTime.adding(.seconds(-5))))
        let intent = try sampleIntent("c", 1...2)
        try store.saveIntent(intent)
        try store.commit(intent, manifestKey: manifestKey(intent))
        // A crash in between makes the job say it again.
        try store.markEnded("b", children: [child(sampleTime.adding(.seconds(-50)))])
        let known = try #require(try store.shards().last)
        #expect(known.position == .after(try sequence(2)))
        #expect(known.horizon == sampleTime.adding(.seconds(-5)))
        #expect(try store.shards().prefix(2).map(\.position) == [.ended, .ended])
    }

    @Test func horizonNeverGoesBack() throws {
        let store = try openStore(directory)
        try store.begin(start: .trimHorizon, shards: [ShardState(id: "s", position: .trimHorizon)])
        for (offset, expected) in [(0, 0), (-1, 0), (5, 5), (4, 5)] {
            try store.setHorizons(["s": sampleTime.adding(.seconds(offset))])
            #expect(try store.shards().first?.horizon == sampleTime.adding(.seconds(expected)))
        }
        let intent = try sampleIntent("s", 1...2, horizon: sampleTime)
        try store.saveIntent(intent)
        try store.commit(intent, manifestKey: "k")
        #expect(try store.shards().first?.horizon == sampleTime.adding(.seconds(5)))
        let later = sampleTime.adding(.seconds(9))
        expectError(.brokenRule, exit: .internalFault, says: "not known") {
            try store.setHorizons(["s": later, "x": later])
        }
        #expect(try store.shards().first?.horizon == sampleTime.adding(.seconds(5)), "all of them or none")
    }

    @Test func knownShardsAreNotAddedAgain() throws {
        let store = try openStore(directory)
        let known = ShardState(id: "s", parents: ["p"], position: .timestamp(5), horizon: sampleTime)
        try store.add([known])
        try store.add([ShardState(id: "s", position: .trimHorizon), ShardState(id: "a", position: .ended)])
        #expect(try store.shards() == [ShardState(id: "a", position: .ended), known])
    }

    @Test func firstRunIsDecidedOnce() throws {
        let store = try openStore(directory)
        let start = StartSet(positions: ["a": .timestamp(12), "b": .ended])
        try store.begin(start: start, shards: [])
        #expect(try store.owner().start == start)
        expectError(.brokenRule, exit: .internalFault, says: "decided already") {
            try store.begin(start: .trimHorizon, shards: [])
        }
        #expect(try openStore(directory).owner().start == start)
    }

    @Test func claimsGoForwardOnly() throws {
        let store = try openStore(directory)
        let one = OwnerClaim(generation: 1, id: "x")
        expectError(.brokenRule, exit: .internalFault, says: "not begun") { try store.confirm(one) }
        try store.setPending(one)
        #expect(try store.owner().pending == one)
        try store.confirm(one)
        try store.confirm(one)
        #expect(try store.owner() == OwnerRecord(stateID: "state-1", claim: one))
        expectError(.brokenRule, exit: .internalFault, says: "go forward") {
            try store.setPending(OwnerClaim(generation: 1, id: "y"))
        }
    }

    @Test func runsAreKeptUpToTheirLimit() throws {
        let store = try openStore(directory)
        let first = try store.beginRun(started: sampleTime)
        #expect(try store.lastRuns(5).map(\.ended) == [nil])
        try store.endRun(first, ended: sampleTime.adding(.seconds(9)), exitCode: 75, summary: "{}")
        #expect(
            try store.lastRuns(5) == [
                RunRecord(
                    id: first, started: sampleTime, ended: sampleTime.adding(.seconds(9)), exitCode: 75, summary: "{}")
            ])
        try store.queue.write { database in
            for _ in 1..<SQLiteStateStore.runsKept {
                try database.execute(sql: "INSERT INTO runs (started_us) VALUES (0)")
            }
        }
        #expect(try store.lastRuns(.max).count == SQLiteStateStore.runsKept)
        _ = try store.beginRun(started: sampleTime)
        #expect(try store.lastRuns(.max).count == SQLiteStateStore.runsKept)
        #expect(try store.lastRuns(.max).last?.id == first + 1)
    }

    @Test func stateOfAnotherIdentityIsRefusedNamingBoth() throws {
        _ = try openStore(directory)
        func open(_ change: (inout StateIdentity) -> Void) throws {
            _ = try SQLiteStateStore.open(
                directory: directory.state, identity: sampleIdentity(change), newStateID: "x")
        }
        expectError(.identity, exit: .stateOrIdentity, says: "job drupal", "job web") { try open { $0.job = "web" } }
        expectError(.identity, exit: .stateOrIdentity, says: "stream/logs", "stream/other") {
            try open { $0.streamARN = "arn:aws:kinesis:us-east-1:123456789012:stream/other" }
        }
        expectError(
            .identity, exit: .stateOrIdentity, says: "created anew", "2023-11-14T22:13:20.123Z",
            "2024-11-22T20:31:05.250Z", hint: "new name"
        ) { try open { $0.streamCreation = sampleTime } }
        expectError(.identity, exit: .stateOrIdentity, says: "s3://acme-logs/", "s3://other/") {
            try open { $0.bucket = "other" }
        }
        expectError(.identity, exit: .stateOrIdentity, says: "/_sluice/drupal/", "/_sluice/x/") {
            try open { $0.controlPrefix = "_sluice/x/" }
        }
        try open { _ in }
    }

    /// Random orders of operations, with the store reopened now and then, against a model in memory.
    @Test func randomHistoriesAgreeWithAModel() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        var store = try openStore(directory)
        var positions: [String: ShardPosition] = ["s0": .trimHorizon, "s1": .trimHorizon]
        var open: [String: BatchIntent] = [:]
        var manifests: [String: String] = [:]
        try store.begin(start: .trimHorizon, shards: positions.map { ShardState(id: $0.key, position: $0.value) })
        for step in 1...250 {
            let shard = try #require(positions.keys.sorted().randomElement(using: &generator))
            switch Int.random(in: 0..<10, using: &generator) {
            case 0...3 where open[shard] == nil && positions[shard] != .ended:
                let intent = try sampleIntent(shard, step * 10...step * 10 + 5, previous: manifests[shard])
                try store.saveIntent(intent)
                open[shard] = intent
            case 4...7:
                guard let intent = open.removeValue(forKey: shard) else { continue }
                try store.commit(intent, manifestKey: manifestKey(intent))
                positions[shard] = .after(intent.last)
                manifests[shard] = manifestKey(intent)
            case 8 where open[shard] == nil && positions[shard] != .ended && step % 3 == 0:
                let child = "s\(positions.count)"
                try store.markEnded(
                    shard, children: [ShardState(id: child, parents: [shard], position: .trimHorizon)])
                positions[shard] = .ended
                positions[child] = .trimHorizon
            default: store = try openStore(directory)
            }
            let shards = try store.shards()
            #expect(
                Dictionary(uniqueKeysWithValues: shards.map { ($0.id, $0.position) }) == positions, "seed \(seed)")
            #expect(shards.allSatisfy { $0.lastManifest == manifests[$0.id] }, "seed \(seed)")
            #expect(try store.openIntents() == open.values.sorted { $0.shard < $1.shard }, "seed \(seed)")
        }
    }
}

/// SplitMix64: the same seed gives the same run on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
