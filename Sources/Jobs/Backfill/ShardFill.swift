// One shard's part of a backfill: hole after hole, the same line as in a live run, from pages to manifest. A batch is
// claimed before anything of it is stored; when somebody else was quicker, the shard is planned anew.

import AWS
import Batching
import CivilTime
import Diagnostics
import State

/// Lives in one task; nothing of it is shared but the store and the progress board.
final class ShardFill {
    /// Times that others may be quicker on one shard.
    static let replansMax = 1_000
    /// Times that objects of lost manifests may ask for another cut of one batch.
    static let recutsMax = 8

    private let shard: PlannedShard
    private let context: BackfillContext
    private let claims: RangeClaims
    private let builder: BatchBuilder
    private let committer: BatchCommitter
    private let counter = RetryCounter()
    private var report: BackfillShardReport
    /// Key of the manifest that the batch being built follows.
    private var previousManifest: String?
    private var run: RunContext { context.run }
    private var leftObjects: LeftObjects { LeftObjects(run: run) }

    init(shard: PlannedShard, context: BackfillContext) throws {
        self.shard = shard
        self.context = context
        claims = context.claims(on: shard.id)
        report = BackfillShardReport(shard: shard.id)
        let run = context.run
        builder = try BatchBuilder(
            context: try run.batchContext(
                shard: ShardState(id: shard.id, parents: shard.parents, position: .trimHorizon)),
            spool: run.spool, failpoints: run.dependencies.failpoints)
        var committer = run.committer
        committer.guardian = claims
        self.committer = committer
    }

    /// Fills what can be filled. Never throws: a failing shard must not stop the others.
    func fill() async -> BackfillShardReport {
        report.lost = shard.plan.lost.map(window)
        report.moreWaiting = shard.plan.isCut
        do {
            try await context.finisher.noteSpent(claims)
            try await fillHoles()
            if !isStopped { try await finishOthers() }
            try await claims.settle()
            if !isStopped { report.waitingSince = try await waiting() }
        } catch {
            fail(error)
        }
        report.moreWaiting = report.moreWaiting || isStopped
        report.figures.retries += counter.counts.retries
        return report
    }

    private func finishOthers() async throws {
        let others = try await context.finisher.finishOthers(claims, range: context.range)
        for batch in others.finished { report.figures.add(batch, recordBytes: batch.recordBytes ?? 0) }
        report.lost += others.lost
    }

    /// What waits for the job; the job may have archived it since the plan was made.
    private func waiting() async throws -> Timestamp? {
        let probe = TailProbe(context: context)
        guard try await probe.waiting(on: shard) != nil else { return nil }
        var anew = shard
        anew.conclude(try await context.scan.one(shard.id))
        return try await probe.waiting(on: anew)
    }

    private var isStopped: Bool { run.dependencies.stop.requested != nil }

    private func fail(_ error: any Error) {
        builder.abandon()
        report.moreWaiting = true
        let (diagnostic, code) = describe(error, during: "backfill shard", of: shard.id)
        report.figures.problem = diagnostic
        report.figures.exitCode = code
        run.dependencies.events.event(
            .error, diagnostic.summary, [("shard", shard.id)] + (diagnostic.hint.map { [("hint", $0)] } ?? []))
    }

    private func window(_ range: TimeRange) -> LostWindow {
        LostWindow(shard: shard.id, from: range.from, to: range.to)
    }

    // MARK: Holes

    private func fillHoles() async throws {
        var holes = shard.plan.holes
        for _ in 0..<Self.replansMax {
            while let hole = holes.first, !isStopped {
                guard try await fill(hole) == .done else { break }
                holes.removeFirst()
            }
            if holes.isEmpty || isStopped { return }
            run.dependencies.events.event(
                .info, "another backfill works on the same records; planning the shard anew", [("shard", shard.id)])
            var anew = shard
            anew.conclude(try await context.scan.one(shard.id))
            holes = anew.plan.holes
        }
        throw ArchiveError(
            "backfill shard", shard.id, "others were quicker \(Self.replansMax) times",
            hint: "run fewer backfills of this job at the same time", exitCode: .temporary)
    }

    private enum Outcome: Equatable {
        case done
        /// Somebody else has some of the records.
        case taken
        /// Objects of a lost manifest stand there: the next batch must end with this record.
        case recut(SequenceNumber)
    }

    private func fill(_ planned: ShardHole) async throws -> Outcome {
        var hole = planned
        var cut: SequenceNumber?
        var recuts = 0
        while true {
            let outcome = try await read(&hole, cut: cut)
            guard case .recut(let last) = outcome else { return outcome }
            recuts = last == cut ? Self.recutsMax : recuts + 1
            guard recuts < Self.recutsMax else { throw leftObjects.conflict(on: shard.id, through: last) }
            cut = last
        }
    }

    /// Reads `hole` through; its beginning moves on with each batch.
    /// - Parameter cut: where the first batch has to end, whatever the limits say.
    private func read(_ hole: inout ShardHole, cut: SequenceNumber?) async throws -> Outcome {
        let reader = HoleReader(
            hole: hole, range: context.range, floor: shard.floor, retention: run.retention,
            pages: { [self] start, horizon in context.pages(shard.id, start, horizon: horizon, counter: counter) })
        defer { report.figures.retries += reader.retries }
        var cut = cut
        while true {
            let step = try await reader.next()
            if isStopped {
                builder.abandon()
                return .done
            }
            let (taken, page) = step.content
            if !builder.isEmpty, reader.gap != nil {
                let outcome = try await commit(&hole)
                guard outcome == .done else { return outcome }
            }
            for index in taken {
                if builder.isEmpty { begin(hole, reader) }
                try page.withRecord(index) { try builder.add($0) }
                guard cut.map({ builder.last == $0 }) ?? builder.mustSeal else { continue }
                cut = nil
                let outcome = try await commit(&hole)
                guard outcome == .done else { return outcome }
            }
            showProgress()
            if case .records = step { continue }
            if let cut, !builder.isEmpty { throw leftObjects.conflict(on: shard.id, through: cut) }
            let outcome = try await commit(&hole)
            guard outcome == .done else { return outcome }
            report.lost += reader.lost.map(window).filter { !report.lost.contains($0) }
            if case .untilManifest = step, reader.isAnchored, let after = hole.after, let before = hole.before {
                await claims.noteJoined(after: after.last, before: before)
            }
            return .done
        }
    }

    private func begin(_ hole: ShardHole, _ reader: HoleReader) {
        builder.gap = reader.gap
        builder.backfill = BackfillMark(after: reader.isAnchored ? hole.after?.last : nil)
        previousManifest = reader.isAnchored || reader.gap != nil ? hole.after?.key : nil
        reader.didTake()
    }

    /// Cuts the batch and stores it; nothing happens when it is empty.
    private func commit(_ hole: inout ShardHole) async throws -> Outcome {
        let bytes = builder.recordBytes
        guard let intent = try builder.seal(previousManifest: previousManifest, horizon: nil) else { return .done }
        do {
            if let last = try await leftObjects.cut(beside: intent) {
                try removeSpool(of: intent)
                return .recut(last)
            }
        } catch {
            try removeSpool(of: intent)
            throw error
        }
        let position = hole.after.map { ShardPosition.after($0.last) } ?? .trimHorizon
        try context.store.place(
            ShardState(
                id: shard.id, parents: shard.parents, position: position, lastManifest: intent.previousManifest))
        await claims.aim(after: hole.after?.key)
        let stored: BatchIntent
        do {
            stored = try await committer.commit(intent)
        } catch is RangeTaken {
            try removeSpool(of: intent)
            return .taken
        }
        await claims.noteCommitted(stored.first)
        let key = BatchManifest(intent: stored).key(controlPrefix: run.file.destination.controlPrefix)
        hole.after = ArchivedEdge(
            key: key, last: stored.last, arrival: max(hole.after?.arrival ?? stored.lastArrival, stored.lastArrival))
        report.figures.add(stored, recordBytes: bytes)
        run.dependencies.events.event(
            .debug, "batch committed",
            [
                ("shard", shard.id), ("first", stored.first.text), ("last", stored.last.text),
                ("records", "\(stored.records)"), ("objects", "\(stored.objects.count)"),
            ])
        return .done
    }

    private func removeSpool(of intent: BatchIntent) throws {
        for object in intent.objects { try run.spool.remove(object.spoolFile) }
    }

    private func showProgress() {
        run.board.update(
            shard: shard.id, records: report.figures.records + builder.records,
            rows: report.figures.rows + builder.rows, bytes: report.figures.recordBytes + builder.recordBytes,
            objects: report.figures.objects)
    }
}

extension HoleReader.Step {
    fileprivate var content: ([Int], GetRecordsPage) {
        switch self {
        case .records(let taken, let page), .untilManifest(let taken, let page), .untilEnd(let taken, let page):
            (taken, page)
        }
    }
}
