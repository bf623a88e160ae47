// What a backfill planned and did, for the summary and the exit status.

package import CivilTime
package import Diagnostics

/// One stretch that no manifest covers, as it was planned.
package struct BackfillRange: Sendable {
    package var shard: String
    /// Archived up to the record with this sequence number; nil when nothing before is.
    package var after: String?
    /// Archived again from this one on; nil when nothing after is.
    package var before: String?
    /// Arrivals that it spans, as far as the manifests beside it tell.
    package var from: Timestamp
    package var to: Timestamp
    /// From the manifests beside it; nil when none tells.
    package var records: Int?
    package var recordBytes: Int?
    /// True when the job has read here and only damage can have left anything: the range is looked at once more.
    package var isCheck: Bool

    package init(
        shard: String, after: String? = nil, before: String? = nil, from: Timestamp, to: Timestamp,
        records: Int? = nil, recordBytes: Int? = nil, isCheck: Bool = false
    ) {
        self.shard = shard
        self.after = after
        self.before = before
        self.from = from
        self.to = to
        self.records = records
        self.recordBytes = recordBytes
        self.isCheck = isCheck
    }
}

/// A part of the asked range that is in no manifest and no longer on the stream.
package struct LostWindow: Sendable, Equatable {
    package var shard: String
    package var from: Timestamp
    package var to: Timestamp

    package init(shard: String, from: Timestamp, to: Timestamp) {
        self.shard = shard
        self.from = from
        self.to = to
    }
}

package struct BackfillShardReport: Sendable {
    /// Figures of what was stored, and the shard's own problem.
    package var figures: ShardReport
    package var lost: [LostWindow] = []
    /// Arrival of the first record in the range that waits for the job itself; nil when none does.
    package var waitingSince: Timestamp?
    /// True when ranges were left for the next run.
    package var moreWaiting = false

    package init(shard: String) { figures = ShardReport(shard: shard) }
}

package struct BackfillReport: Sendable {
    package var job: String
    package var stream: String
    package var destination: String
    package var started: Timestamp
    package var elapsed: Duration = .zero
    /// As asked; `to` is not included.
    package var from: Timestamp
    package var to: Timestamp
    /// Set when the range reaches beyond this, the present: it was filled up to here.
    package var stoppedAt: Timestamp?
    package var isDryRun: Bool
    /// Manifests read for the plan.
    package var manifests = 0
    package var ranges: [BackfillRange] = []
    package var shards: [BackfillShardReport] = []
    package var exitCode: ExitCode = .done
    /// What ended the run as a whole.
    package var problem: Diagnostic?
    package var signal: Int32?

    package init(
        job: String, stream: String, destination: String, started: Timestamp, from: Timestamp, to: Timestamp,
        isDryRun: Bool
    ) {
        self.job = job
        self.stream = stream
        self.destination = destination
        self.started = started
        self.from = from
        self.to = to
        self.isDryRun = isDryRun
    }

    /// Adds what was done on a shard, of which a part may be there already.
    mutating func add(_ shard: BackfillShardReport) {
        guard let index = shards.firstIndex(where: { $0.figures.shard == shard.figures.shard }) else {
            return shards.append(shard)
        }
        shards[index].figures.merge(shard.figures)
        shards[index].lost += shard.lost.filter { !shards[index].lost.contains($0) }
        shards[index].waitingSince = shard.waitingSince
        shards[index].moreWaiting = shards[index].moreWaiting || shard.moreWaiting
    }

    package var lost: [LostWindow] { shards.flatMap(\.lost) }
    package var moreWaiting: Bool { shards.contains { $0.moreWaiting || $0.waitingSince != nil } }
    /// What Kinesis lets all readers of a shard take together, in bytes a second.
    package static let shardRate = 2_000_000

    /// How long reading the planned ranges takes at 2 MB a second and shard; nil when a size is not known.
    /// - Parameter parallelShards: shards that are read side by side.
    package func readingSeconds(parallelShards: Int) -> Double? {
        var bytes: [String: Int] = [:]
        for range in ranges where !range.isCheck {
            guard let size = range.recordBytes else { return nil }
            bytes[range.shard, default: 0] += size
        }
        // The longest shard, or all of them one after another in as many rows as run side by side.
        let each = bytes.values.map { Double($0) / Double(Self.shardRate) }
        return max(each.max() ?? 0, each.reduce(0, +) / Double(max(1, parallelShards)))
    }

    /// Settles the exit status: the most urgent problem of a shard, else what is lost, else what waits.
    mutating func conclude() {
        shards.sort { $0.figures.shard < $1.figures.shard }
        guard problem == nil else { return }
        exitCode = ExitCode.mostUrgent(shards.map(\.figures.exitCode))
        if !lost.isEmpty { exitCode = ExitCode.mostUrgent([exitCode, .sourceGap]) }
        if moreWaiting { exitCode = ExitCode.mostUrgent([exitCode, .temporary]) }
    }

    /// The status that the process ends with.
    package var status: Int32 { signal.map { 128 + $0 } ?? exitCode.rawValue }
}
