// The account of a backfill as JSON. The keys are part of the contract with scripts: none is renamed or removed.

import CivilTime
import Diagnostics
import Jobs

struct BackfillSummary: Encodable {
    struct Window: Encodable {
        var shard: String
        var from: String
        var to: String

        init(_ window: LostWindow) {
            shard = window.shard
            from = RFC3339.text(window.from)
            to = RFC3339.text(window.to)
        }
    }

    /// What was planned to be read.
    struct Range: Encodable {
        var shard: String
        /// Sequence numbers of the archived records on both sides; left out where nothing is archived.
        var after: String?
        var before: String?
        var from: String
        var to: String
        /// Left out when the manifests beside the range do not tell.
        var estimatedRecords: Int?
        var estimatedBytes: Int?
        /// True when only damage can have left anything here.
        var isCheck: Bool

        enum CodingKeys: String, CodingKey {
            case shard, after, before, from, to
            case estimatedRecords = "estimated_records"
            case estimatedBytes = "estimated_bytes"
            case isCheck = "check_only"
        }

        init(_ range: BackfillRange) {
            shard = range.shard
            after = range.after
            before = range.before
            from = RFC3339.text(range.from)
            to = RFC3339.text(range.to)
            estimatedRecords = range.records
            estimatedBytes = range.recordBytes
            isCheck = range.isCheck
        }
    }

    struct ShardPart: Encodable {
        var shard: String
        var figures: FigureSummary
        /// Arrival of the first record in the range that waits for the job itself.
        var waitingSince: String?
        var exitCode: Int32
        var problem: ProblemSummary?

        enum CodingKeys: String, CodingKey {
            case shard, figures, problem
            case waitingSince = "waiting_since"
            case exitCode = "exit_code"
        }

        init(_ report: BackfillShardReport) {
            shard = report.figures.shard
            figures = FigureSummary(report.figures)
            waitingSince = report.waitingSince.map(RFC3339.text)
            exitCode = report.figures.exitCode.rawValue
            problem = report.figures.problem.map(ProblemSummary.init)
        }
    }

    var job: String
    var stream: String
    var destination: String
    var from: String
    var to: String
    /// Set when the range reaches beyond the present, which this is.
    var stoppedAt: String?
    var isDryRun: Bool
    var started: String
    var elapsedSeconds: Double
    /// The status that the process ends with.
    var exitCode: Int32
    var signal: Int32?
    /// True when records of the range are left: for the next backfill, or for the job itself.
    var moreWaiting: Bool
    var problem: ProblemSummary?
    /// Manifests read for the plan.
    var manifests: Int
    var ranges: [Range]
    /// At 2 MB a second and shard; left out when a range's size is not known.
    var readingSeconds: Double?
    /// Parts of the range that are in no manifest and no longer on the stream.
    var lost: [Window]
    var totals: FigureSummary
    var shards: [ShardPart]

    enum CodingKeys: String, CodingKey {
        case job, stream, destination, from, to, started, signal, problem, manifests, ranges, lost, totals, shards
        case stoppedAt = "stopped_at"
        case isDryRun = "dry_run"
        case elapsedSeconds = "elapsed_seconds"
        case exitCode = "exit_code"
        case moreWaiting = "more_waiting"
        case readingSeconds = "reading_seconds"
    }

    init(_ report: BackfillReport, parallelShards: Int) {
        job = report.job
        stream = report.stream
        destination = report.destination
        from = RFC3339.text(report.from)
        to = RFC3339.text(report.to)
        stoppedAt = report.stoppedAt.map(RFC3339.text)
        isDryRun = report.isDryRun
        started = LogLine.timeText(report.started)
        elapsedSeconds = report.elapsed.seconds
        exitCode = report.status
        signal = report.signal
        moreWaiting = report.moreWaiting
        problem = report.problem.map(ProblemSummary.init)
        manifests = report.manifests
        ranges = report.ranges.map(Range.init)
        readingSeconds = report.readingSeconds(parallelShards: parallelShards)
        lost = report.lost.map(Window.init)
        totals = FigureSummary(total: report.shards.map(\.figures))
        shards = report.shards.map(ShardPart.init)
    }
}
