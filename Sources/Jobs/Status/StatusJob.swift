// `sluice status`: what the state and the ledger know, and, when the stream can be asked, what waits on it. Takes no
// lock and changes nothing, here or there.

import AWS
import Batching
import CivilTime
import Diagnostics
import State

package struct StatusJob: Sendable {
    private let file: ArchiveJobFile
    private let dependencies: ArchiveDependencies

    package init(file: ArchiveJobFile, dependencies: ArchiveDependencies) {
        self.file = file
        self.dependencies = dependencies
    }

    /// - Throws: `StateError` when the state is damaged or not this job's. A stream that cannot be asked is part of the
    ///   report.
    package func run() async throws -> StatusReport {
        let directory = StateDirectory(file.stateDirectory)
        let running = JobLock.holder(in: directory)
        let snapshot = try StateSnapshot.read(directory)
        let ledger = RunLedger.read(directory, job: file.name)
        let judge = StatusJudge(
            job: file.name, stream: file.source.stream.name,
            destination: "s3://\(file.destination.bucket)/\(file.destination.prefix.text)",
            readRate: file.source.readRate, parallelShards: file.limits.parallelShards)
        func report(_ now: Timestamp, _ sight: StreamSight?, _ offline: (Diagnostic, ExitCode)?) -> StatusReport {
            judge.report(
                now: now, snapshot: snapshot, ledger: ledger, sight: sight, offline: offline, runningProcess: running)
        }
        do {
            let stream = try await dependencies.kinesis.describeStreamSummary(stream: file.source.stream.reference)
            let now = stream.serverDate ?? dependencies.time.now()
            if let snapshot { try check(snapshot, against: stream) }
            return report(now, try await look(stream, snapshot: snapshot, now: now), nil)
        } catch let error as AWSError {
            return report(dependencies.time.now(), nil, (error.diagnostic, error.exitCode))
        }
    }

    /// Nil when no run has decided yet where the shards begin.
    private func look(
        _ stream: StreamSummary, snapshot: StateSnapshot?, now: Timestamp
    ) async throws -> StreamSight? {
        guard let snapshot, let start = snapshot.owner.start else { return nil }
        let listed = try await dependencies.kinesis.listShards(stream: file.source.stream.reference)
        let retention = Duration.seconds(stream.retentionHours * 3_600)
        let lineage = ShardLineage(
            listed: listed.map(ListedShard.init(_:)), stored: snapshot.shards, start: start, now: now,
            retention: retention)
        let present = Set(listed.map(\.id))
        let shards = (lineage.ready + lineage.waiting.map(\.shard)).filter { present.contains($0.id) }
        let probe = StreamProbe(
            stream: file.source.stream.reference, retention: retention, dependencies: dependencies)
        return StreamSight(shards: await probe.look(at: shards), lineage: lineage, retention: retention)
    }

    private func check(_ snapshot: StateSnapshot, against stream: StreamSummary) throws {
        let now = StateIdentity(
            job: file.name, stream: stream.name, streamARN: stream.arn, streamCreation: stream.creation,
            bucket: file.destination.bucket, controlPrefix: file.destination.controlPrefix)
        guard let mismatch = now.mismatch(with: snapshot.identity) else { return }
        throw StateError(
            .identity, "open state", file.stateDirectory, mismatch.cause, hint: mismatch.hint)
    }
}
