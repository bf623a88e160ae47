// Finishes batches that were claimed and not committed: this host's own after a kill, and those that others left. Any
// host can do it, because the claim holds the whole plan; two that do it at the same time store the same.

import Batching
import CivilTime
import Diagnostics
import State

/// Records of a claimed batch are no longer on the stream, and nobody here has their rows.
struct ExpiredClaim: Error {
    var window: LostWindow
}

struct ClaimFinisher: Sendable {
    let context: BackfillContext
    private var run: RunContext { context.run }

    /// Finishes this host's open plans.
    /// - Returns: a report for each shard that had one. A plan that could not be finished stays open.
    func finishOwn() async throws -> [BackfillShardReport] {
        var reports: [BackfillShardReport] = []
        for intent in try context.store.openIntents() where run.dependencies.stop.requested == nil {
            var report = BackfillShardReport(shard: intent.shard)
            let claims = context.claims(on: intent.shard)
            do {
                if let stored = try await finish(intent, claims) {
                    report.figures.add(stored, recordBytes: 0)
                    await claims.noteCommitted(intent.first)
                }
                try await claims.settle()
            } catch let error as ExpiredClaim {
                report.lost.append(error.window)
            } catch {
                let (diagnostic, code) = describe(error, during: "finish batch", of: intent.shard)
                report.figures.problem = diagnostic
                report.figures.exitCode = code
                run.dependencies.events.event(.error, diagnostic.summary, [("shard", intent.shard)])
            }
            reports.append(report)
        }
        return reports
    }

    /// Notes claims of committed batches, anywhere on the shard: those of backfills that were ended between the manifest
    /// and the ledger would take up the places of new ones for ever.
    func noteSpent(_ claims: RangeClaims) async throws {
        for claim in try await claims.open() where try await isCommitted(claim.intent, claims) {
            await claims.noteCommitted(claim.intent.first)
        }
    }

    /// Finishes what others have claimed in the range and not committed.
    /// - Returns: the batches that were finished here, and what of others has left the stream.
    func finishOthers(
        _ claims: RangeClaims, range: TimeRange
    ) async throws -> (finished: [BatchIntent], lost: [LostWindow]) {
        var finished: [BatchIntent] = []
        var lost: [LostWindow] = []
        for claim in try await claims.open() where run.dependencies.stop.requested == nil {
            let intent = localised(claim.intent)
            guard intent.lastArrival >= range.from, intent.firstArrival < range.to else { continue }
            if try await isCommitted(intent, claims) {
                await claims.noteCommitted(intent.first)
                continue
            }
            run.dependencies.events.event(
                .info, "finishing a batch that another backfill has claimed",
                [("shard", intent.shard), ("first", intent.first.text)])
            try context.store.place(
                ShardState(
                    id: intent.shard, parents: intent.parents, position: .trimHorizon,
                    lastManifest: intent.previousManifest))
            try context.store.saveIntent(intent)
            do {
                finished.append(try await replay(intent))
                await claims.noteCommitted(intent.first)
            } catch let error as ExpiredClaim {
                lost.append(error.window)
            }
        }
        return (finished, lost)
    }

    /// Nil when the plan was dropped: it is neither claimed any more nor committed as it was planned.
    private func finish(_ intent: BatchIntent, _ claims: RangeClaims) async throws -> BatchIntent? {
        let isClaimed = try await claims.open().contains { isSame($0.intent, intent) }
        if !isClaimed, try await !isCommitted(intent, claims) {
            run.dependencies.events.event(
                .warning, "dropped a batch that was planned here: its records have been archived otherwise",
                [("shard", intent.shard), ("first", intent.first.text)])
            for object in intent.objects { try run.spool.remove(object.spoolFile) }
            try context.store.discard(intent)
            return nil
        }
        return try await replay(intent)
    }

    /// Carries out an open plan; one whose records are gone is closed here and stays claimed, because the host that
    /// made it may still have its rows.
    private func replay(_ intent: BatchIntent) async throws -> BatchIntent {
        do {
            return try await IntentReplay(run: run).finish(intent)
        } catch let error as any DiagnosticError where error.exitCode == .sourceGap {
            run.dependencies.events.event(.error, error.diagnostic.summary, [("shard", intent.shard)])
            try context.store.discard(intent)
            throw ExpiredClaim(
                window: LostWindow(
                    shard: intent.shard, from: intent.firstArrival, to: intent.lastArrival.adding(.milliseconds(1))))
        }
    }

    private func isCommitted(_ intent: BatchIntent, _ claims: RangeClaims) async throws -> Bool {
        guard let manifest = try await claims.manifest(of: intent) else { return false }
        return manifest.describesSameBatch(as: BatchManifest(intent: intent))
    }

    private func isSame(_ a: BatchIntent, _ b: BatchIntent) -> Bool {
        BatchManifest(intent: a).describesSameBatch(as: BatchManifest(intent: b))
    }

    /// Names of spool files are this host's own affair, and what comes from a bucket never names a file.
    private func localised(_ intent: BatchIntent) -> BatchIntent {
        var intent = intent
        for index in intent.objects.indices {
            intent.objects[index].spoolFile = "claimed-\(intent.first.padded)-\(index).ndjson.gz"
        }
        return intent
    }
}
