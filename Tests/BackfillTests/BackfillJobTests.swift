// The backfill job in situations that a random world seldom meets.

import CivilTime
import Diagnostics
import Foundation
import Synchronization
import Testing

@testable import Batching
@testable import Jobs

@Suite struct BackfillJobTests {
    /// One shard with `count` records a minute apart, archived in batches of three; the batches at `lost` are gone.
    private func archive(_ count: Int, lost: [Int]) async throws -> (FakeCloud, FakeHost) {
        let cloud = FakeCloud(shards: 1)
        let host = try FakeHost(cloud, start: .trimHorizon)
        for _ in 0..<count {
            cloud.advance(to: cloud.now.adding(.seconds(60)))
            cloud.put(on: 0)
        }
        try await host.archive(sealRecords: 3)
        let keys = manifests(cloud)
        for index in lost {
            let manifest = try BatchManifest.decode(try #require(cloud.bytes(keys[index])))
            for object in manifest.objects { cloud.remove(object.key) }
            cloud.remove(keys[index])
        }
        return (cloud, host)
    }

    private func manifests(_ cloud: FakeCloud) -> [String] { cloud.keys("\(FakeHost.controlPrefix)commits/") }

    private func ledger(_ cloud: FakeCloud) throws -> BackfillLedger? {
        try cloud.keys("\(FakeHost.controlPrefix)backfill/").first.flatMap(cloud.bytes).map(BackfillLedger.decode)
    }

    private func minute(_ number: Int) -> Timestamp { FakeCloud.creation.adding(.seconds(60 * number)) }

    /// A backfill that claims a batch, writes its plan down, and ends before anything of it is stored.
    private func dieWithAClaim(_ host: FakeHost, _ cloud: FakeCloud) async throws {
        let before = manifests(cloud)
        let done = try await host.backfill(minute(0), minute(100), sealRecords: 3, fate: Fate(lastPut: "/d/"))
        try #require(done.ended)
        try #require(try ledger(cloud)?.claims.count == 1)
        try #require(manifests(cloud) == before)
    }

    @Test func theClaimOfADeadBackfillIsFinishedByAnyHost() async throws {
        let (cloud, first) = try await archive(15, lost: [1, 2])
        try await dieWithAClaim(first, cloud)
        let second = try FakeHost(cloud, start: .trimHorizon)
        let done = try await second.backfill(minute(0), minute(100), sealRecords: 2)
        #expect(done.report.status == 0)
        #expect(done.report.shards.map(\.figures.records) == [6])
        #expect(try FakeAudit(cloud).problems == [] && ledger(cloud)?.claims == [])
        let writes = cloud.content.withLock { $0.writes }
        let own = try await first.backfill(minute(0), minute(100), sealRecords: 3)
        #expect(own.report.status == 0 && cloud.content.withLock { $0.writes } == writes)
    }

    @Test func aClaimOutsideTheRangeIsLeftAlone() async throws {
        let (cloud, first) = try await archive(15, lost: [1, 3])
        try await dieWithAClaim(first, cloud)
        let second = try FakeHost(cloud, start: .trimHorizon)
        let done = try await second.backfill(minute(8), minute(100), sealRecords: 3)
        #expect(done.report.status == 0 && done.report.shards.map(\.figures.records) == [3])
        #expect(try ledger(cloud)?.claims.count == 1)
    }

    @Test func claimsOfBackfillsThatEndedAfterTheManifestMakeRoomForNewOnes() async throws {
        let (cloud, job) = try await archive(63, lost: Array(stride(from: 1, to: 20, by: 2)))
        let ends = BackfillLedger.claimsMax + 1
        for hole in 0..<ends {
            let host = try FakeHost(cloud, start: .trimHorizon)
            let (from, to) = (minute(6 * hole + 3), minute(6 * hole + 8))
            let done = try await host.backfill(
                from, to, sealRecords: 5, fate: Fate(isLastCallEffective: true, lastPut: "/commits/"))
            #expect(done.ended)
            // Its own; it has cleared away the one before.
            try #require(try ledger(cloud)?.claims.count == 1)
        }
        let last = try await job.backfill(minute(6 * ends), minute(100), sealRecords: 3)
        #expect(last.report.status == 0 && last.report.shards.map(\.figures.records) == [3])
        #expect(try FakeAudit(cloud).problems == [] && ledger(cloud)?.claims == [])
    }

    @Test func aClaimWhoseRecordsHaveExpiredIsNamedUntilItsOwnHostFinishesIt() async throws {
        let (cloud, first) = try await archive(15, lost: [1])
        try await dieWithAClaim(first, cloud)
        cloud.advance(to: cloud.now.adding(.seconds(30 * 3_600)))
        let second = try FakeHost(cloud, start: .trimHorizon)
        for _ in 0..<2 {
            let other = try await second.backfill(minute(0), minute(10), sealRecords: 3)
            #expect(other.report.exitCode == .sourceGap)
            #expect(other.report.lost.map(\.from).contains(minute(4)))
        }
        // It still has the rows in its spool. That nothing lay behind them cannot be read any more.
        let own = try await first.backfill(minute(0), minute(10), sealRecords: 3)
        #expect(own.report.shards.map(\.figures.records) == [3])
        #expect(own.report.exitCode == .sourceGap && own.report.lost.map(\.from) == [minute(6)])
        let audit = try FakeAudit(cloud)
        #expect(audit.problems == [] && audit.covered.count == 15 && audit.openClaims == 0)
    }

    @Test func aPlanThatOthersHaveMadeObsoleteIsDropped() async throws {
        let (cloud, first) = try await archive(15, lost: [1, 2])
        try await dieWithAClaim(first, cloud)
        // Somebody finishes it, the manifest is lost, and other batches take its place.
        let second = try FakeHost(cloud, start: .trimHorizon)
        _ = try await second.backfill(minute(0), minute(100), sealRecords: 3)
        let finished = try FakeAudit(cloud).manifests.filter { $0.value.backfill != nil }.sorted { $0.key < $1.key }
        for (key, manifest) in finished {
            for object in manifest.objects { cloud.remove(object.key) }
            cloud.remove(key)
        }
        _ = try await second.backfill(minute(5), minute(100), sealRecords: 4)
        let own = try await first.backfill(minute(0), minute(100), sealRecords: 3)
        #expect(own.report.status == 0)
        let audit = try FakeAudit(cloud)
        #expect(audit.problems == [] && audit.covered.count == 15)
    }

    @Test func recordsThatExpireUnderASlowReaderAreNamed() async throws {
        let (cloud, host) = try await archive(30, lost: Array(1..<9))
        // Half a day before all of it expires, and every page takes an hour.
        cloud.content.withLock { content in
            content.now = minute(8).adding(.seconds(24 * 3_600 - 1_200))
            content.pageRecords = 3
            content.pageTime = .seconds(600)
        }
        let done = try await host.backfill(minute(0), minute(100), sealRecords: 3)
        #expect(done.report.exitCode == .sourceGap)
        let audit = try FakeAudit(cloud)
        #expect(audit.problems == [])
        let missing = cloud.records.filter { audit.covered[$0.sequence] == nil }
        #expect(!missing.isEmpty && missing.count < 24)
        for record in missing {
            #expect(
                done.report.lost.contains { $0.from <= record.arrival && record.arrival < $0.to },
                "\(record.arrival.seconds) is in none of \(done.report.lost)")
        }
        #expect(audit.manifests.values.contains { $0.backfill != nil && $0.gap != nil })
    }

    @Test func aDryRunChangesNothingAndNeedsNoDirectory() async throws {
        let (cloud, host) = try await archive(15, lost: [1, 3])
        let writes = cloud.content.withLock { $0.writes }
        let other = try FakeHost(cloud, start: .trimHorizon)
        let plan = try await other.backfill(minute(0), minute(100), sealRecords: 3, isDryRun: true)
        #expect(plan.report.status == 0 && plan.report.ranges.count == 2)
        #expect(cloud.content.withLock { $0.writes } == writes)
        #expect(!FileManager.default.fileExists(atPath: "\(other.folder)/state"))
        _ = host
    }

    @Test func readingTimeIsThatOfTheBusiestShardOrOfAllInTurn() {
        var report = BackfillReport(
            job: "j", stream: "s", destination: "d", started: minute(0), from: minute(0), to: minute(1), isDryRun: true)
        func range(_ shard: String, _ bytes: Int?) -> BackfillRange {
            BackfillRange(
                shard: shard, from: minute(0), to: minute(1), records: bytes, recordBytes: bytes, isCheck: false)
        }
        report.ranges = [range("a", 4_000_000), range("a", 4_000_000), range("b", 2_000_000), range("c", 2_000_000)]
        #expect(report.readingSeconds(parallelShards: 4) == 4)
        #expect(report.readingSeconds(parallelShards: 1) == 6)
        report.ranges.append(range("d", nil))
        #expect(report.readingSeconds(parallelShards: 1) == nil)
    }

    /// Three ways to suffer at the `n`-th call: the process ends before it or after it, or only the answer is lost.
    @Test(arguments: [0, 1, 2])
    func nothingThatHappensAtAnyCallLosesOrDoublesARecord(way: Int) async throws {
        var call = 0
        var isThere = true
        while isThere {
            call += 1
            let (cloud, first) = try await archive(12, lost: [1, 2])
            let second = try FakeHost(cloud, start: .trimHorizon)
            var fate = Fate(lastCall: call, isLastCallEffective: way == 1)
            if way == 2 { fate = Fate(lostCall: call) }
            let suffered = try await first.backfill(minute(0), minute(100), sealRecords: 3, fate: fate)
            isThere = suffered.calls >= call
            try #require(suffered.report.status == 0 || way < 2 && isThere, "call \(call)")
            // Batches are cut otherwise on the other host; then the first one comes back.
            let other = try await second.backfill(minute(0), minute(100), sealRecords: 2)
            let own = try await first.backfill(minute(0), minute(100), sealRecords: 3)
            #expect(other.report.status == 0 && own.report.status == 0, "call \(call)")
            let audit = try FakeAudit(cloud)
            #expect(audit.problems == [] && audit.strays == [] && audit.openClaims == 0, "call \(call)")
            #expect(audit.covered.count == 12 && audit.covered.values.allSatisfy { $0 == 1 }, "call \(call)")
        }
        // The plan alone takes a dozen calls; each batch at least four.
        #expect(call > 20)
    }
}
