// The account of a backfill for people: what is missing, what was stored, what is lost and what is left. Pure.

import CivilTime
import Diagnostics
import Jobs

enum BackfillSummaryText {
    /// More ranges than this are counted instead of listed; `--json` has them all.
    static let rangesShownMax = 40

    static func text(_ report: BackfillReport, parallelShards: Int) -> String {
        var lines = [
            "\(report.job): \(report.stream) -> \(report.destination)",
            "range: \(RFC3339.text(report.from)) to \(RFC3339.text(report.to)), "
                + "\(grouped(report.manifests)) manifests read",
        ]
        if let now = report.stoppedAt {
            lines.append("the range reaches into the future: filled up to \(RFC3339.text(now))")
        }
        if report.isDryRun {
            lines += plan(report, parallelShards: parallelShards)
        } else {
            lines += report.shards.filter { $0.figures.records > 0 }.map { done($0.figures) }
            let totals = FigureSummary(total: report.shards.map(\.figures))
            if !totals.rowsByStatus.isEmpty { lines.append("rows: " + RunSummaryText.statusText(totals.rowsByStatus)) }
        }
        for window in report.lost {
            lines.append(
                "missing: \(window.shard): what arrived from \(RFC3339.text(window.from)) to "
                    + "\(RFC3339.text(window.to)) is in no manifest and no longer on the stream")
        }
        for shard in report.shards {
            if let since = shard.waitingSince {
                lines.append(
                    "left to the job: \(shard.figures.shard): records from \(RFC3339.text(since)) on follow its last "
                        + "manifest; run `sluice archive`")
            }
            guard let problem = shard.figures.problem else { continue }
            lines.append("left: \(shard.figures.shard): \(problem.summary) (exit \(shard.figures.exitCode.rawValue))")
            if let hint = problem.hint { lines.append("  hint: \(escapeControlCharacters(hint))") }
        }
        lines.append(ending(report))
        return lines.joined(separator: "\n")
    }

    private static func plan(_ report: BackfillReport, parallelShards: Int) -> [String] {
        var lines = report.ranges.prefix(rangesShownMax).map { range in
            let size =
                range.isCheck
                ? "probably nothing"
                : range.records.map { "about \(grouped($0)) records, \(bytesText(range.recordBytes ?? 0))" }
                    ?? "size unknown"
            let after = range.after.map { "after \($0)" } ?? "from its beginning"
            let before = range.before.map { "to before \($0)" } ?? "to the end of the range"
            return "\(range.shard): \(after) \(before), arrived \(RFC3339.text(range.from)) to "
                + "\(RFC3339.text(range.to)): \(size)"
        }
        if report.ranges.count > rangesShownMax {
            lines.append("and \(report.ranges.count - rangesShownMax) more ranges")
        }
        if report.ranges.isEmpty { return ["nothing is missing that can be read"] }
        let wanted = report.ranges.filter { !$0.isCheck }
        let records = wanted.compactMap(\.records).reduce(0, +)
        let bytes = wanted.compactMap(\.recordBytes).reduce(0, +)
        let time = report.readingSeconds(parallelShards: parallelShards).map { durationText(.seconds($0)) }
        lines.append(
            "total: \(report.ranges.count) ranges, about \(grouped(records)) records, \(bytesText(bytes))"
                + (time.map { ", \($0) at 2 MB/s a shard" } ?? " where it is known"))
        return lines
    }

    private static func done(_ shard: ShardReport) -> String {
        "\(shard.shard): \(grouped(shard.records)) records, \(bytesText(shard.recordBytes)), \(grouped(shard.rows)) rows, "
            + "\(grouped(shard.objects)) objects, \(bytesText(shard.objectBytes))"
    }

    private static func ending(_ report: BackfillReport) -> String {
        let elapsed = report.elapsed.seconds
        let took = elapsed < 10 ? "\(fixed(elapsed, decimals: 1))s" : durationText(report.elapsed)
        if let signal = report.signal {
            return "stopped by signal \(signal) after \(took); everything committed is kept, run again for the rest"
        }
        switch report.exitCode {
        case .done where report.isDryRun: return "planned in \(took); nothing was changed"
        case .done where report.shards.allSatisfy { $0.figures.records == 0 }:
            return "nothing was missing; looked in \(took)"
        case .done: return "filled in \(took)"
        case .sourceGap where report.shards.allSatisfy { $0.figures.problem == nil }:
            return "\(report.isDryRun ? "planned" : "the rest is archived") after \(took) (exit 69)"
        default: return "not finished after \(took) (exit \(report.exitCode.rawValue))"
        }
    }
}
