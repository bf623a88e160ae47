// The job file of `sluice archive` as plain values: every key has its value here, defaults filled in and checked.
// Nothing in it is secret; two equal files give equal values.

package import Batching
package import CivilTime
package import Gzip
package import Records

package struct ArchiveJobFile: Sendable, Equatable {
    /// Where the file lies, for messages.
    package var path: String
    /// Names state, lock, metrics and the default control prefix: `[a-z0-9-]{1,64}`.
    package var name: String
    package var source: Source
    package var transform: TransformSettings
    package var destination: Destination
    package var seal: Seal
    /// 1 to 9.
    package var gzipLevel: Int
    package var gzipEngine: GzipEngine
    package var limits: Limits
    /// Absolute path of the directory with the SQLite file, the spool and the lock.
    package var stateDirectory: String
    /// Where Prometheus' node_exporter reads how the job fares; nil for nowhere.
    package var metrics: MetricsFile?
    /// The table that the rows are loaded into; nil without one.
    package var redshift: RedshiftSettings?

    package struct Source: Sendable, Equatable {
        package var stream: StreamReference
        package var start: StartPosition
        package var onGap: GapRule
        /// Bytes a second that one shard may be read with; nil for unlimited.
        package var readRate: Int?
    }

    /// Where a shard without a checkpoint is read from.
    package enum StartPosition: Sendable, Equatable {
        case trimHorizon, latest
        case time(Timestamp)
    }

    /// What to do when records expired before they were read.
    package enum GapRule: String, CaseIterable, Sendable {
        /// The shard stops and the run ends with exit 69.
        case stop
        /// The gap is written into the next manifest and the shard goes on.
        case `continue`
    }

    package struct Destination: Sendable, Equatable {
        package var bucket: String
        package var region: String
        package var prefix: PrefixTemplate
        /// Ends with `/`; manifests and the owner marker lie below it.
        package var controlPrefix: String
        package var partitionTime: PartitionTime
        package var storageClass: String?
        /// `AES256`, `aws:kms` or `aws:kms:dsse`; nil leaves it to the bucket.
        package var sse: String?
        package var kmsKeyID: String?
        package var tags: [String: String]
        /// The 12-digit account that must own the bucket.
        package var expectedBucketOwner: String?
        /// Nil: path style for an endpoint that is not AWS's own, else virtual-hosted style.
        package var pathStyle: Bool?
    }

    /// Which instant of a row renders `{date}`, `{hour}` and their like.
    package enum PartitionTime: String, CaseIterable, Sendable { case arrival, event }

    /// A batch is cut at whichever comes first.
    package struct Seal: Sendable, Equatable {
        /// Compressed bytes of the batch's largest object.
        package var bytes: Int
        package var records: Int
        /// Open partitions of one shard.
        package var partitions: Int
    }

    package struct Limits: Sendable, Equatable {
        package var runTime: Duration
        package var parallelShards: Int
        /// Bytes that the whole process may use.
        package var memory: Int
    }
}
