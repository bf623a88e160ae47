// What a world whose oldest records have left the stream must come to.

import CivilTime
import Diagnostics
import Foundation
import Synchronization
import Testing

@testable import Batching
@testable import Jobs

extension World {
    /// As `run`, but the oldest part of the day has left the stream when the backfills come.
    func runIntoExpiry() async throws {
        cloud.content.withLock { $0.retentionHours = 24 * 365 }
        try await live(through: Int.random(in: 4...9, using: &random))
        loseManifests(keepingObjects: false)
        let span = Int(cloud.now.since(FakeCloud.creation).components.seconds)
        let horizon = FakeCloud.creation.adding(.seconds(Int.random(in: 0...max(1, span), using: &random)))
        cloud.content.withLock { $0.retentionHours = 24 }
        cloud.advance(to: horizon.adding(.seconds(24 * 3_600)))
        for _ in 0..<2 {
            let range = randomRange()
            asked.append(range)
            let fate = Fate(lastCall: chance(60) ? Int.random(in: 1...60, using: &random) : nil)
            if try await hosts[0].backfill(range.from, range.to, sealRecords: sealRecords, fate: fate).ended {
                deaths += 1
            }
        }
        asked.append(TimeRange(from: FakeCloud.creation, to: cloud.now))
        for range in asked {
            backfills += 1
            let done = try await hosts[1].backfill(range.from, range.to, sealRecords: sealRecords)
            try judge(done.report, range, horizon: horizon)
        }
        filled = try check("in the end").filled.count
    }

    /// What the range asks for is archived or has expired, is named then, and the status says so.
    func judge(_ report: BackfillReport, _ range: TimeRange, horizon: Timestamp) throws {
        let audit = try check("after \(range)")
        var missing = 0
        for record in cloud.records where range.from <= record.arrival && record.arrival < range.to {
            let waiting = report.shards.first { $0.figures.shard == record.shard }?.waitingSince
            guard audit.covered[record.sequence] == nil, waiting.map({ record.arrival < $0 }) ?? true else { continue }
            missing += 1
            let isNamed = report.lost.contains {
                $0.shard == record.shard && $0.from <= record.arrival && record.arrival < $0.to
            }
            if record.arrival >= horizon { Issue.record("seed \(seed): \(record.sequence) could still be read") }
            if !isNamed { Issue.record("seed \(seed): \(record.sequence) has expired and is not named") }
        }
        named += missing
        let expected: ExitCode = report.lost.isEmpty ? report.moreWaiting ? .temporary : .done : .sourceGap
        if report.exitCode != expected || (missing > 0 && report.lost.isEmpty) {
            Issue.record("seed \(seed): \(missing) are missing, \(report.lost), and it ends with \(report.exitCode)")
        }
        // Late enough that nothing which is still there lies in a window.
        for window in report.lost where window.to > horizon.adding(.seconds(5)) {
            Issue.record("seed \(seed): \(window) reaches beyond what has expired")
        }
    }
}
