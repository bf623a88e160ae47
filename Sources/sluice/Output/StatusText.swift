// `status` for people at three in the morning: the verdict first, then the shards, then everything else. Pure.

import Batching
import CivilTime
import Diagnostics
import Jobs

enum StatusText {
    /// With more shards than this, those that are well are counted instead of listed.
    static let shardsShownMax = 24

    static func text(_ report: StatusReport) -> String {
        var lines = ["\(report.job): \(report.stream) -> \(report.destination)", verdict(report)]
        if let offline = report.offline {
            lines.append("AWS was not asked, this is what the local state knows: \(offline.summary)")
            if let hint = offline.hint { lines.append("  hint: \(escapeControlCharacters(hint))") }
        }
        lines.append(lastRun(report))
        let living = report.shards.filter { $0.condition != .ended }
        let listed = living.count > shardsShownMax ? living.filter { $0.level != .ok || $0.problem != nil } : living
        if !listed.isEmpty { lines += TextTable.lines(rows(listed), leftAligned: [0, 1, 2, 7]) }
        if listed.count < living.count { lines.append("\(living.count - listed.count) more shards are well") }
        let ended = report.shards.count - living.count
        if ended > 0 {
            lines.append(
                ended == 1 ? "1 shard has ended and is archived" : "\(ended) shards have ended and are archived")
        }
        for shard in report.shards {
            if let gap = shard.gap { lines.append("gap: \(shard.id): \(gapText(gap))") }
            if let problem = shard.problem { lines.append("not known: \(shard.id): \(problem.summary)") }
        }
        for batch in report.openBatches {
            lines.append(
                "open: \(batch.shard): \(grouped(batch.records)) records in \(batch.objects) objects from "
                    + "\(batch.first.text) on; the next run finishes them")
        }
        lines.append(totals(report.totals))
        return lines.joined(separator: "\n")
    }

    private static func verdict(_ report: StatusReport) -> String {
        let kept = report.retention.map { " of the stream's \(durationText($0))" } ?? ""
        let worst = report.shards.compactMap(\.retentionUsed).max().map(percent) ?? "an unknown share"
        let catchUp = report.catchUpSeconds.map { seconds in
            !seconds.isFinite
                ? "; records come faster than they may be read"
                : seconds >= 1 ? "; catching up takes about \(durationText(.seconds(seconds)))" : ""
        }
        switch report.level {
        case .gap: return "GAP: records expired before they were read"
        case .critical: return "CRITICAL: the oldest waiting record has used up \(worst)\(kept)\(catchUp ?? "")"
        case .warning: return "BEHIND: the oldest waiting record has used up \(worst)\(kept)\(catchUp ?? "")"
        case .ok where !report.hasRun: return "NEVER RUN: no run of this job has got as far as reading the stream"
        case .ok where report.exitCode == .sourceGap: return "GAP: the last run found records expired unread"
        case .ok where report.exitCode != .done: return "NOT KNOWN: the stream could not be asked"
        case .ok: return "well: at most \(worst)\(kept) used up\(catchUp ?? "")"
        }
    }

    private static func lastRun(_ report: StatusReport) -> String {
        var line = "last run: none"
        if let run = report.ledger?.lastRun {
            line = "last run: began \(second(run.started))"
            if let ended = run.ended, let code = run.exitCode {
                line += ", took \(durationText(ended.since(run.started))), exit \(code)"
                if let problem = run.problem { line += ": \(escapeControlCharacters(problem))" }
            } else if report.runningProcess == nil {
                line += ", did not end: it was killed"
            }
        }
        if let process = report.runningProcess { line += "; process \(process) is running the job now" }
        if let success = report.ledger?.lastSuccess, success != report.ledger?.lastRun?.ended {
            line += "; last good end \(second(success))"
        }
        return line
    }

    private static func rows(_ shards: [StatusReport.Shard]) -> [[String]] {
        [["shard", "level", "last archived", "lag", "waiting", "retention", "catch-up", "checkpoint"]]
            + shards.map { shard in
                [
                    shard.id,
                    shard.condition == .waiting ? "\(shard.level.rawValue), after parents" : shard.level.rawValue,
                    shard.lastArrival.map(second) ?? "-",
                    shard.backlog.map { durationText(.seconds($0.seconds)) } ?? "-",
                    shard.backlog?.bytes.map { "~" + bytesText(Int($0)) } ?? "-",
                    shard.retentionUsed.map(percent) ?? "-",
                    shard.catchUpSeconds.map { $0.isFinite ? durationText(.seconds($0)) : "never" } ?? "-",
                    shard.position.description,
                ]
            }
    }

    private static func second(_ time: Timestamp) -> String { RFC3339.text(Timestamp(seconds: time.seconds)) }

    private static func percent(_ share: Double) -> String { "\(fixed(share * 100, decimals: 0)) %" }

    private static func gapText(_ gap: GapRecord) -> String {
        let from = gap.from.map(RFC3339.text) ?? "an unknown time"
        let to = gap.to.map { "and \(RFC3339.text($0))" } ?? "and now"
        return "records that arrived between \(from) \(to) expired before they were read"
    }

    private static func totals(_ totals: ShardTally) -> String {
        let statuses = totals.statusCounts.filter { $0.value > 0 }
        let rows = statuses.isEmpty ? "" : " (\(RunSummaryText.statusText(statuses)))"
        return "archived so far: \(grouped(totals.records)) records, \(grouped(totals.rows)) rows\(rows), "
            + "\(grouped(totals.objects)) objects, \(bytesText(totals.objectBytes))"
    }
}
