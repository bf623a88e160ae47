// What a run prints at its end. The JSON keys are a contract: a key that is missing or renamed fails here.

import CivilTime
import Diagnostics
import Foundation
import Jobs
import Testing

@testable import sluice

@Suite struct SummaryTests {
    private func report() -> RunReport {
        var report = RunReport(
            job: "drupal", stream: "logs", destination: "s3://acme/drupal/", started: Timestamp(seconds: 1_700_000_000))
        report.elapsed = .milliseconds(12_345)
        var first = ShardReport(shard: "shardId-000000000000")
        first.records = 1_200
        first.rows = 1_250
        first.rowsByStatus = ["ok": 1_240, "unparsed": 10, "partial": 0]
        first.objects = 3
        first.batches = 1
        first.recordBytes = 245_000
        first.objectBytes = 31_000
        first.retries = 2
        first.lag = .zero
        first.ended = true
        var second = ShardReport(shard: "shardId-000000000001")
        second.records = 5
        second.rows = 5
        second.rowsByStatus = ["ok": 5]
        second.lag = .seconds(250)
        second.exitCode = .sourceGap
        second.problem = Diagnostic(
            operation: "read shard", subject: "shardId-000000000001", cause: "records expired unread\n",
            hint: "set on_gap: continue")
        report.shards = [first, second]
        report.exitCode = .sourceGap
        report.moreWaiting = true
        return report
    }

    @Test func textShowsShardsTotalsAndWhatIsLeft() {
        #expect(
            RunSummaryText.text(report()) == """
                drupal: logs -> s3://acme/drupal/
                shard                 records      read   rows  objects   stored    lag  retries
                shardId-000000000000    1,200  245.0 kB  1,250        3  31.0 kB     0s        2  ended
                shardId-000000000001        5       0 B      5        0      0 B  4m10s        0  stopped
                total                   1,205  245.0 kB  1,255        3  31.0 kB  4m10s        2
                rows: ok 1,245, unparsed 10
                not finished after 12s (exit 69)
                left: shardId-000000000001: read shard shardId-000000000001: records expired unread\\u{a} (exit 69)
                  hint: set on_gap: continue
                """)
    }

    @Test(arguments: [
        (Int32?.none, Diagnostics.ExitCode.done, false, "caught up in 12s"),
        (nil, .temporary, true, "stopped after 12s with more records waiting; run again (exit 75)"),
        (nil, .temporary, false, "not finished after 12s (exit 75)"),
        (15, .done, false, "stopped by signal 15 after 12s; everything committed is kept, run again for the rest"),
    ])
    func lastLineSaysHowTheRunEnded(signal: Int32?, code: Diagnostics.ExitCode, more: Bool, says: String) {
        var report = report()
        report.shards = []
        report.signal = signal
        report.exitCode = code
        report.moreWaiting = more
        #expect(RunSummaryText.text(report) == "drupal: logs -> s3://acme/drupal/\n\(says)")
        #expect(report.status == signal.map { 128 + $0 } ?? code.rawValue)
    }

    @Test func idleShardsOfALargeStreamAreCounted() {
        var report = report()
        report.shards += (2..<18).map { ShardReport(shard: "shardId-\($0)") }
        let text = RunSummaryText.text(report)
        #expect(text.contains("16 more shards had nothing new"))
        #expect(!text.contains("shardId-7"))
    }

    @Test func jsonKeysAreStable() throws {
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(JSONText.line(RunSummary(report())).utf8)) as? [String: Any])
        #expect(
            Set(object.keys) == [
                "destination", "elapsed_seconds", "exit_code", "job", "more_waiting", "shards", "started", "stream",
                "totals",
            ])
        #expect(object["started"] as? String == "2023-11-14T22:13:20.000Z")
        #expect(object["elapsed_seconds"] as? Double == 12.345)
        #expect(object["exit_code"] as? Int == 69 && object["more_waiting"] as? Bool == true)
        let totals = try #require(object["totals"] as? [String: Any])
        let figureKeys: Set = [
            "batches", "lag_seconds", "object_bytes", "objects", "record_bytes", "records", "retries", "rows",
            "rows_by_status",
        ]
        #expect(Set(totals.keys) == figureKeys)
        #expect(totals["records"] as? Int == 1_205 && totals["lag_seconds"] as? Double == 250)
        #expect(totals["rows_by_status"] as? [String: Int] == ["ok": 1_245, "unparsed": 10])
        let shards = try #require(object["shards"] as? [[String: Any]])
        #expect(Set(shards[0].keys) == ["ended", "exit_code", "figures", "shard"])
        #expect(Set((shards[0]["figures"] as? [String: Any] ?? [:]).keys) == figureKeys)
        #expect(
            shards[1]["problem"] as? [String: String] == [
                "operation": "read shard", "subject": "shardId-000000000001", "cause": "records expired unread\n",
                "hint": "set on_gap: continue",
            ])
        var stopped = report()
        stopped.signal = 15
        stopped.problem = Diagnostic(operation: "o", subject: "s", cause: "c")
        let other = try #require(
            try JSONSerialization.jsonObject(with: Data(JSONText.line(RunSummary(stopped)).utf8)) as? [String: Any])
        #expect(other["exit_code"] as? Int == 143 && other["signal"] as? Int == 15)
        #expect(other["problem"] as? [String: String] == ["operation": "o", "subject": "s", "cause": "c"])
    }
}
