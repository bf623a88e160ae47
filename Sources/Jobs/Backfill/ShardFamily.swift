// Who descends from whom, as far as ListShards and the manifests tell, and what that says of each shard.

import AWS
import Batching
import CivilTime

struct ShardFamily: Sendable {
    private(set) var parents: [String: Set<String>] = [:]
    /// Only shards that the stream still lists.
    private(set) var isClosed: [String: Bool] = [:]
    private(set) var hasManifests: Set<String> = []
    /// Shards on which a manifest of the job itself went by.
    private(set) var hasLive: Set<String> = []
    private var children: [String: Set<String>] = [:]

    init(listed: [Shard], plans: [String: RangePlan]) {
        for shard in listed {
            let state = ListedShard(shard)
            parents[shard.id, default: []].formUnion(state.parents)
            isClosed[shard.id] = !state.isOpen
        }
        for (id, plan) in plans {
            parents[id, default: []].formUnion(plan.parents)
            if plan.edge != nil { hasManifests.insert(id) }
            if plan.hasLive { hasLive.insert(id) }
        }
        for (child, all) in parents { for parent in all { children[parent, default: []].insert(child) } }
    }

    func descendants(of shard: String) -> Set<String> {
        var seen: Set<String> = []
        var open = [shard]
        while let id = open.popLast() {
            for child in children[id] ?? [] where seen.insert(child).inserted { open.append(child) }
        }
        return seen.subtracting([shard])
    }

    /// Nothing arrived on the shard before this: its parents still took records then. Nil when no parent tells.
    func floor(of shard: String, plans: [String: RangePlan]) -> Timestamp? {
        (parents[shard] ?? []).compactMap { plans[$0]?.edge?.arrival }.max()
    }
}
