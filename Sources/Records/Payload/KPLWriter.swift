// Many user records in one stream record, as the Kinesis Producer Library packs them, so that its readers (KCL, Lambda
// and other libraries) take them apart again. The size of the aggregate is known before each record goes in.
// https://github.com/awslabs/kinesis-aggregation/blob/master/aggregation-format.md

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
    private var explicitHashKeys: [UInt8]
    private var partitionKeys: [UInt8] = []
    private var partitionKeyCount = 0
    /// The last key stands at the end of `partitionKeys`.
    private var lastKeyByteCount = 0
    private var records: [UInt8] = []
    /// User records so far.
    package private(set) var count = 0

    /// `explicitHashKey` is the one that the aggregate will be sent with.
    package init(explicitHashKey: UInt128) { explicitHashKeys = Self.hashKeyTable(explicitHashKey) }

    /// For the next aggregate, which must still be empty.
    package mutating func use(explicitHashKey: UInt128) {
        precondition(isEmpty, "records of the aggregate name another hash key")
        explicitHashKeys = Self.hashKeyTable(explicitHashKey)
    }

    private static func hashKeyTable(_ hashKey: UInt128) -> [UInt8] {
        let digits = Array(String(hashKey).utf8)
        return [Tag.explicitHashKey, UInt8(digits.count)] + digits
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
            Self.append(to: &partitionKeys, countMax: Self.headByteCountMax + partitionKey.count) { writer in
                writer.put(Tag.partitionKey)
                writer.put(varint: partitionKey.count)
                writer.put(partitionKey)
            }
            partitionKeyCount += 1
            lastKeyByteCount = partitionKey.count
        }
        let keyIndex = partitionKeyCount - 1
        Self.append(to: &records, countMax: Self.headByteCountMax + data.count) { writer in
            writer.put(Tag.record)
            writer.put(varint: Self.recordByteCount(keyIndex: keyIndex, data.count))
            writer.put(Tag.partitionKeyIndex)
            writer.put(varint: keyIndex)
            writer.put(Tag.explicitHashKeyIndex)
            writer.put(0)
            writer.put(Tag.data)
            writer.put(varint: data.count)
            writer.put(data)
        }
        count += 1
    }

    /// Appends the aggregate to `out` and begins the next one. An empty aggregate is nothing.
    package mutating func finish(into out: inout [UInt8]) {
        guard !isEmpty else { return }
        let start = out.count
        finishUndigested(into: &out)
        out.append(contentsOf: ManyMD5.digests([Self.digested(out[start...])])[0])
    }

    /// The same without its last part, the MD5 of `digested`: those of several aggregates are best made together.
    package mutating func finishUndigested(into out: inout [UInt8]) {
        guard !isEmpty else { return }
        out.reserveCapacity(out.count + byteCount)
        out.append(contentsOf: KPLAggregate.magic)
        out.append(contentsOf: partitionKeys)
        out.append(contentsOf: explicitHashKeys)
        out.append(contentsOf: records)
        partitionKeys.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
        (partitionKeyCount, lastKeyByteCount, count) = (0, 0, 0)
    }

    /// What the digest of an aggregate is made of.
    package static func digested(_ aggregate: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        aggregate.dropFirst(KPLAggregate.magic.count)
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

    /// More than tags, indexes and lengths of one record or key take: three numbers of at most ten bytes.
    private static let headByteCountMax = 40

    /// One growth for all that `body` writes, at most `countMax` bytes; byte by byte took four times as long.
    @inline(__always)
    private static func append(to bytes: inout [UInt8], countMax: Int, _ body: (inout Writer) -> Void) {
        bytes.append(addingCapacity: countMax) { span in
            span.withUnsafeMutableBufferPointer { buffer, count in
                guard let base = buffer.baseAddress else { return }
                var writer = Writer(place: UnsafeMutableRawPointer(base + count))
                body(&writer)
                count += writer.count
            }
        }
    }

    /// Moves forward in room that was made for all that it writes.
    private struct Writer {
        let place: UnsafeMutableRawPointer
        private(set) var count = 0

        init(place: UnsafeMutableRawPointer) { self.place = place }

        @inline(__always)
        mutating func put(_ byte: UInt8) {
            place.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
            count += 1
        }

        @inline(__always)
        mutating func put(varint value: Int) {
            var rest = UInt(bitPattern: value)
            while rest >= 0x80 {
                put(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            put(UInt8(truncatingIfNeeded: rest))
        }

        @inline(__always)
        mutating func put(_ content: UnsafeRawBufferPointer) {
            guard let source = content.baseAddress else { return }
            (place + count).copyMemory(from: source, byteCount: content.count)
            count += content.count
        }
    }
}
