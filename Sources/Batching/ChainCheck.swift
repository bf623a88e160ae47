// Do the manifests of one shard leave nothing out and take nothing twice? Pure: they go by in the order of their keys,
// and nothing is kept but the last one, so ten thousand of them cost no memory.
//
// Sequence numbers have holes of their own, so only a link proves that no record lies between two batches: a live batch
// names the manifest that it continues, a backfilled one the record that it follows, and a backfill that has read up to
// an older batch notes that in its ledger.

package import CivilTime

/// What of a manifest the chain is made of.
package struct ChainLink: Sendable, Equatable {
    package var key: String
    package var first: SequenceNumber
    package var last: SequenceNumber
    package var previous: String?
    package var gap: GapRecord?
    /// Nil for a batch of the job itself.
    package var backfill: BackfillMark?
    package var firstArrival: Timestamp
    package var lastArrival: Timestamp

    package init(
        key: String, first: SequenceNumber, last: SequenceNumber, previous: String?, gap: GapRecord? = nil,
        backfill: BackfillMark? = nil, firstArrival: Timestamp, lastArrival: Timestamp
    ) {
        self.key = key
        self.first = first
        self.last = last
        self.previous = previous
        self.gap = gap
        self.backfill = backfill
        self.firstArrival = firstArrival
        self.lastArrival = lastArrival
    }

    package init(_ judged: JudgedManifest, key: String) {
        let manifest = judged.manifest
        self.init(
            key: key, first: manifest.first, last: manifest.last, previous: manifest.previous, gap: manifest.gap,
            backfill: manifest.backfill, firstArrival: manifest.firstArrival, lastArrival: manifest.lastArrival)
    }

    var isLive: Bool { backfill == nil }
}

package struct ChainFault: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// A manifest that others build on is gone.
        case manifestMissing
        /// Records between two batches may be in neither.
        case gap
        /// Records are in two batches.
        case rangeDoubled
        /// A batch continues another one than stands before it.
        case chainBroken
        /// A manifest says something else than the job's state remembers.
        case forged
        /// Records expired unread, and the job went on over that: no damage.
        case noted(GapRecord)
    }

    package var kind: Kind
    /// Key of the manifest that is missing, or of the one that is doubtful.
    package var key: String
    package var detail: String
    /// What surely lies around the records in question: the arrivals before and after. Nil: the beginning of the shard,
    /// and the end of its archive.
    package var from: Timestamp?
    package var to: Timestamp?
    /// The records before and after.
    package var after: SequenceNumber?
    package var before: SequenceNumber?
}

package struct ChainCheck: Sendable {
    /// Doubtful manifests between two good ones that are remembered.
    static let asidesMax = 1_000

    private let joined: Set<BackfillLedger.Joined>
    /// The last manifest that the next one may follow.
    private var tail: ChainLink?
    /// Key of the last one of the job itself.
    private var liveKey: String?
    /// Manifests since then that were found doubtful already: what follows them is not blamed for it.
    private var asides: Set<String> = []
    private var lastKey: String?
    /// The earliest and latest of the shard, for the lineage.
    package private(set) var first: SequenceNumber?
    package private(set) var last: SequenceNumber?
    /// Arrival of the last archived record.
    package private(set) var lastArrival: Timestamp?

    package init(joined: some Sequence<BackfillLedger.Joined> = []) { self.joined = Set(joined) }

    /// Takes a manifest that was found doubtful for itself. Where it ends is not known.
    package mutating func addDoubtful(key: String) {
        lastKey = key
        if asides.count < Self.asidesMax { asides.insert(key) }
    }

    /// Takes the next manifest.
    package mutating func add(_ link: ChainLink) -> [ChainFault] {
        lastKey = link.key
        if let tail, link.first <= tail.last {
            if asides.count < Self.asidesMax { asides.insert(link.key) }
            return [
                fault(
                    .rangeDoubled, link.key, "its records \(link.first) to \(link.last) begin inside \(tail.key)",
                    from: link.firstArrival, to: max(tail.lastArrival, link.lastArrival))
            ]
        }
        let faults = link.isLive ? judge(live: link) : judge(backfill: link)
        first = first ?? link.first
        last = link.last
        lastArrival = max(lastArrival ?? link.lastArrival, link.lastArrival)
        tail = link
        if link.isLive { liveKey = link.key }
        asides.removeAll()
        return faults
    }

    /// After the last manifest.
    /// - Parameters:
    ///   - expected: the key of the last one by what the job's state remembers; nil when it remembers none.
    ///   - checkpoint: the last archived record, by the same.
    package func finish(expected: String?, checkpoint: SequenceNumber? = nil) -> ChainFault? {
        guard let expected else { return nil }
        if expected > lastKey ?? "" {
            return fault(
                .manifestMissing, expected, "the job's state says that it was stored, and it is the shard's last",
                from: tail?.lastArrival, to: nil)
        }
        guard let tail, tail.key == expected, lastKey == expected, let checkpoint, checkpoint != tail.last else {
            return nil
        }
        return fault(
            .forged, expected,
            "it ends with \(tail.last), and the job's state says that its last record is \(checkpoint)",
            from: tail.firstArrival, to: nil)
    }

    private func judge(live link: ChainLink) -> [ChainFault] {
        var faults: [ChainFault] = []
        if let gap = link.gap { faults.append(fault(.noted(gap), link.key, "", from: gap.from, to: gap.to)) }
        guard let previous = link.previous else {
            // Before the job's own first batch may lie what backfills brought of earlier times.
            if let liveKey {
                faults.append(
                    fault(
                        .chainBroken, link.key,
                        "it says that it is the first of its shard, and \(liveKey) lies before it",
                        from: tail?.lastArrival, to: link.firstArrival,
                        before: link.first))
            }
            return faults
        }
        if previous == liveKey, tail?.key == liveKey { return faults }
        if asides.contains(previous) || isJoined(to: link) { return faults }
        if let tail, previous == liveKey {
            // Backfilled batches stand where this one says that no record is; over a noted gap they may.
            if link.gap == nil {
                faults.append(
                    fault(
                        .rangeDoubled, tail.key, "\(link.key) says that no record lies between \(previous) and it",
                        from: tail.firstArrival, to: tail.lastArrival))
            }
        } else if let tail, previous == tail.key {
            faults.append(
                fault(
                    .gap, link.key,
                    "it follows a manifest that was lost; a backfill put \(tail.key) in its place, and "
                        + "nothing proves that this reaches up to \(link.first)",
                    from: tail.lastArrival, to: link.firstArrival, before: link.first))
        } else if let liveKey, previous < liveKey {
            faults.append(
                fault(
                    .chainBroken, link.key, "it continues \(previous), and \(liveKey) stands in between",
                    from: tail?.lastArrival, to: link.firstArrival,
                    before: link.first))
        } else {
            faults.append(
                fault(
                    .manifestMissing, previous, "\(link.key) continues it", from: tail?.lastArrival,
                    to: link.firstArrival, before: link.first))
        }
        return faults
    }

    private func judge(backfill link: ChainLink) -> [ChainFault] {
        if let gap = link.gap { return [fault(.noted(gap), link.key, "", from: gap.from, to: gap.to)] }
        guard let tail, liveKey != nil, asides.isEmpty else { return [] }
        if let after = link.backfill?.after, after == tail.last { return [] }
        if isJoined(to: link) { return [] }
        return [
            fault(
                .gap, link.key, "nothing proves that no record lies between \(tail.last) and its first \(link.first)",
                from: tail.lastArrival, to: link.firstArrival, before: link.first)
        ]
    }

    private func isJoined(to link: ChainLink) -> Bool {
        tail.map { joined.contains(BackfillLedger.Joined(after: $0.last, before: link.first)) } ?? false
    }

    private func fault(
        _ kind: ChainFault.Kind, _ key: String, _ detail: String, from: Timestamp?, to: Timestamp?,
        before: SequenceNumber? = nil
    ) -> ChainFault {
        ChainFault(kind: kind, key: key, detail: detail, from: from, to: to, after: tail?.last, before: before)
    }
}
