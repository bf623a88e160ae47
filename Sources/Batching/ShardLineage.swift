// Decides which shards may be read. Order within a partition key is kept only if a child waits until all its parents
// have ended; nothing is lost only if a shard that disappears unfinished is noticed.

package import CivilTime

/// The plan for the shards of one stream, made anew after each ListShards and each shard's end. Every list is sorted
/// by shard id.
package struct ShardLineage: Sendable, Equatable {
    /// Shards to read now.
    package var ready: [ShardState] = []
    /// Shards that wait, with the parents they wait for.
    package var waiting: [Waiting] = []
    /// Shards that the state does not know yet. They are in `ready`, `waiting` or `ended` too; store them first.
    package var new: [ShardState] = []
    /// Shards that left the stream before they were read to their end.
    package var vanished: [Vanished] = []
    /// Shards whose listing contradicts itself; they wait, and a later listing will tell.
    package var inconsistent: [Inconsistent] = []
    /// Ids of shards that are done.
    package var ended: [String] = []

    package struct Waiting: Sendable, Equatable {
        package var shard: ShardState
        package var parents: [String]
    }

    package struct Vanished: Sendable, Equatable {
        package var shard: ShardState
        package var gap: GapRecord
    }

    package struct Inconsistent: Sendable, Equatable {
        package var shard: String
        package var reason: String
    }

    /// True when shards wait and nothing that could end their waiting is left.
    package var isStuck: Bool { !waiting.isEmpty && ready.isEmpty && vanished.isEmpty && inconsistent.isEmpty }

    /// - Parameters:
    ///   - listed: all shards that ListShards gives (filter none or FROM_TRIM_HORIZON).
    ///   - stored: all shards of the state store.
    ///   - start: what the first run decided.
    ///   - now, retention: tell a shard that expired from one that a listing left out.
    package init(
        listed: [ListedShard], stored: [ShardState], start: StartSet, now: Timestamp, retention: Duration
    ) {
        let listing = Dictionary(listed.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var states = Dictionary(stored.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for shard in listing.values.sorted(by: { $0.id < $1.id }) where states[shard.id] == nil {
            let state = ShardState(
                id: shard.id, parents: shard.parents.sorted(), position: start.position(of: shard.id))
            states[shard.id] = state
            new.append(state)
        }
        for state in states.values.sorted(by: { $0.id < $1.id }) {
            if state.position == .ended {
                ended.append(state.id)
            } else if let gap = Self.gap(of: state, isListed: listing[state.id] != nil, now, retention) {
                vanished.append(Vanished(shard: state, gap: gap))
            } else {
                place(state, listing, states)
            }
        }
    }

    private mutating func place(
        _ state: ShardState, _ listing: [String: ListedShard], _ states: [String: ShardState]
    ) {
        if let shard = listing[state.id], shard.isOpen {
            // KCL calls these "inconsistent shards": a page of the listing is older than a reshard.
            let openParent = shard.parents.sorted().first { listing[$0]?.isOpen == true && $0 != state.id }
            if let openParent {
                inconsistent.append(
                    Inconsistent(shard: state.id, reason: "it and its parent \(openParent) are both listed as open"))
                return
            }
        }
        // A state rebuilt from manifests may not know all parents. One that neither the stream nor the state knows
        // has expired long ago.
        let parents = Set(state.parents).union(listing[state.id]?.parents ?? [])
        let unfinished = parents.filter { parent in
            parent != state.id && states[parent].map { $0.position != .ended } ?? false
        }
        if unfinished.isEmpty {
            ready.append(state)
        } else {
            waiting.append(Waiting(shard: state, parents: unfinished.sorted()))
        }
    }

    /// A shard leaves the listing when its last record expires. One that is not listed but whose records cannot have
    /// expired yet was left out by the listing, or is a child that came into being after it.
    private static func gap(
        of state: ShardState, isListed: Bool, _ now: Timestamp, _ retention: Duration
    ) -> GapRecord? {
        guard !isListed else { return nil }
        var after: SequenceNumber?
        var from = state.horizon
        switch state.position {
        case .after(let sequence): after = sequence
        case .timestamp(let milliseconds): from = from ?? Timestamp(milliseconds: milliseconds)
        case .trimHorizon, .ended: break
        }
        return GapCheck.gap(after: after, horizon: from, firstArrival: nil, now: now, retention: retention)
    }
}
