// The account of a ship run for people: one line a file with news, then the totals.

import Diagnostics
import Jobs

extension ShipSummary {
    /// Files without news are only counted.
    private static let filesShownMax = 50

    var text: String {
        let shown = files.filter(\.hasNews).prefix(Self.filesShownMax)
        var lines = ["\(job): \(counted(files.count, "file")) -> \(stream)"]
        for file in shown { lines += file.text }
        let hidden = files.count - shown.count
        if hidden > 0 { lines.append("\(counted(hidden, "file")) \(shown.isEmpty ? "" : "more ")without news") }
        for (name, shard) in shards.sorted(by: { $0.key < $1.key }) where shard.throttled > 0 {
            lines.append("\(name): \(grouped(shard.throttled)) records throttled, \(grouped(shard.records)) stored")
        }
        lines.append(
            "\(counted(self.lines, "line")) (\(bytesText(bytes))) in \(counted(records, "record")) and "
                + "\(counted(requests, "request")), \(grouped(recordsResent)) sent again, in "
                + "\(fixed(elapsedSeconds, decimals: 1))s")
        if deadLetters > 0 {
            lines.append("\(counted(deadLetters, "record")) refused: see dead-letter.ndjson in the state directory")
        }
        if unmatchedLines > 0 { lines.append("\(counted(unmatchedLines, "line")) without fluentd's syslog form") }
        if let signal {
            lines.append("stopped by signal \(signal); what is stored is kept, run again for the rest")
        } else if exitCode != 0 {
            lines.append(
                moreWaiting ? "more is waiting; run again (exit \(exitCode))" : "not all is well (exit \(exitCode))")
        }
        return lines.joined(separator: "\n")
    }

    private func counted(_ number: Int, _ word: String) -> String {
        "\(grouped(number)) \(word)\(number == 1 ? "" : "s")"
    }
}

extension ShipSummary.File {
    fileprivate var hasNews: Bool {
        bytesRead > 0 || storedOffset < size || suspectedLostBytes > 0 || problem != nil || deadLetters > 0
    }

    fileprivate var text: [String] {
        var line = "\(escapeControlCharacters(path)): \(grouped(lines)) lines, \(bytesText(bytesAcked))"
        if linesSplit > 0 { line += ", \(grouped(linesSplit)) long lines split" }
        if linesCut > 0 { line += ", \(grouped(linesCut)) long lines cut (\(bytesText(bytesCut)))" }
        if nulBytesSkipped > 0 { line += ", \(bytesText(nulBytesSkipped)) of NUL skipped" }
        if deadLetters > 0 { line += ", \(grouped(deadLetters)) refused" }
        if suspectedLostBytes > 0 { line += ", \(bytesText(suspectedLostBytes)) probably lost" }
        if state == "open" || state == "rotated", storedOffset < size {
            line += ", \(bytesText(size - storedOffset)) left"
        }
        var lines = [line]
        if let problem {
            lines.append(
                "left: \(escapeControlCharacters("\(problem.operation) \(problem.subject): \(problem.cause)"))")
            if let hint = problem.hint { lines.append("  hint: \(escapeControlCharacters(hint))") }
        }
        return lines
    }
}
