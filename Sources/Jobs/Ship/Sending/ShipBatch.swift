// The records of one PutRecords request, each with the place in its file that it came from. Pure.
import AWS

/// What one Kinesis record holds of a file.
struct ShipItem: Equatable {
    /// Number of the file.
    var file: Int
    /// Where its bytes begin in the log, and where the next record begins.
    var offset: Int
    var end: Int
    /// Lines that begin in it.
    var lines: Int
}

struct ShipBatch: Equatable {
    /// PutRecords takes no more in one request.
    static let recordsMax = KinesisClient.recordsPerPutMax
    /// What a record costs in memory besides its bytes.
    static let itemBytes = 96

    private(set) var records: PutRecordsBatch
    private(set) var items: [ShipItem] = []

    /// - Parameter stream: name or ARN of the stream that the records are for.
    init(stream: String = "") { records = PutRecordsBatch(stream: stream) }

    /// An empty batch for the same stream, with room for as much as this one holds.
    func empty() -> ShipBatch {
        var batch = ShipBatch(records: records.empty())
        batch.items.reserveCapacity(items.count)
        return batch
    }

    private init(records: PutRecordsBatch) { self.records = records }

    var count: Int { items.count }
    var isEmpty: Bool { items.isEmpty }
    /// Data and partition keys, as Kinesis counts them.
    var bytes: Int { records.bytes }
    /// What the batch takes of the memory.
    var cost: Int { records.bytes + items.count * Self.itemBytes }

    /// False when a record of `recordBytes` must wait for the next batch. An empty batch takes any record.
    func fits(_ recordBytes: Int, bytesMax: Int) -> Bool {
        items.isEmpty || items.count < Self.recordsMax && records.bytes + recordBytes <= bytesMax
    }

    mutating func append(
        data: UnsafeRawBufferPointer, partitionKey: UnsafeRawBufferPointer, explicitHashKey: UInt128?, item: ShipItem
    ) {
        records.append(data: data, partitionKey: partitionKey, explicitHashKey: explicitHashKey)
        items.append(item)
    }

    mutating func append(_ index: Int, of other: ShipBatch) {
        records.append(index, of: other.records)
        items.append(other.items[index])
    }

    /// Two halves, to find out which record is refused.
    func halves() -> (ShipBatch, ShipBatch) {
        var (first, second) = (empty(), empty())
        for index in 0..<count {
            if index < count / 2 { first.append(index, of: self) } else { second.append(index, of: self) }
        }
        return (first, second)
    }
}
