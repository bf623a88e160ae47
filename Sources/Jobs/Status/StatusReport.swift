// What `sluice status` tells: values only, made by StatusJudge.

package import Batching
package import CivilTime
package import Diagnostics

package struct StatusReport: Sendable {
    package enum Condition: String, Sendable {
        /// Records may wait on it and it may be read.
        case reading
        /// Its parents have to be read to their end first.
        case waiting
        /// Closed and wholly archived, or left out by the job's `start`.
        case ended
        /// Left the stream before it was read to its end.
        case vanished
    }

    package struct Shard: Sendable {
        package var id: String
        package var condition: Condition
        package var position: ShardPosition
        /// Arrival of the last archived record.
        package var lastArrival: Timestamp?
        /// Everything that arrived before this is archived; nil while the shard was never read.
        package var horizon: Timestamp?
        /// Arrival of the oldest record that waits, or may wait when the stream was not asked; nil when none does.
        package var waitingSince: Timestamp?
        /// Nil when nothing is known.
        package var backlog: Backlog?
        /// Share of the stream's retention that the backlog has used up.
        package var retentionUsed: Double?
        package var level: LagLevel
        /// Nil when it is not known, infinite when records come faster than they may be read.
        package var catchUpSeconds: Double?
        package var gap: GapRecord?
        /// Why the stream did not tell of this shard.
        package var problem: Diagnostic?
    }

    package struct OpenBatch: Sendable {
        package var shard: String
        package var first: SequenceNumber
        package var last: SequenceNumber
        package var records: Int
        package var objects: Int
    }

    package var job: String
    package var stream: String
    package var destination: String
    /// By the stream's clock when it was asked, else by this machine's.
    package var now: Timestamp
    /// Why the stream was not asked; nil when it was.
    package var offline: Diagnostic?
    package var retention: Duration?
    package var hasRun: Bool
    package var ledger: RunLedger?
    /// The process that runs the job now.
    package var runningProcess: Int?
    package var shards: [Shard]
    package var openBatches: [OpenBatch]
    /// Of all shards since the state was made.
    package var totals: ShardTally
    package var level: LagLevel
    package var catchUpSeconds: Double?
    package var exitCode: ExitCode
}
