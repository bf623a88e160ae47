// The first run of a job fixes where each shard begins, once and for all, before anything is read.

import AWS
import Batching
import CivilTime
import State

struct FirstRun {
    let kinesis: KinesisClient
    let stream: String
    let start: ArchiveJobFile.StartPosition
    let started: Timestamp

    /// Where shards begin that do not begin with their oldest record.
    func startSet() async throws -> StartSet {
        switch start {
        case .trimHorizon: return .trimHorizon
        case .latest: return try await startSet(from: started, filter: .atLatest)
        case .time(let instant): return try await startSet(from: instant, filter: .atTimestamp(instant))
        }
    }

    private func startSet(from instant: Timestamp, filter: ShardFilter) async throws -> StartSet {
        let listed = try await kinesis.listShards(stream: stream)
        let openThen = try await kinesis.listShards(stream: stream, filter: filter)
        return StartSet(from: instant, listed: listed.map(ListedShard.init(_:)), openThen: openThen.map(\.id))
    }
}

extension ListedShard {
    init(_ shard: Shard) {
        self.init(
            id: shard.id, parents: [shard.parentID, shard.adjacentParentID].compactMap { $0 },
            isOpen: shard.endingSequence == nil)
    }
}
