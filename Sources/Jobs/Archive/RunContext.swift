// What all shards of one run share: settings, stores, the clock. Values and thread-safe references only.

import AWS
import Batching
import CivilTime
import Gzip
import Records
import State

struct RunContext: Sendable {
    let file: ArchiveJobFile
    let dependencies: ArchiveDependencies
    let clock: RunClock
    let summary: StreamSummary
    let store: any StateStore
    let horizons: HorizonNotes
    let spool: SpoolDirectory
    let committer: BatchCommitter
    let board: ProgressBoard
    let live: LiveMetrics?

    /// - Parameters:
    ///   - guardian: asked before each effect in S3.
    ///   - directory: where spool files lie; it must be prepared and locked.
    ///   - live: told of each batch; nil for a run that keeps no metrics.
    init(
        file: ArchiveJobFile, dependencies: ArchiveDependencies, clock: RunClock, summary: StreamSummary,
        store: any StateStore, guardian: any CommitGuard, directory: StateDirectory,
        live: LiveMetrics? = nil
    ) throws {
        self.file = file
        self.dependencies = dependencies
        self.clock = clock
        self.summary = summary
        self.store = store
        horizons = HorizonNotes(store: store, failpoints: dependencies.failpoints)
        spool = try SpoolDirectory(path: "\(directory.path)/spool")
        committer = BatchCommitter(
            dependencies: dependencies, store: store, guardian: guardian, spool: spool,
            upload: ObjectUpload(
                s3: dependencies.s3, bucket: file.destination.bucket, attributes: file.destination.attributes),
            controlPrefix: file.destination.controlPrefix)
        board = ProgressBoard(events: dependencies.events, clock: clock)
        self.live = live
    }

    var retention: Duration { .seconds(summary.retentionHours * 3_600) }
    /// How calls name the stream: the ARN when the job file gives one.
    var streamReference: String { file.source.stream.reference }

    /// The end of reading as the pure rule takes it. "The start of the run" is told in the server's time: arrival
    /// times come from there, and this machine's clock may be wrong.
    func end(clockSkew: Duration) -> RunEnd {
        switch clock.until {
        case .now: return .time(clock.started.adding(clockSkew))
        case .drained: return .drained
        case .time(let instant): return .time(instant)
        }
    }

    /// Files of batches that never got an intent: their records are still on the stream.
    func removeLeftovers() async throws {
        let wanted = Set(try await store.openIntents().flatMap { $0.objects.map(\.spoolFile) })
        for name in try spool.names() where !wanted.contains(name) { try spool.remove(name) }
    }

    var memoryPlan: MemoryPlan {
        MemoryPlan(
            memory: file.limits.memory, shards: file.limits.parallelShards, partitions: file.seal.partitions,
            sealBytes: file.seal.bytes)
    }

    func batchContext(shard: ShardState) throws -> BatchContext {
        let plan = memoryPlan
        let seal = SealPolicy(
            bytes: file.seal.bytes, records: file.seal.records, partitions: file.seal.partitions)
        return BatchContext(
            job: file.name, stream: summary.name, streamCreation: summary.creation, shard: shard.id,
            parents: shard.parents,
            settings: BatchSettings(
                transform: try JSONValue(encoding: file.transform), prefix: file.destination.prefix.text,
                partitionTime: file.destination.partitionTime.rawValue, gzipLevel: file.gzipLevel,
                gzipEngine: file.gzipEngine.rawValue, chunkBytes: plan.chunkBytes),
            engine: file.gzipEngine, rowsBytesMax: plan.rowsBytes,
            transform: file.transform, prefix: file.destination.prefix, seal: seal,
            partitionsMax: seal.partitionsMax, createdBy: dependencies.programVersion)
    }
}
