// Decides of the records of a shard, in order, which ones fill a hole. Pure: sequence numbers and arrivals in, a
// verdict out.

package import CivilTime

package struct RangeCursor: Sendable {
    package enum Verdict: Sendable, Equatable {
        /// Archived already, or arrived before the range.
        case skip
        case take
        /// The manifest after the hole begins here.
        case reachedManifest
        /// The record arrived after the range, or belongs to the job.
        case reachedEnd
    }

    private let hole: ShardHole
    private let range: TimeRange
    /// Records that arrived at or after this are not taken.
    private let limit: Timestamp
    private var mayBegin: Bool
    /// True once a record of the hole was passed over.
    package private(set) var hasSkipped = false
    package private(set) var hasTaken = false

    package init(hole: ShardHole, range: TimeRange) {
        self.hole = hole
        self.range = range
        if case .start(let instant) = hole.upper { limit = min(range.to, instant) } else { limit = range.to }
        mayBegin = !hole.beginsInside(range)
    }

    package mutating func judge(_ sequence: SequenceNumber, arrival: Timestamp) -> Verdict {
        if let after = hole.after, sequence <= after.last { return .skip }
        if let before = hole.before, sequence >= before { return .reachedManifest }
        if !mayBegin {
            guard arrival >= range.from else {
                hasSkipped = true
                return .skip
            }
            mayBegin = true
        }
        if arrival >= limit { return .reachedEnd }
        hasTaken = true
        return .take
    }
}
