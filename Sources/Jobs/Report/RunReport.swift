package import CivilTime
package import Diagnostics

/// What one shard's part of a run came to.
package struct ShardReport: Sendable {
    package var shard: String
    package var records = 0
    package var rows = 0
    /// Rows by `parse_status`.
    package var rowsByStatus: [String: Int] = [:]
    package var objects = 0
    /// Bytes of record data read.
    package var recordBytes = 0
    /// Compressed bytes stored.
    package var objectBytes = 0
    package var batches = 0
    package var retries = 0
    /// Distance to the tip of the shard at its last page; nil when it was not read.
    package var lag: Duration?
    package var ended = false
    package var exitCode: ExitCode = .done
    /// Why the shard stopped early; nil when it did not.
    package var problem: Diagnostic?

    package init(shard: String) { self.shard = shard }
}

/// The account of one run: what the summary prints, `--json` writes and the exit status comes from.
package struct RunReport: Sendable {
    package var job: String
    package var stream: String
    package var destination: String
    package var started: Timestamp
    package var elapsed: Duration = .zero
    package var shards: [ShardReport] = []
    package var exitCode: ExitCode = .done
    /// What ended the run as a whole (locked, refused, signal); nil when only shards have problems or none has.
    package var problem: Diagnostic?
    /// The signal that ended the run: its exit status is 128 + this.
    package var signal: Int32?
    /// True when records were left on the stream for the next run.
    package var moreWaiting = false
    /// What the run learned of the stream; nil when it did not get there.
    package var contact: StreamContact?
    /// The status that the process ends with: 128 + n when a signal ended the run.
    package var status: Int32 { signal.map { 128 + $0 } ?? exitCode.rawValue }

    package init(job: String, stream: String, destination: String, started: Timestamp) {
        self.job = job
        self.stream = stream
        self.destination = destination
        self.started = started
    }
}

/// What an answer of the stream said beside records.
package struct StreamContact: Sendable, Equatable {
    package var stream: String
    package var retention: Duration
    /// How far the server's clock is ahead of this machine's; zero when they may agree.
    package var clockSkew: Duration

    package init(stream: String, retention: Duration, clockSkew: Duration) {
        self.stream = stream
        self.retention = retention
        self.clockSkew = clockSkew
    }
}

extension ShardReport {
    /// Adds what another part of the same run did on the same shard.
    mutating func merge(_ other: ShardReport) {
        records += other.records
        rows += other.rows
        rowsByStatus.merge(other.rowsByStatus, uniquingKeysWith: +)
        objects += other.objects
        recordBytes += other.recordBytes
        objectBytes += other.objectBytes
        batches += other.batches
        retries += other.retries
        lag = other.lag ?? lag
        ended = ended || other.ended
        exitCode = ExitCode.mostUrgent([exitCode, other.exitCode])
        problem = problem ?? other.problem
    }
}
