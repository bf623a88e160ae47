// The account of a ship run. The JSON keys are part of the contract with scripts: none is renamed or removed.

import Diagnostics
import Jobs

struct ShipSummary: Encodable {
    struct File: Encodable {
        var path: String
        var generation: String
        /// Byte offsets: where the run began, up to where everything is stored, and the file's size when seen last.
        var from: Int
        var storedOffset: Int
        var size: Int
        var bytesRead: Int
        /// Bytes of the log that are stored, line feeds included.
        var bytesAcked: Int
        var lines: Int
        var linesSplit: Int
        var linesCut: Int
        var bytesCut: Int
        var nulBytesSkipped: Int
        var deadLetters: Int
        var suspectedLostBytes: Int
        var state: String
        var problem: ProblemSummary?

        enum CodingKeys: String, CodingKey {
            case path, generation, from, size, lines, state, problem
            case storedOffset = "stored_offset"
            case bytesRead = "bytes_read"
            case bytesAcked = "bytes_acked"
            case linesSplit = "lines_split"
            case linesCut = "lines_cut"
            case bytesCut = "bytes_cut"
            case nulBytesSkipped = "nul_bytes_skipped"
            case deadLetters = "dead_letters"
            case suspectedLostBytes = "suspected_lost_bytes"
        }

        init(_ file: ShipReport.File) {
            path = file.path
            generation = file.generation
            from = file.from
            storedOffset = file.storedOffset
            size = file.size
            bytesRead = file.bytesRead
            bytesAcked = file.bytesStored
            lines = file.lines
            linesSplit = file.linesSplit
            linesCut = file.linesCut
            bytesCut = file.bytesCut
            nulBytesSkipped = file.nulBytesSkipped
            deadLetters = file.deadLetters
            suspectedLostBytes = file.suspectedLost
            state = file.state.rawValue
            problem = file.problem.map(ProblemSummary.init)
        }
    }

    struct Shard: Encodable {
        var records: Int
        var throttled: Int
    }

    var job: String
    var stream: String
    var mode: String
    var started: String
    var elapsedSeconds: Double
    var exitCode: Int32
    var signal: Int32?
    var moreWaiting: Bool
    var problem: ProblemSummary?
    /// Kinesis records that are stored.
    var records: Int
    var lines: Int
    var bytes: Int
    var requests: Int
    var requestsFailed: Int
    /// Records that were sent again.
    var recordsResent: Int
    var deadLetters: Int
    var unmatchedLines: Int
    var shards: [String: Shard]
    var files: [File]

    enum CodingKeys: String, CodingKey {
        case job, stream, mode, started, signal, problem, records, lines, bytes, requests, shards, files
        case elapsedSeconds = "elapsed_seconds"
        case exitCode = "exit_code"
        case moreWaiting = "more_waiting"
        case requestsFailed = "requests_failed"
        case recordsResent = "records_resent"
        case deadLetters = "dead_letters"
        case unmatchedLines = "unmatched_lines"
    }

    init(_ report: ShipReport) {
        job = report.job
        stream = report.stream
        mode = report.mode.rawValue
        started = LogLine.timeText(report.started)
        elapsedSeconds = report.elapsed.seconds
        exitCode = report.status
        signal = report.signal
        moreWaiting = report.moreWaiting
        problem = report.problem.map(ProblemSummary.init)
        records = report.records
        lines = report.lines
        bytes = report.bytes
        requests = report.requests
        requestsFailed = report.requestsFailed
        recordsResent = report.recordsResent
        deadLetters = report.deadLetters
        unmatchedLines = report.unmatchedLines
        shards = report.shards.mapValues { Shard(records: $0.records, throttled: $0.throttled) }
        files = report.files.map(File.init)
    }
}
