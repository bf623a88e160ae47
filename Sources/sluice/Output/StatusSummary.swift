// What `status --json` prints. The keys are part of the contract with scripts: none is renamed or removed.

import Batching
import CivilTime
import Diagnostics
import Jobs

struct StatusSummary: Encodable {
    struct Shard: Encodable {
        var shard: String
        /// `reading`, `waiting`, `ended` or `vanished`.
        var condition: String
        /// `trim_horizon`, `timestamp:MILLISECONDS`, `after:SEQUENCE NUMBER` or `ended`.
        var checkpoint: String
        var lastArrival: String?
        var horizon: String?
        var waitingSince: String?
        var lagSeconds: Double?
        var lagBytes: Int?
        var retentionUsed: Double?
        /// `ok`, `warning`, `critical` or `gap`.
        var level: String
        /// Left out when it is not known or never comes.
        var catchUpSeconds: Double?
        var gap: GapRecord?
        var problem: ProblemSummary?

        enum CodingKeys: String, CodingKey {
            case shard, condition, checkpoint, horizon, level, gap, problem
            case lastArrival = "last_arrival"
            case waitingSince = "waiting_since"
            case lagSeconds = "lag_seconds"
            case lagBytes = "lag_bytes"
            case retentionUsed = "retention_used"
            case catchUpSeconds = "catch_up_seconds"
        }
    }

    struct OpenBatch: Encodable {
        var shard: String
        var first: String
        var last: String
        var records: Int
        var objects: Int
    }

    struct Run: Encodable {
        var started: String
        var ended: String?
        var exitCode: Int32?
        var problem: String?

        enum CodingKeys: String, CodingKey {
            case started, ended, problem
            case exitCode = "exit_code"
        }
    }

    struct Totals: Encodable {
        var records: Int
        var rows: Int
        var rowsByStatus: [String: Int]
        var batches: Int
        var objects: Int
        var recordBytes: Int
        var objectBytes: Int

        enum CodingKeys: String, CodingKey {
            case records, rows, batches, objects
            case rowsByStatus = "rows_by_status"
            case recordBytes = "record_bytes"
            case objectBytes = "object_bytes"
        }
    }

    var job: String
    var stream: String
    var destination: String
    var now: String
    /// True when the stream was asked.
    var online: Bool
    /// Why it was not.
    var problem: ProblemSummary?
    var retentionSeconds: Int?
    var hasRun: Bool
    var level: String
    var exitCode: Int32
    var catchUpSeconds: Double?
    var lastRun: Run?
    var lastSuccess: String?
    /// Left out when no run is under way.
    var runningProcess: Int?
    var openIntents: [OpenBatch]
    var totals: Totals
    var shards: [Shard]

    enum CodingKeys: String, CodingKey {
        case job, stream, destination, now, online, problem, level, totals, shards
        case retentionSeconds = "retention_seconds"
        case hasRun = "has_run"
        case exitCode = "exit_code"
        case catchUpSeconds = "catch_up_seconds"
        case lastRun = "last_run"
        case lastSuccess = "last_success"
        case runningProcess = "running_process"
        case openIntents = "open_intents"
    }

    init(_ report: StatusReport) {
        job = report.job
        stream = report.stream
        destination = report.destination
        now = RFC3339.text(report.now)
        online = report.offline == nil
        problem = report.offline.map(ProblemSummary.init)
        retentionSeconds = report.retention.map { Int($0.seconds) }
        hasRun = report.hasRun
        level = report.level.rawValue
        exitCode = report.exitCode.rawValue
        catchUpSeconds = Self.finite(report.catchUpSeconds)
        lastRun = report.ledger?.lastRun.map { run in
            Run(
                started: RFC3339.text(run.started), ended: run.ended.map(RFC3339.text), exitCode: run.exitCode,
                problem: run.problem)
        }
        lastSuccess = report.ledger?.lastSuccess.map(RFC3339.text)
        runningProcess = report.runningProcess
        openIntents = report.openBatches.map {
            OpenBatch(
                shard: $0.shard, first: $0.first.text, last: $0.last.text, records: $0.records, objects: $0.objects)
        }
        let totals = report.totals
        self.totals = Totals(
            records: totals.records, rows: totals.rows, rowsByStatus: totals.statusCounts.filter { $0.value > 0 },
            batches: totals.batches, objects: totals.objects, recordBytes: totals.recordBytes,
            objectBytes: totals.objectBytes)
        shards = report.shards.map(Self.shard)
    }

    private static func shard(_ shard: StatusReport.Shard) -> Shard {
        Shard(
            shard: shard.id, condition: shard.condition.rawValue, checkpoint: shard.position.description,
            lastArrival: shard.lastArrival.map(RFC3339.text), horizon: shard.horizon.map(RFC3339.text),
            waitingSince: shard.waitingSince.map(RFC3339.text), lagSeconds: shard.backlog?.seconds,
            lagBytes: shard.backlog?.bytes.map { Int($0) }, retentionUsed: shard.retentionUsed,
            level: shard.level.rawValue, catchUpSeconds: finite(shard.catchUpSeconds), gap: shard.gap,
            problem: shard.problem.map(ProblemSummary.init))
    }

    /// JSON has no infinity.
    private static func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
}
