// The account of a ship run. The JSON keys are part of the contract with scripts: none is renamed or removed.

import Diagnostics
import Jobs

struct ShipSummary: Encodable {
    struct File: Encodable {
        var path: String
        var records: Int
        /// Bytes of record data stored.
        var bytes: Int
        var linesCut: Int
        /// Byte offsets: where the run began, up to where everything is stored, and the file's size at the start.
        var from: Int
        var storedOffset: Int
        var size: Int
        var problem: ProblemSummary?

        enum CodingKeys: String, CodingKey {
            case path, records, bytes, from, size, problem
            case linesCut = "lines_cut"
            case storedOffset = "stored_offset"
        }
    }

    var job: String
    var stream: String
    var started: String
    var elapsedSeconds: Double
    var exitCode: Int32
    var signal: Int32?
    var moreWaiting: Bool
    var problem: ProblemSummary?
    var records: Int
    var bytes: Int
    var requests: Int
    /// Entries that were sent again.
    var recordsResent: Int
    var files: [File]

    enum CodingKeys: String, CodingKey {
        case job, stream, started, signal, problem, records, bytes, requests, files
        case elapsedSeconds = "elapsed_seconds"
        case exitCode = "exit_code"
        case moreWaiting = "more_waiting"
        case recordsResent = "records_resent"
    }

    init(_ report: ShipReport) {
        job = report.job
        stream = report.stream
        started = LogLine.timeText(report.started)
        elapsedSeconds = report.elapsed.seconds
        exitCode = report.status
        signal = report.signal
        moreWaiting = report.moreWaiting
        problem = report.problem.map(ProblemSummary.init)
        records = report.records
        bytes = report.bytes
        requests = report.requests
        recordsResent = report.recordsResent
        files = report.files.map { file in
            File(
                path: file.path, records: file.records, bytes: file.bytes, linesCut: file.linesCut, from: file.from,
                storedOffset: file.storedOffset, size: file.size, problem: file.problem.map(ProblemSummary.init))
        }
    }

    /// For people: one line a file, then the totals.
    var text: String {
        var lines = ["\(job): \(files.count) \(files.count == 1 ? "file" : "files") -> \(stream)"]
        for file in files {
            var line =
                "\(escapeControlCharacters(file.path)): \(grouped(file.records)) records, \(bytesText(file.bytes))"
            if file.linesCut > 0 { line += ", \(grouped(file.linesCut)) lines cut" }
            if file.storedOffset < file.size { line += ", \(bytesText(file.size - file.storedOffset)) left" }
            lines.append(line)
            if let problem = file.problem {
                lines.append(
                    "left: \(escapeControlCharacters("\(problem.operation) \(problem.subject): \(problem.cause)"))")
                if let hint = problem.hint { lines.append("  hint: \(escapeControlCharacters(hint))") }
            }
        }
        let sent = "\(grouped(records)) records (\(bytesText(bytes))) in \(grouped(requests)) requests"
        lines.append("\(sent), \(grouped(recordsResent)) sent again, in \(fixed(elapsedSeconds, decimals: 1))s")
        if let signal {
            lines.append("stopped by signal \(signal); what is stored is kept, run again for the rest")
        } else if exitCode != 0 {
            lines.append(
                moreWaiting ? "more is waiting; run again (exit \(exitCode))" : "not finished (exit \(exitCode))")
        }
        return lines.joined(separator: "\n")
    }
}

extension ShipReport {
    /// The status that the process ends with: 128 + n when a signal ended the run.
    var status: Int32 { signal.map { 128 + $0 } ?? exitCode.rawValue }
}
