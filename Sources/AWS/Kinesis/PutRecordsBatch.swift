// The records of one PutRecords request, kept as the JSON that goes out: a record's data becomes base64 where it is
// appended, so that its bytes are copied once and a request that waits or is under way is in memory once. Holds what it
// is given, also what Kinesis would refuse; the request checks.

package struct PutRecordsBatch: Sendable, Equatable {
    /// Where a record's JSON object lies, and what it holds.
    struct Entry: Sendable, Equatable {
        /// Of its opening brace.
        var start: Int
        var dataCount: Int
        /// Of the key as it was given, and as it stands between its quotes.
        var keyCount: Int
        var writtenKeyCount: Int
        /// 0: the partition key chooses the shard.
        var hashKeyCount: Int
        /// The key stands in JSON as it was given, and its bytes are its characters.
        var hasPlainKey: Bool
    }

    /// A whole document at any time.
    private(set) var json: [UInt8]
    private(set) var entries: [Entry] = []
    /// Bytes before the first record.
    let headCount: Int
    /// Name or ARN of the stream that the document names.
    let stream: String
    /// Data and partition keys together, as Kinesis counts them.
    package private(set) var bytes = 0

    /// - Parameter stream: name or ARN; a request to another one costs a copy.
    package init(stream: String = "") {
        self.stream = stream
        json = Self.emptyDocument(stream)
        headCount = json.count - Self.tail.utf8CodeUnitCount
    }

    /// An empty batch for the same stream, with room for as much as this one holds.
    package func empty() -> PutRecordsBatch {
        var batch = PutRecordsBatch(stream: stream)
        // Requests of one log are about as long as each other. Round sizes, so that freed memory fits again.
        batch.json.reserveCapacity(
            (json.count + json.count / 32) / Self.capacityStep * Self.capacityStep + Self.capacityStep)
        batch.entries.reserveCapacity(entries.count)
        return batch
    }

    private static let capacityStep = 64 << 10

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// Adds a record. The key is UTF-8; its MD5 chooses the shard unless `explicitHashKey` does.
    package mutating func append(
        data: UnsafeRawBufferPointer, partitionKey: UnsafeRawBufferPointer, explicitHashKey: UInt128? = nil
    ) {
        var entry = Entry(
            start: nextStart, dataCount: data.count, keyCount: partitionKey.count, writtenKeyCount: partitionKey.count,
            hashKeyCount: 0, hasPlainKey: JSONText.isPlain(partitionKey))
        if entry.hasPlainKey, explicitHashKey == nil {
            write(entry, data, key: partitionKey, hashKey: UnsafeRawBufferPointer(start: nil, count: 0))
        } else {
            let quoted = entry.hasPlainKey ? nil : JSONText.quoted(String(decoding: partitionKey, as: UTF8.self))
            let key = quoted.map { Array($0.dropFirst().dropLast()) } ?? Array(partitionKey)
            let hashKey = explicitHashKey.map { Array(String($0).utf8) } ?? []
            entry.writtenKeyCount = key.count
            entry.hashKeyCount = hashKey.count
            key.withUnsafeBytes { key in
                hashKey.withUnsafeBytes { write(entry, data, key: key, hashKey: $0) }
            }
        }
        entries.append(entry)
        bytes += entry.dataCount + entry.keyCount
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
        let object = entry.objectRange
        entry.start = nextStart
        other.json.withUnsafeBytes { write(objects: UnsafeRawBufferPointer(rebasing: $0[object])) }
        entries.append(entry)
        bytes += entry.dataCount + entry.keyCount
    }

    package mutating func removeAll(keepingCapacity: Bool) {
        json.removeSubrange(headCount..<json.count - Self.tail.utf8CodeUnitCount)
        if !keepingCapacity { json = Array(json[...]) }
        entries.removeAll(keepingCapacity: keepingCapacity)
        bytes = 0
    }

    package func data(_ index: Int) -> [UInt8] {
        json.withUnsafeBytes { Base64.decoded(UnsafeRawBufferPointer(rebasing: $0[entries[index].digitsRange])) } ?? []
    }

    package func partitionKey(_ index: Int) -> String {
        let entry = entries[index]
        return json.withUnsafeBufferPointer { bytes in
            JSONScanner(bytes).text(
                JSONStringRange(
                    start: entry.keyRange.lowerBound, count: entry.writtenKeyCount, hasEscapes: !entry.hasPlainKey))
        }
    }

    package func explicitHashKey(_ index: Int) -> UInt128? {
        UInt128(String(decoding: json[entries[index].hashKeyRange], as: UTF8.self))
    }

    /// Data and partition key of one record.
    package func recordBytes(_ index: Int) -> Int { entries[index].dataCount + entries[index].keyCount }

    /// Length of the partition key in characters (Unicode scalars).
    func partitionKeyLength(_ index: Int) -> Int {
        let entry = entries[index]
        return entry.hasPlainKey ? entry.keyCount : partitionKey(index).unicodeScalars.count
    }

    /// Where the object of the next record will begin.
    private var nextStart: Int { json.count - Self.tail.utf8CodeUnitCount + (entries.isEmpty ? 0 : 1) }

    /// Appends what `body` writes, at most `countMax` bytes, in place of the document's tail. `body` gives how many it
    /// wrote; the tail must be among them.
    @inline(__always)
    mutating func replaceTail(countMax: Int, _ body: (UnsafeMutableRawPointer) -> Int) {
        // One by one: `removeLast(2)` costs as much as the rest of this.
        for _ in 0..<Self.tail.utf8CodeUnitCount { json.removeLast() }
        json.append(addingCapacity: countMax) { span in
            span.withUnsafeMutableBufferPointer { buffer, count in
                guard let base = buffer.baseAddress else { return }
                count += body(UnsafeMutableRawPointer(base + count))
            }
        }
    }
}
