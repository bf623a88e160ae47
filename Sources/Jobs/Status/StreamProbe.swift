// Asks the stream, shard by shard, for the oldest record that waits behind a checkpoint: two records are read of each,
// nothing is stored and no checkpoint moves.

import AWS
import Batching
import CivilTime
import Diagnostics

struct StreamProbe: Sendable {
    /// Shards that are asked at a time: a look must not take the reader's share of calls.
    static let parallelMax = 4
    /// The checkpoint's own record and the one after it.
    static let recordsMax = 2
    /// Kinesis may answer with empty pages before it comes to a record.
    static let pagesMax = 6

    let stream: String
    let retention: Duration
    let dependencies: ArchiveDependencies

    func look(at shards: [ShardState]) async -> [String: ShardSight] {
        await withTaskGroup(of: (String, ShardSight).self) { group in
            var sights: [String: ShardSight] = [:]
            var rest = shards[...]
            for shard in rest.prefix(Self.parallelMax) { group.addTask { (shard.id, await look(at: shard)) } }
            rest = rest.dropFirst(Self.parallelMax)
            while let (id, sight) = await group.next() {
                sights[id] = sight
                if let shard = rest.popFirst() { group.addTask { (shard.id, await look(at: shard)) } }
            }
            return sights
        }
    }

    private func look(at shard: ShardState) async -> ShardSight {
        do {
            return try await read(shard)
        } catch {
            let (diagnostic, code) = describe(error, during: "look at shard", of: shard.id)
            return .unknown(diagnostic, code)
        }
    }

    private func read(_ shard: ShardState) async throws -> ShardSight {
        let reader = PageReader(
            stream: stream, shard: shard.id, start: .position(shard.position), storedHorizon: shard.horizon,
            retention: retention, bytesPerSecond: nil, recordsMax: Self.recordsMax, dependencies: dependencies,
            mayWait: { false })
        var reached: Timestamp?
        for _ in 0..<Self.pagesMax {
            let page = try await reader.next()
            if let gap = page.gap { return .gap(gap) }
            if page.firstNew < page.records.count {
                return .waiting(since: page.records.arrival(page.firstNew))
            }
            if page.isEnd || (page.isSettled && page.records.millisBehindLatest == 0) { return .caughtUp }
            reached = page.horizon
        }
        return reached.map { .waiting(since: $0) } ?? .caughtUp
    }
}
