// The record format of the Kinesis Producer Library: many user records in one stream record. Magic number, a protocol
// buffers message, its MD5. Rules: awslabs/kinesis-aggregation, aggregation-format.md, and what the KCL's reader does
// where that page is silent. Either all of a record is well-formed, or none of it is taken apart.

import Crypto

/// Finds the user records of one payload. Keeps its tables between payloads, so one value serves a whole shard.
struct KPLAggregate {
    static let magic: [UInt8] = [0xF3, 0x89, 0x9A, 0xC2]
    static let digestBytes = 16

    /// One user record; ranges count from the start of the payload.
    struct UserRecord {
        var data: Range<Int>
        var partitionKey: Range<Int>
        var explicitHashKey: Range<Int>?
    }

    /// Where a table's text lies: 32 bits each, because hostile tables have millions of entries.
    private struct Place {
        var start: UInt32
        var count: UInt32

        init(_ range: Range<Int>) {
            start = UInt32(range.lowerBound)
            count = UInt32(range.count)
        }

        var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
    }

    private var partitionKeys: [Place] = []
    private var explicitHashKeys: [Place] = []

    init() {}

    /// Calls `each` with every user record in order; false, without a single call, when the payload is not an
    /// aggregate or a damaged one. An aggregate may be empty.
    mutating func read(
        _ payload: UnsafeRawBufferPointer, each: (UserRecord, Int) throws -> Void
    ) rethrows -> Bool {
        guard let message = Self.message(in: payload), collect(payload, message) else { return false }
        var reader = ProtobufReader(payload, range: message)
        var index = 0
        while !reader.isAtEnd, let tag = reader.tag() {
            guard tag.field == 3, tag.wireType == .bytes else {
                _ = reader.skip(tag)
                continue
            }
            guard let place = reader.bytes(), let record = Self.record(payload, place) else {
                preconditionFailure("the first pass accepted a record that the second does not")
            }
            try each(
                UserRecord(
                    data: record.data, partitionKey: partitionKeys[record.partitionKeyIndex].range,
                    explicitHashKey: record.explicitHashKeyIndex.map { explicitHashKeys[$0].range }),
                index)
            index += 1
        }
        return true
    }

    /// The message between magic and digest, when both are there and right.
    private static func message(in payload: UnsafeRawBufferPointer) -> Range<Int>? {
        // As the KCL has it: magic and digest alone are no aggregate.
        guard payload.count > magic.count + digestBytes, payload.count <= Int(UInt32.max),
            payload.prefix(magic.count).elementsEqual(magic)
        else { return nil }
        let message = magic.count..<payload.count - digestBytes
        var hash = Insecure.MD5()
        hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: payload[message]))
        return hash.finalize().elementsEqual(payload.suffix(digestBytes)) ? message : nil
    }

    /// First pass: checks everything and fills the tables. Records may stand before the tables they point into.
    private mutating func collect(_ payload: UnsafeRawBufferPointer, _ message: Range<Int>) -> Bool {
        partitionKeys.removeAll(keepingCapacity: true)
        explicitHashKeys.removeAll(keepingCapacity: true)
        var partitionKeyIndexMax = -1
        var explicitHashKeyIndexMax = -1
        var reader = ProtobufReader(payload, range: message)
        while !reader.isAtEnd {
            guard let tag = reader.tag() else { return false }
            // A known field with another wire type counts as an unknown one.
            guard (1...3).contains(tag.field), tag.wireType == .bytes else {
                guard reader.skip(tag) else { return false }
                continue
            }
            guard let place = reader.bytes() else { return false }
            switch tag.field {
            case 1: partitionKeys.append(Place(place))
            case 2: explicitHashKeys.append(Place(place))
            default:
                guard let record = Self.record(payload, place) else { return false }
                partitionKeyIndexMax = max(partitionKeyIndexMax, record.partitionKeyIndex)
                explicitHashKeyIndexMax = max(explicitHashKeyIndexMax, record.explicitHashKeyIndex ?? -1)
            }
        }
        return partitionKeyIndexMax < partitionKeys.count && explicitHashKeyIndexMax < explicitHashKeys.count
    }

    private struct RawRecord {
        var partitionKeyIndex: Int
        var explicitHashKeyIndex: Int?
        var data: Range<Int>
    }

    /// `Record`: partition key index and data are required; of a field that comes twice the last one counts.
    private static func record(_ payload: UnsafeRawBufferPointer, _ place: Range<Int>) -> RawRecord? {
        var reader = ProtobufReader(payload, range: place)
        var partitionKeyIndex: Int?
        var explicitHashKeyIndex: Int?
        var data: Range<Int>?
        while !reader.isAtEnd {
            guard let tag = reader.tag() else { return nil }
            switch (tag.field, tag.wireType) {
            case (1, .varint):
                guard let index = reader.varint(), index <= UInt32.max else { return nil }
                partitionKeyIndex = Int(index)
            case (2, .varint):
                guard let index = reader.varint(), index <= UInt32.max else { return nil }
                explicitHashKeyIndex = Int(index)
            case (3, .bytes):
                guard let content = reader.bytes() else { return nil }
                data = content
            case (4, .bytes):
                guard let content = reader.bytes(), isTag(payload, content) else { return nil }
            default:
                guard reader.skip(tag) else { return nil }
            }
        }
        guard let partitionKeyIndex, let data else { return nil }
        return RawRecord(
            partitionKeyIndex: partitionKeyIndex, explicitHashKeyIndex: explicitHashKeyIndex, data: data)
    }

    /// `Tag`: its key is required; nobody uses the values.
    private static func isTag(_ payload: UnsafeRawBufferPointer, _ place: Range<Int>) -> Bool {
        var reader = ProtobufReader(payload, range: place)
        var hasKey = false
        while !reader.isAtEnd {
            guard let tag = reader.tag(), reader.skip(tag) else { return false }
            if tag.field == 1, tag.wireType == .bytes { hasKey = true }
        }
        return hasKey
    }
}
