// `sluice backfill`, from the lock to the report: plan from the manifests, finish what was begun, fill what is open.

import AWS
import Batching
package import CivilTime
import Diagnostics
import State

package struct BackfillJob: Sendable {
    /// The range bounds a backfill: `limits.run_time` is for runs by a timer.
    static let runTimeMax = Duration.seconds(100 * 86_400)

    /// Manifests that are read side by side.
    package static let readsMax = ManifestScan.readsMax

    let file: ArchiveJobFile
    let range: TimeRange
    private let isDryRun: Bool
    let dependencies: ArchiveDependencies

    /// - Parameters:
    ///   - from, to: arrival times; `to` is not included.
    ///   - isDryRun: plans and writes nothing anywhere.
    package init(
        file: ArchiveJobFile, from: Timestamp, to: Timestamp, isDryRun: Bool, dependencies: ArchiveDependencies
    ) {
        self.file = file
        range = TimeRange(from: from, to: to)
        self.isDryRun = isDryRun
        self.dependencies = dependencies
    }

    /// Runs once. Never throws: what went wrong is in the report, and so is the exit status.
    package func run() async -> BackfillReport {
        let clock = RunClock(
            until: .now, runTime: Self.runTimeMax, time: dependencies.time, stop: dependencies.stop)
        var report = BackfillReport(
            job: file.name, stream: file.source.stream.reference,
            destination: "s3://\(file.destination.bucket)/\(file.destination.prefix.text)", started: clock.started,
            from: range.from, to: range.to, isDryRun: isDryRun)
        do {
            if isDryRun {
                try await preview(&report)
            } else {
                let directory = StateDirectory(file.stateDirectory)
                try directory.prepare()
                let own = StateDirectory("\(file.stateDirectory)/backfill")
                try own.prepare()
                // Held until this function returns: one backfill of a job at a time on this host. The job's own lock
                // is not taken: it may run beside.
                let lock = try JobLock(directory: own)
                defer { lock.release() }
                try await fill(clock, own, &report)
            }
        } catch {
            let (diagnostic, code) = describe(error, during: "backfill", of: file.name)
            report.problem = diagnostic
            report.exitCode = code
        }
        report.elapsed = clock.elapsed
        report.signal = dependencies.stop.requested
        report.conclude()
        return report
    }

    private func fill(_ clock: RunClock, _ directory: StateDirectory, _ report: inout BackfillReport) async throws {
        let outset = try await outset(&report)
        let planner = planner(outset)
        let scan = try await planner.scan()
        let store = try openStore(directory, outset)
        let run = try RunContext(
            file: file, dependencies: dependencies, clock: clock, summary: outset.summary, store: store,
            guardian: StandingClaim(), directory: store.directory)
        let context = BackfillContext(
            run: run, store: store, objects: objects, identity: file.identity(of: outset.summary),
            range: outset.range, scan: scan)
        let runID = try store.beginRun(started: clock.started)
        do {
            try await run.removeLeftovers()
            report.shards = try await context.finisher.finishOwn()
            let blocked = Set(try store.openIntents().map(\.shard))
            let plan = try await plan(planner, scan, outset, &report)
            let shards = plan.shards.filter { !blocked.contains($0.id) && !($0.isDone && $0.plan.lost.isEmpty) }
            for filled in try await fill(shards, context) { report.add(filled) }
        } catch {
            let (_, code) = describe(error, during: "backfill", of: file.name)
            try? store.endRun(runID, ended: dependencies.time.now(), exitCode: code.rawValue, summary: nil)
            throw error
        }
        report.signal = dependencies.stop.requested
        report.conclude()
        try store.endRun(runID, ended: dependencies.time.now(), exitCode: report.status, summary: nil)
    }

    /// At most `limits.parallel_shards` side by side. No shard waits for its parents: its keys are its own.
    private func fill(_ shards: [PlannedShard], _ context: BackfillContext) async throws -> [BackfillShardReport] {
        try await withThrowingTaskGroup(of: BackfillShardReport.self) { group in
            var waiting = shards[...]
            var done: [BackfillShardReport] = []
            func start() {
                guard dependencies.stop.requested == nil, let shard = waiting.popFirst() else { return }
                group.addTask { try await ShardFill(shard: shard, context: context).fill() }
            }
            for _ in 0..<file.limits.parallelShards { start() }
            while let report = try await group.next() {
                done.append(report)
                context.run.board.update(done: done.count, total: shards.count)
                start()
            }
            return done
        }
    }

    /// What is planned, without a lock, a state or a store: nothing is written anywhere.
    private func preview(_ report: inout BackfillReport) async throws {
        let outset = try await outset(&report)
        let planner = planner(outset)
        let plan = try await plan(planner, try await planner.scan(), outset, &report)
        for shard in plan.shards {
            var preview = BackfillShardReport(shard: shard.id)
            let expired = shard.plan.holes.compactMap { hole in
                hole.isRead
                    ? nil : hole.expired(outset.range, floor: shard.floor, trimHorizon: outset.trimHorizon)
            }
            preview.lost = (shard.plan.lost + expired).map {
                LostWindow(shard: shard.id, from: $0.from, to: $0.to)
            }
            if !preview.lost.isEmpty { report.add(preview) }
        }
    }
}
