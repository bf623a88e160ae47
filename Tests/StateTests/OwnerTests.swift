import AWS
import Batching
import CivilTime
import Diagnostics
import Foundation
import Synchronization
import Testing

@testable import State

private let markerKey = OwnerMarker.key(controlPrefix: sampleControlPrefix)

/// A store whose n-th call fails, before or after it took effect, as if the process had died there.
private struct FaultyStore: StateStore {
    let inner: SQLiteStateStore
    let faults: FaultInjector

    private func around<T>(_ operation: () throws -> T) throws(StateError) -> T {
        do {
            return try faults.around(operation)
        } catch let error as StateError {
            throw error
        } catch {
            throw StateError(.io, "call", "fake", "injected")
        }
    }

    func owner() throws(StateError) -> OwnerRecord { try around { try inner.owner() } }
    func setPending(_ claim: OwnerClaim) throws(StateError) { try around { try inner.setPending(claim) } }
    func confirm(_ claim: OwnerClaim) throws(StateError) { try around { try inner.confirm(claim) } }
    func begin(start: StartSet, shards: [ShardState]) throws(StateError) {
        try inner.begin(start: start, shards: shards)
    }
    func shards() throws(StateError) -> [ShardState] { try inner.shards() }
    func add(_ shards: [ShardState]) throws(StateError) { try inner.add(shards) }
    func markEnded(_ shard: String, children: [ShardState]) throws(StateError) {
        try inner.markEnded(shard, children: children)
    }
    func setHorizons(_ horizons: [String: Timestamp]) throws(StateError) { try inner.setHorizons(horizons) }
    func snapshot() throws(StateError) -> StateSnapshot { try inner.snapshot() }
    func saveIntent(_ intent: BatchIntent) throws(StateError) { try inner.saveIntent(intent) }
    func openIntents() throws(StateError) -> [BatchIntent] { try inner.openIntents() }
    func replaceIntent(_ intent: BatchIntent, with made: BatchIntent) throws(StateError) {
        try inner.replaceIntent(intent, with: made)
    }
    func commit(_ intent: BatchIntent, manifestKey: String) throws(StateError) {
        try inner.commit(intent, manifestKey: manifestKey)
    }
    func beginRun(started: Timestamp) throws(StateError) -> Int64 { try inner.beginRun(started: started) }
    func endRun(_ run: Int64, ended: Timestamp, exitCode: Int32, summary: String?) throws(StateError) {
        try inner.endRun(run, ended: ended, exitCode: exitCode, summary: summary)
    }
    func lastRuns(_ limit: Int) throws(StateError) -> [RunRecord] { try inner.lastRuns(limit) }
}

struct OwnerTests {
    private let directory: TemporaryDirectory
    private let bucket = FakeControlStore()
    init() throws { directory = try TemporaryDirectory() }

    private func guardian(
        _ store: any StateStore, identity: StateIdentity = sampleIdentity(), bucket: FakeControlStore? = nil
    ) -> OwnerGuard {
        OwnerGuard(
            objects: bucket ?? self.bucket, store: store, identity: identity, controlPrefix: sampleControlPrefix)
    }

    private func marker() throws -> OwnerMarker { try OwnerMarker.decode(try #require(bucket.bytes(markerKey))) }

    private func expectRefusal(
        _ kind: StateError.Kind = .ownership, says words: String..., hint: String,
        sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    ) async {
        do {
            try await body()
            Issue.record("no error", sourceLocation: sourceLocation)
        } catch let error as StateError {
            check(error, kind, .stateOrIdentity, words, hint, sourceLocation)
        } catch {
            Issue.record("\(error)", sourceLocation: sourceLocation)
        }
    }

    @Test func eachRunThatStoresSomethingTakesTheNextGeneration() async throws {
        let store = try openStore(directory)
        let start = StartSet(positions: ["a": .timestamp(5), "b": .ended])
        try store.begin(start: start, shards: [])
        for generation in 1...3 {
            let owner = guardian(store)
            try await owner.verify()
            #expect(bucket.writes == generation - 1, "verify stores nothing")
            try await owner.claim()
            try await owner.claim()
            #expect(bucket.writes == generation)
            let marker = try marker()
            let claim = OwnerClaim(generation: Int64(generation), id: marker.claimID)
            #expect(try store.owner() == OwnerRecord(stateID: "state-1", claim: claim, start: start))
            #expect(
                marker
                    == OwnerMarker(
                        job: "drupal", stream: "logs", streamARN: sampleIdentity().streamARN,
                        streamCreation: sampleIdentity().streamCreation, stateID: "state-1",
                        generation: Int64(generation), claimID: claim.id, start: start))
        }
    }

    @Test func claimsOfManyShardsAtOnceAreOne() async throws {
        let owner = guardian(try openStore(directory))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { try await owner.claim() } }
            try await group.waitForAll()
        }
        #expect(bucket.writes == 1)
    }

    @Test func runWithoutAnythingToStoreLeavesTheBucketAlone() async throws {
        let store = try openStore(directory)
        for _ in 0..<3 { try await guardian(store).verify() }
        #expect(bucket.writes == 0)
        #expect(try store.owner().pending == nil)
    }

    /// Every call to bucket and state fails once, before or after its effect; the next run goes on.
    @Test func everyFailureOfAClaimIsMendedByTheNextRun() async throws {
        for earlierRuns in 0...1 {
            for target in ["bucket", "state"] {
                for moment in FaultPlan.Moment.allCases {
                    var call = 1
                    while try await claimSurvives(
                        FaultPlan(call: call, moment: moment), in: target, earlierRuns: earlierRuns)
                    {
                        call += 1
                    }
                    #expect(call > 2, "\(target) must have been called at least twice")
                }
            }
        }
    }

    /// False when the plan's call was never reached.
    private func claimSurvives(_ plan: FaultPlan, in target: String, earlierRuns: Int) async throws -> Bool {
        let directory = try TemporaryDirectory()
        let bucket = FakeControlStore()
        let store = try openStore(directory)
        for _ in 0..<earlierRuns { try await guardian(store, bucket: bucket).claim() }
        bucket.inject(target == "bucket" ? plan : nil)
        let faults = FaultInjector(target == "state" ? plan : nil)
        let run = guardian(FaultyStore(inner: store, faults: faults), bucket: bucket)
        var failed = false
        do {
            try await run.verify()
            try await run.claim()
        } catch {
            failed = true
            // The same run may try again.
            if plan.call % 2 == 0 { try await run.claim() }
        }
        bucket.inject(nil)
        let next = guardian(try openStore(directory), bucket: bucket)
        try await next.verify()
        try await next.claim()
        let marker = try OwnerMarker.decode(try #require(bucket.bytes(markerKey)))
        let owner = try openStore(directory).owner()
        #expect(owner.claim == OwnerClaim(generation: marker.generation, id: marker.claimID), "\(target) \(plan)")
        #expect(owner.pending == nil, "\(target) \(plan)")
        #expect(marker.generation > earlierRuns)
        return failed
    }

    @Test func secondHostIsRefusedBeforeItStoresAnything() async throws {
        try await guardian(try openStore(directory)).claim()
        let otherDirectory = try TemporaryDirectory()
        let other = try openStore(otherDirectory, stateID: "state-2")
        await expectRefusal(says: "this state is new", "already holds batches", hint: "sluice state rebuild JOB") {
            try await guardian(other).verify()
        }
        await expectRefusal(says: "this state is new", hint: "another name") { try await guardian(other).claim() }
        #expect(bucket.writes == 1)
        #expect(try other.owner().pending == nil)
    }

    @Test func twoNewHostsAtTheSameTimeGetOneOwner() async throws {
        let otherDirectory = try TemporaryDirectory()
        let (one, two) = (
            guardian(try openStore(directory)), guardian(try openStore(otherDirectory, stateID: "state-2"))
        )
        try await one.verify()
        try await two.verify()
        try await one.claim()
        await expectRefusal(says: "another state of this job", "state-1", "state-2", hint: "two hosts") {
            try await two.claim()
        }
        #expect(try marker().stateID == "state-1")
        try await one.claim()
    }

    @Test func restoredOldCopyOfTheStateIsRefused() async throws {
        let store = try openStore(directory)
        try await guardian(store).claim()
        let backup = try TemporaryDirectory()
        try directory.copy(to: backup)
        try await guardian(store).claim()
        await expectRefusal(says: "a copy of this state went on", "generation 2", hint: "sluice state rebuild JOB") {
            try await guardian(try openStore(backup)).verify()
        }
    }

    @Test func twoCopiesOfOneStateAtTheSameTimeGetOneOwner() async throws {
        let store = try openStore(directory)
        try await guardian(store).claim()
        let clone = try TemporaryDirectory()
        try directory.copy(to: clone)
        let (one, two) = (guardian(store), guardian(try openStore(clone)))
        try await one.verify()
        try await two.verify()
        try await two.claim()
        await expectRefusal(says: "a copy of this state went on", hint: "sluice state rebuild JOB") {
            try await one.claim()
        }
        // The loser's begun claim has the same number and must not be taken for the winner's.
        await expectRefusal(says: "a copy of this state went on", hint: "sluice state rebuild JOB") {
            try await guardian(try openStore(directory)).verify()
        }
        try await guardian(try openStore(clone)).claim()
    }

    @Test func bucketRestoredFromEarlierIsRefused() async throws {
        let store = try openStore(directory)
        try await guardian(store).claim()
        let old = try #require(bucket.bytes(markerKey))
        try await guardian(store).claim()
        bucket.set(markerKey, old)
        await expectRefusal(says: "older than this state", hint: "restore the manifests too") {
            try await guardian(store).verify()
        }
    }

    @Test func markerThatIsGoneIsNotMadeAgain() async throws {
        let store = try openStore(directory)
        try await guardian(store).claim()
        bucket.remove(markerKey)
        await expectRefusal(says: "the marker is gone", "generation 1", hint: "control_prefix") {
            try await guardian(store).claim()
        }
        #expect(bucket.bytes(markerKey) == nil)
    }

    @Test func markerOfAnotherJobOrStreamIsRefusedNamingBoth() async throws {
        try await guardian(try openStore(directory)).claim()
        let other = try TemporaryDirectory()
        let identity = sampleIdentity { $0.job = "web" }
        let store = try SQLiteStateStore.open(directory: other.state, identity: identity, newStateID: "x")
        await expectRefusal(.identity, says: "job drupal", "job web", hint: "its own") {
            try await guardian(store, identity: identity).verify()
        }
    }

    @Test(arguments: [("", "not JSON"), ("{}", "format_version"), (#"{"format_version":2}"#, "format version 2")])
    func unreadableMarkerIsNotReplaced(text: String, words: String) async throws {
        bucket.set(markerKey, Array(text.utf8))
        let store = try openStore(directory)
        let error = await #expect(throws: DocumentError.self) { try await guardian(store).claim() }
        #expect(error?.cause.contains(words) == true, "\(error?.cause ?? "")")
        #expect(bucket.writes == 1)
    }

    @Test func storeWithoutETagsIsRefused() async throws {
        let bucket = FakeControlStore(givesETags: false)
        let store = try openStore(directory)
        try await guardian(store, bucket: bucket).claim()
        await expectRefusal(says: "no ETag", hint: "If-Match") { try await guardian(store, bucket: bucket).claim() }
    }

    @Test func randomIdentitiesDifferAndHave32Digits() {
        let ids = (0..<100).map { _ in OwnerGuard.randomID() }
        #expect(Set(ids).count == 100)
        #expect(ids.allSatisfy { $0.utf8.count == 32 })
    }
}
