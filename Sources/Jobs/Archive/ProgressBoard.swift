// Totals of a running job, gathered from its shards for the progress line.

import CivilTime
import Synchronization

final class ProgressBoard: Sendable {
    private static let intervalNanoseconds: UInt64 = 200_000_000

    private struct Line {
        var records = 0
        var rows = 0
        var bytes = 0
        var objects = 0
        var lag: Duration?
    }
    private struct Totals {
        var lines: [String: Line] = [:]
        var shardsDone = 0
        var shardsTotal = 0
        var lastShown: UInt64 = 0
    }

    private let totals = Mutex(Totals())
    private let events: any JobEvents
    private let clock: RunClock

    init(events: any JobEvents, clock: RunClock) {
        self.events = events
        self.clock = clock
    }

    func update(shard: String, records: Int, rows: Int, bytes: Int, objects: Int) {
        change { totals in
            totals.lines[shard, default: Line()].records = records
            totals.lines[shard, default: Line()].rows = rows
            totals.lines[shard, default: Line()].bytes = bytes
            totals.lines[shard, default: Line()].objects = objects
        }
    }

    func update(shard: String, lag: Duration) {
        change { $0.lines[shard, default: Line()].lag = lag }
    }

    func update(done: Int, total: Int) {
        change {
            $0.shardsDone = done
            $0.shardsTotal = total
        }
    }

    private func change(_ body: (inout sending Totals) -> Void) {
        let now = clock.time.monotonicNanoseconds()
        let elapsed = clock.elapsed
        let snapshot: ProgressSnapshot? = totals.withLock { totals in
            body(&totals)
            guard now &- totals.lastShown >= Self.intervalNanoseconds else { return nil }
            totals.lastShown = now
            var snapshot = ProgressSnapshot()
            for line in totals.lines.values {
                snapshot.records += line.records
                snapshot.rows += line.rows
                snapshot.recordBytes += line.bytes
                snapshot.objects += line.objects
                if let lag = line.lag { snapshot.lag = max(snapshot.lag ?? .zero, lag) }
            }
            snapshot.elapsed = elapsed
            snapshot.shardsDone = totals.shardsDone
            snapshot.shardsTotal = totals.shardsTotal
            return snapshot
        }
        if let snapshot { events.progress(snapshot) }
    }
}
