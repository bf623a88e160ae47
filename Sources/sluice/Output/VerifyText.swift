// What `verify` found, for people: each finding with what to do, then the verdict. Pure.

import Diagnostics

enum VerifyText {
    static func text(_ summary: VerifySummary) -> String {
        var lines = ["\(summary.job): \(summary.stream) -> \(summary.destination)"]
        if let from = summary.from, let to = summary.to { lines.append("only what arrived from \(from) to \(to)") }
        for finding in summary.findings {
            lines.append(line(finding.kind, finding.shard, finding.key, finding.detail))
            if let hint = finding.hint { lines.append("  hint: \(escapeControlCharacters(hint))") }
            if let backfill = finding.backfill { lines.append("  \(escapeControlCharacters(backfill))") }
        }
        let hidden = summary.counts.values.reduce(0, +) - summary.findings.count
        if hidden > 0 { lines.append("\(grouped(hidden)) more findings are counted and not shown") }
        for note in summary.notes { lines.append("note: " + line(note.kind, note.shard, "", note.detail)) }
        for problem in summary.problems {
            lines.append(
                "not told: "
                    + escapeControlCharacters("\(problem.operation) \(problem.subject): \(problem.cause)"))
            if let hint = problem.hint { lines.append("  hint: \(escapeControlCharacters(hint))") }
        }
        lines.append(looked(summary))
        if let redshift = summary.redshift { lines.append(compared(redshift)) }
        lines.append(verdict(summary))
        return lines.joined(separator: "\n")
    }

    private static func line(_ kind: String, _ shard: String?, _ key: String, _ detail: String) -> String {
        let place = [shard, key].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
        return escapeControlCharacters("\(kind): \(place.isEmpty ? "" : "\(place): ")\(detail)")
    }

    private static func looked(_ summary: VerifySummary) -> String {
        var line =
            "looked at \(grouped(summary.manifests)) manifests of \(grouped(summary.shards)) shards, "
            + "\(grouped(summary.records)) records in \(grouped(summary.objects)) objects"
        if summary.objectsRead > 0 {
            line +=
                ", read \(grouped(summary.objectsRead)) of them (\(bytesText(summary.bytesRead)), "
                + "\(grouped(summary.rowsRead)) rows)"
        }
        if summary.objectsOpen > 0 { line += ", \(grouped(summary.objectsOpen)) objects of batches under way" }
        if summary.objectsForeign > 0 { line += ", \(grouped(summary.objectsForeign)) objects that are not this job's" }
        return line
    }

    private static func compared(_ redshift: VerifySummary.Redshift) -> String {
        "compared \(redshift.table) of \(redshift.target): \(grouped(redshift.rowsCompared)) rows of "
            + "\(grouped(redshift.batchesCompared)) batches, \(grouped(redshift.ledgerBatches)) batches in the ledger"
    }

    private static func verdict(_ summary: VerifySummary) -> String {
        let counts = summary.counts.sorted { $0.key < $1.key }.map { "\(grouped($0.value)) \($0.key)" }
        let damage = counts.joined(separator: ", ")
        if let signal = summary.signal {
            return "stopped by signal \(signal)" + (damage.isEmpty ? "" : "; damaged so far: \(damage)")
        }
        let rest = summary.complete && summary.problems.isEmpty ? "" : "; not everything could be looked at"
        if !damage.isEmpty { return "DAMAGED: \(damage)\(rest) (exit \(summary.exitCode))" }
        if summary.exitCode != 0 { return "NOT TOLD: no damage found\(rest) (exit \(summary.exitCode))" }
        return "whole"
    }
}
