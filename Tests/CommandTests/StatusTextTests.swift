// What `status` prints. The JSON keys are a contract: a key that is missing or renamed fails here.

import Batching
import CivilTime
import Diagnostics
import Foundation
import Testing

@testable import Jobs
@testable import sluice

private let now = Timestamp(seconds: 1_700_000_000)

private func shard(_ id: String, _ condition: StatusReport.Condition, _ level: LagLevel) -> StatusReport.Shard {
    StatusReport.Shard(id: id, condition: condition, position: .trimHorizon, level: level)
}

private func statusReport() throws -> StatusReport {
    var ledger = RunLedger(job: "drupal")
    ledger.begin(at: now.adding(.seconds(-250)))
    ledger.end(at: now.adding(.seconds(-243)), exitCode: 75, problem: "put object: 503\n")
    var late = shard("shardId-000000000000", .reading, .warning)
    late.position = .after(try #require(SequenceNumber("495")))
    late.lastArrival = now.adding(.seconds(-50_000) + .milliseconds(250))
    late.horizon = now.adding(.seconds(-50_000))
    late.waitingSince = now.adding(.seconds(-50_000))
    late.backlog = Backlog(since: now.adding(.seconds(-50_000)), now: now, rate: IngestRate(bytes: 1_000, seconds: 1))
    late.retentionUsed = 50_000.0 / 86_400
    late.catchUpSeconds = 25
    var totals = ShardTally()
    totals.records = 1_234
    totals.rows = 1_240
    totals.statusCounts = ["ok": 1_238, "unparsed": 2, "partial": 0]
    totals.objects = 3
    totals.objectBytes = 31_000
    return StatusReport(
        job: "drupal", stream: "logs", destination: "s3://b/p/", now: now, offline: nil, retention: .seconds(86_400),
        hasRun: true, ledger: ledger, runningProcess: nil,
        shards: [late, shard("shardId-000000000001", .waiting, .ok), shard("shardId-000000000002", .ended, .ok)],
        openBatches: [
            StatusReport.OpenBatch(
                shard: "shardId-000000000000", first: try #require(SequenceNumber("496")),
                last: try #require(SequenceNumber("499")), records: 4, objects: 1)
        ], totals: totals, level: .warning, catchUpSeconds: 25, exitCode: .temporary)
}

@Suite struct StatusTextTests {
    @Test func verdictComesFirstAndShardsLineUp() throws {
        #expect(
            StatusText.text(try statusReport()) == """
                drupal: logs -> s3://b/p/
                BEHIND: the oldest waiting record has used up 58 % of the stream's 1d00h; catching up takes about 25s
                last run: began 2023-11-14T22:09:10Z, took 7s, exit 75: put object: 503\\u{a}
                shard                 level              last archived            lag   waiting  retention  catch-up  checkpoint
                shardId-000000000000  warning            2023-11-14T08:20:00Z  13h53m  ~50.0 MB       58 %       25s  after:495
                shardId-000000000001  ok, after parents  -                          -         -          -         -  trim_horizon
                1 shard has ended and is archived
                open: shardId-000000000000: 4 records in 1 objects from 496 on; the next run finishes them
                archived so far: 1,234 records, 1,240 rows (ok 1,238, unparsed 2), 3 objects, 31.0 kB
                """)
    }

    @Test func eachStateOfAffairsHasItsFirstWord() throws {
        func first(_ change: (inout StatusReport) -> Void) throws -> String {
            var report = try statusReport()
            change(&report)
            return StatusText.text(report).split(separator: "\n")[1].split(separator: ":")[0].description
        }
        #expect(try first { $0.level = .gap } == "GAP")
        #expect(try first { $0.level = .critical } == "CRITICAL")
        #expect(
            try first {
                $0.level = .ok; $0.exitCode = .done
            } == "well")
        #expect(
            try first {
                $0.level = .ok; $0.hasRun = false
            } == "NEVER RUN")
        #expect(
            try first {
                $0.level = .ok; $0.exitCode = .sourceGap
            } == "GAP")
        #expect(try first { $0.level = .ok } == "NOT KNOWN")
    }

    @Test func runThatWasKilledAndRunThatIsUnderWayAreToldApart() throws {
        var report = try statusReport()
        report.ledger?.begin(at: now)
        #expect(StatusText.text(report).contains("began 2023-11-14T22:13:20Z, did not end: it was killed"))
        report.runningProcess = 42
        let text = StatusText.text(report)
        #expect(text.contains("process 42 is running the job now") && !text.contains("killed"))
        report.offline = Diagnostic(operation: "o", subject: "s", cause: "c", hint: "h")
        #expect(
            StatusText.text(report).contains("AWS was not asked, this is what the local state knows: o s: c\n  hint: h")
        )
    }

    @Test func shardsOfALargeStreamThatAreWellAreCounted() throws {
        var report = try statusReport()
        report.shards += (10..<60).map { shard("shardId-\($0)", .reading, .ok) }
        let text = StatusText.text(report)
        #expect(text.contains("51 more shards are well") && !text.contains("shardId-17"))
    }

    @Test func jsonKeysAreStable() throws {
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(JSONText.line(StatusSummary(try statusReport())).utf8))
                as? [String: Any])
        #expect(
            Set(object.keys) == [
                "catch_up_seconds", "destination", "exit_code", "has_run", "job", "last_run", "level", "now", "online",
                "open_intents", "retention_seconds", "shards", "stream", "totals",
            ])
        #expect(object["level"] as? String == "warning" && object["exit_code"] as? Int == 75)
        let shards = try #require(object["shards"] as? [[String: Any]])
        #expect(
            Set(shards[0].keys) == [
                "catch_up_seconds", "checkpoint", "condition", "horizon", "lag_bytes", "lag_seconds", "last_arrival",
                "level", "retention_used", "shard", "waiting_since",
            ])
        #expect(shards[0]["lag_seconds"] as? Int == 50_000 && shards[0]["lag_bytes"] as? Int == 50_000_000)
        #expect(Set(shards[1].keys) == ["checkpoint", "condition", "level", "shard"])
        #expect(
            (object["last_run"] as? [String: Any])?.keys.sorted() == ["ended", "exit_code", "problem", "started"])
        var endless = try statusReport()
        (endless.catchUpSeconds, endless.shards[0].catchUpSeconds) = (.infinity, nil)
        #expect(!JSONText.line(StatusSummary(endless)).contains("catch_up_seconds"), "JSON has no infinity")
    }
}
