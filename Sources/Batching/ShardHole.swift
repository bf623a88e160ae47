// A stretch of a shard that no manifest covers and that the job itself will never read.

package import CivilTime

/// Where the archive of a shard ends before a hole.
package struct ArchivedEdge: Sendable, Equatable {
    /// Key of the manifest that ends here.
    package var key: String
    package var last: SequenceNumber
    /// The latest arrival in this manifest and in those before it.
    package var arrival: Timestamp

    package init(key: String, last: SequenceNumber, arrival: Timestamp) {
        self.key = key
        self.last = last
        self.arrival = arrival
    }
}

/// How many records came in some time, told by the manifests beside a hole.
package struct Density: Sendable, Equatable {
    package var records = 0
    package var bytes = 0
    /// Seconds.
    package var span = 0.0

    package init() {}

    /// Manifests of older programs do not tell bytes, and one record has no span: they say nothing here.
    package mutating func add(_ manifest: ManifestFacts) {
        let time = manifest.lastArrival.since(manifest.firstArrival)
        guard let recordBytes = manifest.recordBytes, time > .zero else { return }
        records += manifest.records
        bytes += recordBytes
        span += Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    }
}

package struct ShardHole: Sendable, Equatable {
    package enum Upper: Sendable, Equatable {
        /// The first record of the manifest after the hole, and when it arrived.
        case manifest(first: SequenceNumber, arrival: Timestamp)
        /// The instant that the job's first run began with on this shard.
        case start(Timestamp)
        /// The end of a closed shard. When the job has read it to there, only damage can have left anything open.
        case end(isRead: Bool)
    }

    /// Nil when nothing of the shard is archived before the hole.
    package var after: ArchivedEdge?
    package var upper: Upper
    package var density = Density()

    package init(after: ArchivedEdge?, upper: Upper) {
        self.after = after
        self.upper = upper
    }

    /// True when the range may begin with a record inside the hole and not with its first one.
    package func beginsInside(_ range: TimeRange) -> Bool { after.map { $0.arrival < range.from } ?? true }

    /// True when the job has read here: only damage can have left anything open.
    package var isRead: Bool { upper == .end(isRead: true) }

    /// Nothing from this record on belongs to the hole.
    package var before: SequenceNumber? {
        guard case .manifest(let first, _) = upper else { return nil }
        return first
    }

    /// Arrivals that the asked part of the hole spans, as far as manifests tell; nil when it has none.
    /// - Parameter floor: nothing arrived on the shard before it.
    package func part(of range: TimeRange, floor: Timestamp) -> TimeRange? {
        let start = after?.arrival ?? floor
        switch upper {
        case .manifest(_, let arrival): return range.part(from: start, to: arrival)
        case .start(let instant): return range.part(from: start, to: instant)
        case .end: return range.part(from: start, to: range.to)
        }
    }

    /// The part of `range` in the hole whose records have left the stream, if there were any.
    /// - Parameter trimHorizon: records that arrived before it have expired.
    package func expired(_ range: TimeRange, floor: Timestamp, trimHorizon: Timestamp) -> TimeRange? {
        part(of: range, floor: floor)?.part(from: floor, to: trimHorizon)
    }

    /// Records and bytes that the asked part of the hole may have; nil when nothing beside it tells.
    package func estimate(_ range: TimeRange, floor: Timestamp) -> (records: Int, bytes: Int)? {
        guard let part = part(of: range, floor: floor) else { return (0, 0) }
        guard density.span > 0 else { return nil }
        let time = part.to.since(part.from)
        let share = (Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18) / density.span
        return (Int(Double(density.records) * share), Int(Double(density.bytes) * share))
    }
}
