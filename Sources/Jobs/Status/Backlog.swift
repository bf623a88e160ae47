// How far behind a shard is, what that means for the records that wait, and how long catching up takes. Pure.

package import Batching
package import CivilTime

/// What may wait on one shard.
package struct Backlog: Sendable, Equatable {
    /// Age of the oldest record that may wait, in seconds; 0 when none does.
    package var seconds: Double
    /// Estimated bytes of record data; nil while the shard's rate is not known.
    package var bytes: Double?
    private var bytesPerSecond: Double?

    /// - Parameters:
    ///   - since: everything that arrived before is archived.
    ///   - now: by the same clock.
    package init(since: Timestamp, now: Timestamp, rate: IngestRate?) {
        seconds = max(0, Double(now.microseconds - since.microseconds) / 1e6)
        bytesPerSecond = rate?.bytesPerSecond
        bytes = seconds == 0 ? 0 : bytesPerSecond.map { ($0 * seconds).rounded() }
    }

    /// 1 when the oldest record that may wait is about to expire.
    package func share(ofRetention retention: Duration) -> Double {
        let kept = Double(retention.components.seconds)
        return kept > 0 ? seconds / kept : 1
    }

    /// Seconds until a reader of `readRate` bytes a second has caught up while records keep coming; nil when the rate
    /// is not known, infinite when they come faster than they can be read.
    package func catchUpSeconds(readRate: Double) -> Double? {
        guard seconds > 0 else { return 0 }
        guard let bytes, let bytesPerSecond else { return nil }
        let gained = readRate - bytesPerSecond
        return gained > 0 ? bytes / gained : .infinity
    }

    /// For all shards together, `parallel` of them at a time; nil when one is not known.
    package static func catchUpSeconds(_ shards: [Double?], parallel: Int) -> Double? {
        var (longest, sum) = (0.0, 0.0)
        for shard in shards {
            guard let shard else { return nil }
            longest = max(longest, shard)
            sum += shard
        }
        return max(longest, sum / Double(max(1, parallel)))
    }
}

/// How urgent a backlog is, by the share of the retention that it has used up.
package enum LagLevel: String, Sendable, Comparable, CaseIterable {
    case ok, warning, critical, gap

    package static let warningShare = 0.5
    package static let criticalShare = 0.8

    package init(share: Double) {
        self = share >= Self.criticalShare ? .critical : share >= Self.warningShare ? .warning : .ok
    }

    private var rank: Int {
        switch self {
        case .ok: 0
        case .warning: 1
        case .critical: 2
        case .gap: 3
        }
    }
    package static func < (a: LagLevel, b: LagLevel) -> Bool { a.rank < b.rank }
}
