/// When a batch is cut: after a whole record, at whichever limit is reached first. The end of a run and the end of a
/// shard cut too.
package struct SealPolicy: Sendable, Equatable {
    /// Compressed bytes of the batch's largest object.
    package var bytes: Int
    /// Kinesis records in the batch.
    package var records: Int
    /// Open partitions.
    package var partitions: Int

    /// A record with many rows may open partitions beyond `partitions` before the batch can be cut; this many.
    package static let partitionsBeyondSeal = 499
    /// The highest `partitions` that a job may ask for. With the margin and the shared partition a batch then has at
    /// most 2,500 objects, which keeps an intent and a manifest within a few megabytes.
    package static let partitionsLimit = 2_000
    package static let objectsMax = partitionsLimit + partitionsBeyondSeal + 1

    package init(bytes: Int, records: Int, partitions: Int) {
        self.bytes = bytes
        self.records = records
        self.partitions = partitions
    }

    /// True when the batch must be cut before its next record.
    package func mustSeal(largestObjectBytes: Int, records: Int, openPartitions: Int) -> Bool {
        largestObjectBytes >= bytes || records >= self.records || openPartitions >= partitions
    }

    /// `PartitionIndex.partitionsMax` for batches under this policy.
    package var partitionsMax: Int { partitions + Self.partitionsBeyondSeal }
}
