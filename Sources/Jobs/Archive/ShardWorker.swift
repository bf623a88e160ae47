// One shard's part of a run, the straight line of the product:
// checkpoint → pages → rows → batch → intent → objects → manifest → checkpoint.

import AWS
import Batching
import CivilTime
import Diagnostics
import State

/// What a shard's part of the run came to, for the scheduler.
struct ShardOutcome: Sendable {
    var report: ShardReport
    var moreWaiting = false
}

/// Lives in one task; nothing of it is shared but the store and the progress board.
final class ShardWorker {
    private let shard: ShardState
    /// A closed shard is read to its end: its children wait for that.
    private let isClosed: Bool
    private let run: RunContext
    private let reader: PageReader
    private let builder: BatchBuilder
    private var previousManifest: String?
    private var report: ShardReport
    private let counter = RetryCounter()
    private var moreWaiting = false
    /// The latest arrival among the records read in this run.
    private var lastArrival: Timestamp?

    init(shard: ShardState, isClosed: Bool, startsAtTip: Bool, run: RunContext) throws {
        self.shard = shard
        self.isClosed = isClosed
        self.run = run
        previousManifest = shard.lastManifest
        report = ShardReport(shard: shard.id)
        let clock = run.clock
        var counted = run.dependencies
        counted.kinesis = counted.kinesis.counting(into: counter)
        reader = PageReader(
            stream: run.streamReference, shard: shard.id,
            start: startsAtTip ? .tip : .position(shard.position), storedHorizon: shard.horizon,
            retention: run.retention, bytesPerSecond: run.file.source.readRate,
            dependencies: counted, mayWait: { clock.mayRead })
        builder = try BatchBuilder(
            context: try run.batchContext(shard: shard), spool: run.spool, failpoints: run.dependencies.failpoints)
    }

    /// Reads until the run's end rule says so. Never throws: a failing shard must not stop the others.
    func archive() async -> ShardOutcome {
        do {
            try await readToTheEnd()
        } catch {
            builder.abandon()
            moreWaiting = true
            let (diagnostic, code) = describe(error, during: "archive shard", of: shard.id)
            report.problem = diagnostic
            report.exitCode = code
            run.dependencies.events.event(
                .error, diagnostic.summary, [("shard", shard.id)] + (diagnostic.hint.map { [("hint", $0)] } ?? []))
        }
        report.retries += reader.retries + counter.counts.retries
        return ShardOutcome(report: report, moreWaiting: moreWaiting)
    }

    private func readToTheEnd() async throws {
        while true {
            let page = try await reader.next()
            try accept(gap: page.gap)
            noteBeginning(page)
            try await add(page)
            let lag = Duration.milliseconds(page.records.millisBehindLatest)
            report.lag = lag
            run.board.update(shard: shard.id, lag: lag)
            if run.dependencies.stop.requested != nil {
                // The rows of an unfinished batch are cheap to make again; an ordered end must be quick.
                moreWaiting = true
                return builder.abandon()
            }
            if page.isEnd {
                try await commitBatch(horizon: page.horizon)
                return try await end(page)
            }
            if isDone(page) {
                try await commitBatch(horizon: page.horizon)
                return try await keep(horizon: page.horizon)
            }
            if run.clock.isOver {
                moreWaiting = true
                try await commitBatch(horizon: page.horizon)
                return try await keep(horizon: page.horizon)
            }
        }
    }

    private func isDone(_ page: ShardPage) -> Bool {
        guard page.isSettled, !isClosed else { return false }
        let last = page.records.count > 0 ? page.records.arrival(page.records.count - 1) : nil
        return run.end(clockSkew: page.clockSkew).isReached(
            millisBehindLatest: page.records.millisBehindLatest, lastArrival: last, horizon: page.horizon)
    }

    private func add(_ page: ShardPage) async throws {
        for index in 0..<page.records.count {
            lastArrival = max(lastArrival ?? page.records.arrival(index), page.records.arrival(index))
        }
        for index in page.firstNew..<max(page.firstNew, page.records.count) {
            try page.records.withRecord(index) { try builder.add($0) }
            if builder.mustSeal {
                try await commitBatch(horizon: nil)
                if run.dependencies.stop.requested != nil { return }
            }
        }
        run.board.update(
            shard: shard.id, records: report.records + builder.records, rows: report.rows + builder.rows,
            bytes: report.recordBytes + builder.recordBytes, objects: report.objects)
    }

    /// Cuts the batch and stores it; nothing happens when it is empty.
    private func commitBatch(horizon: Timestamp?) async throws {
        let bytes = builder.recordBytes
        guard let intent = try builder.seal(previousManifest: previousManifest, horizon: horizon) else { return }
        let stored = try await run.committer.commit(intent)
        previousManifest = BatchManifest(intent: stored).key(controlPrefix: run.file.destination.controlPrefix)
        report.add(stored, recordBytes: bytes)
        await run.live?.refresh()
        run.dependencies.events.event(
            .debug, "batch committed",
            [
                ("shard", shard.id), ("first", stored.first.text), ("last", stored.last.text),
                ("records", "\(stored.records)"), ("objects", "\(stored.objects.count)"),
            ])
    }

    private func accept(gap: GapRecord?) throws {
        guard let gap else { return }
        guard run.file.source.onGap == .continue else { throw GapProblem.error(gap, shard: shard.id) }
        report.exitCode = .sourceGap
        report.problem = GapProblem.error(gap, shard: shard.id).diagnostic
        builder.gap = gap
        run.dependencies.events.event(
            .error, GapProblem.error(gap, shard: shard.id).diagnostic.summary, [("shard", shard.id)])
    }

    /// A shard that was never read may have held records that expired before: its first batch says how far back it goes.
    private func noteBeginning(_ page: ShardPage) {
        guard shard.position == .trimHorizon, shard.horizon == nil, previousManifest == nil, builder.isEmpty else {
            return
        }
        let horizon = page.records.serverDate.adding(.zero - run.retention)
        builder.trimHorizon = horizon > run.summary.creation ? horizon : nil
    }

    /// Notes the end and the children that may begin now, in one step. A child has taken records since the shard was
    /// closed, which may be long ago: what is known of that instant is that nothing seen on the shard came after it.
    private func end(_ page: ShardPage) async throws {
        let known = [shard.horizon, lastArrival].compactMap { $0 }.max()
        let children = page.records.childShards.map { child in
            ShardState(
                id: child.id, parents: child.parents.sorted(), position: .trimHorizon, horizon: known)
        }
        try run.dependencies.failpoints.hit(.shardEndBefore)
        try await run.store.markEnded(shard.id, children: children)
        try run.dependencies.failpoints.hit(.shardEndAfter)
        report.ended = true
    }

    /// Notes up to when the shard is known to be archived, so that a later run can tell an idle shard from a gap.
    /// A gap that no batch carries yet stays open: the next run finds it again.
    private func keep(horizon: Timestamp) async throws {
        guard builder.gap == nil else { return }
        try await run.horizons.note(shard.id, horizon)
    }
}
