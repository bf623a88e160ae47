// Does anything in the range wait for the job itself? A backfill leaves what follows the last manifest to it; whether
// there is something is read off the stream, a few records at a time.

import AWS
import Batching
import CivilTime
import State

struct TailProbe: Sendable {
    /// Enough for the archive's last record and the one after it.
    static let recordsMax = 2
    static let pagesMax = 200

    let context: BackfillContext

    /// Arrival of the first record in the range that follows what is archived of the shard; nil when there is none.
    func waiting(on shard: PlannedShard) async throws -> Timestamp? {
        guard shard.plan.isLeftToLive else { return nil }
        var from = context.range.from
        if case .until(let instant) = shard.tail { from = max(from, instant) }
        return try await first(on: shard.id, after: shard.plan.edge, from: from)
    }

    /// Arrival of the first record behind `edge` that arrived from `from` on, in the range.
    func first(on shard: String, after edge: ArchivedEdge?, from: Timestamp) async throws -> Timestamp? {
        var start = ReadStart.position(.timestamp(max(0, from.milliseconds)))
        if let edge, edge.arrival >= from { start = .position(.after(edge.last)) }
        let pages = context.pages(
            shard, start, horizon: nil, recordsMax: Self.recordsMax, counter: RetryCounter())
        for _ in 0..<Self.pagesMax {
            let page = try await pages.next()
            for index in page.firstNew..<max(page.firstNew, page.records.count) {
                let arrival = page.records.arrival(index)
                if let edge, SequenceNumber(page.records.sequenceNumber(index)).map({ $0 <= edge.last }) ?? false {
                    continue
                }
                if arrival >= context.range.to { return nil }
                if arrival >= from { return arrival }
            }
            if page.isEnd || (page.isSettled && page.records.millisBehindLatest == 0) { return nil }
        }
        return nil
    }
}
