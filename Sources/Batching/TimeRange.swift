package import CivilTime

/// A span of arrival times: from the first record of a shard that arrived at or after `from` to before the first one
/// that arrived at or after `to`. Told by positions on the shard and not record by record, because arrival times may be
/// out of order by some moments: so ranges that meet have no record in common and leave none out.
package struct TimeRange: Sendable, Equatable {
    package var from: Timestamp
    package var to: Timestamp

    package init(from: Timestamp, to: Timestamp) {
        self.from = from
        self.to = to
    }

    /// What of this range lies between the two; nil when nothing does.
    package func part(from start: Timestamp, to end: Timestamp) -> TimeRange? {
        let (start, end) = (max(from, start), min(to, end))
        return start < end ? TimeRange(from: start, to: end) : nil
    }
}
