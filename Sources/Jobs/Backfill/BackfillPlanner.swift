// Which shards have holes in the range, and what of each may be filled beside the job: see `RangePlan` for the rule.

import AWS
import Batching
import CivilTime
import Diagnostics
import State

/// One shard of the plan.
struct PlannedShard: Sendable {
    var id: String
    var parents: [String]
    /// Nothing arrived on the shard before it.
    var floor: Timestamp
    /// True when the range ends before the shard came into being.
    var isLater: Bool
    var tail: RangePlan.Tail
    var plan: RangePlan

    /// Nothing is to be read or stored.
    var isDone: Bool {
        plan.holes.isEmpty && !plan.isLeftToLive && !plan.hasPromises && !plan.hasSpentClaims
    }
}

struct BackfillPlan: Sendable {
    var shards: [PlannedShard]
    /// Read for the plan.
    var manifests: Int
}

struct BackfillPlanner: Sendable {
    /// A `start: latest` run notes its start by a clock that may be off by some seconds; records that near to it are
    /// left to the job until its first manifest on the shard tells where it began.
    static let startDoubt = Duration.seconds(5)

    let file: ArchiveJobFile
    let dependencies: ArchiveDependencies
    let identity: StateIdentity
    let range: TimeRange
    /// Records that arrived before it may have expired.
    let trimHorizon: Timestamp
    let objects: any ControlStore

    /// Looks at who owns the commits, and gives what reads the manifests.
    func scan() async throws -> ManifestScan {
        let marker = try await dependencies.patiently {
            try await OwnerReader(objects: objects, identity: identity).marker()
        }
        return ManifestScan(
            objects: objects, identity: identity, range: range, marker: marker,
            dependencies: dependencies)
    }

    func plan(_ scan: ManifestScan) async throws -> BackfillPlan {
        let listed = try await dependencies.patiently {
            try await dependencies.kinesis.listShards(
                stream: file.source.stream.reference, filter: .fromTimestamp(max(range.from, identity.streamCreation)))
        }
        var found = try await scan.all()
        if scan.marker == nil, !found.plans.isEmpty {
            throw StateError(
                .ownership, "check owner marker",
                "s3://\(identity.bucket)/\(OwnerMarker.key(controlPrefix: identity.controlPrefix))",
                "the marker is gone, and there are manifests of this job",
                hint: "look at bucket and control_prefix in the job file; if the marker was deleted, put it back, or "
                    + "`sluice state rebuild JOB` makes it anew")
        }
        // What the first run left out may have left the stream since, with nothing but the marker to tell of it.
        let start = scan.marker?.start ?? .trimHorizon
        for id in Set(listed.map(\.id)).union(start.positions.keys) where found.plans[id] == nil {
            found.plans[id] = try await scan.begin(id)
        }
        let family = ShardFamily(listed: listed, plans: found.plans)
        var shards: [PlannedShard] = []
        for (id, unfinished) in found.plans.sorted(by: { $0.key < $1.key }) {
            let tail = try await tail(of: id, unfinished, family, start)
            let floor = family.floor(of: id, plans: found.plans)
            var shard = PlannedShard(
                id: id, parents: family.parents[id, default: []].sorted(), floor: floor ?? identity.streamCreation,
                isLater: floor.map { $0 >= range.to } ?? false, tail: tail, plan: unfinished)
            shard.conclude(unfinished)
            shards.append(shard)
        }
        return BackfillPlan(shards: shards, manifests: found.manifests)
    }

    private func tail(
        of id: String, _ plan: RangePlan, _ family: ShardFamily, _ start: StartSet
    ) async throws -> RangePlan.Tail {
        if plan.isPast { return .live }
        let position = start.position(of: id)
        /// True when the job reads the shard from its oldest record on, or has read some of it.
        let isJobs = position == .trimHorizon || plan.hasLive
        guard let isClosed = family.isClosed[id] else {
            if isJobs, try await isRead(id, family) { return .gone(unreadBefore: nil) }
            // It was closed before the oldest record that is left; and what came after its start was the job's.
            return .gone(unreadBefore: isJobs ? trimHorizon : min(trimHorizon, start.instant ?? trimHorizon))
        }
        if isClosed {
            if position == .ended { return .end(isRead: false) }
            if try await isRead(id, family) { return .end(isRead: isJobs) }
        }
        guard case .timestamp(let milliseconds) = position, !plan.hasLive else { return .live }
        let instant = Timestamp(milliseconds: milliseconds)
        if case .time(let asked) = file.source.start, asked.milliseconds == milliseconds { return .until(instant) }
        return .until(instant.adding(.zero - Self.startDoubt))
    }

    /// The job begins a shard only after it has ended the parents: a batch of its own on any descendant proves it.
    private func isRead(_ id: String, _ family: ShardFamily) async throws -> Bool {
        let descendants = family.descendants(of: id)
        if descendants.contains(where: { family.hasLive.contains($0) }) { return true }
        let search = LiveManifestSearch(objects: objects, identity: identity)
        for descendant in descendants where family.hasManifests.contains(descendant) {
            if try await dependencies.patiently({ try await search.exists(on: descendant) }) { return true }
        }
        return false
    }
}

extension PlannedShard {
    /// Takes a plan whose manifests have all gone by.
    mutating func conclude(_ read: RangePlan) {
        plan = read
        plan.finish(isLater ? .gone(unreadBefore: nil) : tail)
        if case .gone = tail { plan.loseHoles(floor: floor) }
        if isLater { plan.dropBeginning() }
        plan.confineLost(to: floor)
    }
}
