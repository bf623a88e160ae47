// The records of one PutRecords request: what fits in, and what is still to be sent after an answer. Pure. What must
// stay true: `acknowledgedOffset` never passes a record that was not stored.
import AWS

struct ShipRecord: Equatable {
    var data: [UInt8]
    var partitionKey: String
    /// Where the record begins in its file.
    var offset: Int
    /// Where the next record begins.
    var end: Int

    var bytes: Int { data.count + partitionKey.utf8.count }
}

struct ShipBatch: Equatable {
    /// PutRecords takes no more in one request.
    static let recordsMax = 500
    /// Data and partition keys together. PutRecords takes 10 MiB; older endpoints and emulators take 5.
    static let bytesMax = 5 << 20
    /// Data and partition key of one record, unless the stream's owner allowed more.
    static let recordBytesMax = 1 << 20
    /// Room for the partition key, which has at most 256 characters; ours are ASCII.
    static let lineBytesMax = recordBytesMax - 256

    /// Not stored yet, in the order of the file.
    private(set) var records: [ShipRecord] = []
    private(set) var bytes = 0
    /// Where the file goes on after the last record that was appended.
    private var end: Int?

    var isEmpty: Bool { records.isEmpty }

    /// Up to where the file is stored without a hole once the records that left this batch are; nil for a batch that
    /// never held a record.
    private(set) var acknowledgedOffset: Int?

    /// False when the record must wait for the next batch. An empty batch takes any record.
    func fits(_ record: ShipRecord) -> Bool {
        records.isEmpty || records.count < Self.recordsMax && bytes + record.bytes <= Self.bytesMax
    }

    mutating func append(_ record: ShipRecord) {
        precondition(fits(record), "a batch takes what fits")
        if records.isEmpty { acknowledgedOffset = record.offset }
        records.append(record)
        bytes += record.bytes
        end = record.end
    }

    struct Settlement: Equatable {
        var stored = 0
        /// How many records were refused with each code.
        var failures: [String: Int] = [:]
    }

    /// Takes the answer to a request that held exactly `records`: what was stored leaves, the rest is sent again.
    mutating func settle(_ answer: PutRecordsAnswer) -> Settlement {
        precondition(answer.storedCount + answer.failures.count == records.count, "one outcome for each record")
        var settlement = Settlement(stored: answer.storedCount)
        for failure in answer.failures { settlement.failures[failure.code, default: 0] += 1 }
        let left = answer.failures.map { records[$0.index] }
        // Records after the last one that is left are stored, but behind a hole.
        acknowledgedOffset = left.first?.offset ?? end
        records = left
        bytes = left.reduce(0) { $0 + $1.bytes }
        return settlement
    }
}
