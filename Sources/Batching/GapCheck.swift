// Tells records that expired unread from a quiet shard. Kinesis does not say that a checkpoint was trimmed: reading
// just goes on with the oldest record that is left.

package import CivilTime

/// A span of a shard that can no longer be read. Written into the next manifest when the job goes on over gaps.
package struct GapRecord: Codable, Sendable, Equatable {
    /// The last archived record before the gap; nil when the shard had none.
    package var after: SequenceNumber?
    /// Everything that arrived before this is archived; nil when that is not known.
    package var from: Timestamp?
    /// Nothing that arrived at or after this is missing: the arrival of the first record after the gap, or earlier; nil
    /// when there is none.
    package var to: Timestamp?

    package init(after: SequenceNumber?, from: Timestamp?, to: Timestamp?) {
        self.after = after
        self.from = from
        self.to = to
    }
}

package enum GapCheck {
    /// Call when the checkpoint's own record did not come back on resuming.
    ///
    /// - Parameters:
    ///   - checkpoint: the record that should have come back.
    ///   - horizon: everything that arrived on the shard before this instant was read; nil when unknown.
    ///   - firstArrival: arrival of the first record that came instead; nil when none came.
    ///   - retention: what DescribeStreamSummary says now.
    /// - Returns: nil when nothing can have been lost: the shard was read through to an instant that is still within
    ///   the retention, so the checkpoint expired after all its successors had been read.
    package static func gap(
        after checkpoint: SequenceNumber?, horizon: Timestamp?, firstArrival: Timestamp?, now: Timestamp,
        retention: Duration
    ) -> GapRecord? {
        if let horizon, !hasExpired(horizon, now: now, retention: retention) { return nil }
        return GapRecord(after: checkpoint, from: horizon, to: firstArrival)
    }

    /// True when a record that arrived at `instant` may be gone. At exactly the retention's age it is still there.
    package static func hasExpired(_ instant: Timestamp, now: Timestamp, retention: Duration) -> Bool {
        now.since(instant) > retention
    }
}
