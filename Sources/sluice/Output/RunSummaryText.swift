// The account of a run for people: one line a shard, the totals, and what is left and why. Pure.

import Diagnostics
import Jobs

enum RunSummaryText {
    /// With more shards than this, those that had nothing to tell are counted instead of listed.
    static let shardsShownMax = 16

    static func text(_ report: RunReport) -> String {
        var lines = ["\(report.job): \(report.stream) -> \(report.destination)"]
        let shown = report.shards.filter { $0.records > 0 || $0.problem != nil }
        let listed = report.shards.count > shardsShownMax ? shown : report.shards
        if !listed.isEmpty {
            lines += table(listed, totals: FigureSummary(total: report.shards), shards: report.shards.count)
        }
        if listed.count < report.shards.count {
            lines.append("\(report.shards.count - listed.count) more shards had nothing new")
        }
        let statuses = FigureSummary(total: report.shards).rowsByStatus
        if !statuses.isEmpty { lines.append("rows: " + statusText(statuses)) }
        lines.append(ending(report))
        for shard in report.shards {
            guard let problem = shard.problem else { continue }
            lines.append("left: \(shard.shard): \(problem.summary) (exit \(shard.exitCode.rawValue))")
            if let hint = problem.hint { lines.append("  hint: \(escapeControlCharacters(hint))") }
        }
        return lines.joined(separator: "\n")
    }

    /// `ok 1,204, unparsed 3`, in the order of usefulness.
    static func statusText(_ statuses: [String: Int]) -> String {
        let order = ["ok", "ambiguous", "continuation", "partial", "unparsed"]
        let names = order.filter { statuses[$0] != nil } + statuses.keys.filter { !order.contains($0) }.sorted()
        return names.map { "\($0) \(grouped(statuses[$0] ?? 0))" }.joined(separator: ", ")
    }

    private static func table(_ shards: [ShardReport], totals: FigureSummary, shards count: Int) -> [String] {
        var rows = [["shard", "records", "read", "rows", "objects", "stored", "lag", "retries", ""]]
        for shard in shards {
            rows.append(
                cells(shard.shard, FigureSummary(shard)) + [
                    shard.problem != nil ? "stopped" : shard.ended ? "ended" : ""
                ])
        }
        if count > 1 { rows.append(cells("total", totals) + [""]) }
        return TextTable.lines(rows, leftAligned: [0, rows[0].count - 1])
    }

    private static func cells(_ name: String, _ figures: FigureSummary) -> [String] {
        [
            name, grouped(figures.records), bytesText(figures.recordBytes), grouped(figures.rows),
            grouped(figures.objects), bytesText(figures.objectBytes),
            figures.lagSeconds.map { durationText(.seconds($0)) } ?? "-", grouped(figures.retries),
        ]
    }

    private static func ending(_ report: RunReport) -> String {
        let elapsed = report.elapsed.seconds
        let took = elapsed < 10 ? "\(fixed(elapsed, decimals: 1))s" : durationText(report.elapsed)
        if let signal = report.signal {
            return "stopped by signal \(signal) after \(took); everything committed is kept, run again for the rest"
        }
        switch report.exitCode {
        case .done: return "caught up in \(took)"
        case .temporary where report.moreWaiting:
            return "stopped after \(took) with more records waiting; run again (exit 75)"
        default: return "not finished after \(took) (exit \(report.exitCode.rawValue))"
        }
    }
}
