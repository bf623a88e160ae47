import Batching

extension ShardReport {
    /// Adds one committed batch.
    mutating func add(_ batch: BatchIntent, recordBytes: Int) {
        records += batch.records
        rows += batch.rows
        rowsByStatus.merge(batch.statusCounts, uniquingKeysWith: +)
        objects += batch.objects.count
        objectBytes += batch.objects.reduce(0) { $0 + $1.bytes }
        self.recordBytes += recordBytes
        batches += 1
    }
}
