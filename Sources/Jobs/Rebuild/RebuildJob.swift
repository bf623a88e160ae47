// `sluice state rebuild`: from the job's lock to the new state file. What is rebuilt and how stands in State.

package import AWS
import Batching
import State

package struct RebuildJob: Sendable {
    private let file: ArchiveJobFile
    private let kinesis: KinesisClient
    private let s3: S3Client

    package init(file: ArchiveJobFile, kinesis: KinesisClient, s3: S3Client) {
        self.file = file
        self.kinesis = kinesis
        self.s3 = s3
    }

    /// - Parameter force: replace a state that is whole, or that belongs to an earlier stream of the same name.
    /// - Throws: `StateError` (79 when a run holds the job, 74 when there is nothing to do or to rebuild from), or the
    ///   error of a call to AWS.
    package func run(force: Bool) async throws -> RebuildReport {
        let directory = StateDirectory(file.stateDirectory)
        try directory.prepare()
        // Held until the new state is in place.
        let lock = try JobLock(directory: directory)
        defer { lock.release() }
        let stream = try await kinesis.describeStreamSummary(stream: file.source.stream.reference)
        let report = try await StateRebuild(
            objects: S3ControlStore(s3, attributes: file.destination.attributes), directory: directory,
            identity: file.identity(of: stream)
        ).run(force: force)
        return RebuildReport(job: file.name, report)
    }
}

/// What a rebuild did.
package struct RebuildReport: Sendable {
    package struct Shard: Sendable {
        package var id: String
        /// `trim_horizon`, `timestamp:MILLISECONDS`, `after:SEQUENCE NUMBER` or `ended`.
        package var position: String
    }

    package var job: String
    package var manifestCount: Int
    package var generation: Int64
    /// Where the old state lies now; nil when there was none.
    package var replaced: String?
    package var shards: [Shard]

    init(job: String, _ report: StateRebuild.Report) {
        self.job = job
        manifestCount = report.manifestCount
        generation = report.generation
        replaced = report.replaced
        shards = report.shards.map { Shard(id: $0.id, position: $0.position.description) }
    }
}
