// What backfills leave behind must not be taken for the job's own progress.

import Batching
import CivilTime
import Diagnostics
import Testing

@testable import State

struct BackfillStateTests {
    private let directory: TemporaryDirectory
    private let bucket = FakeControlStore()
    init() throws { directory = try TemporaryDirectory() }

    private func put(
        _ shard: String, _ range: ClosedRange<Int>, previous: String? = nil, isBackfill: Bool = false,
        parents: [String] = []
    ) throws -> String {
        var intent = try sampleIntent(shard, range, previous: previous, parents: parents, horizon: sampleTime)
        if isBackfill { intent.backfill = BackfillMark() }
        bucket.set(manifestKey(intent), try BatchManifest(intent: intent).canonicalBytes())
        return manifestKey(intent)
    }

    private func setMarker(_ start: StartSet) throws {
        let identity = sampleIdentity()
        let marker = OwnerMarker(
            job: identity.job, stream: identity.stream, streamARN: identity.streamARN,
            streamCreation: identity.streamCreation, stateID: "state-1", generation: 3, claimID: "c", start: start)
        bucket.set(OwnerMarker.key(controlPrefix: sampleControlPrefix), try marker.canonicalBytes())
    }

    private func rebuilt() async throws -> [String: ShardState] {
        let report = try await StateRebuild(
            objects: bucket, directory: directory.state, identity: sampleIdentity()
        ).run(force: false)
        return Dictionary(uniqueKeysWithValues: report.shards.map { ($0.id, $0) })
    }

    @Test func aShardWithBackfillsAloneBeginsWhereTheFirstRunSaid() async throws {
        try setMarker(StartSet(positions: ["a": .timestamp(5), "old": .ended, "b": .timestamp(5)]))
        _ = try put("a", 10...19, isBackfill: true)
        _ = try put("old", 30...39, isBackfill: true)
        _ = try put("b", 10...19, isBackfill: true)
        let live = try put("b", 50...59)
        let shards = try await rebuilt()
        #expect(shards["a"]?.position == .timestamp(5) && shards["a"]?.lastManifest == nil)
        #expect(shards["old"]?.position == .ended)
        #expect(shards["b"]?.position == .after(try sequence(59)) && shards["b"]?.lastManifest == live)
    }

    @Test func aBackfillAfterTheLastLiveBatchIsPartOfWhatIsArchived() async throws {
        try setMarker(StartSet(positions: ["a": .timestamp(5)]))
        let first = try put("a", 10...19)
        let filled = try put("a", 20...29, previous: first, isBackfill: true)
        let shards = try await rebuilt()
        #expect(shards["a"]?.position == .after(try sequence(29)) && shards["a"]?.lastManifest == filled)
        #expect(shards["a"]?.horizon == nil)
    }

    @Test func aFilledHoleBeforeTheLastBatchIsNoDamageAndAnOpenOneIs() async throws {
        try setMarker(.trimHorizon)
        _ = try put("a", 10...19)
        _ = try put("a", 40...49, previous: try put("a", 30...39))
        bucket.remove(manifestKey(try sampleIntent("a", 30...39)))
        await #expect(throws: StateError.self) { try await rebuilt() }
        _ = try put("a", 25...39, isBackfill: true)
        #expect(try await rebuilt()["a"]?.position == .after(try sequence(49)))
    }

    @Test func liveManifestsAreFoundAmongBackfills() async throws {
        let search = LiveManifestSearch(objects: bucket, identity: sampleIdentity())
        #expect(try await !search.exists(on: "a"))
        for start in stride(from: 100, to: 200, by: 10) { _ = try put("a", start...start + 9, isBackfill: true) }
        _ = try put("ab", 10...19)
        #expect(try await !search.exists(on: "a"))
        _ = try put("a", 50...59)
        #expect(try await search.exists(on: "a"))
        #expect(try await search.exists(on: "ab"))
    }

    @Test func theMarkerIsReadAndNotTouched() async throws {
        let reader = OwnerReader(objects: bucket, identity: sampleIdentity())
        #expect(try await reader.marker() == nil)
        try setMarker(StartSet(positions: ["a": .ended]))
        #expect(try await reader.marker()?.start?.positions == ["a": .ended])
        #expect(bucket.writes == 1)
        for change: (inout StateIdentity) -> Void in [
            { $0.job = "other" }, { $0.stream = "other" }, { $0.streamCreation = sampleTime },
        ] {
            let other = OwnerReader(objects: bucket, identity: sampleIdentity(change))
            let error = await #expect(throws: StateError.self) { _ = try await other.marker() }
            #expect(error?.exitCode == .stateOrIdentity)
        }
    }

    @Test func batchesOfABackfillMayBePlannedInAnyOrder() throws {
        let store = try openStore(directory)
        for (range, previous) in [(100...109, nil), (20...29, "x"), (500...509, nil)] as [(ClosedRange<Int>, String?)] {
            try store.place(ShardState(id: "a", position: .trimHorizon, lastManifest: previous))
            let intent = try sampleIntent("a", range, previous: previous)
            try store.saveIntent(intent)
            try store.commit(intent, manifestKey: manifestKey(intent))
        }
    }

    @Test func aShardWithAnOpenPlanIsNotMovedUntilThePlanIsDropped() throws {
        let store = try openStore(directory)
        try store.place(ShardState(id: "a", position: .trimHorizon))
        let intent = try sampleIntent("a", 10...19)
        try store.saveIntent(intent)
        expectError(.brokenRule, exit: .internalFault, says: "not committed") {
            try store.place(ShardState(id: "a", position: .trimHorizon))
        }
        expectError(.brokenRule, exit: .internalFault, says: "another one") {
            try store.discard(try sampleIntent("a", 10...18))
        }
        try store.discard(intent)
        #expect(try store.openIntents() == [])
        try store.place(ShardState(id: "a", position: .trimHorizon))
    }
}
