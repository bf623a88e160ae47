// What a backfill prints at its end. The JSON keys are a contract: a key that is missing or renamed fails here.

import CivilTime
import Diagnostics
import Foundation
import Jobs
import Testing

@testable import sluice

@Suite struct BackfillSummaryTests {
    private let start = Timestamp(seconds: 1_700_000_000)

    private func report(isDryRun: Bool) -> BackfillReport {
        var report = BackfillReport(
            job: "drupal", stream: "logs", destination: "s3://acme/drupal/", started: start, from: start,
            to: start.adding(.seconds(7_200)), isDryRun: isDryRun)
        report.elapsed = .milliseconds(12_345)
        report.stoppedAt = start.adding(.seconds(7_000))
        report.manifests = 1_204
        report.ranges = [
            BackfillRange(
                shard: "shardId-000000000000", after: "4957", before: "4961", from: start,
                to: start.adding(.seconds(60)), records: 1_200, recordBytes: 12_000_000),
            BackfillRange(shard: "shardId-000000000001", after: "4970", from: start, to: start, isCheck: true),
        ]
        var first = BackfillShardReport(shard: "shardId-000000000000")
        first.lost = [LostWindow(shard: "shardId-000000000000", from: start, to: start.adding(.milliseconds(1_500)))]
        var second = BackfillShardReport(shard: "shardId-000000000001")
        if !isDryRun {
            first.figures.records = 1_000
            first.figures.rows = 1_001
            first.figures.rowsByStatus = ["ok": 1_001]
            first.figures.objects = 2
            first.figures.recordBytes = 11_000_000
            first.figures.objectBytes = 2_000_000
            second.waitingSince = start.adding(.seconds(3_600))
            second.figures.exitCode = .destinationConflict
            second.figures.problem = Diagnostic(operation: "put object", subject: "k", cause: "another\n", hint: "look")
        }
        report.shards = [first, second]
        report.exitCode = isDryRun ? .sourceGap : .destinationConflict
        return report
    }

    @Test func aDryRunListsRangesAndWhatTheyCost() {
        #expect(
            BackfillSummaryText.text(report(isDryRun: true), parallelShards: 4) == """
                drupal: logs -> s3://acme/drupal/
                range: 2023-11-14T22:13:20Z to 2023-11-15T00:13:20Z, 1,204 manifests read
                the range reaches into the future: filled up to 2023-11-15T00:10:00Z
                shardId-000000000000: after 4957 to before 4961, arrived 2023-11-14T22:13:20Z to 2023-11-14T22:14:20Z: \
                about 1,200 records, 12.0 MB
                shardId-000000000001: after 4970 to the end of the range, arrived 2023-11-14T22:13:20Z to \
                2023-11-14T22:13:20Z: probably nothing
                total: 2 ranges, about 1,200 records, 12.0 MB, 6s at 2 MB/s a shard
                missing: shardId-000000000000: what arrived from 2023-11-14T22:13:20Z to 2023-11-14T22:13:21.500Z is in \
                no manifest and no longer on the stream
                planned after 12s (exit 69)
                """)
    }

    @Test func aRunTellsWhatWasStoredLostAndLeft() {
        #expect(
            BackfillSummaryText.text(report(isDryRun: false), parallelShards: 4) == """
                drupal: logs -> s3://acme/drupal/
                range: 2023-11-14T22:13:20Z to 2023-11-15T00:13:20Z, 1,204 manifests read
                the range reaches into the future: filled up to 2023-11-15T00:10:00Z
                shardId-000000000000: 1,000 records, 11.0 MB, 1,001 rows, 2 objects, 2.0 MB
                rows: ok 1,001
                missing: shardId-000000000000: what arrived from 2023-11-14T22:13:20Z to 2023-11-14T22:13:21.500Z is in \
                no manifest and no longer on the stream
                left to the job: shardId-000000000001: records from 2023-11-14T23:13:20Z on follow its last manifest; \
                run `sluice archive`
                left: shardId-000000000001: put object k: another\\u{a} (exit 73)
                  hint: look
                not finished after 12s (exit 73)
                """)
    }

    @Test(arguments: [
        (Int32?.none, Diagnostics.ExitCode.done, false, 5, "filled in 12s"),
        (nil, .done, false, 0, "nothing was missing; looked in 12s"),
        (nil, .done, true, 0, "planned in 12s; nothing was changed"),
        (nil, .sourceGap, false, 5, "the rest is archived after 12s (exit 69)"),
        (nil, .temporary, false, 5, "not finished after 12s (exit 75)"),
        (
            15, .temporary, false, 5,
            "stopped by signal 15 after 12s; everything committed is kept, run again for the rest"
        ),
    ])
    func theLastLineSaysHowItEnded(
        signal: Int32?, code: Diagnostics.ExitCode, isDryRun: Bool, records: Int, ending: String
    ) {
        var report = BackfillReport(
            job: "j", stream: "s", destination: "d", started: start, from: start, to: start, isDryRun: isDryRun)
        report.elapsed = .seconds(12)
        report.signal = signal
        report.exitCode = code
        report.shards = [BackfillShardReport(shard: "a")]
        report.shards[0].figures.records = records
        #expect(BackfillSummaryText.text(report, parallelShards: 1).hasSuffix("\n\(ending)"))
    }

    @Test func manyRangesAreCounted() {
        var report = report(isDryRun: true)
        report.ranges = Array(repeating: report.ranges[0], count: BackfillSummaryText.rangesShownMax + 2)
        #expect(BackfillSummaryText.text(report, parallelShards: 1).contains("\nand 2 more ranges\n"))
    }

    @Test func jsonHasExactlyTheseKeys() throws {
        func object(_ report: BackfillReport) throws -> [String: Any] {
            let line = JSONText.line(BackfillSummary(report, parallelShards: 4))
            return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        let run = try object(report(isDryRun: false))
        #expect(
            Set(run.keys) == [
                "job", "stream", "destination", "from", "to", "stopped_at", "dry_run", "started", "elapsed_seconds",
                "exit_code", "more_waiting", "manifests", "ranges", "reading_seconds", "lost", "totals", "shards",
            ])
        let shards = try #require(run["shards"] as? [[String: Any]])
        #expect(Set(shards[0].keys) == ["shard", "figures", "exit_code"])
        #expect(Set(shards[1].keys) == ["shard", "figures", "exit_code", "waiting_since", "problem"])
        let ranges = try #require(run["ranges"] as? [[String: Any]])
        #expect(
            Set(ranges[0].keys) == [
                "shard", "after", "before", "from", "to", "estimated_records", "estimated_bytes", "check_only",
            ])
        let lost = try #require(run["lost"] as? [[String: String]])
        #expect(
            lost == [
                [
                    "shard": "shardId-000000000000", "from": "2023-11-14T22:13:20Z", "to": "2023-11-14T22:13:21.500Z",
                ]
            ])
        #expect(run["more_waiting"] as? Bool == true && run["exit_code"] as? Int == 73)
    }
}
