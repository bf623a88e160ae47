// The account of a run as JSON. The keys are part of the contract with scripts: none is renamed or removed.

import Diagnostics
import Jobs

/// One problem with its remedy.
struct ProblemSummary: Encodable {
    var operation: String
    var subject: String
    var cause: String
    var hint: String?

    init(_ diagnostic: Diagnostic) {
        operation = diagnostic.operation
        subject = diagnostic.subject
        cause = diagnostic.cause
        hint = diagnostic.hint
    }
}

/// What was read and stored: of one shard, or of all together.
struct FigureSummary: Encodable {
    /// Kinesis records read and committed.
    var records = 0
    var rows = 0
    /// Rows by `parse_status`; a status without rows is left out.
    var rowsByStatus: [String: Int] = [:]
    var batches = 0
    var objects = 0
    /// Bytes of record data.
    var recordBytes = 0
    /// Bytes of the objects stored.
    var objectBytes = 0
    var retries = 0
    /// Distance to the tip of the stream, in seconds; left out when it is not known.
    var lagSeconds: Double?

    enum CodingKeys: String, CodingKey {
        case records, rows, batches, objects, retries
        case rowsByStatus = "rows_by_status"
        case recordBytes = "record_bytes"
        case objectBytes = "object_bytes"
        case lagSeconds = "lag_seconds"
    }

    init(_ shard: ShardReport) {
        records = shard.records
        rows = shard.rows
        rowsByStatus = shard.rowsByStatus.filter { $0.value > 0 }
        batches = shard.batches
        objects = shard.objects
        recordBytes = shard.recordBytes
        objectBytes = shard.objectBytes
        retries = shard.retries
        lagSeconds = shard.lag?.seconds
    }

    /// All shards together; the lag is the largest.
    init(total shards: [ShardReport]) {
        for shard in shards {
            records += shard.records
            rows += shard.rows
            rowsByStatus.merge(shard.rowsByStatus.filter { $0.value > 0 }, uniquingKeysWith: +)
            batches += shard.batches
            objects += shard.objects
            recordBytes += shard.recordBytes
            objectBytes += shard.objectBytes
            retries += shard.retries
            if let lag = shard.lag?.seconds { lagSeconds = max(lagSeconds ?? 0, lag) }
        }
    }
}

struct ShardSummary: Encodable {
    var shard: String
    var figures: FigureSummary
    /// True when the shard was closed and has been read to its end.
    var ended: Bool
    var exitCode: Int32
    var problem: ProblemSummary?

    enum CodingKeys: String, CodingKey {
        case shard, figures, ended, problem
        case exitCode = "exit_code"
    }
}

struct RunSummary: Encodable {
    var job: String
    var stream: String
    var destination: String
    /// RFC 3339, UTC.
    var started: String
    var elapsedSeconds: Double
    /// The status that the process ends with.
    var exitCode: Int32
    var signal: Int32?
    /// True when records were left for the next run.
    var moreWaiting: Bool
    var problem: ProblemSummary?
    var totals: FigureSummary
    var shards: [ShardSummary]

    enum CodingKeys: String, CodingKey {
        case job, stream, destination, started, signal, problem, totals, shards
        case elapsedSeconds = "elapsed_seconds"
        case exitCode = "exit_code"
        case moreWaiting = "more_waiting"
    }

    init(_ report: RunReport) {
        job = report.job
        stream = report.stream
        destination = report.destination
        started = LogLine.timeText(report.started)
        elapsedSeconds = report.elapsed.seconds
        exitCode = report.status
        signal = report.signal
        moreWaiting = report.moreWaiting
        problem = report.problem.map(ProblemSummary.init)
        totals = FigureSummary(total: report.shards)
        shards = report.shards.map { shard in
            ShardSummary(
                shard: shard.shard, figures: FigureSummary(shard), ended: shard.ended,
                exitCode: shard.exitCode.rawValue, problem: shard.problem.map(ProblemSummary.init))
        }
    }
}
