// Plans what a backfill reads of one shard: the manifests go by in the order of their keys, and what they leave open in
// the asked range remains. Nothing but the last manifest is kept, so ten thousand of them cost no memory.
//
// The rule that cannot double: a record is planned only if it lies before a record that is archived, before the
// instant that the job's first run began with, or on a shard that the job has read to its end. The job reads forward
// from its last manifest and never goes back, so it will not read any such record again. All that follows the last
// manifest of a shard is left to the job.

package import CivilTime

package struct RangePlan: Sendable {
    /// Arrival times of neighbouring records may be out of order by this much.
    package static let disorderMax = Duration.seconds(10)
    /// A shard with more holes is left for the next run.
    package static let holesMax = 10_000

    /// What is known of the shard's oldest records.
    package enum Beginning: Sendable, Equatable {
        /// The job reads (or has read) the shard from the oldest record that was on the stream.
        case oldest
        /// The job's first run began the shard at an instant, or left it out: what came before is open.
        case open
    }

    /// What follows the last manifest.
    package enum Tail: Sendable, Equatable {
        /// Belongs to the job.
        case live
        /// The job has nothing on this shard and begins it at the instant.
        case until(Timestamp)
        /// The job will not read the shard again: it has read it to its end, or has left it out.
        case end(isRead: Bool)
        /// The shard has left the stream. What arrived on it before the instant, if anything did, was never read; nil
        /// when the job has read the shard to its end.
        case gone(unreadBefore: Timestamp?)
    }

    package let range: TimeRange
    package private(set) var holes: [ShardHole] = []
    /// Parts of the range that are in no manifest and cannot be read any more, if there was anything in them.
    package private(set) var lost: [TimeRange] = []
    /// The last manifest so far.
    package private(set) var edge: ArchivedEdge?
    /// True when records after `edge` that may be in the range are left to the job.
    package private(set) var isLeftToLive = false
    /// True once a manifest of the job itself went by.
    package private(set) var hasLive = false
    package private(set) var parents: Set<String> = []
    /// True when batches that others have claimed and not finished are in the range.
    package private(set) var hasPromises = false
    /// True when a claim went by whose batch is committed: whoever claimed it was ended before it could say so.
    package private(set) var hasSpentClaims = false
    /// True when more holes were found than `holesMax`.
    package private(set) var isCut = false

    private let beginning: Beginning
    private let link: ManifestLink
    /// Claimed batches whose manifests did not go by yet, by their first record.
    private var promises: [ManifestFacts]
    private var neighbour: ManifestFacts?

    /// - Parameters:
    ///   - ledger: what other backfills have claimed and found.
    ///   - controlPrefix: where the manifests of the claims will lie.
    package init(
        range: TimeRange, beginning: Beginning, ledger: BackfillLedger?, controlPrefix: String
    ) {
        self.range = range
        self.beginning = beginning
        link = ManifestLink(joined: ledger?.joined ?? [])
        promises = (ledger?.claims ?? []).map { claim in
            ManifestFacts(
                promisedBy: claim.intent, key: BatchManifest(intent: claim.intent).key(controlPrefix: controlPrefix))
        }
    }

    /// True when nothing that follows can be in the range.
    package var isPast: Bool { edge.map { $0.arrival >= range.to } ?? false }

    /// True for a manifest after which the range can still begin: those up to it need not be looked at.
    package func mayBeginAfter(_ manifest: ManifestFacts) -> Bool {
        manifest.lastArrival < range.from.adding(.zero - Self.disorderMax)
    }

    /// Passes over all manifests up to this one.
    package mutating func skip(to manifest: ManifestFacts) {
        hasLive = hasLive || manifest.isLive
        parents.formUnion(manifest.parents)
        advance(to: manifest)
    }

    /// Takes the next manifest.
    package mutating func add(_ manifest: ManifestFacts) {
        while let promise = promises.first, promise.first <= manifest.first {
            promises.removeFirst()
            if promise.first < manifest.first { keep(promise) } else { hasSpentClaims = true }
        }
        hasLive = hasLive || manifest.isLive
        take(manifest)
    }

    /// Takes what follows the last manifest. Call once, at the end.
    package mutating func finish(_ tail: Tail) {
        while let promise = promises.first {
            promises.removeFirst()
            keep(promise)
        }
        guard !isPast else { return }
        switch tail {
        case .live: isLeftToLive = true
        case .until(let instant):
            if edge.map({ $0.arrival < instant }) ?? true { open(.start(instant), after: nil) }
            isLeftToLive = instant < range.to
        case .end(let isRead): open(.end(isRead: isRead), after: nil)
        case .gone(let instant):
            if let instant, edge.map({ $0.arrival < instant }) ?? true { open(.start(instant), after: nil) }
        }
    }

    /// Gives up the holes as lost: the shard has left the stream.
    /// - Parameter floor: nothing arrived on the shard before it.
    package mutating func loseHoles(floor: Timestamp) {
        lost += holes.compactMap { $0.part(of: range, floor: floor) }
        holes = []
    }

    /// Drops what would lie before the shard's first manifest: the shard came into being after the range.
    package mutating func dropBeginning() { holes.removeAll { $0.after == nil } }

    /// - Parameter floor: nothing arrived on the shard before it.
    package mutating func confineLost(to floor: Timestamp) {
        lost = lost.compactMap { $0.part(from: floor, to: $0.to) }
    }

    private mutating func keep(_ promise: ManifestFacts) {
        if promise.lastArrival >= range.from, promise.firstArrival < range.to { hasPromises = true }
        take(promise)
    }

    private mutating func take(_ manifest: ManifestFacts) {
        parents.formUnion(manifest.parents)
        defer { advance(to: manifest) }
        guard !isPast, manifest.firstArrival >= range.from.adding(.zero - Self.disorderMax) else { return }
        if let neighbour {
            // Ranges that overlap leave nothing between them; `verify` reports them.
            guard neighbour.last < manifest.first, !link.isProven(neighbour, manifest) else { return }
        } else if manifest.isLive, manifest.previous == nil, manifest.gap == nil, beginning == .oldest {
            return beginAtOldest(manifest)
        }
        if let gap = manifest.gap {
            // All that was left of the shard when this batch was made began with it.
            let from = gap.from ?? edge?.arrival ?? range.from
            if let window = range.part(from: from, to: gap.to ?? manifest.firstArrival) { lost.append(window) }
        } else {
            open(.manifest(first: manifest.first, arrival: manifest.firstArrival), after: manifest)
        }
    }

    /// The shard's first batch began with the oldest record that was there. A child was read from its beginning, or a
    /// gap would say otherwise; what another shard held before the job first read it may have expired by then.
    private mutating func beginAtOldest(_ manifest: ManifestFacts) {
        guard manifest.parents.isEmpty, let trimHorizon = manifest.trimHorizon else { return }
        if let window = range.part(from: range.from, to: min(trimHorizon, manifest.firstArrival)) {
            lost.append(window)
        }
    }

    private mutating func open(_ upper: ShardHole.Upper, after next: ManifestFacts?) {
        guard holes.count < Self.holesMax else {
            isCut = true
            return
        }
        var hole = ShardHole(after: edge, upper: upper)
        if let neighbour { hole.density.add(neighbour) }
        if let next { hole.density.add(next) }
        holes.append(hole)
    }

    private mutating func advance(to manifest: ManifestFacts) {
        while let promise = promises.first, promise.first <= manifest.first { promises.removeFirst() }
        if let edge, manifest.last < edge.last { return }
        neighbour = manifest
        edge = ArchivedEdge(
            key: manifest.key, last: manifest.last,
            arrival: max(edge?.arrival ?? manifest.lastArrival, manifest.lastArrival))
    }
}
