// Which shard is read when: at most `parallel_shards` side by side, children after their parents, and when a shard
// has ended the stream is asked again for shards that became ready.

import AWS
import Batching
import CivilTime
import Diagnostics
import State

struct ShardSchedule {
    /// Rounds of ListShards in one run: a stream that is resharded while it is read needs one each time.
    static let roundsMax = 10_000

    let run: RunContext
    /// What the job's first run decided.
    let start: StartSet
    /// Shards whose first iterator is LATEST: this is the first run of a job with `start: latest`.
    let startsAtTip: Set<String>

    /// Reads all shards that can be read now and those that become ready meanwhile.
    func archive() async throws -> [ShardOutcome] {
        var outcomes: [ShardOutcome] = []
        var started: Set<String> = []
        try await withThrowingTaskGroup(of: ShardOutcome.self) { group in
            var waiting = try await ready(except: started, problems: &outcomes)
            var running = 0
            var rounds = 1
            while running > 0 || !waiting.isEmpty {
                while running < run.file.limits.parallelShards, !waiting.isEmpty, run.clock.mayRead {
                    let shard = waiting.removeFirst()
                    started.insert(shard.id)
                    let worker = SendableWorker(
                        shard: shard.state, isClosed: shard.isClosed,
                        startsAtTip: startsAtTip.contains(shard.id), run: run)
                    group.addTask { await worker.archive() }
                    running += 1
                }
                run.board.update(done: outcomes.count, total: outcomes.count + running + waiting.count)
                guard running > 0, let outcome = try await group.next() else { break }
                running -= 1
                outcomes.append(outcome)
                run.board.update(done: outcomes.count, total: outcomes.count + running + waiting.count)
                if outcome.report.ended, rounds < Self.roundsMax, run.clock.mayRead {
                    rounds += 1
                    let known = started.union(waiting.map(\.id))
                    waiting += try await ready(except: known, problems: &outcomes)
                }
            }
            for shard in waiting {
                outcomes.append(ShardOutcome(report: ShardReport(shard: shard.id), moreWaiting: true))
            }
        }
        return outcomes
    }

    /// A shard that may be read now.
    private struct Ready {
        var state: ShardState
        var isClosed: Bool
        var id: String { state.id }
    }

    /// Asks the stream and the state which shards may be read, and writes new ones down.
    private func ready(except started: Set<String>, problems: inout [ShardOutcome]) async throws -> [Ready] {
        let listed = try await run.dependencies.kinesis.listShards(stream: run.streamReference)
            .map(ListedShard.init(_:))
        var plan = try await plan(listed)
        if !plan.new.isEmpty { try await run.store.add(plan.new) }
        let blocked = Set(try await run.store.openIntents().map(\.shard))
        if try await settle(plan.vanished, except: blocked.union(started), problems: &problems) {
            plan = try await self.plan(listed)
        }
        for shard in plan.inconsistent {
            run.dependencies.events.event(.warning, "shard waits: \(shard.reason)", [("shard", shard.shard)])
        }
        let closed = Set(listed.filter { !$0.isOpen }.map(\.id))
        return plan.ready.filter { !started.contains($0.id) && !blocked.contains($0.id) }
            .map { Ready(state: $0, isClosed: closed.contains($0.id)) }
    }

    private func plan(_ listed: [ListedShard]) async throws -> ShardLineage {
        ShardLineage(
            listed: listed, stored: try await run.store.shards(), start: start,
            now: run.dependencies.time.now(), retention: run.retention)
    }

    /// Shards that left the stream before they were read: a gap. True when the job goes on over it.
    private func settle(
        _ vanished: [ShardLineage.Vanished], except known: Set<String>, problems: inout [ShardOutcome]
    ) async throws -> Bool {
        var goesOn = false
        for lost in vanished where !known.contains(lost.shard.id) {
            let error = GapProblem.error(lost.gap, shard: lost.shard.id)
            run.dependencies.events.event(.error, error.diagnostic.summary, [("shard", lost.shard.id)])
            if !problems.contains(where: { $0.report.shard == lost.shard.id }) {
                var report = ShardReport(shard: lost.shard.id)
                report.problem = error.diagnostic
                report.exitCode = error.exitCode
                problems.append(ShardOutcome(report: report, moreWaiting: false))
            }
            if run.file.source.onGap == .continue {
                try await run.store.markEnded(lost.shard.id, children: [])
                goesOn = true
            }
        }
        return goesOn
    }
}

/// Makes a worker inside the task that runs it.
struct SendableWorker: Sendable {
    let shard: ShardState
    let isClosed: Bool
    let startsAtTip: Bool
    let run: RunContext

    func archive() async -> ShardOutcome {
        do {
            return try await ShardWorker(shard: shard, isClosed: isClosed, startsAtTip: startsAtTip, run: run).archive()
        } catch {
            var report = ShardReport(shard: shard.id)
            let (diagnostic, code) = describe(error, during: "prepare shard", of: shard.id)
            report.problem = diagnostic
            report.exitCode = code
            return ShardOutcome(report: report, moreWaiting: true)
        }
    }
}
