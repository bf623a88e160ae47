// What a backfill starts from: the stream as it is, the part of the range that can have records by now, its own store.

import AWS
import Batching
import CivilTime
import Diagnostics
import State

extension BackfillJob {
    struct Outset: Sendable {
        var summary: StreamSummary
        var range: TimeRange
        /// Records that arrived before it may have expired.
        var trimHorizon: Timestamp
    }

    /// All times are the server's: it is the one that stamps arrivals and expires records.
    func outset(_ report: inout BackfillReport) async throws -> Outset {
        let asked = dependencies.time.now()
        let summary = try await dependencies.patiently {
            try await dependencies.kinesis.describeStreamSummary(stream: file.source.stream.reference)
        }
        let contact = StreamContact(summary, asked: asked, answered: dependencies.time.now())
        let now = dependencies.time.now().adding(contact.clockSkew)
        guard range.from < now else {
            throw ArchiveError(
                "backfill", file.name, "the range begins at \(RFC3339.text(range.from)), which is still to come",
                hint: "the job itself archives what arrives from now on", exitCode: .usage)
        }
        if range.to > now { report.stoppedAt = now }
        return Outset(
            summary: summary, range: TimeRange(from: range.from, to: min(range.to, now)),
            trimHorizon: now.adding(ClockSkew.tolerance - contact.retention))
    }

    func planner(_ outset: Outset) -> BackfillPlanner {
        BackfillPlanner(
            file: file, dependencies: dependencies, identity: file.identity(of: outset.summary), range: outset.range,
            trimHorizon: outset.trimHorizon, objects: objects)
    }

    func plan(
        _ planner: BackfillPlanner, _ scan: ManifestScan, _ outset: Outset, _ report: inout BackfillReport
    ) async throws -> BackfillPlan {
        if scan.marker == nil {
            dependencies.events.event(
                .warning,
                "no run of this job has stored anything yet: all that is on the stream is left to its first run",
                [("hint", "run `sluice archive` first")])
        }
        let plan = try await planner.plan(scan)
        report.manifests = plan.manifests
        report.ranges = plan.shards.flatMap { shard in
            shard.plan.holes.map { BackfillRange($0, of: shard, in: outset.range) }
        }
        return plan
    }

    var objects: any ControlStore {
        S3ControlStore(dependencies.s3, attributes: file.destination.attributes)
    }

    /// The store of this host's open plans, one for each stream creation. It is a cache: what it plans is claimed in S3.
    func openStore(_ directory: StateDirectory, _ outset: Outset) throws -> SQLiteStateStore {
        let own = StateDirectory("\(directory.path)/\(outset.summary.creation.milliseconds)")
        try own.prepare()
        do {
            return try SQLiteStateStore.open(
                directory: own, identity: file.identity(of: outset.summary), newStateID: dependencies.newID())
        } catch {
            guard error.exitCode == .stateOrIdentity else { throw error }
            var error = error
            error.diagnostic.hint =
                "remove \(own.path): it only holds batches that were begun, and any backfill can finish those"
            throw error
        }
    }
}

extension BackfillRange {
    fileprivate init(_ hole: ShardHole, of shard: PlannedShard, in range: TimeRange) {
        let part = hole.part(of: range, floor: shard.floor)
        let estimate = hole.estimate(range, floor: shard.floor)
        let from = part?.from ?? hole.after?.arrival ?? range.from
        self.init(
            shard: shard.id, after: hole.after?.last.text, before: hole.before?.text, from: from,
            to: part?.to ?? max(from, range.from), records: estimate?.records, recordBytes: estimate?.bytes,
            isCheck: hole.isRead)
    }
}
