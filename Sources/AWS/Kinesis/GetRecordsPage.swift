// One page of GetRecords: the answer's own bytes, with an index of where each record's parts lie. The data of all
// records is decoded in place while the page is scanned, so a page is either wholly good or not there.

package import CivilTime

/// A shard that follows the one that ended.
package struct ChildShard: Sendable, Equatable {
    package var id: String
    package var parents: [String]

    package init(id: String, parents: [String]) {
        self.id = id
        self.parents = parents
    }
}

package struct GetRecordsPage: Sendable {
    /// One record; its pointers are valid inside the callback only.
    package struct RecordView {
        package var data: UnsafeRawBufferPointer
        package var sequenceNumber: UnsafeRawBufferPointer
        /// UTF-8.
        package var partitionKey: UnsafeRawBufferPointer
        package var arrival: Timestamp
    }

    /// How far the page's end is behind the tip of the shard; 0: caught up.
    package private(set) var millisBehindLatest: Int64
    /// Nil when the shard has ended.
    package private(set) var nextIterator: String?
    /// Named on the page that ends a shard.
    package private(set) var childShards: [ChildShard]
    /// The answer's Date, else this machine's clock.
    package let serverDate: Timestamp
    /// Bytes of the answer on the wire.
    package let bodyBytes: Int

    /// The answer, with the base64 of each record replaced by its data.
    private let bytes: [UInt8]
    private let records: [RecordIndex]

    /// Scans `body`; throws when it is not a whole, well-formed page.
    package init(body: consuming [UInt8], serverDate: Timestamp) throws(JSONFault) {
        var bytes = body
        bodyBytes = bytes.count
        let scan = try PageScan.run(&bytes)
        self.bytes = bytes
        records = scan.records
        millisBehindLatest = scan.millisBehindLatest
        nextIterator = scan.nextIterator
        childShards = scan.childShards
        self.serverDate = serverDate
    }

    private init(serverDate: Timestamp) {
        bytes = []
        records = []
        millisBehindLatest = 0
        childShards = []
        bodyBytes = 0
        self.serverDate = serverDate
    }

    /// A page of nothing that ends its shard, for shards whose end is known without asking.
    package static func empty(serverDate: Timestamp) -> GetRecordsPage { GetRecordsPage(serverDate: serverDate) }

    package var count: Int { records.count }

    /// A shard ends with children that name their parents, and only then without an iterator. Anything else was seen
    /// in the field to be passing: ask again with the same iterator (as the Kinesis Client Library does).
    package var isConsistent: Bool {
        (nextIterator == nil) == !childShards.isEmpty && childShards.allSatisfy { !$0.parents.isEmpty }
    }

    /// Calls `body` with record `i`.
    package func withRecord<R>(_ i: Int, _ body: (RecordView) throws -> R) rethrows -> R {
        let record = records[i]
        return try bytes.withUnsafeBytes { all in
            try body(
                RecordView(
                    data: part(all, record.dataStart, record.dataCount),
                    sequenceNumber: part(all, record.sequenceStart, record.sequenceCount),
                    partitionKey: part(all, record.keyStart, record.keyCount),
                    arrival: Timestamp(microseconds: record.arrival)))
        }
    }

    package func sequenceNumber(_ i: Int) -> String {
        withRecord(i) { String(decoding: $0.sequenceNumber, as: UTF8.self) }
    }

    package func arrival(_ i: Int) -> Timestamp { Timestamp(microseconds: records[i].arrival) }

    private func part(_ all: UnsafeRawBufferPointer, _ start: UInt32, _ count: UInt32) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: all[Int(start)..<Int(start + count)])
    }
}

/// Where a record's parts lie in the page's bytes.
struct RecordIndex {
    var dataStart: UInt32 = 0
    var dataCount: UInt32 = 0
    var sequenceStart: UInt32 = 0
    var sequenceCount: UInt32 = 0
    var keyStart: UInt32 = 0
    var keyCount: UInt32 = 0
    /// Microseconds since 1970.
    var arrival: Int64 = 0
}
