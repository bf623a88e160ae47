// Where the first run of a job began. It is decided once and kept in the state and in the owner marker: a rebuild of
// lost state must not take in what `start: latest` or a start time had left out.

package import CivilTime

/// The decision of a job's first run.
package struct StartSet: Codable, Sendable, Equatable {
    /// Shards that did not begin at their oldest record, with the position they began at.
    package var positions: [String: ShardPosition]

    package init(positions: [String: ShardPosition] = [:]) { self.positions = positions }

    /// `start: trim_horizon`: every shard begins with its oldest record.
    package static let trimHorizon = StartSet()

    /// `start: latest` (the instant is then that of the first run) or a start time. The shards that were open at the
    /// instant begin there, their ancestors are left out, and what descends from them is read whole.
    ///
    /// - Parameters:
    ///   - instant: where to begin.
    ///   - listed: all shards of the stream (ListShards without a filter).
    ///   - openThen: the ids that ListShards gives with the filter AT_TIMESTAMP or AT_LATEST.
    package init(from instant: Timestamp, listed: [ListedShard], openThen: some Sequence<String>) {
        let byID = Dictionary(listed.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let start = ShardPosition.timestamp(instant.milliseconds)
        let members = Set(openThen).intersection(byID.keys)
        let ancestors = Self.reach(from: members) { byID[$0]?.parents ?? [] }
        var children: [String: [String]] = [:]
        for shard in listed { for parent in shard.parents { children[parent, default: []].append(shard.id) } }
        let descendants = Self.reach(from: members) { children[$0] ?? [] }
        positions = [:]
        for id in byID.keys {
            if members.contains(id) {
                positions[id] = start
            } else if ancestors.contains(id) {
                positions[id] = .ended
            } else if !descendants.contains(id) {
                // Not related to any shard of the time: reading it from the instant can leave nothing out.
                positions[id] = start
            }
        }
    }

    /// All shards that `step` leads to from `members`, without `members` unless a step leads back to them.
    private static func reach(from members: Set<String>, step: (String) -> [String]) -> Set<String> {
        var seen: Set<String> = []
        var open = Array(members)
        while let id = open.popLast() {
            for next in step(id) where seen.insert(next).inserted { open.append(next) }
        }
        return seen
    }

    /// The instant that shards begin at; nil when all begin at their oldest record.
    package var instant: Timestamp? {
        positions.values.lazy.compactMap { position -> Timestamp? in
            guard case .timestamp(let milliseconds) = position else { return nil }
            return Timestamp(milliseconds: milliseconds)
        }.max()
    }

    /// Where a shard that the state does not know begins.
    package func position(of shard: String) -> ShardPosition { positions[shard] ?? .trimHorizon }
}
