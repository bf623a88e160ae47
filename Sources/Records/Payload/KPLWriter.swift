// Many user records in one stream record, as the Kinesis Producer Library packs them, so that its readers (KCL, Lambda
// and other libraries) take them apart again. The size of the aggregate is known before each record goes in.
// https://github.com/awslabs/kinesis-aggregation/blob/master/aggregation-format.md

import Crypto

/// Packs aggregates one after the other with the same buffers; belongs to one worker. The caller bounds an aggregate
/// by `byteCount(adding:key:)`.
package struct KPLWriter {
    /// Protocol buffers tags (field number << 3 | wire type) of `AggregatedRecord` and of its `Record`.
    private enum Tag {
        static let partitionKey: UInt8 = 0x0A
        static let explicitHashKey: UInt8 = 0x12
        static let record: UInt8 = 0x1A
        static let partitionKeyIndex: UInt8 = 0x08
        static let explicitHashKeyIndex: UInt8 = 0x10
        static let data: UInt8 = 0x1A
    }

    /// The explicit hash key table with its one entry. All user records refer to it: a reader that knows only a part
    /// of the key space (KCL, after a reshard) keeps a user record whose hash key lies in its part, and this is the one
    /// that the aggregate itself was sent with.
    private let explicitHashKeys: [UInt8]
    private var partitionKeys: [UInt8] = []
    private var partitionKeyCount = 0
    /// The last key stands at the end of `partitionKeys`.
    private var lastKeyByteCount = 0
    private var records: [UInt8] = []
    /// User records so far.
    package private(set) var count = 0

    /// `explicitHashKey` is the one that the aggregate will be sent with.
    package init(explicitHashKey: UInt128) {
        let digits = Array(String(explicitHashKey).utf8)
        explicitHashKeys = [Tag.explicitHashKey, UInt8(digits.count)] + digits
    }

    package var isEmpty: Bool { count == 0 }

    /// Bytes of the finished aggregate; 0 when it is empty.
    package var byteCount: Int { isEmpty ? 0 : Self.frameByteCount + contentByteCount }

    /// What `byteCount` will be once this record is in.
    package func byteCount(adding data: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) -> Int {
        let isRepeat = repeatsLastKey(key)
        let keyBytes = isRepeat ? 0 : Self.fieldByteCount(key.count)
        let record = Self.recordByteCount(keyIndex: isRepeat ? partitionKeyCount - 1 : partitionKeyCount, data.count)
        return Self.frameByteCount + contentByteCount + keyBytes + Self.fieldByteCount(record)
    }

    package mutating func append(data: UnsafeRawBufferPointer, partitionKey: UnsafeRawBufferPointer) {
        if !repeatsLastKey(partitionKey) {
            partitionKeys.append(Tag.partitionKey)
            Self.put(partitionKey.count, into: &partitionKeys)
            Self.put(partitionKey, into: &partitionKeys)
            partitionKeyCount += 1
            lastKeyByteCount = partitionKey.count
        }
        let keyIndex = partitionKeyCount - 1
        records.append(Tag.record)
        Self.put(Self.recordByteCount(keyIndex: keyIndex, data.count), into: &records)
        records.append(Tag.partitionKeyIndex)
        Self.put(keyIndex, into: &records)
        records.append(Tag.explicitHashKeyIndex)
        records.append(0)
        records.append(Tag.data)
        Self.put(data.count, into: &records)
        Self.put(data, into: &records)
        count += 1
    }

    /// Appends the aggregate to `out` and begins the next one. An empty aggregate is nothing.
    package mutating func finish(into out: inout [UInt8]) {
        guard !isEmpty else { return }
        out.append(contentsOf: KPLAggregate.magic)
        let start = out.count
        out.append(contentsOf: partitionKeys)
        out.append(contentsOf: explicitHashKeys)
        out.append(contentsOf: records)
        var hash = Insecure.MD5()
        out.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[start...])) }
        out.append(contentsOf: hash.finalize())
        partitionKeys.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
        (partitionKeyCount, lastKeyByteCount, count) = (0, 0, 0)
    }

    // MARK: - Sizes

    private static let frameByteCount = KPLAggregate.magic.count + KPLAggregate.digestBytes

    private var contentByteCount: Int { partitionKeys.count + explicitHashKeys.count + records.count }

    /// A `Record` without its own tag and length: two indexes, the second one 0, and the data.
    private static func recordByteCount(keyIndex: Int, _ dataByteCount: Int) -> Int {
        1 + varintByteCount(keyIndex) + 2 + fieldByteCount(dataByteCount)
    }

    /// Tag, length and content of a field with a tag of one byte.
    private static func fieldByteCount(_ contentByteCount: Int) -> Int {
        1 + varintByteCount(contentByteCount) + contentByteCount
    }

    /// Seven bits a byte; 0 takes one.
    private static func varintByteCount(_ value: Int) -> Int {
        (Int.bitWidth - (value | 1).leadingZeroBitCount + 6) / 7
    }

    // MARK: - Bytes

    private func repeatsLastKey(_ key: UnsafeRawBufferPointer) -> Bool {
        guard partitionKeyCount > 0, key.count == lastKeyByteCount else { return false }
        return partitionKeys.withUnsafeBytes { $0.part(from: $0.count - key.count).equals(key) }
    }

    private static func put(_ value: Int, into bytes: inout [UInt8]) {
        var rest = UInt(bitPattern: value)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func put(_ content: UnsafeRawBufferPointer, into bytes: inout [UInt8]) {
        // As UInt8: a raw buffer would be appended byte by byte.
        content.withMemoryRebound(to: UInt8.self) { bytes.append(contentsOf: $0) }
    }
}
