// Levels, exit status and estimates of `sluice status`, from values alone.

import Batching
import CivilTime
import Diagnostics
import State
import Testing

@testable import Jobs

private let now = Timestamp(seconds: 1_700_000_000)
private let retention = Duration.seconds(86_400)
private func ago(_ seconds: Int64) -> Timestamp { now.adding(.seconds(-seconds)) }

private func state(_ id: String, horizon: Timestamp?, position: ShardPosition? = nil, parents: [String] = [])
    -> ShardState
{
    ShardState(id: id, parents: parents, position: position ?? .trimHorizon, horizon: horizon)
}

private func snapshot(_ shards: [ShardState], hasRun: Bool = true, rate: IngestRate = IngestRate()) -> StateSnapshot {
    var tally = ShardTally()
    tally.records = 7
    tally.rate = rate
    tally.lastArrival = ago(10)
    return StateSnapshot(
        identity: StateIdentity(
            job: "j", stream: "s", streamARN: "arn", streamCreation: ago(1_000_000), bucket: "b", controlPrefix: "c/"),
        owner: OwnerRecord(stateID: "x", start: hasRun ? .trimHorizon : nil), shards: shards, intents: [],
        tallies: Dictionary(uniqueKeysWithValues: shards.map { ($0.id, tally) }))
}

private func sight(_ shards: [ShardState], _ sights: [String: ShardSight]) -> StreamSight {
    StreamSight(
        shards: sights,
        lineage: ShardLineage(
            listed: shards.map { ListedShard(id: $0.id, parents: $0.parents, isOpen: true) }, stored: shards,
            start: .trimHorizon, now: now, retention: retention),
        retention: retention)
}

@Suite struct StatusJudgeTests {
    private let judge = StatusJudge(job: "j", stream: "s", destination: "d", readRate: nil, parallelShards: 2)

    private func report(
        _ shards: [ShardState], _ sights: [String: ShardSight], ledger: RunLedger? = nil,
        rate: IngestRate = IngestRate()
    ) -> StatusReport {
        judge.report(
            now: now, snapshot: snapshot(shards, rate: rate), ledger: ledger, sight: sight(shards, sights),
            offline: nil,
            runningProcess: nil)
    }

    @Test(arguments: [
        (Int64(0), LagLevel.ok, ExitCode.done), (43_199, .ok, .done), (43_200, .warning, .temporary),
        (69_119, .warning, .temporary), (69_120, .critical, .temporary), (90_000, .critical, .temporary),
    ])
    func levelFollowsTheShareOfTheRetention(waiting: Int64, level: LagLevel, code: ExitCode) {
        let shard = state("a", horizon: ago(waiting))
        let report = report([shard], ["a": .waiting(since: ago(waiting))])
        #expect(report.level == level && report.exitCode == code)
        #expect(report.shards[0].backlog?.seconds == Double(waiting))
        #expect(report.shards[0].retentionUsed == Double(waiting) / 86_400)
    }

    @Test func nothingThatWaitsIsNoLagHoweverOldTheHorizonIs() {
        let report = report([state("a", horizon: ago(80_000))], ["a": .caughtUp])
        #expect(report.level == .ok && report.exitCode == .done && report.shards[0].backlog?.seconds == 0)
        #expect(report.shards[0].waitingSince == nil && report.catchUpSeconds == 0)
    }

    @Test func gapIsWorseThanAnything() {
        let gap = GapRecord(after: nil, from: ago(100_000), to: ago(10))
        let shards = [state("a", horizon: ago(100_000)), state("b", horizon: ago(70_000))]
        let report = report(shards, ["a": .gap(gap), "b": .waiting(since: ago(70_000))])
        #expect(report.level == .gap && report.exitCode == .sourceGap && report.shards[0].gap == gap)
        var ledger = RunLedger(job: "j")
        ledger.begin(at: ago(5))
        ledger.end(at: ago(4), exitCode: 69, problem: nil)
        let after = self.report([state("a", horizon: now)], ["a": .caughtUp], ledger: ledger)
        #expect(after.level == .ok && after.exitCode == .sourceGap, "the last run found one")
    }

    @Test func shardThatLeftTheStreamUnreadIsAGap() {
        let lost = state("a", horizon: ago(100_000))
        let lineage = ShardLineage(
            listed: [], stored: [lost], start: .trimHorizon, now: now, retention: retention)
        let report = judge.report(
            now: now, snapshot: snapshot([lost]), ledger: nil,
            sight: StreamSight(shards: [:], lineage: lineage, retention: retention), offline: nil, runningProcess: nil)
        #expect(report.shards.map(\.condition) == [.vanished] && report.exitCode == .sourceGap)
    }

    @Test func withoutTheStreamTheHorizonIsTheMostThatMayWait() {
        var ledger = RunLedger(job: "j")
        ledger.retentionSeconds = 86_400
        let offline = (Diagnostic(operation: "o", subject: "s", cause: "c"), ExitCode.temporary)
        let shards = [
            state("a", horizon: ago(50_000)), state("b", horizon: nil, parents: ["a"]),
            state("c", horizon: nil, position: .ended),
        ]
        let report = judge.report(
            now: now, snapshot: snapshot(shards), ledger: ledger, sight: nil, offline: offline, runningProcess: 7)
        #expect(report.shards.map(\.condition) == [.reading, .waiting, .ended])
        #expect(report.shards[0].level == .warning && report.shards[1].backlog == nil)
        #expect(report.exitCode == .temporary && report.offline != nil && report.runningProcess == 7)
        let denied = judge.report(
            now: now, snapshot: snapshot([]), ledger: ledger, sight: nil, offline: (offline.0, .permission),
            runningProcess: nil)
        #expect(denied.exitCode == .permission)
    }

    @Test func jobThatNeverRanIsNotWell() {
        for snapshot in [nil, snapshot([], hasRun: false)] {
            let report = judge.report(
                now: now, snapshot: snapshot, ledger: nil, sight: nil, offline: nil, runningProcess: nil)
            #expect(!report.hasRun && report.exitCode == .temporary)
        }
    }

    @Test func shardThatCannotBeAskedIsNotCalledWell() {
        let problem = Diagnostic(operation: "o", subject: "s", cause: "c")
        let report = report([state("a", horizon: ago(50))], ["a": .unknown(problem, .permission)])
        #expect(report.exitCode == .permission && report.shards[0].problem == problem)
        #expect(report.shards[0].waitingSince == ago(50))
    }

    @Test func catchingUpTakesTheRecordsThatComeMeanwhile() {
        // 1 MB/s arrive, 2 MB/s may be read: an hour of backlog takes an hour.
        let rate = IngestRate(bytes: 1e9, seconds: 1_000)
        let report = report(
            [state("a", horizon: ago(3_600)), state("b", horizon: now)],
            ["a": .waiting(since: ago(3_600)), "b": .caughtUp], rate: rate)
        #expect(report.shards[0].backlog?.bytes == 3.6e9)
        #expect(report.shards[0].catchUpSeconds == 3_600 && report.catchUpSeconds == 3_600)
        let never = Backlog(since: ago(10), now: now, rate: IngestRate(bytes: 3e6, seconds: 1))
        #expect(never.catchUpSeconds(readRate: 2e6) == .infinity)
        #expect(Backlog(since: ago(10), now: now, rate: nil).catchUpSeconds(readRate: 2e6) == nil)
        #expect(Backlog(since: now.adding(.seconds(9)), now: now, rate: nil).seconds == 0, "clocks may differ")
        #expect(Backlog.catchUpSeconds([10, 20, 30], parallel: 2) == 30)
        #expect(Backlog.catchUpSeconds([30, 30, 30], parallel: 2) == 45)
        #expect(Backlog.catchUpSeconds([1, nil], parallel: 2) == nil)
    }
}

@Suite struct ArchiveMetricsTests {
    private func text(_ snapshot: StateSnapshot?, retention: Int? = 86_400) -> String {
        var ledger = RunLedger(job: "j")
        ledger.retentionSeconds = retention
        return Exposition.text(
            ArchiveMetrics(job: "j", stream: "s", snapshot: snapshot, ledger: ledger, now: now).families())
    }

    @Test func everyReadShardHasItsSeriesAndLagIsTheAgeOfTheHorizon() {
        let shards = [
            state("a", horizon: ago(43_200)), state("b", horizon: nil), state("c", horizon: ago(9), position: .ended),
        ]
        let text = text(snapshot(shards, rate: IngestRate(bytes: 100, seconds: 10)))
        func has(_ line: String) -> Bool { text.contains("\n\(line)\n") }
        #expect(has("sluice_archive_records_total{job=\"j\",stream=\"s\",shard=\"a\"} 7"))
        #expect(has("sluice_archive_records_total{job=\"j\",stream=\"s\",shard=\"c\"} 7"))
        #expect(has("sluice_archive_rows_total{job=\"j\",stream=\"s\",shard=\"b\",status=\"unparsed\"} 0"))
        #expect(has("sluice_archive_lag_seconds{job=\"j\",stream=\"s\",shard=\"a\"} 43200"))
        #expect(has("sluice_archive_lag_bytes{job=\"j\",stream=\"s\",shard=\"a\"} 432000"))
        #expect(has("sluice_archive_retention_used_ratio{job=\"j\",stream=\"s\",shard=\"a\"} 0.5"))
        #expect(has("sluice_archive_retention_seconds{job=\"j\",stream=\"s\",shard=\"b\"} 86400"))
        #expect(has("sluice_archive_horizon_timestamp_seconds{job=\"j\",stream=\"s\",shard=\"a\"} 1699956800"))
        #expect(has("sluice_archive_open_intents{job=\"j\",stream=\"s\"} 0"))
        // A shard that was never read has no lag, and one that has ended has none any more.
        #expect(!text.contains("lag_seconds{job=\"j\",stream=\"s\",shard=\"b\"}"))
        #expect(!text.contains("lag_seconds{job=\"j\",stream=\"s\",shard=\"c\"}"))
    }

    @Test func stateThatCannotBeReadLeavesSeriesOutAndSetsNoneToZero() {
        #expect(!text(nil).contains("records_total"))
        #expect(!text(snapshot([state("a", horizon: now)]), retention: nil).contains("retention_used"))
    }

    @Test func endedShardsOfManyReshardsAreLeftOutOldestFirst() {
        let shards = (0..<ArchiveMetrics.endedShardsMax + 5).map {
            state("shard-\(String($0 + 100_000))", horizon: nil, position: .ended)
        }
        let text = text(snapshot(shards))
        #expect(!text.contains("shard-100004\"") && text.contains("shard-100005\""))
    }
}
