import Batching
import CivilTime
import Diagnostics
import Foundation
import Testing

@testable import State

private let markerKey = OwnerMarker.key(controlPrefix: sampleControlPrefix)

struct RebuildTests {
    private let directory: TemporaryDirectory
    private let bucket = FakeControlStore()
    init() throws { directory = try TemporaryDirectory() }

    /// Archives a little into bucket and state, as a job would: `a` was split into `b` and `c`, `d` is quiet.
    private func archiveSomething(_ bucket: FakeControlStore, _ directory: TemporaryDirectory) async throws {
        let store = try openStore(directory)
        try store.begin(
            start: StartSet(positions: ["a": .timestamp(5), "d": .timestamp(5), "old": .ended]),
            shards: [
                ShardState(id: "a", position: .timestamp(5)), ShardState(id: "d", position: .timestamp(5)),
                ShardState(id: "old", position: .ended),
            ])
        let owner = OwnerGuard(
            objects: bucket, store: store, identity: sampleIdentity(), controlPrefix: sampleControlPrefix)
        try await owner.claim()
        var previous: [String: String] = [:]
        func commit(_ shard: String, _ range: ClosedRange<Int>, parents: [String] = []) throws {
            let intent = try sampleIntent(
                shard, range, previous: previous[shard], parents: parents, horizon: sampleTime)
            try store.saveIntent(intent)
            bucket.set(manifestKey(intent), try BatchManifest(intent: intent).canonicalBytes())
            try store.commit(intent, manifestKey: manifestKey(intent))
            previous[shard] = manifestKey(intent)
        }
        for start in stride(from: 0, to: 1_300, by: 100) { try commit("a", start...start + 99) }
        try store.markEnded(
            "a", children: ["b", "c"].map { ShardState(id: $0, parents: ["a"], position: .trimHorizon) })
        try commit("b", 5_000...5_005, parents: ["a"])
        try commit("c", 6_000...6_005, parents: ["a"])
        try commit("b", 7_000...7_005, parents: ["a"])
        bucket.set("\(sampleControlPrefix)commits/1700000000123/notes.txt", [1])
        bucket.set("\(sampleControlPrefix)commits/1600000000000/a/\(try sequence(9).padded).json", [1])
    }

    private func rebuild(
        _ bucket: FakeControlStore, _ directory: TemporaryDirectory, force: Bool = false,
        identity: StateIdentity = sampleIdentity()
    ) async throws -> StateRebuild.Report {
        try await StateRebuild(objects: bucket, directory: directory.state, identity: identity).run(force: force)
    }

    private func lose(_ directory: TemporaryDirectory) throws {
        try FileManager.default.removeItem(atPath: directory.state.databasePath)
    }

    @Test func lostStateComesBackFromTheManifests() async throws {
        try await archiveSomething(bucket, directory)
        let before = try openStore(directory)
        let (shards, start) = (try before.shards(), try before.owner().start)
        try lose(directory)
        let report = try await rebuild(bucket, directory)
        #expect(report.manifestCount == 16)
        #expect(report.generation == 2)
        #expect(report.replaced == nil)
        let store = try openStore(directory)
        #expect(try store.shards().map(\.position) == shards.map(\.position))
        #expect(try store.shards().map(\.id) == ["a", "b", "c", "d", "old"])
        #expect(try store.shards().map(\.lastManifest) == shards.map(\.lastManifest))
        #expect(try store.shards().map(\.horizon) == [sampleTime, sampleTime, sampleTime, nil, nil])
        #expect(try store.owner().start == start)
        #expect(try store.owner().stateID != "state-1")
        #expect(directory.names == ["state.sqlite"])
        #expect(try directory.mode("state.sqlite") == 0o600)
        let owner = OwnerGuard(
            objects: bucket, store: store, identity: sampleIdentity(), controlPrefix: sampleControlPrefix)
        try await owner.verify()
        try await owner.claim()
    }

    @Test func stateThatTurnsUpAgainIsRefusedAfterTheRebuild() async throws {
        try await archiveSomething(bucket, directory)
        let newHost = try TemporaryDirectory()
        _ = try await rebuild(bucket, newHost)
        let old = OwnerGuard(
            objects: bucket, store: try openStore(directory), identity: sampleIdentity(),
            controlPrefix: sampleControlPrefix)
        await #expect(throws: StateError.self) { try await old.verify() }
    }

    @Test func healthyStateIsReplacedOnlyByForceAndKeptAside() async throws {
        try await archiveSomething(bucket, directory)
        do {
            _ = try await rebuild(bucket, directory)
            Issue.record("a healthy state was replaced")
        } catch let error as StateError {
            #expect(error.exitCode == .stateOrIdentity)
            #expect(error.diagnostic.hint?.contains("--force") == true)
        }
        #expect(try openStore(directory).owner().stateID == "state-1")
        #expect(try OwnerMarker.decode(try #require(bucket.bytes(markerKey))).generation == 1)
        let report = try await rebuild(bucket, directory, force: true)
        #expect(report.replaced == directory.state.databasePath + ".replaced")
        #expect(directory.names == ["state.sqlite", "state.sqlite.replaced"])
    }

    @Test func emptyStateOfARunThatWasRefusedIsReplacedWithoutForce() async throws {
        try await archiveSomething(bucket, directory)
        try lose(directory)
        let store = try openStore(directory, stateID: "state-2")
        let owner = OwnerGuard(
            objects: bucket, store: store, identity: sampleIdentity(), controlPrefix: sampleControlPrefix)
        let refusal = await #expect(throws: StateError.self) { try await owner.verify() }
        #expect(refusal?.diagnostic.hint?.contains("sluice state rebuild JOB") == true)
        _ = try await rebuild(bucket, directory)
        #expect(try openStore(directory).shards().count == 5)
        // An empty state of another job is somebody's all the same.
        let other = try TemporaryDirectory()
        _ = try SQLiteStateStore.open(
            directory: other.state, identity: sampleIdentity { $0.job = "web" }, newStateID: "x")
        await #expect(throws: StateError.self) { try await rebuild(bucket, other) }
    }

    @Test func damagedStateIsReplacedWithItsJournal() async throws {
        try await archiveSomething(bucket, directory)
        let path = directory.state.databasePath
        try Data("SQLite format 3\0".utf8).write(to: URL(fileURLWithPath: path))
        try Data(repeating: 7, count: 512).write(to: URL(fileURLWithPath: path + "-journal"))
        _ = try await rebuild(bucket, directory)
        #expect(directory.names == ["state.sqlite", "state.sqlite.replaced", "state.sqlite.replaced-journal"])
        #expect(try openStore(directory).shards().count == 5)
        // Once more, with an older replaced state in the way.
        try Data().write(to: URL(fileURLWithPath: path))
        _ = try await rebuild(bucket, directory)
        #expect(directory.names == ["state.sqlite", "state.sqlite.replaced"])
    }

    @Test func journalWithoutDatabaseIsMovedAside() async throws {
        try await archiveSomething(bucket, directory)
        try lose(directory)
        try Data(repeating: 7, count: 512).write(to: URL(fileURLWithPath: directory.state.databasePath + "-journal"))
        _ = try await rebuild(bucket, directory)
        #expect(directory.names == ["state.sqlite", "state.sqlite.replaced-journal"])
        #expect(try openStore(directory).shards().count == 5)
    }

    /// Every call to the bucket fails once; the rebuild is run again and comes to the same state.
    @Test func everyFailureOfARebuildIsMendedByTheNext() async throws {
        try await archiveSomething(bucket, directory)
        let expected = try openStore(directory).shards().map(\.position)
        for moment in FaultPlan.Moment.allCases {
            var call = 1
            while true {
                let (directory, bucket) = (try TemporaryDirectory(), bucket.copy())
                bucket.inject(FaultPlan(call: call, moment: moment))
                var failed = false
                do { _ = try await rebuild(bucket, directory) } catch { failed = true }
                bucket.inject(nil)
                guard failed else { break }
                #expect(!directory.names.contains("state.sqlite"), "nothing is installed before the marker is ours")
                _ = try await rebuild(bucket, directory)
                let store = try openStore(directory)
                #expect(try store.shards().map(\.position) == expected, "call \(call) \(moment)")
                try await OwnerGuard(
                    objects: bucket, store: store, identity: sampleIdentity(), controlPrefix: sampleControlPrefix
                ).claim()
                call += 1
            }
            #expect(call > 10)
        }
    }

    @Test func brokenChainOfManifestsIsNotBuiltOn() async throws {
        try await archiveSomething(bucket, directory)
        try lose(directory)
        let prefix = "\(sampleControlPrefix)commits/1700000000123/a/"
        let last = "\(prefix)\(try sequence(1_200).padded).json"
        let beforeLast = "\(prefix)\(try sequence(1_100).padded).json"
        let (whole, removed) = (try #require(bucket.bytes(last)), try #require(bucket.bytes(beforeLast)))
        let cases: [(String, () throws -> Void)] = [
            ("the one before it in the bucket", { bucket.remove(beforeLast) }),
            ("belongs to another key", { bucket.set(last, removed) }),
            ("not JSON", { bucket.set(last, Array(whole.dropLast(5))) }),
        ]
        for (words, damage) in cases {
            bucket.set(last, whole)
            bucket.set(beforeLast, removed)
            try damage()
            do {
                _ = try await rebuild(bucket, directory)
                Issue.record("built on a chain where \(words)")
            } catch let error as StateError {
                check(error, .corrupt, .stateOrIdentity, [words], "sluice verify JOB", #_sourceLocation)
            }
            #expect(!directory.names.contains("state.sqlite"))
        }
    }

    @Test func jobThatNeverRanNeedsNoRebuild() async throws {
        do {
            _ = try await rebuild(bucket, directory)
            Issue.record("rebuilt from nothing")
        } catch let error as StateError {
            check(
                error, .missing, .stateOrIdentity, ["neither an owner marker nor a manifest"], "control_prefix",
                #_sourceLocation)
        }
        #expect(bucket.writes == 0)
    }

    @Test func lostMarkerIsMadeAnewFromManifests() async throws {
        try await archiveSomething(bucket, directory)
        try lose(directory)
        bucket.remove(markerKey)
        let report = try await rebuild(bucket, directory)
        #expect(report.generation == 1)
        #expect(report.shards.map(\.id) == ["a", "b", "c"])
        #expect(try openStore(directory).owner().start == nil)
    }

    @Test func newStreamOfTheSameNameIsGoneOverToOnlyByForce() async throws {
        try await archiveSomething(bucket, directory)
        let identity = sampleIdentity { $0.streamCreation = sampleTime }
        for isLost in [false, true] {
            if isLost { try lose(directory) }
            do {
                _ = try await rebuild(bucket, directory, identity: identity)
                Issue.record("went over to another stream")
            } catch let error as StateError {
                #expect(error.exitCode == .stateOrIdentity)
            }
        }
        let report = try await rebuild(bucket, directory, force: true, identity: identity)
        #expect(report.shards == [])
        let store = try SQLiteStateStore.open(directory: directory.state, identity: identity, newStateID: "x")
        #expect(try store.owner().start == nil)
        try await OwnerGuard(
            objects: bucket, store: store, identity: identity, controlPrefix: sampleControlPrefix
        ).claim()
    }

    @Test func stateOfAnotherJobIsNeverReplaced() async throws {
        try await archiveSomething(bucket, directory)
        do {
            _ = try await rebuild(bucket, directory, force: true, identity: sampleIdentity { $0.job = "web" })
            Issue.record("replaced the state of another job")
        } catch let error as StateError {
            check(error, .identity, .stateOrIdentity, ["job drupal", "job web"], "its own", #_sourceLocation)
        }
    }
}
