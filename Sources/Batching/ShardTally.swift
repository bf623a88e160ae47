// What a job has archived of one shard, counted in the transaction that commits each batch: a killed run neither loses
// nor doubles a count.

package import CivilTime

/// Totals of one shard since its state was made, and how fast its records lately came.
package struct ShardTally: Sendable, Equatable {
    package var records = 0
    package var rows = 0
    /// Rows by `parse_status`.
    package var statusCounts: [String: Int] = [:]
    package var batches = 0
    package var objects = 0
    /// Bytes of record data, as the stream carried them.
    package var recordBytes = 0
    /// Compressed bytes stored.
    package var objectBytes = 0
    /// Arrival of the last archived record; nil before the first batch.
    package var lastArrival: Timestamp?
    package var rate = IngestRate()

    package init() {}

    package mutating func add(_ batch: BatchIntent) {
        records += batch.records
        rows += batch.rows
        statusCounts.merge(batch.statusCounts, uniquingKeysWith: +)
        batches += 1
        objects += batch.objects.count
        recordBytes += batch.recordBytes ?? 0
        objectBytes += batch.objects.reduce(0) { $0 + $1.bytes }
        rate.add(bytes: batch.recordBytes ?? 0, from: lastArrival ?? batch.firstArrival, to: batch.lastArrival)
        lastArrival = max(lastArrival ?? batch.lastArrival, batch.lastArrival)
    }

    /// Adds another shard's totals; times and rates are a shard's own and stay.
    package mutating func addTotals(of other: ShardTally) {
        records += other.records
        rows += other.rows
        statusCounts.merge(other.statusCounts, uniquingKeysWith: +)
        batches += other.batches
        objects += other.objects
        recordBytes += other.recordBytes
        objectBytes += other.objectBytes
    }
}

/// Bytes a second that a shard takes in, from arrival times. Older spans count less: half after about an hour.
package struct IngestRate: Sendable, Equatable {
    package static let windowSeconds = 3_600.0

    package var bytes = 0.0
    package var seconds = 0.0

    package init(bytes: Double = 0, seconds: Double = 0) {
        self.bytes = bytes
        self.seconds = seconds
    }

    package mutating func add(bytes more: Int, from start: Timestamp, to end: Timestamp) {
        let span = max(0, Double(end.microseconds - start.microseconds) / 1e6)
        let keep = Self.windowSeconds / (Self.windowSeconds + span)
        bytes = bytes * keep + Double(more)
        seconds = seconds * keep + span
    }

    /// Nil while too little is known to tell.
    package var bytesPerSecond: Double? { seconds >= 1 ? bytes / seconds : nil }
}
