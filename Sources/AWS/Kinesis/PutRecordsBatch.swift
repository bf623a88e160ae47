// The records of one PutRecords request in flat buffers: appending allocates nothing for each record once the buffers
// have grown. Holds what it is given, also what Kinesis would refuse; the request checks.

package struct PutRecordsBatch: Sendable, Equatable {
    /// Where a record's parts lie in `content`: data, partition key and the digits of the explicit hash key in a row.
    struct Entry: Sendable, Equatable {
        var start: Int
        var dataCount: Int
        var keyCount: Int
        /// 0: the partition key chooses the shard.
        var hashKeyCount: Int
        /// The key can stand in JSON as it is.
        var hasPlainKey: Bool

        var keyStart: Int { start + dataCount }
        var hashKeyStart: Int { keyStart + keyCount }
        var end: Int { hashKeyStart + hashKeyCount }
    }

    private(set) var content: [UInt8] = []
    private(set) var entries: [Entry] = []
    /// Data and partition keys together, as Kinesis counts them.
    package private(set) var bytes = 0

    package init() {}

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// Adds a record. The key is UTF-8; its MD5 chooses the shard unless `explicitHashKey` does.
    package mutating func append(
        data: UnsafeRawBufferPointer, partitionKey: UnsafeRawBufferPointer, explicitHashKey: UInt128? = nil
    ) {
        var entry = Entry(
            start: content.count, dataCount: data.count, keyCount: partitionKey.count, hashKeyCount: 0,
            hasPlainKey: JSONText.isPlain(partitionKey))
        appendContent(data)
        appendContent(partitionKey)
        if let explicitHashKey {
            let digits = String(explicitHashKey).utf8
            entry.hashKeyCount = digits.count
            content.append(contentsOf: digits)
        }
        entries.append(entry)
        bytes += data.count + partitionKey.count
    }

    /// The same for a record that is at hand as values.
    package mutating func append(data: [UInt8], partitionKey: String, explicitHashKey: UInt128? = nil) {
        var key = partitionKey
        data.withUnsafeBytes { data in
            key.withUTF8 {
                append(data: data, partitionKey: UnsafeRawBufferPointer($0), explicitHashKey: explicitHashKey)
            }
        }
    }

    /// Adds a copy of record `index` of `other`.
    package mutating func append(_ index: Int, of other: PutRecordsBatch) {
        var entry = other.entries[index]
        let place = content.count
        content.append(contentsOf: other.content[entry.start..<entry.end])
        entry.start = place
        entries.append(entry)
        bytes += entry.dataCount + entry.keyCount
    }

    package mutating func removeAll(keepingCapacity: Bool) {
        content.removeAll(keepingCapacity: keepingCapacity)
        entries.removeAll(keepingCapacity: keepingCapacity)
        bytes = 0
    }

    package func data(_ index: Int) -> ArraySlice<UInt8> {
        let entry = entries[index]
        return content[entry.start..<entry.keyStart]
    }

    package func partitionKey(_ index: Int) -> String {
        let entry = entries[index]
        return String(decoding: content[entry.keyStart..<entry.hashKeyStart], as: UTF8.self)
    }

    package func explicitHashKey(_ index: Int) -> UInt128? {
        let entry = entries[index]
        return UInt128(String(decoding: content[entry.hashKeyStart..<entry.end], as: UTF8.self))
    }

    /// Data and partition key of one record.
    package func recordBytes(_ index: Int) -> Int { entries[index].dataCount + entries[index].keyCount }

    /// Length of the partition key in characters (Unicode scalars).
    func partitionKeyLength(_ index: Int) -> Int {
        let entry = entries[index]
        return entry.hasPlainKey ? entry.keyCount : partitionKey(index).unicodeScalars.count
    }

    private mutating func appendContent(_ bytes: UnsafeRawBufferPointer) {
        // As UInt8: a raw buffer would be appended byte by byte.
        bytes.withMemoryRebound(to: UInt8.self) { content.append(contentsOf: $0) }
    }
}
