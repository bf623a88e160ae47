// What `verify` prints. The JSON keys are a contract: a key that is missing or renamed fails here.

import Batching
import CivilTime
import Diagnostics
import Foundation
import Testing

@testable import Jobs
@testable import sluice

private let now = Timestamp(seconds: 1_700_000_000)

@Suite struct VerifyTextTests {
    private func report() -> VerifyReport {
        var report = VerifyReport(job: "drupal", stream: "logs", destination: "s3://b/p/", window: nil, started: now)
        report.shards = 2
        report.manifests = 12
        report.records = 1_200
        report.objects = 24
        report.isComplete = true
        return report
    }

    @Test func damageIsListedWithWhatToDo() {
        var report = report()
        report.add(
            Finding(
                .manifestMissing, shard: "s", key: "k\n", detail: "d", hint: "h",
                backfill: Window(from: now, to: now.adding(.seconds(60)))))
        report.add(VerifyNote(.notedGap, shard: "s", detail: "expired"))
        report.add(problem: Diagnostic(operation: "head object", subject: "x", cause: "503"), .temporary)
        #expect(
            VerifyText.text(VerifySummary(report, jobPath: "my jobs/a.yaml")) == """
                drupal: logs -> s3://b/p/
                manifest-missing: s k\\u{a}: d
                  hint: h
                  sluice backfill 'my jobs/a.yaml' --from 2023-11-14T22:13:20Z --to 2023-11-14T22:14:20Z
                note: noted-gap: s: expired
                not told: head object x: 503
                looked at 12 manifests of 2 shards, 1,200 records in 24 objects
                DAMAGED: 1 manifest-missing; not everything could be looked at (exit 65)
                """)
    }

    @Test func wholeArchiveIsCalledWhole() {
        var report = report()
        report.objectsRead = 3
        report.bytesRead = 2_000
        report.rowsRead = 1_000
        let text = VerifyText.text(VerifySummary(report, jobPath: "j"))
        #expect(text.hasSuffix("read 3 of them (2.0 kB, 1,000 rows)\nwhole"))
        report.isComplete = false
        #expect(
            VerifyText.text(VerifySummary(report, jobPath: "j")).contains("NOT TOLD: no damage found; not everything"))
        report.signal = 15
        #expect(VerifyText.text(VerifySummary(report, jobPath: "j")).hasSuffix("stopped by signal 15"))
    }

    @Test func jsonKeysAreStable() throws {
        var report = report()
        report.add(Finding(.gap, shard: "s", key: "k", detail: "d", hint: "h", backfill: Window(from: now, to: now)))
        report.add(VerifyNote(.notedGap, shard: "s", detail: "d", gap: GapRecord(after: nil, from: now, to: nil)))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(JSONText.line(VerifySummary(report, jobPath: "j")).utf8))
                as? [String: Any])
        #expect(
            Set(object.keys) == [
                "bytes_read", "complete", "counts", "destination", "elapsed_seconds", "exit_code", "findings", "job",
                "manifests", "notes", "objects", "objects_foreign", "objects_open", "objects_read", "problems",
                "records", "rows_read", "shards", "stream",
            ])
        let findings = try #require(object["findings"] as? [[String: String]])
        #expect(Set(findings[0].keys) == ["backfill", "detail", "hint", "key", "kind", "shard"])
        #expect(object["counts"] as? [String: Int] == ["gap": 1])
    }

    @Test func whatIsComparedWithRedshiftIsShownAndKept() throws {
        var report = report()
        report.warehouse = WarehouseReport(target: "cluster c/dev", table: "\"public\".\"t\"", ledger: "l")
        report.warehouse?.ledgerBatches = 1_100
        report.warehouse?.batchesCompared = 1_200
        report.warehouse?.rowsCompared = 9_000
        report.add(
            Finding(.tableRowsMissing, shard: "s", key: "k", detail: "d", hint: "h", expected: 3, found: 2))
        let summary = VerifySummary(report, jobPath: "j")
        #expect(
            VerifyText.text(summary).contains(
                "\ncompared \"public\".\"t\" of cluster c/dev: 9,000 rows of 1,200 batches, 1,100 batches in the ledger\n"
            ))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(JSONText.line(summary).utf8)) as? [String: Any])
        let redshift = try #require(object["redshift"] as? [String: Any])
        #expect(
            Set(redshift.keys) == [
                "batches_compared", "batches_not_compared", "batches_not_loaded", "ledger_batches", "ledger_table",
                "rows_compared", "rows_not_loaded", "table", "target",
            ])
        let findings = try #require(object["findings"] as? [[String: Any]])
        #expect(findings[0]["expected"] as? Int == 3 && findings[0]["found"] as? Int == 2)
    }

    @Test(arguments: [
        ("jobs/a.yaml", "jobs/a.yaml"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''"), ("$x", "'$x'"),
    ])
    func commandLineIsReadBackByAShell(word: String, quoted: String) { #expect(shellQuoted(word) == quoted) }
}
