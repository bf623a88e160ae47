// What all shards of one backfill share.

import AWS
import Batching
import CivilTime
import State

struct BackfillContext: Sendable {
    let run: RunContext
    let store: SQLiteStateStore
    let objects: any ControlStore
    let identity: StateIdentity
    let range: TimeRange
    let scan: ManifestScan

    var finisher: ClaimFinisher { ClaimFinisher(context: self) }

    func claims(on shard: String) -> RangeClaims {
        RangeClaims(shard: shard, objects: objects, identity: identity, dependencies: run.dependencies)
    }

    /// - Parameter horizon: everything that arrived before it is of no concern.
    func pages(
        _ shard: String, _ start: ReadStart, horizon: Timestamp?, recordsMax: Int? = nil, counter: RetryCounter
    ) -> PageReader {
        var counted = run.dependencies
        counted.kinesis = counted.kinesis.counting(into: counter)
        let clock = run.clock
        return PageReader(
            stream: run.streamReference, shard: shard, start: start, storedHorizon: horizon, retention: run.retention,
            bytesPerSecond: run.file.source.readRate, recordsMax: recordsMax, dependencies: counted,
            mayWait: { clock.mayRead })
    }
}
